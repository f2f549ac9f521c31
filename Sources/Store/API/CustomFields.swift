public import Hub
internal import Postgres

extension TenantDatabase {
    /// Most fields a tenant may make.
    static let maxFields = 200

    /// Adds a field of the tenant's own.
    /// - Throws: `Failure` `field.key`, `field.type`, `field.exists`, `field.too_many`.
    public func addField(as actor: Actor, key: String, label: String, type: String, choices: [String]) async throws {
        guard FieldCatalogue.isCustomKey(key) else {
            throw Failure(
                .invalid, "field.key",
                "A key is up to 40 small letters, digits and underscores, a letter first, and not that of a standard field."
            )
        }
        guard let known = FieldType(rawValue: type), FieldType.custom.contains(known) else {
            throw Failure(.invalid, "field.type", "There is no such type of field.")
        }
        let added = try await run(
            as: actor,
            """
            INSERT INTO \(table("field")) (key, label, type, choices)
            SELECT \(key), \(label), \(type), \(choices)::text[]
            WHERE (SELECT count(*) FROM \(table("field"))) < \(Self.maxFields) OR EXISTS (
                SELECT FROM \(table("field")) WHERE key = \(key))
            ON CONFLICT (key) DO NOTHING
            """, "SELECT EXISTS (SELECT FROM \(table("field")) WHERE key = \(key)) AS found")
        if added[0].affected == 1 { return }
        guard try added[1][0].get("found") else {
            throw Failure(.conflict, "field.too_many", "A tenant can have \(Self.maxFields) fields of its own at most.")
        }
        throw Failure(.conflict, "field.exists", "There is a field with the key “\(key)” already.")
    }

    /// Changes label and choices of a field; nil leaves one as it is.
    /// - Throws: `Failure` `not_found`.
    public func editField(_ key: String, as actor: Actor, label: String?, choices: [String]?) async throws {
        let changed = try await run(
            as: actor,
            """
            UPDATE \(table("field")) SET label = coalesce(\(label), label), choices = coalesce(\(choices)::text[], choices)
            WHERE key = \(key)
            """)[0].affected
        guard changed == 1 else { throw Failure.notFound("field of your own") }
    }

    /// Has a field recognise contacts, or no longer: those that are matched by then stay as they are.
    /// - Throws: `Failure` `not_found`, `field.key_type`.
    public func setKey(_ key: String, as actor: Actor, isKey: Bool) async throws {
        guard let field = try await catalogue(as: actor)[key], FieldCatalogue.isCustomKey(key) else {
            throw Failure.notFound("field of your own")
        }
        if isKey { try Self.checkKeyType(field.type.rawValue) }
        _ = try await run(
            as: actor, deadline: .seconds(600), "SELECT \(table("set_key"))(\(key), \(isKey))")
    }

    private static let keyTypes: [FieldType] = [.text, .number, .link]

    /// - Throws: `Failure` `field.key_type` when fields of this type cannot recognise a contact.
    public static func checkKeyType(_ type: String) throws {
        guard keyTypes.contains(where: { $0.rawValue == type }) else {
            throw Failure(
                .invalid, "field.key_type", "Only a field of one text, number or link can recognise a contact.")
        }
    }

    /// Removes a field that no contact has a value in.
    /// - Throws: `Failure` `not_found`, `field.in_use`.
    public func removeField(_ key: String, as actor: Actor) async throws {
        let outcome: String = try await run(
            as: actor, deadline: .seconds(60), "SELECT \(table("drop_field"))(\(key)) AS outcome")[0][0].get("outcome")
        if outcome == "done" { return }
        guard outcome == "in_use" else { throw Failure.notFound("field of your own") }
        throw Failure(.conflict, "field.in_use", "Contacts have values in this field: take them away first.")
    }
}
