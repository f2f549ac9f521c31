public import Hub
public import Postgres

/// The one door to a tenant's data: every statement that goes through it runs under a signed context
/// of that tenant and actor, set locally in the same round trip.
public struct TenantDatabase: Sendable {
    public let tenant: Tenant
    let node: Node

    /// The table, qualified by the tenant's schema.
    func table(_ name: String) -> SQL { "\(table: tenant.schema, name)" }

    /// Runs statements as one short transaction on a shared connection, in one round trip.
    /// - Returns: the rows of each statement.
    /// - Throws: `PostgresError`.
    func run(as actor: Actor, deadline: Duration? = nil, _ statements: SQL...) async throws -> [Rows] {
        try await node.database.run(
            scope: tenant.id, prelude: prelude(actor, run: nil), deadline: deadline, statements)
    }

    /// Runs one statement without waiting for the disk: a crash of the server may take it back, as a whole, until a
    /// later commit is awaited. For what is then done anew by itself.
    /// - Throws: `PostgresError`.
    func runUnawaited(as actor: Actor, _ statement: SQL) async throws -> Rows {
        try await run(as: actor, ("SELECT set_config('synchronous_commit', 'off', true)" as SQL).prepared(), statement)[
            1]
    }

    /// Runs a transaction of several steps on a connection of its own, and rings the bell after it.
    /// - Parameter run: the intake run that changes are recorded under.
    /// - Throws: `PostgresError`, and what `body` throws.
    func transaction<T: Sendable>(
        as actor: Actor, run: Int64? = nil, deadline: Duration? = nil,
        _ body: @Sendable (Session) async throws -> T
    ) async throws -> T {
        let result = try await node.database.transaction(
            scope: tenant.id, prelude: prelude(actor, run: run), deadline: deadline, body)
        ring()
        return result
    }

    /// Reads all as of one moment.
    func snapshot<T: Sendable>(_ body: @Sendable (Session) async throws -> T) async throws -> T {
        try await node.database.transaction(
            scope: tenant.id, prelude: prelude(.system, run: nil), isolation: .snapshotReadOnly, body)
    }

    /// Tells the relay, here and in other processes, that rows of this tenant wait.
    public func ring() { node.bell.ring(tenant.id) }

    private func prelude(_ actor: Actor, run: Int64?) -> @Sendable (Int32) -> SQL {
        let contexts = node.contexts
        let tenant = tenant.id
        if let run {
            return { contexts.statement(tenant: tenant, actor: actor, backend: $0, run: run) }
        }
        return { contexts.statement(tenant: tenant, actor: actor, backend: $0) }
    }
}
