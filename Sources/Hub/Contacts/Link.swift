/// Web addresses that are safe to show as links.
enum Link {
    /// The address with its scheme ("https" when it had none); nil unless it is one of http or https.
    static func normalised(_ text: String) -> String? {
        let plain = Text.line(text)
        guard !plain.isEmpty, !plain.unicodeScalars.contains(where: { " <>\"\\".unicodeScalars.contains($0) }) else {
            return nil
        }
        let lower = plain.lowercased()
        if lower.hasPrefix("http://") || lower.hasPrefix("https://") {
            let rest = plain.drop { $0 != ":" }.dropFirst(3)
            return rest.isEmpty || rest.hasPrefix("/") ? nil : plain
        }
        let host = plain.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard host.contains("."), !host.hasPrefix("."), !host.hasSuffix("."), !host.contains(":"),
            !host.contains("@")
        else { return nil }
        return "https://" + plain
    }

    /// Whether a browser would run it as a program: by its scalars, for a mark after the colon makes another `Character` of that.
    static func isProgram(_ text: String) -> Bool {
        let start = Text.string(text.unicodeScalars.filter { $0.value > 0x20 }).lowercased().unicodeScalars
        return ["javascript:", "data:", "vbscript:"].contains { start.starts(with: $0.unicodeScalars) }
    }
}
