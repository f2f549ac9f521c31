import Cryptography
import HTTPTypes
import Hub

/// A small page without scripts, for people who do not work with Kontor.
enum HTMLPage {
    /// Text as it may stand in a page.
    static func escaped(_ text: String) -> String {
        // most need nothing
        guard text.utf8.contains(where: { entity($0) != nil }) else { return text }
        var safe: [UInt8] = []
        safe.reserveCapacity(text.utf8.count + 32)
        for byte in text.utf8 {
            if let entity = entity(byte) {
                entity.withUTF8Buffer { safe.append(contentsOf: $0) }
            } else {
                safe.append(byte)
            }
        }
        return String(decoding: safe, as: UTF8.self)
    }

    /// What a character is written as that means something else in HTML.
    static func entity(_ byte: UInt8) -> StaticString? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }

    /// Paragraphs of a text by its empty lines.
    static func paragraphs(_ text: String) -> String {
        var all = [""]
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.allSatisfy(\.isWhitespace) {
                all.append("")
            } else {
                all[all.count - 1] += escaped(String(line)) + "<br>"
            }
        }
        return all.filter { !$0.isEmpty }.map { "<p>\($0.dropLast(4))</p>" }.joined()
    }

    /// - Parameters:
    ///   - language: of the page, as a BCP 47 tag.
    ///   - body: HTML.
    static func answer(_ status: Int = 200, title: String, language: String, _ body: String) -> Answer {
        let text = """
            <!doctype html><html lang="\(escaped(language))"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1"><title>\(escaped(title))</title><style>\(style)</style>
            </head><body><main><h1>\(escaped(title))</h1>\(body)</main></body></html>
            """
        var answer = Answer(status, json: Array(text.utf8))
        answer.contentType = "text/html; charset=utf-8"
        return answer.with(
            .contentSecurityPolicy,
            "default-src 'none'; style-src 'sha256-\(styleHash)'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        .with(.cacheControl, "no-store")
    }

    /// The style is let in by its hash (Content Security Policy 3, 6.7).
    private static let styleHash = Crypto.base64(Crypto.sha256(style.utf8))
    private static let style = """
        :root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6472;--line:#d9dee6;--ground:#f6f7f9;--card:#fff;--act:#1f5fbf}
        @media(prefers-color-scheme:dark){:root{--ink:#e8ebf0;--soft:#9aa4b2;--line:#333b47;--ground:#14181e;--card:#1c222b;--act:#7fb0ff}}
        *{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
        main{max-width:42rem;margin:2.5rem auto;padding:1.75rem;background:var(--card);border:1px solid var(--line);border-radius:14px}
        @media(max-width:44rem){main{margin:0;border:0;border-radius:0;min-height:100vh}}
        h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}p{margin:.6rem 0}.soft{color:var(--soft);font-size:.9rem}
        label{display:flex;gap:.85rem;padding:1rem 0;border-top:1px solid var(--line);cursor:pointer}
        input[type=checkbox]{width:1.3rem;height:1.3rem;flex:none;margin-top:.15rem;accent-color:var(--act)}
        button{margin:1rem .75rem 0 0;padding:.7rem 1.2rem;border-radius:9px;border:1px solid var(--act);background:var(--act);color:var(--card);font:inherit;font-weight:600;cursor:pointer}
        button.quiet{background:transparent;color:var(--act)}button:focus-visible,input:focus-visible{outline:3px solid var(--act);outline-offset:2px}
        table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem .4rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
        th{color:var(--soft);font-weight:500;width:30%}.note{padding:.75rem 1rem;border:1px solid var(--line);border-radius:9px}
        """
}
