import Foundation
internal import Hub
internal import Postgres
import Synchronization

/// The statements that set signed contexts. One is used again for the same tenant, actor and backend for a minute,
/// so that a busy actor's requests do not each pay for a signature.
final class ContextStatements: Sendable {
    private struct Key: Hashable {
        let tenant: Int64
        let actor: Actor
        let backend: Int32
        let isReadOnly: Bool
    }

    private struct Kept {
        let statement: SQL
        let until: Int
    }

    /// Seconds; the signature holds that much longer.
    private static let reuse = 60
    /// When there are this many, all are forgotten: which are still good is not worth a search.
    private static let limit = 4096

    private let signer: ContextSigner
    private let kept = Mutex<[Key: Kept]>([:])

    init(signer: ContextSigner) { self.signer = signer }

    /// The statement that begins a transaction of `actor` in `tenant` on the connection of `backend`.
    /// - Parameter isReadOnly: PostgreSQL refuses what writes in that transaction.
    func statement(tenant: Int64, actor: Actor, backend: Int32, isReadOnly: Bool = false) -> SQL {
        let key = Key(tenant: tenant, actor: actor, backend: backend, isReadOnly: isReadOnly)
        let now = Int(Date().timeIntervalSince1970)
        if let known = kept.withLock({ $0[key] }), now < known.until, now >= known.until - Self.reuse {
            return known.statement
        }
        let context = signer.context(tenant: tenant, actor: actor, backend: backend, extra: Self.reuse)
        let statement = isReadOnly ? reading(context) : writing(context)
        kept.withLock { kept in
            if kept.count >= Self.limit { kept.removeAll() }
            kept[key] = Kept(statement: statement, until: now + Self.reuse)
        }
        return statement
    }

    /// The same for a transaction whose changes are recorded under an intake run.
    func statement(tenant: Int64, actor: Actor, backend: Int32, run: Int64) -> SQL {
        let context = signer.context(tenant: tenant, actor: actor, backend: backend)
        return """
            SELECT set_config('kontor.context', \(context), true), set_config('kontor.bell', 'own', true),
                set_config('kontor.run', \(String(run)), true)
            """
    }

    private func reading(_ context: String) -> SQL {
        ("SELECT set_config('kontor.context', \(context), true), set_config('transaction_read_only', 'on', true)" as SQL)
            .prepared()
    }

    private func writing(_ context: String) -> SQL {
        ("SELECT set_config('kontor.context', \(context), true), set_config('kontor.bell', 'own', true)" as SQL)
            .prepared()
    }
}
