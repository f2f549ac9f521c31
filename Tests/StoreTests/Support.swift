import Foundation
import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// A connector with the plugins that tests use.
struct TestConnector {
    let id: Int64
    let pull: Int64
    let push: Int64
}

extension TenantDatabase {
    func rows(_ statement: SQL, as actor: Actor = .system) async throws -> Rows {
        try await run(as: actor, statement)[0]
    }

    func number(_ statement: SQL) async throws -> Int { try await rows(statement)[0].get(0) }

    /// A connector that pulls and, with a filter, pushes.
    func connector(_ name: String, rank: Int = 50, pushes filter: JSON? = nil, remote: MemoryRemote? = nil) async throws
        -> TestConnector
    {
        let id = try await createConnector(
            as: .token(1), manifest: MemoryConnector.manifest, name: name,
            settings: ["remote": .string(remote?.name ?? "none")], rank: rank)
        let found = try await rows("SELECT id FROM \(table("plugin")) WHERE connector = \(id) ORDER BY id")
        let (pull, push): (Int64, Int64) = (try found[0].get("id"), try found[1].get("id"))
        try await editPlugin(pull, as: .token(1), PluginEdit(state: "on"))
        if let filter { try await editPlugin(push, as: .token(1), PluginEdit(state: "on", filter: filter)) }
        return TestConnector(id: id, pull: pull, push: push)
    }

    /// Takes records in as one page of a poll.
    @discardableResult
    func take(
        _ connector: TestConnector, _ records: [IncomingRecord], reading: Reading? = nil, isFirst: Bool? = nil,
        isComplete: Bool = false
    ) async throws -> MergeCounts {
        let now = try await self.reading()
        let run = try await createRun(
            as: .system, kind: "poll", plugin: connector.pull, connector: connector.id, state: "running")
        _ = try await rows("UPDATE \(table("run")) SET started_at = now() WHERE id = \(run)")
        let plugin = try #require(try await pullPlugin(connector.pull))
        return try await takePage(
            stagedRows(records, plugin: plugin, firstLine: 1), plugin: plugin, run: run, reading: reading ?? now,
            cursor: "c", part: ListingPart(isFirst: isFirst ?? isComplete, isLast: isComplete))
    }

    /// Merges hub documents as a file.
    func merge(_ documents: [JSON], isDry: Bool = false, params: JSON = [:]) async throws -> (
        run: Int64, counts: MergeCounts
    ) {
        let run = try await createRun(as: .token(1), kind: "csv", params: params, isDry: isDry, state: "staging")
        let reader = try await rowReader(mapping: nil, as: .token(1))
        try await stage(
            documents.enumerated().map { reader.row(line: Int64($0 + 1), values: $1) }, run: run, as: .token(1))
        let claimed = ClaimedRun(
            id: run, kind: "csv", plugin: nil, connector: nil, params: params, isDry: isDry, fence: 0, actor: .token(1))
        return (run, try await mergeRun(claimed, isDry: isDry) { true })
    }

    func fields(_ id: Int64) async throws -> JSON {
        try JSON(parsing: await contact(id, as: .token(1)).json)["fields"] ?? .null
    }

    /// The one contact bound to a remote record.
    func bound(_ connector: TestConnector, _ remote: String) async throws -> Int64 {
        try await rows(
            "SELECT record FROM \(table("binding")) WHERE connector = \(connector.id) AND remote_id = \(remote)")[0]
            .get("record")
    }

    /// Verdicts on the newest change of a contact, by connector.
    func verdicts(_ id: Int64) async throws -> [String: String] {
        let found = try await rows(
            """
            SELECT k.name, v.verdict FROM \(table("decision")) d, unnest(d.plugin, d.verdict) AS v (plugin, verdict)
            JOIN \(table("plugin")) p ON p.id = v.plugin JOIN \(table("connector")) k ON k.id = p.connector
            WHERE d.change = (SELECT max(id) FROM \(table("change")) WHERE entity = 'contact' AND record = \(id))
            """)
        return Dictionary(
            try found.map { (try $0.get("name", as: String.self), try $0.get("verdict", as: String.self)) },
            uniquingKeysWith: { first, _ in first })
    }

    func duePlugin(_ connector: TestConnector) async throws -> DeliveryPlugin {
        try #require(try await duePlugins().contains(connector.push))
        return try #require(try await beginDeliveries(plugin: connector.push, batching: [])).plugin
    }

    /// Row counts of every table of the tenant.
    func tableCounts() async throws -> [String: Int] {
        let names = try await TestCluster.shared.value.superuser.run(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = \(tenant.schema)::regnamespace")[0]
        var counts: [String: Int] = [:]
        for row in names {
            let name: String = try row.get("relname")
            counts[name] = try await number("SELECT count(*) FROM \(table(name))")
        }
        return counts
    }
}

func incoming(_ id: String, _ values: JSON, at: String? = nil, isDeleted: Bool = false, key: String? = nil)
    -> IncomingRecord
{
    IncomingRecord(id: id, version: nil, changedAt: at, isDeleted: isDeleted, key: key, values: values)
}

/// A random source that gives the same values for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
