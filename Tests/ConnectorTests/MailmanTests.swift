import ConnectorKit
import Connectors
import Cryptography
import Foundation
import Hub
import Testing

/// The peer, or the real server whose REST API stands at KONTOR_MAILMAN (login restadmin, restpass).
enum MailmanPeer {
    static let domain = "news.example.org"
    static let secrets = ["password": "restpass"]
    static let sign = [("Authorization", "Basic \(Crypto.base64("restadmin:restpass".utf8))")]
    private static let peer = Result { try PeerProcess("mailman") }
    private static let real = ProcessInfo.processInfo.environment["KONTOR_MAILMAN"]

    /// Base address of a server that has the domain.
    static func base() async throws -> String {
        let base = try real ?? peer.get().base
        let request = HTTPRequest("POST", "\(base)/3.1/domains", headers: sign, json: ["mail_host": .string(domain)])
        // 400 says that it is there already.
        let status = try await HTTPClient(guard: KitFaultProxy.loopback).send(request).status
        guard [201, 400].contains(status) else { throw PeerProcess.Failure.refused(status, "no domain") }
        return base
    }

    static func settings(_ base: String) -> JSON {
        ["base_url": .string(base), "user": "restadmin", "domain": .string(domain)]
    }

    static func link(_ base: String) throws -> Mailman {
        try Mailman(
            ConnectorEnvironment(
                settings: settings(base), secrets: KitSecrets(secrets), http: HTTPClient(guard: KitFaultProxy.loopback),
                log: KitLog().logger))
    }
}

@Suite struct MailmanContractTests {
    private static func subject() async throws -> ContractSubject {
        var subject = ContractSubject(
            remote: try await MailmanPeer.base(), make: { try Mailman($0) }, settings: MailmanPeer.settings,
            secrets: MailmanPeer.secrets)
        subject.wrongSecrets = ["password": "not-the-password"]
        return subject
    }

    @Test(arguments: ContractCheck.groups) func contract(_ check: ContractCheck) async throws {
        try await ContractSuite(try await Self.subject()).run(check)
    }
}

/// What is Mailman's own.
@Suite struct MailmanTests {
    private func key() -> String { "k" + UUID().uuidString.prefix(8).lowercased() }

    private func list(_ id: String, _ base: String) async throws -> JSON {
        try await HTTPClient(guard: KitFaultProxy.loopback).send(
            HTTPRequest("GET", "\(base)/3.1/lists/\(id)", headers: MailmanPeer.sign)
        ).json()
    }

    @Test func aGroupIsAListWithItsName() async throws {
        let base = try await MailmanPeer.base()
        let (link, key) = (try MailmanPeer.link(base), key())
        let id = try await link.ensureGroup(id: nil, key: key, name: "Carpenters")
        #expect(id == "\(key).\(MailmanPeer.domain)")
        #expect(try await list(id, base)["display_name"] == "Carpenters")
        // A repeated first attempt finds the list.
        #expect(try await link.ensureGroup(id: nil, key: key, name: "Joiners") == id)
        #expect(try await list(id, base)["display_name"] == "Joiners")
    }

    @Test func everyKeyHasAListOfItsOwn() async throws {
        let link = try MailmanPeer.link(try await MailmanPeer.base())
        let suffix = key()
        var ids: Set<String> = []
        let keys = ["Segment 7 \(suffix)", "Segment-7 \(suffix)", "segment/7/\(suffix)", "świeca \(suffix)"]
        for key in keys + [String(repeating: "x", count: 60) + suffix] {
            ids.insert(try await link.ensureGroup(id: nil, key: key, name: key))
        }
        #expect(ids.count == 5)
    }

    @Test func manyMembersComeByPages() async throws {
        let link = try MailmanPeer.link(try await MailmanPeer.base())
        let id = try await link.ensureGroup(id: nil, key: key(), name: "Many")
        let emails = (0..<520).map { "Member\($0)@example.org" }
        let outcomes = try await link.add(emails.map { GroupMember(email: $0, name: "M") }, to: id)
        for case .failed(let error) in outcomes { Issue.record("\(error)") }
        #expect(try await link.members(of: id) == Set(emails.map { $0.lowercased() }))
        for case .failed(let error) in try await link.remove(Array(emails.prefix(250)), from: id) {
            Issue.record("\(error)")
        }
        #expect(try await link.members(of: id).count == 270)
    }

    @Test func oneBadAddressDoesNotStopTheOthers() async throws {
        let link = try MailmanPeer.link(try await MailmanPeer.base())
        let id = try await link.ensureGroup(id: nil, key: key(), name: "Some")
        let people = ["a@example.org", "no address", "b@example.org"].map { GroupMember(email: $0, name: "") }
        let outcomes = try await link.add(people, to: id)
        guard case .done = outcomes[0], case .failed(.refused(_, let words)) = outcomes[1], case .done = outcomes[2]
        else {
            Issue.record("came out as \(outcomes)")
            return
        }
        #expect(!words.isEmpty)
        #expect(try await link.members(of: id) == ["a@example.org", "b@example.org"])
    }

    @Test func aMissingDomainIsSaid() async throws {
        let base = try await MailmanPeer.base()
        var settings = MailmanPeer.settings(base)
        settings["domain"] = "elsewhere.example.org"
        let link = try Mailman(
            ConnectorEnvironment(
                settings: settings, secrets: KitSecrets(MailmanPeer.secrets),
                http: HTTPClient(guard: KitFaultProxy.loopback), log: KitLog().logger))
        let failure = await #expect(throws: RemoteError.self) {
            try await link.ensureGroup(id: nil, key: key(), name: "No")
        }
        guard case .refused(_, let words) = failure else {
            Issue.record("came out as \(String(describing: failure))")
            return
        }
        #expect(words.lowercased().contains("domain"))
    }
}
