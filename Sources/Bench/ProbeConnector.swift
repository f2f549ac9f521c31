import CHost
import ConnectorKit
import Hub
import Synchronization

/// A remote that takes everything at once and notes when each record reached it.
struct ProbeConnector: RecordSink {
    static let manifest = Manifest(
        kind: "probe", title: "Probe", settings: [],
        plugins: [
            PluginManifest(
                "contacts.export", "Contacts", .push,
                mapping: [
                    "rules": [
                        ["hub": "given_name", "remote": "first"], ["hub": "family_name", "remote": "last"],
                        ["hub": "emails[0].value", "remote": "mail"], ["hub": "job_title", "remote": "job"],
                    ]
                ],
                filter: ["all": [["tag": "client"]]])
        ],
        limits: .init(perSecond: 1_000_000, burst: 1_000_000, batch: 50, takesKey: true))

    private static let seen = Mutex<[String: UInt64]>([:])

    /// When each record came, in nanoseconds of the monotonic clock, by Kontor's key; forgets them.
    static func takeArrivals() -> [String: UInt64] {
        seen.withLock { seen in
            defer { seen = [:] }
            return seen
        }
    }

    init(_ environment: ConnectorEnvironment) {}

    func check() async throws -> String { "a probe" }

    func push(_ batch: [Push]) async throws -> [PushOutcome] {
        let now = csystem_now_ns()
        Self.seen.withLock { seen in for push in batch where seen[push.key] == nil { seen[push.key] = now } }
        return batch.map { .done(RemoteRecord(id: $0.key)) }
    }
}
