import Cryptography
public import Hub
internal import Postgres

/// Data keys: made with a tenant, changed on demand, wrapped anew when the master key changes. Every step leaves all
/// credentials readable, so that a change that is cut short is gone on with by the next.
extension Provisioner {
    /// Gives a tenant its first keys unless it has them. One from before there were any keeps what it was sealed under.
    func makeKeys(of tenant: Int64, _ session: Session) async throws {
        let isOld: Bool = try await session.query(
            "SELECT EXISTS (SELECT FROM kontor.module WHERE tenant = \(tenant) AND name = 'hub') AS old")[0].get("old")
        for purpose in TenantKeys.Purpose.allCases {
            let key = isOld ? secrets.firstKey(ofTenant: tenant) : Crypto.randomBytes(32)
            try await add(key, purpose, 1, tenant, session)
        }
    }

    private func add(_ key: [UInt8], _ purpose: TenantKeys.Purpose, _ id: Int, _ tenant: Int64, _ session: Session)
        async throws
    {
        let sealed = try secrets.wrap(key, place: TenantKeys.place(tenant, purpose.rawValue, id))
        _ = try await session.query(
            """
            INSERT INTO kontor.data_key (tenant, purpose, id, sealed, master)
            VALUES (\(tenant), \(purpose.rawValue), \(id), \(sealed), \(secrets.fingerprint)) ON CONFLICT DO NOTHING
            """)
    }

    /// Makes what keys are missing, and wraps those under an older master key anew. Run when the service starts.
    /// - Throws: `Failure` `master_key.unknown` when keys were wrapped under one that is not known here.
    public func settleKeys() async throws {
        let without = try await asOwner { session in
            try await session.query(
                """
                SELECT t.id FROM kontor.tenant t WHERE t.state <> 'making' AND NOT EXISTS
                    (SELECT FROM kontor.data_key k WHERE k.tenant = t.id)
                """)
        }
        for row in without {
            let tenant: Int64 = try row.get("id")
            try await asOwner { try await makeKeys(of: tenant, $0) }
        }
        let old = try await asOwner { session in
            try await session.query(
                "SELECT tenant, purpose, id, sealed, master FROM kontor.data_key WHERE master <> \(secrets.fingerprint)"
            )
        }
        for row in old {
            let (tenant, purpose, id): (Int64, String, Int) = (
                try row.get("tenant"), try row.get("purpose"), try row.get("id")
            )
            let place = TenantKeys.place(tenant, purpose, id)
            guard let key = try secrets.unwrap(try row.get("sealed"), master: try row.get("master"), place: place)
            else {
                throw Failure(
                    .broken, "master_key.unknown",
                    "Tenants' keys were wrapped under another master key: restore that, as a second line of the file.")
            }
            let sealed = try secrets.wrap(key, place: place)
            try await asOwner { session in
                _ = try await session.query(
                    """
                    UPDATE kontor.data_key SET sealed = \(sealed), master = \(secrets.fingerprint)
                    WHERE tenant = \(tenant) AND purpose = \(purpose) AND id = \(id)
                    """)
            }
        }
    }

    /// Forgets the master key before the one in force, once nothing is wrapped under it.
    public func forgetOldMaster(in path: String) async throws {
        guard secrets.isBeingChanged else { return }
        let left: Int = try await asOwner { session in
            try await session.query(
                "SELECT count(*) FROM kontor.data_key WHERE master <> \(secrets.fingerprint)")[0].get(0)
        }
        if left == 0 { try secrets.settled.save(to: path) }
    }

    /// Seals all credentials of a tenant under a new key and removes the old one.
    /// - Returns: how many there are.
    /// - Throws: `Failure` `secret.unreadable`; nothing is lost then.
    public func rotateKeys(of tenant: Tenant) async throws -> Int {
        let newest = try await keys(of: tenant).newest(.credentials)?.id ?? 0
        try await asOwner { try await add(Crypto.randomBytes(32), .credentials, newest + 1, tenant.id, $0) }
        let connector: SQL = "\(table: tenant.schema, "connector")"
        while true {
            for row in try await asOwner(of: tenant, { try await $0.query("SELECT id FROM \(connector) ORDER BY id") })
            {
                try await reseal(row.get("id"), of: tenant)
            }
            let isDone = try await asOwner(of: tenant) { session in
                // who writes one waits, and then finds the old key gone
                _ = try await session.query("LOCK TABLE \(connector) IN SHARE MODE")
                let left: Int = try await session.query(
                    """
                    SELECT count(*) FROM \(connector) c, jsonb_each_text(c.secrets) s
                    WHERE coalesce(substring(s.value FROM '^([0-9]{1,9}):'), '1')::int <= \(newest)
                    """)[0].get(0)
                guard left == 0 else { return false }
                _ = try await session.query(
                    """
                    DELETE FROM kontor.data_key
                    WHERE tenant = \(tenant.id) AND purpose = 'credentials' AND id <= \(newest)
                    """)
                return true
            }
            if isDone { return try await checkSecrets(of: tenant).readable }
        }
    }

    private func reseal(_ id: Int64, of tenant: Tenant) async throws {
        let keys = try await keys(of: tenant)
        let seal = SecretSeal(tenant: tenant.id, keys: keys)
        let connector: SQL = "\(table: tenant.schema, "connector")"
        try await asOwner(of: tenant) { session in
            let rows = try await session.query("SELECT secrets FROM \(connector) WHERE id = \(id) FOR UPDATE")
            guard let row = rows.first else { return }
            var sealed: JSON = [:]
            for (name, value) in try JSON(text: row.get("secrets")).object ?? [:] {
                guard let plain = try seal.open(value.string ?? "", connector: id, name: name) else {
                    throw Failure(
                        .broken, "secret.unreadable",
                        "A credential of connector \(id) cannot be opened: enter it again, then repeat this.")
                }
                sealed[name] = .string(try seal.seal(plain, connector: id, name: name))
            }
            _ = try await session.query("UPDATE \(connector) SET secrets = \(sealed.text)::jsonb WHERE id = \(id)")
        }
    }

    /// How many of a tenant's credentials can be opened, and how many cannot.
    public func checkSecrets(of tenant: Tenant) async throws -> (readable: Int, unreadable: Int) {
        let seal = SecretSeal(tenant: tenant.id, keys: try await keys(of: tenant))
        let rows = try await asOwner(of: tenant) { session in
            try await session.query(
                """
                SELECT c.id, s.key, s.value FROM \(table: tenant.schema, "connector") c, jsonb_each_text(c.secrets) s
                """)
        }
        let open = try rows.filter {
            try seal.open(try $0.get("value"), connector: try $0.get("id"), name: try $0.get("key")) != nil
        }.count
        return (open, rows.count - open)
    }

    func keys(of tenant: Tenant) async throws -> TenantKeys {
        let rows = try await asOwner { session in
            try await session.query(
                "SELECT purpose, id, sealed, master FROM kontor.data_key WHERE tenant = \(tenant.id)")
        }
        return try TenantKeys(rows, tenant: tenant.id, secrets: secrets)
    }
}
