public import Hub
internal import Postgres

/// Roles and teams of a tenant.
extension TenantDatabase {
    /// All roles, as a JSON array.
    public func roles(as actor: Actor) async throws -> [UInt8] {
        try await run(as: actor, "SELECT id, name, title, rights, version FROM \(table("role")) ORDER BY id")[0].json()
    }

    /// One role as a JSON object, with its version.
    /// - Throws: `Failure` `not_found`.
    public func role(_ id: Int64, as actor: Actor) async throws -> (json: [UInt8], version: Int64) {
        let rows = try await run(
            as: actor, "SELECT id, name, title, rights, version FROM \(table("role")) WHERE id = \(id)")[0]
        guard rows.count == 1 else { throw Failure.notFound("role") }
        return (rows.json(row: 0), try rows[0].get("version"))
    }

    /// - Returns: the new role's number.
    /// - Throws: `Failure` `role.invalid`, `role.exists`, `right.missing`.
    public func createRole(as actor: Actor, name: String, title: String, rights: JSON) async throws -> Int64 {
        guard name.wholeMatch(of: /[a-z][a-z0-9-]{1,39}/) != nil else {
            throw Failure(
                .invalid, "role.name", "A role's name is 2 to 40 small letters, digits and hyphens, a letter first.")
        }
        let rights = try RoleRights(rights, catalogue: await catalogue(as: actor))
        return try await savedRole(
            as: actor,
            "SELECT \(table("save_role"))(NULL, NULL, \(name), \(title), \(rights.json.text)::jsonb) AS id")
    }

    /// Changes title or rights of a role; what its people may do changes with the next statement.
    /// - Parameter version: what the caller saw; nil to change whatever is there.
    /// - Throws: `Failure` `not_found`, `role.owner`, `role.stale`, `role.invalid`, `right.missing`.
    public func editRole(_ id: Int64, as actor: Actor, version: Int64?, title: String?, rights: JSON?) async throws {
        let checked = try await rights.asyncMap { try RoleRights($0, catalogue: await catalogue(as: actor)).json }
        let saved: Int64? = try await run(
            as: actor,
            "SELECT \(table("save_role"))(\(id), \(version), NULL, \(title), \(checked?.text)::jsonb) AS id")[0][0].get(
                "id")
        guard saved == nil else { return }
        let known = try await role(id, as: actor)
        guard try JSON(parsing: known.json)["name"] != "owner" else { throw Self.ownerStays }
        throw Failure(
            .stale, "role.stale",
            "The role was changed meanwhile (it is at version \(known.version)): read it again and repeat the change.")
    }

    /// - Throws: `Failure` `not_found`, `role.owner`, `role.in_use`, `right.missing`.
    public func deleteRole(_ id: Int64, as actor: Actor) async throws {
        do {
            let done: Bool = try await run(as: actor, "SELECT \(table("drop_role"))(\(id)) AS done")[0][0].get("done")
            guard !done else { return }
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw Failure(
                .conflict, "role.in_use", "Members of staff or tokens have this role: give them another first.")
        }
        _ = try await role(id, as: actor)
        throw Self.ownerStays
    }

    private static let ownerStays = Failure(
        .conflict, "role.owner", "The role of the owner stays as it is, so that nobody is locked out.")

    private func savedRole(as actor: Actor, _ statement: SQL) async throws -> Int64 {
        do {
            return try await run(as: actor, statement)[0][0].get("id")
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Failure(.conflict, "role.exists", "There is a role of this name already.")
        }
    }

    /// All teams with their members, as a JSON array.
    public func teams(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT t.id, t.name, ARRAY(SELECT m.account FROM \(table("team_member")) m WHERE m.team = t.id ORDER BY 1) AS members
            FROM \(table("team")) t ORDER BY t.id
            """)[0].json()
    }

    /// Makes a team, or renames one.
    /// - Returns: its number.
    /// - Throws: `Failure` `not_found`, `team.exists`, `right.missing`.
    public func saveTeam(_ id: Int64?, as actor: Actor, name: String) async throws -> Int64 {
        do {
            let saved: Int64? = try await run(as: actor, "SELECT \(table("save_team"))(\(id), \(name)) AS id")[0][0]
                .get(
                    "id")
            guard let saved else { throw Failure.notFound("team") }
            return saved
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Failure(.conflict, "team.exists", "There is a team of this name already.")
        }
    }

    /// - Throws: `Failure` `not_found`, `right.missing`.
    public func deleteTeam(_ id: Int64, as actor: Actor) async throws {
        let done: Bool = try await run(as: actor, "SELECT \(table("drop_team"))(\(id)) AS done")[0][0].get("done")
        guard done else { throw Failure.notFound("team") }
    }
}

extension Optional where Wrapped: Sendable {
    fileprivate func asyncMap<T>(_ body: (Wrapped) async throws -> T) async rethrows -> T? {
        guard let self else { return nil }
        return try await body(self)
    }
}
