public import ConnectorKit
import Hub
public import Logging
public import Store

/// Sends the mails that wait in the queue. Any number of workers may run: each mail is held by one at a time, and what one
/// that was killed held is sent by another.
public struct MailWorker: Sendable {
    private let node: Node
    private let client: SMTPClient
    private let sender: MailMessage.Address
    /// Where people find Kontor's pages, without a slash at its end.
    private let address: String
    private let log: Logger
    private static let (batch, lease) = (8, 180)
    private static let pause = Duration.seconds(1)

    /// - Parameter address: where people find Kontor's pages, such as `https://kontor.shop.example`.
    public init(
        node: Node, client: SMTPClient, sender: MailMessage.Address, address: String, log: Logger
    ) {
        (self.node, self.client, self.sender, self.log) = (node, client, sender, log)
        self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
    }

    /// Works until it is cancelled.
    public func run() async {
        while !Task.isCancelled {
            do {
                if try await sendDue() > 0 { continue }
            } catch {
                if !Task.isCancelled {
                    log.error("mails cannot be sent", metadata: ["error": "\(Failure.logText(error))"])
                }
            }
            // only cancelling ends a sleep early
            do { try await Task.sleep(for: Self.pause) } catch { break }
        }
    }

    private func sendDue() async throws -> Int {
        let mails = try await node.claimMails(most: Self.batch, lease: Self.lease)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for mail in mails { group.addTask { try await send(mail) } }
            try await group.waitForAll()
        }
        return mails.count
    }

    private func send(_ mail: DueMail) async throws {
        var link: InvitationLink?
        if mail.hasLink {
            link = try await node.link(for: mail)
            guard link != nil else { return }
        }
        let language = try await node.tenant(mail.tenant).language(of: mail.account)
        do {
            let text = MailText(mail, link: link.map { "\(address)/invitations/\($0.text)" }, language: language)
            try await client.send(
                MailMessage(
                    from: sender, to: MailMessage.Address(name: mail.name, bare: mail.email), subject: text.subject,
                    text: text.plain, html: text.html, id: "kontor-\(mail.id)"))
            try await node.finish(mail, problem: nil, retryAfter: nil)
            log.info("mail sent", metadata: ["mail": "\(mail.id)", "kind": "\(mail.kind)"])
        } catch let error as SMTPError {
            // 5 s, 10 s, 20 s ... 1 h, until the queue gives it up for its age
            let delay = error.isPermanent ? nil : min(3600, 5 << min(mail.attempt - 1, 10))
            try await node.finish(mail, problem: error.words, retryAfter: delay)
            log.warning("mail not sent", metadata: ["mail": "\(mail.id)", "error": "\(error.words)"])
        } catch let error as MailAddressError {
            try await node.finish(mail, problem: error.description, retryAfter: nil)
        }
    }
}
