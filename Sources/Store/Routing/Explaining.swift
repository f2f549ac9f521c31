import Foundation
public import Hub
internal import Postgres

extension TenantDatabase {
    /// Why each plugin did or did not get a contact: the last decision, by which rule, on which input, how the
    /// delivery stands, and what would change the answer.
    /// - Parameter connector: a connector's name, to ask about that one only.
    /// - Returns: {"contact", "plugins": [...]}.
    public func explain(_ id: Int64, connector: String?, as actor: Actor) async throws -> JSON {
        let contact = try JSON(parsing: await self.contact(id, as: actor).json)
        // how plugins are set up is no secret here; the contact and what happened to it are asked for as the caller
        let plugins = try await routedPlugins(as: .system).filter { connector == nil || $0.connectorName == connector }
        if let connector, plugins.isEmpty {
            throw Failure(.notFound, "connector.no_push", "No connector “\(connector)” pushes contacts.")
        }
        let compiler = try await compiler(as: actor, hasChange: true)
        var answers: [JSON] = []
        for plugin in plugins { answers.append(try await explain(id, plugin, compiler, as: actor)) }
        return [
            "contact": ["id": .int(id), "name": contact["name"] ?? .null, "version": contact["version"] ?? .null],
            "plugins": .array(answers),
        ]
    }

    private func explain(
        _ id: Int64, _ plugin: RoutedPlugin, _ compiler: ConditionCompiler, as actor: Actor
    ) async throws -> JSON {
        let last = try await run(
            as: actor,
            """
            SELECT h.id, h.at, h.kind, h.fields, h.actor, k.name AS origin, d.at AS decided_at,
                d.verdict[array_position(d.plugin, \(plugin.id))] AS verdict,
                d.rule[array_position(d.plugin, \(plugin.id))] AS rule
            FROM \(seen("change")) h JOIN \(seen("decision")) d ON d.change = h.id
            LEFT JOIN \(seen("connector")) k ON k.id = h.origin
            WHERE h.entity = 'contact' AND h.record = \(id) AND \(plugin.id) = ANY (d.plugin) ORDER BY h.id DESC LIMIT 1
            """,
            """
            SELECT d.state, d.attempts, d.due_at, d.code, d.message, d.wanted, d.delivered, b.remote_id, b.bound_at
            FROM (SELECT 1) one LEFT JOIN \(seen("delivery")) d ON d.plugin = \(plugin.id) AND d.record = \(id)
            LEFT JOIN \(seen("binding")) b ON b.connector = \(plugin.connector) AND b.entity = 'contact' AND b.record = \(id)
            """)
        var answer: JSON = [
            "plugin": .int(plugin.id), "name": .string(plugin.name), "connector": .string(plugin.connectorName),
            "delivery": try JSON(parsing: last[1].json())[0] ?? .null,
        ]
        guard let decided = try JSON(parsing: last[0].json())[0] else {
            answer["verdict"] = "undecided"
            answer["because"] = .string(because("undecided", plugin))
            return answer
        }
        guard !sight.isMasked else {
            answer["verdict"] = "not_shown"
            answer["because"] = .string(because("not_shown", plugin))
            return answer
        }
        let rule = decided["rule"]?.int ?? 0
        let filter = try await self.filter(of: plugin, rule: rule)
        let results = try await leafResults(filter, change: decided["id"]?.int ?? 0, compiler, as: actor)
        let judged = filter.verdict(leafResults: results)
        let verdict = decided["verdict"]?.string ?? ""
        answer["verdict"] = .string(verdict)
        answer["because"] = .string(because(verdict, plugin))
        answer["rule"] = ["version": .int(rule), "filter": filter.json, "words": .string(filter.words)]
        answer["input"] = [
            "change": decided["id"] ?? .null, "kind": decided["kind"] ?? .null, "at": decided["at"] ?? .null,
            "fields": decided["fields"] ?? .null, "origin": decided["origin"] ?? .null,
            "actor": decided["actor"] ?? .null,
            "answers": .array(
                zip(filter.leaves, results).map { ["asked": .string(Condition.leaf($0).words), "answer": .bool($1)] }),
        ]
        answer["filter_holds_now"] = .bool(judged.result)
        answer["mapped"] = .array(plugin.mappedFields.map(JSON.string))
        answer["what_would_change"] = .array(
            VerdictWords(verdict, in: EnglishPhrases()).advice(judged, mapped: plugin.mappedFields).map(JSON.string))
        return answer
    }

    private func because(_ verdict: String, _ plugin: RoutedPlugin) -> String {
        VerdictWords(verdict, in: EnglishPhrases()).because(system: plugin.connectorName)
    }

    private func filter(of plugin: RoutedPlugin, rule: Int64) async throws -> Condition {
        let rows = try await run(
            as: .system, "SELECT filter FROM \(table("rule")) WHERE plugin = \(plugin.id) AND version = \(rule)")[0]
        guard let row = rows.first else { return plugin.filter }
        return try Condition(JSON(text: row.get("filter")))
    }

    /// The answers to a condition's leaves for one change and its contact as it is now.
    private func leafResults(
        _ condition: Condition, change: Int64, _ compiler: ConditionCompiler, as actor: Actor
    ) async throws -> [Bool] {
        let terms = try condition.leaves.map { "(\(try compiler.compile($0)))" as SQL }
        guard !terms.isEmpty else { return [] }
        let rows = try await run(
            as: actor,
            """
            SELECT \(terms.joined(separator: ", ")) FROM \(seen("change")) e JOIN \(contacts) c ON c.id = e.record
            WHERE e.id = \(change)
            """)[0]
        guard let row = rows.first else { return terms.map { _ in false } }
        return try terms.indices.map { try row.get($0) }
    }

    /// What other rules would have decided for past changes, without any effect. Both rules are asked of the
    /// contacts as they are now, so that only what the rules differ in is told.
    /// - Parameters:
    ///   - rules: {"connector name/plugin name": {"filter": .., "mapping": ..}}.
    ///   - since: RFC 3339; changes from then on.
    /// - Returns: {"changes": n, "differences": [{"plugin", "from", "to", "count", "examples": [record]}]}.
    public func replay(rules: JSON, since: String, as actor: Actor) async throws -> JSON {
        let catalogue = try await catalogue(as: actor)
        let compiler = try await compiler(as: actor, hasChange: true)
        let plugins = try await routedPlugins(as: .system)
        var differences: [JSON] = []
        var known = Set<String>()
        for plugin in plugins {
            let key = "\(plugin.connectorName)/\(plugin.name)"
            known.insert(key)
            guard let rule = rules[key] else { continue }
            let filter = try rule["filter"].map { try Condition.checked($0, catalogue) } ?? plugin.filter
            if let mapping = rule["mapping"] { try Mapping.check(mapping, catalogue) }
            let mapped = try rule["mapping"].map { try Mapping($0).hubFields(.out).sorted() } ?? plugin.mappedFields
            let other = RoutedPlugin(
                id: plugin.id, name: plugin.name, connector: plugin.connector, connectorName: plugin.connectorName,
                isPaused: plugin.isPaused, rule: plugin.rule, filter: filter, mappedFields: mapped,
                visibleFacets: plugin.visibleFacets)
            let rows = try await run(
                as: actor,
                """
                SELECT was AS "from", would AS "to", count(*) AS count, (array_agg(record ORDER BY id))[1:5] AS examples
                FROM (SELECT e.id, e.record, d.verdict[array_position(d.plugin, \(plugin.id))] AS was,
                    \(try plugin.verdict(compiler)) AS holds, \(try other.verdict(compiler)) AS would
                    FROM \(table("change")) e JOIN \(table("decision")) d ON d.change = e.id
                    LEFT JOIN \(table("contact")) c ON c.id = e.record AND e.entity = 'contact'
                    WHERE e.at >= \(since)::timestamptz AND \(plugin.id) = ANY (d.plugin)) x
                WHERE holds IS DISTINCT FROM would AND was IS DISTINCT FROM would GROUP BY was, would ORDER BY count(*) DESC
                """)[0]
            for item in try JSON(parsing: rows.json()).array ?? [] {
                var difference = item
                difference["plugin"] = .string(key)
                differences.append(difference)
            }
        }
        if let stranger = (rules.object ?? [:]).keys.first(where: { !known.contains($0) }) {
            throw Failure(
                .invalid, "rules.plugin",
                "There is no plugin “\(stranger)”; the names are \(known.sorted().joined(separator: ", ")).")
        }
        let count = try await run(
            as: actor, "SELECT count(*) AS n FROM \(table("change")) WHERE at >= \(since)::timestamptz")[0]
        return ["changes": .int(try count[0].get("n")), "differences": .array(differences)]
    }
}
