internal import Hub
internal import Postgres
import Synchronization

/// The data keys of one tenant, unwrapped.
struct TenantKeys: Sendable {
    enum Purpose: String, Sendable, CaseIterable { case credentials, addresses }

    private var keys: [Purpose: [Int: [UInt8]]] = [:]

    /// The key of a number; nil when it is not there.
    func key(_ purpose: Purpose, _ id: Int) -> [UInt8]? { keys[purpose]?[id] }
    /// The newest, which new things are sealed under.
    func newest(_ purpose: Purpose) -> (id: Int, key: [UInt8])? {
        keys[purpose]?.max { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// What a wrapped key is associated with.
    static func place(_ tenant: Int64, _ purpose: String, _ id: Int) -> String { "\(tenant)|\(purpose)|\(id)" }

    /// Takes a wrapped key in; one that cannot be unwrapped is left out.
    mutating func add(
        _ purpose: String, _ id: Int, _ sealed: [UInt8], _ master: String, _ tenant: Int64, _ secrets: InstanceSecrets
    ) throws {
        guard let known = Purpose(rawValue: purpose),
            let key = try secrets.unwrap(sealed, master: master, place: Self.place(tenant, purpose, id))
        else { return }
        keys[known, default: [:]][id] = key
    }

    /// - Parameter rows: purpose, id, sealed, master.
    init(_ rows: Rows, tenant: Int64, secrets: InstanceSecrets) throws {
        for row in rows {
            try add(
                try row.get("purpose"), try row.get("id"), try row.get("sealed"), try row.get("master"), tenant, secrets
            )
        }
    }

    init() {}
}

extension TenantDatabase {
    /// The tenant's keys.
    /// - Parameter isFresh: whether to read them anew, since what is sealed has to last.
    func keys(isFresh: Bool = false) async throws -> TenantKeys {
        if !isFresh, let known = node.keys.withLock({ $0[tenant.id] }) { return known }
        let rows = try await run(
            as: .system, "SELECT purpose, id, sealed, master FROM auth.data_keys(\(tenant.id))")[0]
        let found = try TenantKeys(rows, tenant: tenant.id, secrets: node.secrets)
        // a tenant's keys are there from its first moment: nothing is no answer to keep
        if found.newest(.addresses) != nil { node.keys.withLock { $0[tenant.id] = found } }
        return found
    }
}
