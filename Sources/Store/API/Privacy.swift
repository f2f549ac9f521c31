public import Hub
internal import Postgres

/// Purposes, their wordings, and what a person may ask the shop for.
extension TenantDatabase {
    /// All purposes, as a JSON array.
    public func purposes(as actor: Actor) async throws -> [UInt8] {
        try await run(as: actor, "SELECT key, title, channel FROM \(table("purpose")) ORDER BY key")[0].json()
    }

    /// Makes a purpose, or changes it.
    /// - Parameters:
    ///   - title: what people call it, by language.
    ///   - channel: by which they are reached, such as email.
    /// - Throws: `Failure` `consent.purpose`, `right.missing`.
    public func savePurpose(_ key: String, title: JSON, channel: String, as actor: Actor) async throws {
        guard key.wholeMatch(of: /[a-z][a-z0-9_]{0,39}/) != nil else {
            throw Failure(.invalid, "consent.purpose", "A purpose is up to 40 small letters, digits and underscores.")
        }
        _ = try await run(
            as: actor,
            """
            INSERT INTO \(table("purpose")) AS p (key, title, channel) VALUES (\(key), \(title.text)::jsonb, \(channel))
            ON CONFLICT (key) DO UPDATE SET title = excluded.title, channel = excluded.channel
            """)
    }

    /// Every version of the wordings of a purpose, newest first; of the privacy policy for none.
    public func wordings(of purpose: String, as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT id, purpose, language, version, body, published_at FROM \(table("wording")) WHERE purpose = \(purpose)
            ORDER BY id DESC
            """)[0].json()
    }

    /// Publishes a wording; those before stay on record.
    /// - Returns: its number and version.
    /// - Throws: `Failure` `right.missing`, `wording.race`.
    public func publish(purpose: String, language: String, body: String, as actor: Actor) async throws -> (
        id: Int64, version: Int64
    ) {
        do {
            let row = try await run(
                as: actor,
                """
                INSERT INTO \(table("wording")) (purpose, language, version, body)
                SELECT \(purpose), \(language), coalesce(max(version), 0) + 1, \(body) FROM \(table("wording"))
                WHERE purpose = \(purpose) AND language = \(language) RETURNING id, version
                """)[0][0]
            return (try row.get("id"), try row.get("version"))
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Failure(.conflict, "wording.race", "Somebody published another version meanwhile: look, then repeat.")
        }
    }

    /// The ledger of a contact's consents, oldest first, as a JSON array; for who sees every contact.
    public func consents(of id: Int64, as actor: Actor) async throws -> [UInt8] {
        _ = try await contact(id, as: actor)
        return try await ledger("contact = \(id)", as: actor)
    }

    private func ledger(_ which: SQL, as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT id, purpose, granted, evidence_at, source, proof, wording, actor, at FROM \(table("consent"))
            WHERE \(which) ORDER BY evidence_at, id
            """)[0].json()
    }

    /// The certificate of an erasure: when, by whom, what, and how far each system is that had the contact.
    /// - Throws: `Failure` `not_found`.
    public func erasure(of id: Int64, as actor: Actor) async throws -> JSON {
        let found = try await run(
            as: actor, "SELECT contact, at, actor, erased FROM \(table("erasure")) WHERE contact = \(id)")[0]
        guard found.count == 1 else { throw Failure.notFound("erasure") }
        // who may see the certificate is told of every system, whatever else they may see of those
        let there = try await run(
            as: .system,
            """
            SELECT k.name AS connector, p.name AS plugin, CASE WHEN EXISTS (SELECT FROM \(table("outbox")) o
                    JOIN \(table("change")) h ON h.id = o.change WHERE h.entity = 'contact' AND h.record = \(id)) THEN 'waiting'
                WHEN b.gone_at IS NOT NULL OR d.state = 'done' AND d.changed_at >= e.at THEN 'removed'
                WHEN d.state = 'dead' THEN 'failed' ELSE 'waiting' END AS state, d.changed_at AS at, d.code
            FROM \(table("erasure")) e JOIN \(table("delivery")) d ON d.record = e.contact
            JOIN \(table("plugin")) p ON p.id = d.plugin AND p.entity = 'contact'
            JOIN \(table("connector")) k ON k.id = p.connector
            JOIN \(table("binding")) b ON b.record = e.contact AND b.connector = p.connector AND b.entity = 'contact'
            WHERE e.contact = \(id)
            UNION ALL
            SELECT k.name, x.group_name, CASE WHEN r.state = 'done' THEN 'removed' WHEN r.state = 'failed' THEN 'failed'
                ELSE 'waiting' END, coalesce(r.ended_at, r.created_at), NULL
            FROM \(table("erasure")) e JOIN \(table("run")) r ON r.kind = 'segment' AND r.created_at = e.at
            JOIN \(table("connector")) k ON k.id = r.connector
            LEFT JOIN \(table("segment_push")) x ON x.id = (r.params ->> 'push')::bigint
            WHERE e.contact = \(id) ORDER BY 1, 2
            """)[0]
        var certificate = try JSON(parsing: found.json(row: 0))
        let systems = try JSON(parsing: there.json())
        certificate["systems"] = systems
        certificate["complete"] = .bool(systems.array?.allSatisfy { $0["state"] == "removed" } ?? true)
        return certificate
    }

    /// Everything the shop holds about a person, for the person. It is in the audit log.
    /// - Throws: `Failure` `not_found`, `right.missing` unless the caller may export.
    public func subjectExport(of id: Int64, as actor: Actor) async throws -> JSON {
        try await demandExport(as: actor)
        let contact = try JSON(parsing: await contact(id, as: actor).json)
        try await note("subject.exported", entity: "contact", record: id, as: actor)
        let hasSales: Bool = try await run(
            as: actor, "SELECT to_regclass(\("\(tenant.schema).sale")) IS NOT NULL AS there")[0][0].get("there")
        var export: JSON = ["contact": contact]
        // with whoever was merged into this one
        let person: SQL = "(SELECT c.id FROM \(contacts) c WHERE c.id = \(id) OR c.merged_into = \(id))"
        export["consents"] = try JSON(parsing: await ledger("contact IN \(person)", as: actor))
        let parts = try await run(
            as: actor,
            """
            SELECT at, kind, fields, before, after, actor FROM \(seen("change")) WHERE entity = 'contact' AND record IN \(person)
            ORDER BY id
            """,
            """
            SELECT k.name AS system, b.remote_id AS number, b.agreed AS holds, b.bound_at AS since FROM \(seen("binding")) b
            JOIN \(seen("connector")) k ON k.id = b.connector WHERE b.entity = 'contact' AND b.record IN \(person) ORDER BY 1
            """)
        export["history"] = try JSON(parsing: parts[0].json())
        export["systems"] = try JSON(parsing: parts[1].json())
        if hasSales {
            export["orders"] = try JSON(
                parsing: await run(
                    as: actor,
                    """
                    SELECT s.number, s.status, s.currency, s.total, s.placed_at,
                        (SELECT coalesce(jsonb_agg(jsonb_build_object('name', l.name, 'quantity', l.quantity, 'total', l.total)
                            ORDER BY l.line), '[]') FROM \(orders("sale_line")) l WHERE l.sale = s.id) AS lines
                    FROM \(orders("sale")) s WHERE s.contact IN \(person) ORDER BY s.placed_at
                    """)[0].json())
        }
        return export
    }
}

/// The page on which a person says what they consent to, without signing in: reached by a link that only the shop can make.
extension TenantDatabase {
    /// The last part of the address of a contact's preference page: "tenant-contact-signature".
    /// - Throws: `Failure` `not_found`.
    public func preferencePath(of contact: Int64) async throws -> String {
        try await signedPath(Self.preferences, to: contact)
    }
    fileprivate static let preferences = "preferences"

    /// The same for somebody: who may change the contact, and sees it whatever the person decides there.
    /// - Throws: `Failure` `not_found`, `right.missing`.
    public func preferencePath(of contact: Int64, as actor: Actor) async throws -> String {
        _ = try await self.contact(contact, as: actor)
        guard try await run(as: actor, "SELECT \(table("may_ask_consent"))(\(contact)) AS may")[0][0].get("may") else {
            throw Failure.right
        }
        return try await preferencePath(of: contact)
    }

    /// What the page shows: purposes with their titles and newest wordings in a language, and whether the person consents.
    /// - Throws: `Failure` `not_found` for a contact that is gone.
    public func preferences(of contact: Int64, language: String) async throws -> [Preference] {
        let rows = try await run(
            as: .system,
            """
            SELECT p.key, coalesce(p.title ->> \(language), p.title ->> 'en', (SELECT min(t.value) FROM jsonb_each_text(p.title) t), p.key)
                AS title, w.id AS wording, w.body, ('consent:' || p.key) = ANY (c.consents) AS granted
            FROM \(table("contact")) c CROSS JOIN \(table("purpose")) p
            LEFT JOIN LATERAL (SELECT w.id, w.body FROM \(table("wording")) w WHERE w.purpose = p.key
                ORDER BY w.language = \(language) DESC, w.language = 'en' DESC, w.id DESC LIMIT 1) w ON true
            WHERE c.id = \(contact) AND c.deleted_at IS NULL ORDER BY p.key
            """)[0]
        if rows.isEmpty,
            try await run(
                as: .system, "SELECT FROM \(table("contact")) WHERE id = \(contact) AND deleted_at IS NULL")[0].isEmpty
        {
            throw Failure.notFound("page")
        }
        return try rows.map {
            Preference(
                purpose: try $0.get("key"), title: try $0.get("title"), wording: try $0.get("wording"),
                body: try $0.get("body"), isGranted: try $0.get("granted"))
        }
    }

    /// Takes what a person chose: evidence for each purpose that it changes.
    /// - Parameter wordings: numbers of those that the person was shown, by purpose; nil when the newest were shown.
    /// - Throws: `Failure` `consent.wording` for a number that is none of the purpose; then nothing is taken.
    public func setPreferences(
        _ chosen: Set<String>, wordings: [String: Int64]? = nil, of contact: Int64, language: String, source: String
    ) async throws {
        let changed = try await preferences(of: contact, language: language).filter {
            chosen.contains($0.purpose) != $0.isGranted
        }
        let shown = wordings ?? [:]
        let known = try await run(
            as: .system,
            "SELECT id, purpose FROM \(table("wording")) WHERE id = ANY (\(Array(shown.values))::bigint[])")[0]
        let purposes = try Dictionary(
            known.map { (try $0.get("id", as: Int64.self), try $0.get("purpose", as: String.self)) }
        ) { one, _ in one }
        for preference in changed {
            if let number = shown[preference.purpose], purposes[number] != preference.purpose {
                throw Failure(.invalid, "consent.wording", "The purpose has no wording of this number.")
            }
        }
        for preference in changed {
            _ = try await addConsent(
                contact, as: .system, purpose: preference.purpose, granted: !preference.isGranted, at: nil,
                source: source, proof: nil,
                wording: wordings == nil ? preference.wording : shown[preference.purpose])
        }
    }

    /// The newest privacy policy in a language, in English, or in any; nil when there is none.
    public func policy(language: String) async throws -> (body: String, version: Int64, publishedAt: String)? {
        try await run(
            as: .system,
            """
            SELECT body, version, published_at::date::text AS day FROM \(table("wording")) WHERE purpose = ''
            ORDER BY language = \(language) DESC, language = 'en' DESC, id DESC LIMIT 1
            """)[0].first.map { (try $0.get("body"), try $0.get("version"), try $0.get("day")) }
    }
}

/// A purpose as a person is asked about it.
public struct Preference: Sendable {
    public let purpose: String
    public let title: String
    /// Number of the wording shown.
    public let wording: Int64?
    public let body: String?
    public let isGranted: Bool
}

extension Node {
    /// Tenant and contact of a path made by `preferencePath`; nil for any other, and while the tenant is not open.
    public func preferenceTarget(_ path: String) async throws -> (tenant: TenantDatabase, contact: Int64)? {
        guard let (id, contact) = try await numbers(ofPath: path, TenantDatabase.preferences),
            let tenant = try await openTenant(id)
        else { return nil }
        let door = self.tenant(tenant)
        // who was merged into another is that one
        let living = try await door.run(
            as: .system, "SELECT coalesce(merged_into, id) AS id FROM \(door.table("contact")) WHERE id = \(contact)")[
                0]
        return (door, try living.first?.get("id") ?? contact)
    }
}
