import Foundation
public import Hub
internal import Postgres

/// What a caller asks of the list of contacts.
public struct ContactQuery: Sendable {
    /// Any part of a name, e-mail, telephone or field.
    public var text: String?
    public var condition: Condition?
    /// The last id of the page before.
    public var after: Int64 = 0
    /// 1 to 500.
    public var limit = 50
    public init() {}
}

extension TenantDatabase {
    /// The columns of a contact as everyone sees it.
    private static let columns: SQL = """
        c.id, c.version, c.name, c.data AS fields, c.consents, c.locks, c.origins, c.created_at, c.updated_at, c.deleted_at,
        c.merged_into, c.owner
        """

    /// The tenant's fields, standard and own.
    public func catalogue(as actor: Actor) async throws -> FieldCatalogue {
        try catalogue(await lookUp(as: actor, fieldsQuery)[0])
    }

    var fieldsQuery: SQL {
        ("SELECT key, label, type, choices, is_key FROM \(table("field")) ORDER BY key" as SQL).prepared()
    }

    func catalogue(_ rows: Rows) throws -> FieldCatalogue {
        FieldCatalogue(
            custom: try rows.map {
                let type: String = try $0.get("type")
                return FieldCatalogue.Field(
                    key: try $0.get("key"), label: try $0.get("label"), type: FieldType(rawValue: type) ?? .text,
                    choices: try $0.get("choices"), isKey: try $0.get("is_key"))
            })
    }

    func normaliser(_ catalogue: FieldCatalogue) -> Normaliser {
        Normaliser(region: tenant.country, catalogue: catalogue, today: .today)
    }

    /// Makes a contact from what a person or program gave.
    /// - Parameters:
    ///   - fields: the document; every value must be good.
    ///   - key: an idempotency key that was taken with `begin`: what it made is noted in the same transaction.
    /// - Returns: the contact as JSON, and its id and version.
    /// - Throws: `Failure` `contact.invalid` with one detail per field.
    public func createContact(as actor: Actor, fields: JSON, key: String? = nil) async throws -> StoredContact {
        let document = try checked(fields, await catalogue(as: actor)).withoutNulls
        guard document.object?.isEmpty == false else {
            throw Failure(.invalid, "contact.empty", "A contact needs at least one field.")
        }
        let results = try await withRoom {
            try await run(
                as: actor,
                ("""
                SELECT a.outcome FROM \(table("add_contact"))(\(document.text)::jsonb, \(origin(actor)), \(key)) a
                """ as SQL).prepared(),
                ("""
                SELECT \(Self.columns) FROM \(contacts) c WHERE c.id = nullif(current_setting('kontor.made', true), '')::bigint
                """ as SQL).prepared())
        }
        try Self.judge(try results[0][0].get("outcome"))
        ring()
        return try StoredContact(results[1])
    }

    /// Says at once when a limit of the tenant is reached.
    /// - Throws: `Failure` `limit.contacts`, `limit.storage`, and what `body` throws.
    private func withRoom<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch { throw limit(error) ?? error }
    }

    /// One contact, also a deleted one.
    /// - Throws: `Failure` `not_found`.
    public func contact(_ id: Int64, as actor: Actor) async throws -> StoredContact {
        let rows = try await lookUp(
            as: actor, ("SELECT \(Self.columns) FROM \(contacts) c WHERE c.id = \(id)" as SQL).prepared())[0]
        return try StoredContact(rows)
    }

    /// A page of living contacts by id, as a JSON array, and their ids.
    public func contacts(_ query: ContactQuery, as actor: Actor) async throws -> (
        json: [UInt8], ids: [Int64]
    ) {
        // A plain page of a round size is asked for so often that it is prepared; its limit then stands in the text,
        // for with a parameter there the server would plan anew each time.
        let isUsual =
            query.text?.isEmpty ?? true && query.condition == nil && sight == .whole && query.limit.isMultiple(of: 50)
        let limit: SQL = isUsual ? SQL(unsafeRaw: String(query.limit)) : "\(query.limit)"
        let statement: SQL = """
            SELECT \(Self.columns) FROM \(contacts) c
            WHERE \(try await terms(query, as: actor)) \(reach) ORDER BY c.id LIMIT \(limit)
            """
        let rows = try await isUsual ? lookUp(as: actor, statement.prepared())[0] : run(as: actor, statement)[0]
        return (rows.json(), try rows.map { try $0.get("id") })
    }

    /// What contacts (c) must meet to be found by a query.
    func terms(_ query: ContactQuery, as actor: Actor) async throws -> SQL {
        var terms: [SQL] = ["c.id > \(query.after)", "c.deleted_at IS NULL"]
        if let text = query.text?.lowercased(), !text.isEmpty { terms += holds(text) }
        if let condition = query.condition { terms.append(try await compiler(as: actor).compile(condition)) }
        return terms.joined(separator: " AND ")
    }

    /// That a contact (c) holds a text in small letters.
    private func holds(_ text: String) -> [SQL] {
        func pattern(_ text: some StringProtocol) -> String {
            // by scalars: with a mark above it, a sign is another `Character`
            "%\(text.unicodeScalars.map { ["%", "_", "\\"].contains($0) ? "\\\($0)" : String($0) }.joined())%"
        }
        func indexed(_ pattern: String) -> SQL {
            sight.isMasked
                ? "c.id IN (SELECT \(table("find"))(\(pattern)))" : "c.search OPERATOR(extension.#~~) \(pattern)"
        }
        // Of an e-mail address the index is asked for what stands before the "@": what comes after it many have, and to look
        // that up for each takes long (over a million contacts 47 ms instead of 1).
        guard let at = text.firstIndex(of: "@"), text.distance(from: text.startIndex, to: at) > 2 else {
            return [indexed(pattern(text))]
        }
        return [indexed(pattern(text[...at])), "c.search LIKE \(pattern(text))"]
    }

    /// Changes fields of a contact; null takes a field away.
    /// - Parameter version: what the caller saw; nil to change whatever is there.
    /// - Throws: `Failure` `not_found`, `contact.stale`, `contact.invalid`.
    public func editContact(_ id: Int64, as actor: Actor, version: Int64?, changes: JSON) async throws -> StoredContact
    {
        let changes = try checked(changes, await catalogue(as: actor))
        let results = try await run(
            as: actor,
            "SELECT \(table("edit_contact"))(\(id), \(version), \(changes.text)::jsonb, \(origin(actor))) AS outcome",
            "SELECT \(Self.columns) FROM \(contacts) c WHERE c.id = \(id)")
        return try changed(results)
    }

    /// Deletes softly: every system that holds the contact is told.
    public func deleteContact(_ id: Int64, as actor: Actor, version: Int64?) async throws {
        try await setDeleted(id, as: actor, version: version, isDeleted: true)
    }

    public func restoreContact(_ id: Int64, as actor: Actor) async throws {
        try await setDeleted(id, as: actor, version: nil, isDeleted: false)
    }

    private func setDeleted(_ id: Int64, as actor: Actor, version: Int64?, isDeleted: Bool) async throws {
        let results = try await withRoom {
            try await run(
                as: actor, "SELECT \(table("set_deleted"))(\(id), \(version), \(isDeleted)) AS outcome",
                "SELECT \(Self.columns) FROM \(contacts) c WHERE c.id = \(id)")
        }
        _ = try changed(results)
    }

    /// What a function that writes a contact did, and the contact as it is then.
    private func changed(_ results: [Rows]) throws -> StoredContact {
        let outcome: String = try results[0][0].get("outcome")
        if outcome == "stale" { throw Self.stale(try StoredContact(results[1]).version) }
        try Self.judge(outcome)
        if outcome == "done" { ring() }
        return try StoredContact(results[1])
    }

    /// - Parameter outcome: how a function that writes a contact ended, as `sql/tenant/hub/004_writing.sql` says.
    /// - Throws: `Failure` `not_found`, `right.field`, `right.missing`, `staff.unknown` when it did not end well.
    static func judge(_ outcome: String) throws {
        switch outcome {
        case "done", "unchanged": return
        case "missing": throw Failure.notFound("contact")
        case "field":
            throw Failure(
                .forbidden, "right.field", "Your role hides or masks one of these fields: you cannot write it either.")
        case "no_such_wording":
            throw Failure(.invalid, "consent.wording", "The purpose has no wording of this number.")
        case "no_such_person": throw Failure(.invalid, "staff.unknown", "No member of staff has this number.")
        default: throw Failure.right
        }
    }

    /// Erases a contact for good: golden record, history, staged rows, agreed values.
    /// - Returns: what was erased, as counts.
    public func eraseContact(_ id: Int64, as actor: Actor) async throws -> JSON {
        _ = try await contact(id, as: actor)
        let rows = try await run(as: actor, "SELECT \(table("erase_contact"))(\(id)) AS erased")[0]
        ring()
        return try JSON(text: rows[0].get("erased"))
    }

    /// Holds fields by hand, so that no sync changes them.
    public func setLocks(_ id: Int64, as actor: Actor, fields: [String]) async throws -> StoredContact {
        let catalogue = try await catalogue(as: actor)
        for field in fields where catalogue[field] == nil {
            throw Failure(.invalid, "field.unknown", "There is no field “\(field)”.")
        }
        return try changed(
            await run(
                as: actor, "SELECT \(table("set_locks"))(\(id), \(fields)::text[]) AS outcome",
                "SELECT \(Self.columns) FROM \(contacts) c WHERE c.id = \(id)"))
    }

    /// Makes a contact a member of staff's client, or nobody's.
    /// - Parameter owner: number of the member of staff; nil for nobody.
    /// - Throws: `Failure` `not_found`, `contact.stale`, `right.missing`, `staff.unknown`.
    public func setOwner(of id: Int64, to owner: Int64?, as actor: Actor, version: Int64?) async throws {
        let outcome: String = try await run(
            as: actor, "SELECT \(table("set_owner"))(\(id), \(version), \(owner)) AS outcome")[0][0].get("outcome")
        if outcome == "stale" { throw Self.stale(try await contact(id, as: actor).version) }
        try Self.judge(outcome)
        if outcome == "done" { ring() }
    }

    /// Adds evidence of a consent given or withdrawn; of one who was merged into another, that one's. The newest evidence
    /// counts.
    /// - Parameters:
    ///   - at: when the person said so (RFC 3339); nil, and moments to come, for now.
    ///   - wording: number of the wording of the purpose that the person saw.
    /// - Throws: `Failure` `not_found`, `consent.purpose`, `consent.wording`, `right.missing`.
    public func addConsent(
        _ id: Int64, as actor: Actor, purpose: String, granted: Bool, at: String?, source: String, proof: String?,
        wording: Int64? = nil
    ) async throws -> StoredContact {
        guard purpose.wholeMatch(of: /[a-z][a-z0-9_]{0,39}/) != nil else {
            throw Failure(.invalid, "consent.purpose", "A purpose is up to 40 small letters, digits and underscores.")
        }
        return try changed(
            await run(
                as: actor,
                """
                SELECT \(table("add_consent"))(
                    coalesce((SELECT c.merged_into FROM \(contacts) c WHERE c.id = \(id)), \(id)), \(purpose), \(granted), coalesce(\(at)::timestamptz, now()), \(source),
                    \(proof), \(wording)) AS outcome
                """, "SELECT \(Self.columns) FROM \(contacts) c WHERE c.id = \(id)"))
    }

    /// A compiler that knows this tenant's fields, connectors and modules: one round trip.
    func compiler(as actor: Actor, hasChange: Bool = false) async throws -> ConditionCompiler {
        try compiler(await run(as: actor, compilerInput[0], compilerInput[1], compilerInput[2]), hasChange: hasChange)
    }

    /// What `compiler(_:hasChange:)` needs the rows of.
    var compilerInput: [SQL] {
        [
            ("SELECT id, name FROM \(seen("connector"))" as SQL).prepared(),
            ("SELECT to_regclass(\("\(tenant.schema).sale")) IS NOT NULL AS sales" as SQL).prepared(),
            fieldsQuery,
        ]
    }

    func compiler(_ rows: [Rows], hasChange: Bool) throws -> ConditionCompiler {
        let names = try rows[0].map { (try $0.get("name", as: String.self), try $0.get("id", as: Int64.self)) }
        return ConditionCompiler(
            tenant: self, catalogue: try catalogue(rows[2]),
            connectors: Dictionary(names, uniquingKeysWith: { first, _ in first }), hasChange: hasChange,
            hasSales: try rows[1][0].get("sales"))
    }

    func checked(_ fields: JSON, _ catalogue: FieldCatalogue) throws -> JSON {
        guard fields.object != nil else {
            throw Failure(.invalid, "contact.invalid", "The fields must be a JSON object.")
        }
        let result = normaliser(catalogue).normalise(fields, isPartial: true)
        let problems = result.problems.filter { $0.isRefusal }
        guard problems.isEmpty else {
            throw Failure(
                .invalid, "contact.invalid", "Some fields cannot be taken as they are.",
                details: problems.map(\.json))
        }
        return result.document
    }

    private func origin(_ actor: Actor) -> SQL {
        "jsonb_build_object('by', \(actor.description)::text, 'at', now(), 'rank', 0)"
    }

    private static func stale(_ version: Int64) -> Failure {
        Failure(
            .stale, "contact.stale",
            "The contact was changed meanwhile (it is at version \(version)): read it again and repeat the change.")
    }
}

/// A contact as it is in the database.
public struct StoredContact: Sendable {
    public let id: Int64
    public let version: Int64
    public let isDeleted: Bool
    /// The contact as one JSON object.
    public let json: [UInt8]

    /// - Throws: `Failure` `not_found` without a row: the caller may not see it, or not any more.
    init(_ rows: Rows) throws {
        guard rows.count == 1 else { throw Failure.notFound("contact") }
        id = try rows[0].get("id")
        version = try rows[0].get("version")
        isDeleted = !rows[0].isNull("deleted_at")
        json = rows.json(row: 0)
    }
}

extension JSON {
    var withoutNulls: JSON {
        guard let members = object else { return self }
        return .object(members.filter { !$0.value.isNull })
    }
}

extension Day {
    /// The day it is in UTC.
    static var today: Day {
        Day(daysSinceEpoch: Int(Date().timeIntervalSince1970 / 86_400)) ?? Day(year: 2000, month: 1, day: 1)!
    }
}
