import Cryptography
import Foundation
public import Hub
internal import Postgres

/// Puts an exported tenant back, under a new number and any free name. Nothing of it is open before all of it is there.
struct TenantRestore {
    let session: Session
    let tenant: Tenant
    private var table: (name: String, columns: [String])?
    private var waiting: [String] = []
    private(set) var rows = 0
    private(set) var isEnded = false
    private var waitingBytes = 0
    private static let batch = 500
    private static let batchBytes = 8 << 20

    init(session: Session, tenant: Tenant) {
        (self.session, self.tenant) = (session, tenant)
    }

    /// Takes one line after the header.
    /// - Throws: `Failure` `archive.broken`.
    mutating func take(_ line: String) async throws {
        if line.hasPrefix("{\"columns\":") || line.hasPrefix("{\"end\":") {
            try await flush()
            let head = try Self.json(line)
            if let count = head["end"]?.int {
                guard count == Int64(rows) else { throw Self.broken("it has \(rows) rows of \(count)") }
                isEnded = true
                return
            }
            guard let name = head["table"]?.string, let columns = head["columns"]?.array?.compactMap(\.string) else {
                throw Self.broken("a table without a name")
            }
            let known = try await TenantDatabase.tables(of: tenant.schema, session).first { $0.0 == name }
            guard let known, columns.allSatisfy(known.1.contains) else {
                throw Self.broken("the table \(name) is not known here")
            }
            table = (name, columns)
            _ = try await session.query("DELETE FROM \(table: tenant.schema, name)")
        } else {
            waiting.append(line)
            waitingBytes += line.utf8.count
            rows += 1
            if waiting.count == Self.batch || waitingBytes >= Self.batchBytes { try await flush() }
        }
    }

    private mutating func flush() async throws {
        guard !waiting.isEmpty else { return }
        guard let table else { throw Self.broken("rows without a table") }
        let list = table.columns.map { "\(identifier: $0)" as SQL }.joined(separator: ", ")
        let target: SQL = "\(table: tenant.schema, table.name)"
        do {
            _ = try await session.query(
                """
                INSERT INTO \(target) (\(list)) OVERRIDING SYSTEM VALUE
                SELECT \(list) FROM jsonb_populate_recordset(NULL::\(target), \("[" + waiting.joined(separator: ",") + "]")::jsonb)
                """)
        } catch let error as PostgresError where ["22", "23"].contains(error.sqlState?.prefix(2) ?? "") {
            // no value, or none that fits: the rows are not as they were written
            throw Self.broken("rows of the table \(table.name) are torn or do not fit (\(error.sqlState ?? ""))")
        }
        (waiting, waitingBytes) = ([], 0)
    }

    static func json(_ line: String) throws -> JSON {
        do {
            return try JSON(text: line)
        } catch {
            throw broken("a line is torn (\(error))")
        }
    }

    /// Lets new rows go on counting where the old ones ended.
    func setSequences() async throws {
        let owned = try await session.query(
            """
            SELECT s.relname::text AS sequence, t.relname::text AS name, a.attname::text AS column FROM pg_class s
            JOIN pg_namespace n ON n.oid = s.relnamespace AND n.nspname = \(tenant.schema)
            JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'i' AND d.classid = 'pg_class'::regclass
            JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
            WHERE s.relkind = 'S'
            """)
        for row in owned {
            let sequence: String = try row.get("sequence")
            _ = try await session.query(
                """
                SELECT setval(\("\(tenant.schema).\(sequence)")::regclass,
                    (SELECT coalesce(max(\(identifier: try row.get("column"))), 0) + 1
                        FROM \(table: tenant.schema, try row.get("name"))), false)
                """)
        }
    }

    static func broken(_ reason: String) -> Failure {
        Failure(.invalid, "archive.broken", "The file is no complete export of a tenant: \(reason).")
    }
}

extension Provisioner {
    /// Modules of a tenant and how far they are migrated.
    public func modules(of tenant: Tenant) async throws -> [String: Int] {
        try await asOwner { session in
            var found: [String: Int] = [:]
            for row in try await session.query("SELECT name, version FROM kontor.module WHERE tenant = \(tenant.id)") {
                found[try row.get("name")] = try row.get("version")
            }
            return found
        }
    }

    /// Makes a tenant of an export. Its connectors are paused, so that nothing is sent before somebody has looked;
    /// credentials are kept when the master key is the same, and have to be entered again otherwise.
    /// - Throws: `Failure` `archive.broken`, `archive.version`, `tenant.exists`; then nothing is left behind.
    public func restore(as name: String, title: String, from lines: ArchiveLines) async throws
        -> Tenant
    {
        guard let first = try await lines.next() else { throw TenantRestore.broken("it is empty") }
        let header = try TenantRestore.json(first)
        guard header["kontor"]?.int == TenantArchive.format, let old = header["tenant"]?.int,
            let country = header["country"]?.string, let modules = header["modules"]?.object
        else { throw TenantRestore.broken("it does not begin as one") }
        let known = try files.modules()
        for (module, version) in modules {
            guard known.contains(module), version.int == Int64(try files.newest(of: module)) else {
                throw Failure(
                    .invalid, "archive.version",
                    "The export is of another version of the module \(module): restore it with the Kontor that made it, then upgrade."
                )
            }
        }
        let tenant = try await create(name: name, title: title, country: country, opens: false)
        do {
            for module in modules.keys.sorted() { try await ensure(module: module, for: tenant) }
            var keys = TenantKeys()
            for key in header["keys"]?.array ?? [] {
                try keys.add(
                    key["purpose"]?.string ?? "", Int(key["id"]?.int ?? 0),
                    Crypto.unbase64((key["sealed"]?.string ?? "").filter { !$0.isWhitespace }) ?? [],
                    key["master"]?.string ?? "", old, secrets)
            }
            try await fill(tenant, of: SecretSeal(tenant: old, keys: keys), from: lines)
            if let policy = header["password_policy"] { try await set(passwordPolicy: policy, of: tenant) }
            try await open(tenant)
        } catch {
            // the caller may be gone; what is half there must go all the same
            try await Task { try await drop(tenant) }.value
            throw error
        }
        return tenant
    }

    private func set(passwordPolicy policy: JSON, of tenant: Tenant) async throws {
        let words = policy["words"]?.array ?? []
        guard words.count <= 1000, words.allSatisfy({ 3...100 ~= $0.string?.count ?? 0 }) else {
            throw TenantRestore.broken("its password policy cannot be taken")
        }
        do {
            try await asOwner(of: tenant) { session in
                _ = try await session.query(
                    """
                    SELECT \(table: tenant.schema, "set_password_policy")(p.length, p.strength, coalesce(p.words, '{}'),
                        p.history, p.expires_days, ARRAY(SELECT r.id FROM \(table: tenant.schema, "role") r
                            WHERE r.id = ANY (p.factor_roles)))
                    FROM jsonb_to_record(\(policy.text)::jsonb) AS p (length int, strength int, words text[], history int,
                        expires_days int, factor_roles bigint[])
                    """)
            }
        } catch let error as PostgresError where ["22", "23"].contains(error.sqlState?.prefix(2)) {
            throw TenantRestore.broken("its password policy cannot be taken")
        }
    }

    private func fill(_ tenant: Tenant, of old: SecretSeal, from lines: ArchiveLines) async throws {
        try await asOwner(of: tenant) { session in
            for (name, _) in try await TenantDatabase.tables(of: tenant.schema, session) {
                _ = try await session.query("ALTER TABLE \(table: tenant.schema, name) DISABLE TRIGGER USER")
            }
            // a superior may come after those below
            _ = try await session.query("SET CONSTRAINTS ALL DEFERRED")
            var restore = TenantRestore(session: session, tenant: tenant)
            while let line = try await lines.next() { if !line.isEmpty { try await restore.take(line) } }
            guard restore.isEnded else { throw TenantRestore.broken("its end is missing") }
            try await restore.setSequences()
            try await resealSecrets(of: tenant, from: old, session)
            try await remakeAccounts(of: tenant, session)
            _ = try await session.query("SET CONSTRAINTS ALL IMMEDIATE")
            for (name, _) in try await TenantDatabase.tables(of: tenant.schema, session) {
                _ = try await session.query("ALTER TABLE \(table: tenant.schema, name) ENABLE TRIGGER USER")
            }
            // has the effective rights worked out
            _ = try await session.query("UPDATE \(table: tenant.schema, "role") SET version = version")
        }
    }

    /// Accounts of the staff that came with the file, under numbers of their own and without passwords: they have to be
    /// invited again. What names people by number follows, but for the history, which tells of the old ones.
    private func remakeAccounts(of tenant: Tenant, _ session: Session) async throws {
        let named: [(table: SQL, column: SQL)] = [
            ("staff", "account"), ("staff", "superior"), ("team_member", "account"), ("contact", "owner"),
            ("saved_view", "account"),
        ].map { ("\(table: tenant.schema, $0)", "\(identifier: $1)") }
        // out of the way of the new numbers
        for (table, column) in named {
            _ = try await session.query("UPDATE \(table) SET \(column) = -\(column) WHERE \(column) IS NOT NULL")
        }
        // files that wait are theirs who sent them, and owners before merges are known by their old numbers
        _ = try await session.query("DELETE FROM \(table: tenant.schema, "upload")")
        _ = try await session.query(
            "UPDATE \(table: tenant.schema, "merge") SET changed = changed - 'owner' WHERE changed ? 'owner'")
        // the watch gets to know people anew
        _ = try await session.query("DELETE FROM \(table: tenant.schema, "activity") WHERE who ~ '^(staff|agent):'")
        // answers kept for callers that are not here
        _ = try await session.query("DELETE FROM \(table: tenant.schema, "idempotency")")
        _ = try await session.query(
            "UPDATE \(table: tenant.schema, "watched") SET tx = pg_current_xact_id(), attempts = now()")
        // figures came along
        _ = try await session.query(
            "UPDATE \(table: tenant.schema, "tallied") SET tx = pg_current_xact_id(), is_due = true")
        _ = try await session.query(
            "UPDATE \(table: tenant.schema, "alert") SET who = 'staff:0' WHERE who ~ '^(staff|agent):'")
        // work that was asked for is nobody's now: a number may be somebody else's here
        _ = try await session.query(
            "UPDATE \(table: tenant.schema, "run") SET actor = 'staff:0' WHERE actor ~ '^(staff|agent):'")
        for row in try await session.query("SELECT account, email, name FROM \(named[0].table) ORDER BY account DESC") {
            let (old, email, name): (Int64, String, String) = (
                try row.get("account"), try row.get("email"), try row.get("name")
            )
            let made: Int64 = try await session.query(
                """
                INSERT INTO auth.account (tenant, email, name, scopes) VALUES (\(tenant.id), \(email), \(name), '{}')
                RETURNING id
                """)[0].get("id")
            for (table, column) in named {
                _ = try await session.query("UPDATE \(table) SET \(column) = \(made) WHERE \(column) = \(old)")
            }
        }
    }

    private func resealSecrets(of tenant: Tenant, from old: SecretSeal, _ session: Session) async throws {
        let seal = SecretSeal(tenant: tenant.id, keys: try await keys(of: tenant))
        for row in try await session.query("SELECT id, secrets FROM \(table: tenant.schema, "connector")") {
            let id: Int64 = try row.get("id")
            var secrets: JSON = [:]
            var reason = "The tenant was restored: look at the connector, then switch it on."
            for (name, sealed) in try JSON(text: row.get("secrets")).object ?? [:] {
                if let plain = try old.open(sealed.string ?? "", connector: id, name: name) {
                    secrets[name] = .string(try seal.seal(plain, connector: id, name: name))
                } else {
                    reason = "The tenant was restored under another master key: enter the credentials again."
                }
            }
            _ = try await session.query(
                """
                UPDATE \(table: tenant.schema, "connector") SET secrets = \(secrets.text)::jsonb, state = 'paused',
                    state_reason = \(reason) WHERE id = \(id)
                """)
        }
    }
}
