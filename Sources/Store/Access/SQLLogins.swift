public import Hub
internal import Postgres

/// SQL logins of a tenant's staff: everybody's for who manages staff, one's own for who has the right.
extension TenantDatabase {
    /// The logins the actor may keep, as a JSON array.
    public func sqlLogins(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            "SELECT name, label, person, email, open, created_at FROM auth.logins(\(tenant.id))")[0].json()
    }

    /// The views that SQL logins read, with their columns in order, as a JSON array; empty before the tenant's first login.
    public func sqlViews(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT v.relname AS name, obj_description(v.oid, 'pg_class') AS about,
                (SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                    'about', col_description(v.oid, a.attnum)) ORDER BY a.attnum)
                    FROM pg_attribute a WHERE a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
            FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
            WHERE n.nspname = \(tenant.schema + "_rep") AND v.relkind = 'v' ORDER BY v.relname
            """)[0].json()
    }

    /// Makes a login of a person, who must have a role with the function “sql”. The module “reporting” must be there.
    /// - Returns: the login, whose password can be read only now.
    /// - Throws: `Failure` `not_found`, `right.missing`, `sql.no_right`, `sql.too_many`.
    public func addSQLLogin(of person: Int64, label: String, as actor: Actor) async throws -> SQLLogin {
        let login = SQLLogin.make()
        let outcome: String = try await run(
            as: actor,
            "SELECT auth.add_login(\(tenant.id), \(person), \(label), \(login.name), \(login.verifier)) AS outcome")[0][
                0
            ]
            .get("outcome")
        switch outcome {
        case "done": return login
        case "forbidden": throw Failure.right
        case "missing": throw Failure.notFound("member of staff")
        case "too_many":
            throw Failure(.conflict, "sql.too_many", "A person has at most five SQL logins: remove one first.")
        default:
            throw Failure(
                .conflict, "sql.no_right", "The person's role has not the function “sql”: give it to the role first.")
        }
    }

    /// Ends a login: its sessions see nothing from their next statement on, and are closed within seconds.
    /// - Throws: `Failure` `not_found`.
    public func removeSQLLogin(_ name: String, as actor: Actor) async throws {
        let done = try await run(as: actor, "SELECT auth.remove_login(\(tenant.id), \(name)) AS done")[0][0]
        guard try done.get("done", as: Bool?.self) == true else { throw Failure.notFound("SQL login") }
    }
}

extension Node {
    /// Whether any tenant has a SQL login.
    public func hasSQLLogins() async throws -> Bool {
        try await asService("SELECT auth.has_logins() AS found").get("found")
    }
}
