import Foundation
import Store

/// pgbench as a baseline.
enum PgbenchScript {
    /// Transactions per second with eight prepared clients on two threads.
    static func rate(_ conninfo: String, _ options: [String], seconds: Int) async throws -> Double {
        let text = try await ChildProcess.run(
            "pgbench", ["-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", "\(seconds)"] + options + [conninfo])
        for line in text.split(separator: "\n") where line.hasPrefix("tps = ") {
            if let rate = Double(line.split(separator: " ")[2]) { return rate }
        }
        throw ChildProcess.Failed(description: "pgbench told no rate: \(text)")
    }

    /// A script that reads one contact as the service does: the signed context and the select in one round trip.
    /// - Returns: the path of the file.
    static func contact(of tenant: Tenant, _ cluster: BenchCluster, contacts: Int) async throws -> String {
        let context = try await cluster.context(of: tenant, actor: "token:1")
        return try file(
            """
            \\set id random(1, \(contacts))
            \\startpipeline
            SELECT set_config('kontor.context', '\(context)', true), set_config('transaction_read_only', 'on', true);
            SELECT \(columns) FROM \(tenant.schema).contact c WHERE c.id = :id;
            \\endpipeline
            """, cluster)
    }

    /// The columns of a contact as the service reads them.
    static let columns = """
        c.id, c.version, c.name, c.data AS fields, c.consents, c.locks, c.origins, c.created_at, c.updated_at, \
        c.deleted_at, c.merged_into, c.owner
        """

    static func file(_ text: String, _ cluster: BenchCluster) throws -> String {
        let path = cluster.folder + "/\(UUID().uuidString).pgbench"
        try (text + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
