public import Hub
public import Postgres

/// The one door to a tenant's data: every statement that goes through it runs under a signed context
/// of that tenant and actor, set locally in the same round trip.
public struct TenantDatabase: Sendable {
    public let tenant: Tenant
    let node: Node
    var sight = Sight.whole

    /// The table, qualified by the tenant's schema.
    func table(_ name: String) -> SQL { "\(table: tenant.schema, name)" }

    /// The view of a table that shows each person what their role allows.
    func seen(_ name: String) -> SQL { table(name + "_seen") }

    /// A table of orders as the caller may read it.
    func orders(_ name: String) -> SQL { sight.isMasked ? seen(name) : table(name) }

    /// Contacts as the caller may read them, with the columns of the table.
    var contacts: SQL { sight.isMasked ? seen("contact") : table("contact") }

    /// What a query for many contacts `c` says of the caller's rights, for the sake of its plan.
    var reach: SQL {
        sight.owners.map { "AND c.owner = ANY (\($0)::bigint[])" } ?? ""
    }

    /// Runs statements as one short transaction on a shared connection, in one round trip.
    /// - Returns: the rows of each statement.
    /// - Throws: `PostgresError`.
    func run(as actor: Actor, deadline: Duration? = nil, _ statements: SQL...) async throws -> [Rows] {
        try await node.database.run(
            scope: tenant.id, prelude: prelude(actor, run: nil), deadline: deadline, statements)
    }

    /// Reads a little by key, in a transaction that PostgreSQL keeps from writing. It may share the transaction with
    /// other callers' look-ups, each under its own context.
    /// - Returns: the rows of each statement.
    /// - Throws: `PostgresError`.
    func lookUp(as actor: Actor, _ statements: SQL...) async throws -> [Rows] {
        let (contexts, tenant) = (node.contexts, tenant.id)
        return try await node.database.lookUp(
            scope: tenant, prelude: { contexts.statement(tenant: tenant, actor: actor, backend: $0, isReadOnly: true) },
            statements)
    }

    /// Runs one of the few statements the relay sends all the time, which find their rows by key alone. It is planned
    /// once a connection, and for keys: a plan made by the sizes of young tables would be kept when they have grown.
    /// - Parameter isAwaited: false not to wait for the disk: a crash of the server may then take it back, as a whole,
    ///   until a later commit is awaited. For what is then done anew by itself.
    /// What PostgreSQL gives up because two waited for each other is done once more.
    /// - Throws: `PostgresError`.
    func runByKeys(as actor: Actor, isAwaited: Bool, _ statement: SQL) async throws -> Rows {
        let settings = isAwaited ? Self.byKeys : Self.byKeysUnawaited
        do {
            return try await run(as: actor, settings, statement.prepared())[1]
        } catch let error as PostgresError where error.isRetryable {
            return try await run(as: actor, settings, statement.prepared())[1]
        }
    }

    private static let byKeys = settings(commit: "on")
    static let byKeysUnawaited = settings(commit: "off")

    private static func settings(commit: String) -> SQL {
        ("""
        SELECT set_config('synchronous_commit', \(commit), true), set_config('plan_cache_mode', 'force_generic_plan', true),
            set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
            set_config('enable_mergejoin', 'off', true)
        """ as SQL).prepared()
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

    /// - Throws: `Failure` `right.missing` unless the actor may change any contact.
    func demandMassChange(as actor: Actor) async throws {
        guard try await run(as: actor, massChange)[0][0].get("may") else { throw Failure.right }
    }

    /// The same within a transaction that is the actor's.
    func demandMassChange(_ session: Session) async throws {
        guard try await session.query(massChange)[0].get("may") else { throw Failure.right }
    }

    private var massChange: SQL { "SELECT \(table("sees_all"))() AND \(table("may"))('mass_change') AS may" }

    /// Tells the relay, here and in other processes, that rows of this tenant wait.
    public func ring() { node.bell.ring(tenant.id) }

    /// Tells open consoles that there is something else to see.
    func show() { node.news.ring(tenant.id) }

    private func prelude(_ actor: Actor, run: Int64?) -> @Sendable (Int32) -> SQL {
        let contexts = node.contexts
        let tenant = tenant.id
        if let run {
            return { contexts.statement(tenant: tenant, actor: actor, backend: $0, run: run) }
        }
        return { contexts.statement(tenant: tenant, actor: actor, backend: $0) }
    }
}
