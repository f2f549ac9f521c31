import ConnectorKit
import Hub
import Testing

@testable import Connectors

/// The contract on two real servers.
@Suite struct CardDAVContractTests {
    static let checks = ContractCheck.records

    @Test(arguments: checks) func radicale(_ check: ContractCheck) async throws {
        let server = try await CardDAVServers.radicale()
        var subject = Self.subject(server)
        subject.wrongSecrets = ["password": "not the password"]
        try await ContractSuite(subject).run(check)
    }

    /// One after the other: Xandikos answers 423 while it writes for somebody else.
    @Test(.serialized, arguments: checks) func xandikos(_ check: ContractCheck) async throws {
        try await ContractSuite(Self.subject(try await CardDAVServers.xandikos())).run(check)
    }

    @Test func aLockedStoreIsLater() async throws {
        let server = try await CardDAVServers.radicale()
        let bench = try ContractSuite(Self.subject(server)).bench()
        try await bench.proxy.fail(.status, status: 423, methods: ["PUT"])
        let push = Push(action: .upsert, key: "locked", idempotencyKey: "1", values: ["fn": "x"])
        guard case .failed(.later) = try await bench.sink.push([push]).first else {
            Issue.record("423 is not to be tried later")
            return
        }
    }

    static func subject(_ server: CardDAVServers.Server) -> ContractSubject {
        ContractSubject(
            remote: server.base, make: { try CardDAV($0) },
            settings: { ["url": .string($0 + server.book), "user": .string(server.user)] },
            secrets: ["password": server.password],
            document: { person in
                [
                    "fn": .string("\(person.given) \(person.family)"),
                    "n": ["given": .string(person.given), "family": .string(person.family)],
                    "email": [["value": .string(person.email), "type": "work"]],
                ]
            },
            look: { try await server.card($0) },
            plant: { path in
                let held = try #require(await server.card(path))
                let planted = "X-FAVOURITE-TEA;X-WHO=me:planted\\, with comma"
                let card = held.replacing("END:VCARD", with: "item1.\(planted)\r\nEND:VCARD")
                let status = try await server.put(path, card)
                #expect((200..<300).contains(status), "\(status) for \(card)")
                return "planted\\, with comma"
            })
    }
}
