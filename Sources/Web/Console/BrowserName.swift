/// What a browser calls itself (RFC 9110, 10.1.5), short enough to be recognised: "Firefox, Windows".
struct BrowserName {
    let text: String

    /// In the order in which they have to be looked for: most name others whose pages they show as well.
    private static let browsers = [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]
    private static let systems = [
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"), ("Linux", "Linux"),
    ]

    /// - Parameter agent: the whole of `User-Agent`; what is no browser's stays as it is.
    init(_ agent: String) {
        func first(_ marks: [(String, String)]) -> String? { marks.first { agent.contains($0.0) }?.1 }
        guard agent.hasPrefix("Mozilla/"), let browser = first(Self.browsers) else {
            text = agent
            return
        }
        text = [browser, first(Self.systems)].compactMap(\.self).joined(separator: ", ")
    }
}
