import ConnectorKit
import Cryptography
import Hub
import Testing

@testable import Connectors

@Suite struct WebhookTests {
    private static let secrets = ["signing_secret": "canary-signing", "authorization": "Bearer canary-authorization"]

    /// A receiver that takes webhooks, minding the key: see Support/hook_receiver.py.
    private static let receiver = Task {
        let process = try KitServerProcess("hook_receiver.py", ["canary-signing"], readsLine: true)
        return (process, "http://127.0.0.1:\(process.firstLine)")
    }

    private func subject() async throws -> ContractSubject {
        let remote = try await Self.receiver.value.1
        return ContractSubject(
            remote: remote, make: { try WebhookOut($0) }, settings: { ["url": .string("\($0)/hooks")] },
            secrets: Self.secrets, wrongSecrets: ["signing_secret": "another"],
            document: { ["name": .string("\($0.given) \($0.family)"), "email": .string($0.email)] })
    }

    @Test(arguments: ContractCheck.answers)
    func answers(_ check: ContractCheck) async throws {
        try await ContractSuite(try await subject()).run(check)
    }

    private func link(_ settings: JSON, _ secrets: [String: String] = secrets) throws -> WebhookOut {
        try WebhookOut(
            ConnectorEnvironment(
                settings: settings, secrets: KitSecrets(secrets), http: HTTPClient(guard: KitFaultProxy.loopback),
                log: KitLog().logger))
    }

    private func received(_ base: String) async throws -> [JSON] {
        try await HTTPClient(guard: KitFaultProxy.loopback).send(HTTPRequest("GET", "\(base)/received")).json().array
            ?? []
    }

    @Test func oneRecordIsOneSignedEvent() async throws {
        let base = try await Self.receiver.value.1
        let link = try link(["url": .string("\(base)/hooks"), "headers": ["X-Source": "kontor"]])
        #expect(try await link.check().contains("/hooks answered 200"))
        var push = Push(action: .upsert, key: "k-1", idempotencyKey: "k-1-a", values: ["name": "Ann"])
        for _ in 0..<2 {
            guard case .done(let record, _) = try await link.push([push]).first else {
                Issue.record("not done")
                return
            }
            #expect(record.id == "r-k-1")
        }
        push.remoteID = "r-k-1"
        push.action = .delete
        push.idempotencyKey = "k-1-b"
        guard case .done(let gone, _) = try await link.push([push]).first, gone.isDeleted else {
            Issue.record("not deleted")
            return
        }
        let events = try await received(base).filter { $0["body"]?["key"] == "k-1" }
        #expect(events.map { $0["body"]?["event"] } == ["contact.saved", "contact.deleted"])
        #expect(events[0]["body"]?["record"] == ["name": "Ann"] && events[1]["body"]?["record"] == .null)
        #expect(events[0]["headers"]?["x-source"] == "kontor" && events[0]["headers"]?["idempotency-key"] == "k-1-a")
    }

    @Test func twoSecretsWhileOneIsReplaced() async throws {
        let base = try await Self.receiver.value.1
        let rotating = ["signing_secret": "new-secret", "signing_secret_old": "canary-signing"]
        #expect(try await link(["url": .string("\(base)/hooks")], rotating).check().contains("200"))
    }

    @Test func settingsAreChecked() throws {
        for settings in [[:], ["url": "x"], ["url": "https://a.example", "headers": ["Authorization": "x"]]] as [JSON] {
            #expect(throws: ConnectorError.self) { try link(settings) }
        }
    }

    // MARK: Incoming

    private func incoming(_ settings: JSON) throws -> WebhookIn {
        try WebhookIn(
            ConnectorEnvironment(
                settings: settings, secrets: KitSecrets(["secret": "canary-in", "secret_old": "canary-old"]),
                http: HTTPClient(), log: KitLog().logger))
    }

    @Test func forgedHooksAreRefused() async throws {
        let body = Array(#"{"id":7,"name":"Ann"}"#.utf8)
        for (settings, header, value) in [
            (["proof": "hmac"], "x-signature", Crypto.hex(Crypto.hmacSHA256(key: Array("canary-in".utf8), body))),
            (
                ["proof": "stamped"], "kontor-signature",
                WebhookSignature.stamp(body, at: 1_700_000_000, secrets: ["canary-old"])
            ),
        ] as [(JSON, String, String)] {
            let subject = ContractSubject(
                remote: "http://127.0.0.1:9", make: { try WebhookIn($0) }, settings: { _ in settings },
                secrets: ["secret": "canary-in", "secret_old": "canary-old"],
                hook: { Hook(headers: [header: value], body: body, receivedAt: 1_700_000_100) })
            try await ContractSuite(subject).run(.forgedHookIsRefused)
            var late = Hook(headers: [header: value], body: body, receivedAt: 1_700_000_301)
            if settings["proof"] == "stamped" {
                await #expect(throws: HookError.self) { try await incoming(settings).verify(late) }
            }
            late.headers = [:]
        }
        let token = try incoming(["proof": "token", "header": "X-Token"])
        for given in ["canary-in", "Bearer canary-old"] {
            try await token.verify(Hook(headers: ["x-token": given], body: body, receivedAt: 0))
        }
        for given in ["", "canary-i", "Bearer ", "canary-in canary-old"] {
            await #expect(throws: HookError.self) {
                try await token.verify(Hook(headers: ["x-token": given], body: body, receivedAt: 0))
            }
        }
    }

    @Test func recordsAreFoundWhereTheSettingsSay() async throws {
        let link = try incoming([
            "list": "data.items", "id": "meta.id", "deleted": "gone_at", "changed_at": "at", "version": "v",
        ])
        let body = """
            {"data":{"items":[{"meta":{"id":7},"gone_at":null,"at":"2024-01-31T00:00:00Z","v":3},
            {"meta":{"id":"b"},"gone_at":"2024-02-01"}]}}
            """
        let found = try await link.records(in: Hook(headers: [:], body: Array(body.utf8), receivedAt: 0))
        let records = found.compactMap { if case .record(.contact, let record) = $0 { record } else { nil } }
        #expect(records.map(\.id) == ["7", "b"] && records.map(\.isDeleted) == [false, true])
        #expect(records[0].version == "3" && records[0].changedAt == "2024-01-31T00:00:00Z")
        let single = try incoming([:])
        #expect(
            try await single.records(in: Hook(headers: [:], body: Array(#"{"id":"x"}"#.utf8), receivedAt: 0)).count == 1
        )
        for wrong in ["", "[1", #"{"name":"no id"}"#, #"[{"id":""}]"#, #"{"id":1,"id":2}"#] {
            await #expect(throws: HookError.self) {
                try await single.records(in: Hook(headers: [:], body: Array(wrong.utf8), receivedAt: 0))
            }
        }
        await #expect(throws: HookError.self) {
            try await link.records(in: Hook(headers: [:], body: Array("{}".utf8), receivedAt: 0))
        }
    }
}
