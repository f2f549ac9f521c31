import Cryptography
public import Foundation

/// One mail of plain text, and the same as HTML (RFC 5322, 2045 to 2047, 2046 5.1.4).
public struct MailMessage: Sendable {
    /// A mailbox with the name to be shown.
    public struct Address: Sendable {
        public let name: String
        /// Without the name: `ola@shop.example`.
        public let bare: String

        public init(name: String, bare: String) throws {
            // ASCII as it is, and nothing that ends a line or the address
            guard bare.wholeMatch(of: /[!-;=?-~]+@[!-;=?A-~]+/) != nil else { throw MailAddressError(text: bare) }
            (self.name, self.bare) = (name, bare)
        }

        /// - Parameter text: `Kontor <post@shop.example>`, or the address alone.
        public init(_ text: String) throws {
            if let match = text.wholeMatch(of: /\s*(.*?)\s*<([^<>]+)>\s*/) {
                try self.init(name: String(match.1), bare: String(match.2))
            } else {
                try self.init(name: "", bare: text)
            }
        }

        fileprivate var field: String {
            // RFC 5322, 3.2.3: a name of atoms stands as it is
            let isPlain = name.wholeMatch(of: /[A-Za-z0-9 '-]*/) != nil
            return name.isEmpty ? bare : "\(isPlain ? name : MailMessage.encoded(name, always: true))\r\n <\(bare)>"
        }
    }

    let sender: Address
    let recipient: Address
    private let subject: String
    private let text: String
    private let html: String
    private let id: String
    private let date: Date

    /// - Parameter id: the left part of the Message-ID: the same for each attempt, so that a mail that came twice can be
    ///   told.
    public init(
        from sender: Address, to recipient: Address, subject: String, text: String, html: String, id: String,
        date: Date = Date()
    ) {
        (self.sender, self.recipient, self.subject) = (sender, recipient, subject)
        (self.text, self.html, self.id, self.date) = (text, html, id, date)
    }

    /// The mail as it goes over the line.
    var bytes: [UInt8] {
        let boundary = "kontor-\(Crypto.hex(Crypto.randomBytes(12)))"
        let host = sender.bare.split(separator: "@").last ?? "localhost"
        var lines = [
            "Date: \(Self.date(date))", "From: \(sender.field)", "To: \(recipient.field)",
            "Subject: \(Self.encoded(subject))", "Message-ID: <\(id)@\(host)>", "MIME-Version: 1.0",
            // RFC 3834: no answer by a program
            "Auto-Submitted: auto-generated", "Content-Type: multipart/alternative;\r\n boundary=\"\(boundary)\"", "",
        ]
        for (type, content) in [("plain", text), ("html", html)] {
            lines += [
                "--\(boundary)", "Content-Type: text/\(type); charset=utf-8", "Content-Transfer-Encoding: base64", "",
            ]
            lines += Self.wrapped(Crypto.base64(Array(content.utf8)))
        }
        lines += ["--\(boundary)--", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// RFC 2045, 6.8: lines of 76 characters at most.
    private static func wrapped(_ text: String) -> [String] {
        stride(from: 0, to: text.utf8.count, by: 76).map { start in
            String(decoding: Array(text.utf8)[start..<min(start + 76, text.utf8.count)], as: UTF8.self)
        }
    }

    /// Words that are not plain ASCII, encoded (RFC 2047); pieces of whole characters, none longer than 75.
    fileprivate static func encoded(_ text: String, always: Bool = false) -> String {
        let clean = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        if !always, clean.wholeMatch(of: /[A-Za-z0-9 ,.:!?'-]*/) != nil { return clean }
        var pieces: [String] = [""]
        for character in clean {
            if pieces[pieces.count - 1].utf8.count + character.utf8.count > 42 { pieces.append("") }
            pieces[pieces.count - 1].append(character)
        }
        return pieces.map { "=?utf-8?B?\(Crypto.base64(Array($0.utf8)))?=" }.joined(separator: "\r\n ")
    }

    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: date)
    }
}
