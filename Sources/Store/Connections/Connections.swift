public import Hub
internal import Postgres

extension TenantDatabase {
    /// Makes a connector with all plugins of its kind, each with the manifest's filter and mapping, switched off.
    /// - Parameters:
    ///   - settings: values by name; secret ones are encrypted before they are stored.
    ///   - rank: precedence as a source, 1 first.
    /// - Throws: `Failure` `connector.settings`, `connector.exists`.
    public func createConnector(
        as actor: Actor, manifest: Manifest, name: String, settings: JSON, rank: Int = 50
    ) async throws -> Int64 {
        let (open, secret) = try Self.split(settings, manifest)
        do {
            return try await underLastingKey { seal in
                try await transaction(as: actor) { session in
                    let id: Int64 = try await session.query(
                        """
                        INSERT INTO \(table("connector")) (kind, name, settings, rank)
                        VALUES (\(manifest.kind), \(name), \(open.text)::jsonb, \(rank)) RETURNING id
                        """)[0].get("id")
                    try await saveSecrets(secret, connector: id, seal, session)
                    _ = try await session.query(
                        """
                        INSERT INTO \(table("budget")) (connector, per_second, burst, tokens)
                        VALUES (\(id), \(manifest.limits.perSecond), \(manifest.limits.burst), \(manifest.limits.burst))
                        """)
                    for plugin in manifest.plugins {
                        try await add(plugin, to: id, as: actor, session)
                    }
                    return id
                }
            }
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Failure(.conflict, "connector.exists", "There is a connector of the name “\(name)” already.")
        }
    }

    private func add(_ plugin: PluginManifest, to connector: Int64, as actor: Actor, _ session: Session) async throws {
        _ = try await session.query(
            """
            WITH made AS (
                INSERT INTO \(table("plugin")) (connector, name, capability, entity, filter, mapping)
                VALUES (\(connector), \(plugin.name), \(plugin.capability.rawValue), \(plugin.entity.rawValue),
                    \(plugin.filter.text)::jsonb, \(plugin.mapping.text)::jsonb)
                RETURNING id, rule, filter, mapping)
            INSERT INTO \(table("rule")) (plugin, version, filter, mapping, actor)
            SELECT id, rule, filter, mapping, \(actor.description) FROM made
            """)
    }

    /// All connectors with their plugins, as a JSON array; no secrets.
    public func connectors(as actor: Actor, id: Int64? = nil) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT c.id, c.kind, c.name, c.settings, c.state, c.state_reason, c.rank, c.visible_facets, c.hidden_fields,
                c.closed_fields, c.created_at, (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(c.secrets) k) AS secrets,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'capability', p.capability,
                    'entity', p.entity, 'state', p.state, 'rule', p.rule, 'filter', p.filter, 'mapping', p.mapping,
                    'every_seconds', p.every_seconds, 'since', p.since, 'next_at', p.next_at,
                    'max_changes', p.max_changes) ORDER BY p.id), '[]')
                    FROM \(table("plugin")) p WHERE p.connector = c.id) AS plugins
            FROM \(table("connector")) c WHERE \(id)::bigint IS NULL OR c.id = \(id) ORDER BY c.id
            """)[0].json()
    }

    /// Changes a plugin. A new filter or mapping makes a new rule; old decisions keep theirs.
    /// - Throws: `Failure` `condition.invalid`, `mapping.invalid`, `not_found`.
    public func editPlugin(_ id: Int64, as actor: Actor, _ edit: PluginEdit) async throws {
        let catalogue = try await catalogue(as: actor)
        if let filter = edit.filter {
            let condition = try Condition.checked(filter, catalogue)
            _ = try await compiler(as: actor, hasChange: true).compile(condition)
        }
        if let mapping = edit.mapping { try Mapping.check(mapping, catalogue) }
        let isFound = try await transaction(as: actor) { session in
            let changed = try await session.query(
                """
                UPDATE \(table("plugin")) SET state = coalesce(\(edit.state), state),
                    filter = coalesce(\(edit.filter?.text)::jsonb, filter),
                    mapping = coalesce(\(edit.mapping?.text)::jsonb, mapping),
                    every_seconds = CASE WHEN \(edit.everySeconds != nil) THEN \(edit.everySeconds ?? nil) ELSE every_seconds END,
                    since = CASE WHEN \(edit.since != nil) THEN \(edit.since ?? nil)::date ELSE since END,
                    max_changes = CASE WHEN \(edit.maxChanges != nil) THEN \(edit.maxChanges ?? nil) ELSE max_changes END,
                    next_at = CASE WHEN \(edit.state ?? "") = 'on' OR \(edit.everySeconds != nil)
                        AND (next_at IS NULL OR \(edit.everySeconds ?? nil)::int IS DISTINCT FROM every_seconds)
                        THEN now() ELSE next_at END,
                    rule = rule + (\(edit.filter?.text)::jsonb IS DISTINCT FROM NULL
                        OR \(edit.mapping?.text)::jsonb IS DISTINCT FROM NULL)::int
                WHERE id = \(id)
                """)
            guard changed.affected == 1 else { return false }
            _ = try await session.query(
                """
                INSERT INTO \(table("rule")) (plugin, version, filter, mapping, actor)
                SELECT id, rule, filter, mapping, \(actor.description) FROM \(table("plugin")) WHERE id = \(id)
                ON CONFLICT DO NOTHING
                """)
            return true
        }
        guard isFound else { throw Failure.notFound("plugin") }
    }

    /// Changes a connector; secrets given replace those of the same name and unlock it.
    public func editConnector(_ id: Int64, as actor: Actor, manifest: Manifest, _ edit: ConnectorEdit) async throws {
        let (open, secret) = try Self.split(edit.settings ?? [:], manifest, isPartial: true)
        let isFound = try await underLastingKey { seal in
            try await transaction(as: actor) { session in
                let unlocks = secret.object?.isEmpty == false
                let changed = try await session.query(
                    """
                    UPDATE \(table("connector")) SET settings = settings || \(open.text)::jsonb,
                        state = CASE WHEN \(edit.state)::text IS NOT NULL THEN \(edit.state)
                            WHEN \(unlocks) AND state = 'locked' THEN 'on' ELSE state END,
                        state_reason = CASE WHEN \(unlocks) OR \(edit.state)::text IS NOT NULL THEN NULL ELSE state_reason END,
                        rank = coalesce(\(edit.rank), rank),
                        visible_facets = CASE WHEN \(edit.visibleFacets)::text[] IS NULL THEN visible_facets
                            WHEN \(edit.visibleFacets)::text[] = '{}' THEN NULL ELSE \(edit.visibleFacets)::text[] END,
                        hidden_fields = coalesce(\(edit.hiddenFields)::text[], hidden_fields),
                        closed_fields = coalesce(\(edit.closedFields)::text[], closed_fields)
                    WHERE id = \(id)
                    """)
                guard changed.affected == 1 else { return false }
                try await saveSecrets(secret, connector: id, seal, session)
                return true
            }
        }
        guard isFound else { throw Failure.notFound("connector") }
    }

    /// The kind of a connector.
    public func kind(ofConnector id: Int64, as actor: Actor) async throws -> String {
        guard let row = try await run(as: actor, "SELECT kind FROM \(table("connector")) WHERE id = \(id)")[0].first
        else {
            throw Failure.notFound("connector")
        }
        return try row.get("kind")
    }

    /// A secret of a connector, decrypted; nil when it has none of this name.
    public func secret(_ name: String, ofConnector id: Int64) async throws -> String? {
        let rows = try await run(
            as: .connector(id), "SELECT secrets ->> \(name) AS sealed FROM \(table("connector")) WHERE id = \(id)")[0]
        return try await opened(try rows.first?.get("sealed", as: String?.self), name, ofConnector: id)
    }

    /// The same, and takes it away: one caller gets it.
    public func takeSecret(_ name: String, ofConnector id: Int64) async throws -> String? {
        let rows = try await run(
            as: .connector(id),
            """
            WITH held AS (SELECT id, secrets ->> \(name) AS sealed FROM \(table("connector")) WHERE id = \(id) FOR UPDATE)
            UPDATE \(table("connector")) c SET secrets = c.secrets - \(name)::text FROM held
            WHERE c.id = held.id AND held.sealed IS NOT NULL RETURNING held.sealed
            """)[0]
        return try await opened(try rows.first?.get("sealed", as: String?.self), name, ofConnector: id)
    }

    private func opened(_ sealed: String?, _ name: String, ofConnector id: Int64) async throws -> String? {
        guard let sealed else { return nil }
        var keys = try await keys()
        // another process may have changed it
        if keys.key(.credentials, SecretSeal.keyID(of: sealed)) == nil { keys = try await self.keys(isFresh: true) }
        guard let plain = try SecretSeal(tenant: tenant.id, keys: keys).open(sealed, connector: id, name: name) else {
            throw Failure(
                .broken, "secret.unreadable", "A stored credential cannot be opened: was the master key replaced?")
        }
        return plain
    }

    /// Seals and keeps secrets of a connector by name, all at once.
    public func saveSecrets(_ values: [String: String], ofConnector id: Int64) async throws {
        try await underLastingKey { seal in
            let sealed = try values.map { name, value in
                (name, JSON.string(try seal.seal(value, connector: id, name: name)))
            }
            let added = JSON.object(Dictionary(uniqueKeysWithValues: sealed)).text
            _ = try await run(
                as: .connector(id),
                "UPDATE \(table("connector")) SET secrets = secrets || \(added)::jsonb WHERE id = \(id)")
        }
    }

    /// Runs what seals and stores, once more when the key was changed meanwhile.
    private func underLastingKey<T>(_ body: (SecretSeal) async throws -> T) async throws -> T {
        do {
            return try await body(SecretSeal(tenant: tenant.id, keys: keys(isFresh: true)))
        } catch let error as PostgresError where error.constraint == "connector_key" {
            return try await body(SecretSeal(tenant: tenant.id, keys: keys(isFresh: true)))
        }
    }

    private func saveSecrets(_ secrets: JSON, connector: Int64, _ seal: SecretSeal, _ session: Session) async throws {
        var sealed: [String: JSON] = [:]
        for (name, value) in secrets.object ?? [:] {
            sealed[name] = .string(try seal.seal(value.scalarText ?? "", connector: connector, name: name))
        }
        _ = try await session.query(
            "UPDATE \(table("connector")) SET secrets = secrets || \(JSON.object(sealed).text)::jsonb WHERE id = \(connector)"
        )
    }

    private static func split(_ settings: JSON, _ manifest: Manifest, isPartial: Bool = false) throws -> (
        open: JSON, secret: JSON
    ) {
        var open: JSON = [:]
        var secret: JSON = [:]
        let known = Set(manifest.settings.map(\.name))
        var problems = (settings.object ?? [:]).keys.filter { !known.contains($0) }.sorted().map {
            FieldProblem(field: $0, code: "unknown_setting", message: "there is no such setting")
        }
        for setting in manifest.settings {
            let value = settings[setting.name] ?? (isPartial ? nil : setting.fallback)
            if let value, !value.isNull {
                if setting.isSecret { secret[setting.name] = value } else { open[setting.name] = value }
            } else if setting.isRequired && !isPartial {
                problems.append(
                    FieldProblem(field: setting.name, code: "missing", message: "\(setting.label) is needed"))
            }
        }
        guard problems.isEmpty else {
            throw Failure(
                .invalid, "connector.settings", "The settings are not complete.", details: problems.map(\.json))
        }
        return (open, secret)
    }
}

/// What to change of a plugin; nil leaves a member as it is.
public struct PluginEdit: Sendable {
    public var state: String?
    public var filter: JSON?
    public var mapping: JSON?
    /// Seconds between polls; `.some(nil)` for on demand only.
    public var everySeconds: Int??
    /// The day from which records are asked for; `.some(nil)` for all there are.
    public var since: String??
    /// Contacts that one run may change without approval; `.some(nil)` for any number.
    public var maxChanges: Int??
    public init(
        state: String? = nil, filter: JSON? = nil, mapping: JSON? = nil, everySeconds: Int?? = nil,
        since: String?? = nil, maxChanges: Int?? = nil
    ) {
        (self.state, self.filter, self.mapping) = (state, filter, mapping)
        (self.everySeconds, self.since, self.maxChanges) = (everySeconds, since, maxChanges)
    }
}

/// What to change of a connector; nil leaves a member as it is.
public struct ConnectorEdit: Sendable {
    public var state: String?
    public var settings: JSON?
    public var rank: Int?
    /// Empty: all contacts.
    public var visibleFacets: [String]?
    public var hiddenFields: [String]?
    public var closedFields: [String]?
    public init() {}
}

extension Condition {
    /// Reads and validates a condition.
    /// - Throws: `Failure` `condition.invalid` with the place of the mistake.
    public static func checked(_ json: JSON, _ catalogue: FieldCatalogue) throws -> Condition {
        do {
            let condition = try Condition(json)
            try condition.validate(against: catalogue)
            return condition
        } catch let error as ConditionError {
            throw Failure(.invalid, "condition.invalid", error.description)
        }
    }
}

extension Mapping {
    /// - Throws: `Failure` `mapping.invalid` with the place of the mistake.
    static func check(_ json: JSON, _ catalogue: FieldCatalogue) throws {
        do {
            try Mapping(json).validate(against: catalogue)
        } catch let error as MappingError {
            throw Failure(.invalid, "mapping.invalid", error.description)
        }
    }
}
