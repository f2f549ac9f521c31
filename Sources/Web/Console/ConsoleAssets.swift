import Cryptography
import Foundation
import HTTPTypes
import Hub

/// Files for the browser, each under an address that changes with what is in it, plain and packed.
struct ConsoleAssets: Sendable {
    struct Asset: Sendable {
        let type: String
        let bytes: [UInt8]
        let packed: [UInt8]
    }
    private let assets: [String: Asset]
    /// Addresses by name: `css`, `bootstrap`, `js`, `icon`, `icons`.
    let addresses: [String: String]

    static let icons = [
        "house", "people", "plug", "person-badge", "person-circle", "box-arrow-right", "box-arrow-in-right", "search",
        "list", "pencil",
        "trash",
        "check-circle", "exclamation-triangle", "pause-circle", "play-circle", "arrow-repeat", "plus-lg",
        "sign-merge-right", "arrow-left-right", "upload", "unlock", "gear", "shield-check", "key", "download",
        "chevron-right",
        "tag", "lock", "collection", "patch-question", "send", "files", "signpost-split",
        "hourglass-split", "graph-up-arrow", "activity", "building", "receipt", "bookmark", "command",
    ]

    init(folder: String, shared: String) throws {
        var (assets, addresses): ([String: Asset], [String: String]) = ([:], [:])
        let sources: [(key: String, name: String, type: String, bytes: [UInt8])] = [
            ("css", "kontor.css", "text/css", try Self.read(folder + "/kontor.css")),
            ("icon", "kontor.svg", "image/svg+xml", try Self.read(folder + "/kontor.svg")),
            ("js", "kontor.js", "text/javascript", try Self.read(folder + "/kontor.js")),
            (
                "bootstrap", "bootstrap.css", "text/css",
                try Self.read(shared + "/javascript/bootstrap5/css/bootstrap.min.css")
            ),
            ("charts", "charts.js", "text/javascript", try Self.read(folder + "/charts.js")),
            ("chart", "chart.js", "text/javascript", try Self.read(shared + "/javascript/chart.js/chart.min.js")),
            ("icons", "icons.svg", "image/svg+xml", try Self.sprite(shared + "/bootstrap-icons/svg")),
        ]
        for source in sources {
            let mark = Crypto.hex(Crypto.sha256(source.bytes).prefix(8))
            let name = "\(mark)-\(source.name)"
            assets[name] = Asset(type: source.type, bytes: source.bytes, packed: try Gzip.pack(source.bytes, .best))
            addresses[source.key] = "/assets/\(name)"
        }
        (self.assets, self.addresses) = (assets, addresses)
    }

    /// - Parameter name: the last part of an address.
    func answer(_ name: String, packed: Bool) throws -> Answer {
        guard let asset = assets[name] else { throw Failure.notFound("address") }
        var answer = Answer(json: packed ? asset.packed : asset.bytes).with(
            .cacheControl, "public, max-age=31536000, immutable"
        ).with(.vary, "Accept-Encoding")
        answer.contentType = asset.type.hasPrefix("text/") ? asset.type + "; charset=utf-8" : asset.type
        return packed ? answer.with(.contentEncoding, "gzip") : answer
    }

    private static func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    /// One file of all icons that pages use, each to be taken by its name.
    private static func sprite(_ folder: String) throws -> [UInt8] {
        var text = #"<svg xmlns="http://www.w3.org/2000/svg">"#
        for icon in icons {
            let drawing = String(decoding: try read("\(folder)/\(icon).svg"), as: UTF8.self)
            guard let start = drawing.firstIndex(of: ">"), let end = drawing.range(of: "</svg>", options: .backwards)
            else {
                throw Failure(.broken, "console.missing", "The icon \(icon) cannot be read.")
            }
            text += #"<symbol id="\#(icon)" viewBox="0 0 16 16">"#
            text += drawing[drawing.index(after: start)..<end.lowerBound] + "</symbol>"
        }
        return Array((text + "</svg>").utf8)
    }
}
