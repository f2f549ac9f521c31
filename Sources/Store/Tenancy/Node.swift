public import Logging
public import Postgres
import Synchronization

/// One PostgreSQL server and what is needed to work on it. A tenant lives on one node.
public final class Node: Sendable {
    public let database: Database
    /// Rung when there is something to do.
    public let bell: Bell
    /// Rung when there is something else to see, too, such as a delivery that is done.
    public let news: Bell
    let signer: ContextSigner
    let contexts: ContextStatements
    let log: Logger
    let secrets: InstanceSecrets
    /// Keys of tenants, by number.
    let keys = Mutex<[Int64: TenantKeys]>([:])

    /// - Parameters:
    ///   - database: pools logged in as kontor_app.
    ///   - secrets: the instance's keys.
    ///   - isPooled: a transaction pooler stands before PostgreSQL.
    public init(database: Database, secrets: InstanceSecrets, isPooled: Bool = false, log: Logger) {
        self.database = database
        signer = ContextSigner(key: secrets.contextKey, isPooled: isPooled)
        contexts = ContextStatements(signer: signer)
        bell = Bell("kontor", pause: .milliseconds(5), database: database, log: log)
        news = Bell("kontor_news", pause: .milliseconds(250), database: database, log: log)
        self.log = log
        self.secrets = secrets
    }

    /// - Parameter sight: of the caller it is opened for.
    public func tenant(_ tenant: Tenant, sight: Sight = .whole) -> TenantDatabase {
        TenantDatabase(tenant: tenant, node: self, sight: sight)
    }

    /// All open tenants of this node.
    public func openTenants() async throws -> [Tenant] {
        try await database.run("SELECT id, country FROM kontor.open_tenants()")[0].map {
            Tenant(id: try $0.get("id"), country: try $0.get("country"))
        }
    }

    /// Rings of the bell from other processes and from writers that are not Kontor; this one's are in `bell.local()`.
    public func events() -> AsyncStream<BellEvent> { events(of: bell) }

    /// All that rings here or elsewhere: for whoever shows how things stand.
    public func everything() -> AsyncStream<BellEvent> {
        AsyncStream { continuation in
            let task = Task {
                await withTaskGroup(of: Void.self) { group in
                    for bell in [bell, news] {
                        group.addTask { for await event in self.events(of: bell) { continuation.yield(event) } }
                        group.addTask { for await rung in bell.local() { continuation.yield(.rung(Array(rung))) } }
                    }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func events(of bell: Bell) -> AsyncStream<BellEvent> {
        let notifications = database.listen(bell.channel)
        return AsyncStream { continuation in
            let task = Task {
                for await notification in notifications {
                    switch notification {
                    case .reconnected: continuation.yield(.lookEverywhere)
                    case .notified(let payload):
                        let tenants = bell.heard(payload)
                        if !tenants.isEmpty { continuation.yield(.rung(tenants)) }
                    }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// What the bell says.
public enum BellEvent: Sendable {
    case rung([Int64])
    /// Rings may have been lost.
    case lookEverywhere
}
