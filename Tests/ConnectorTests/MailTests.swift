import Foundation
import Testing

@testable import ConnectorKit

@Suite struct MailTests {
    private func message(to recipient: MailMessage.Address) throws -> MailMessage {
        MailMessage(
            from: try MailMessage.Address("Kontor <kontor@shop.example>"), to: recipient, subject: "Hello",
            text: "Text",
            html: "<p>Text</p>", id: "kontor-1")
    }

    @Test func noMailAndNoPasswordGoesToAnotherHostWithoutTLS() async throws {
        let file = NSTemporaryDirectory() + "/smtp-\(UUID().uuidString)"
        let peer = try KitServerProcess("plain_smtp.py", [file], readsLine: true)
        let ola = try MailMessage.Address("ola@shop.example")
        let other = try SMTPClient.Server(
            url: "smtp://127.0.0.2:\(peer.firstLine)", user: "kontor", password: "a secret")
        await #expect(throws: SMTPError.self) { try await SMTPClient(other, timeout: 10).send(try message(to: ola)) }
        #expect(
            try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").allSatisfy {
                $0.hasPrefix("EHLO") || $0 == "QUIT"
            })
        // the same on this machine is nobody's to read
        let own = try SMTPClient.Server(url: "smtp://127.0.0.1:\(peer.firstLine)", user: "kontor", password: "a secret")
        try await SMTPClient(own, timeout: 10).send(try message(to: ola))
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("RCPT TO:<ola@shop.example>"))
    }

    @Test func nothingIsAddedToAMailByAName() throws {
        for text in [
            "ola@shop.example\r\nBcc: all@shop.example", "ola@shop.example> <x@y", "ola", "", "ołą@shop.example",
        ] {
            #expect(throws: MailAddressError.self) { try MailMessage.Address(name: "Ola", bare: text) }
        }
        let named = try MailMessage.Address(name: "Ola\r\nBcc: all@shop.example", bare: "ola@shop.example")
        let lines = String(decoding: try message(to: named).bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(!lines.contains { $0.hasPrefix("Bcc") })
        let long = try MailMessage.Address(name: String(repeating: "żółć ", count: 40), bare: "ola@shop.example")
        #expect(
            String(decoding: try message(to: long).bytes, as: UTF8.self).components(separatedBy: "\r\n")
                .allSatisfy { $0.utf8.count <= 78 })
    }

    @Test func whatIsNoMailServerIsRefused() {
        for url in ["shop.example", "http://shop.example", "smtp://user:word@shop.example", "smtp://"] {
            #expect(throws: MailAddressError.self) { try SMTPClient.Server(url: url, user: nil, password: nil) }
        }
    }
}
