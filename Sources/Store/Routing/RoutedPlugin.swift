internal import Hub
internal import Postgres

/// A plugin that contacts can be pushed through, with the rule in force.
struct RoutedPlugin {
    let id: Int64
    let name: String
    let connector: Int64
    let connectorName: String
    let isPaused: Bool
    let rule: Int
    let filter: Condition
    let mappedFields: [String]
    /// Facets of which a contact must have one for the connector to get it; nil: any.
    let visibleFacets: [String]?

    /// The verdict on change `e` of record `c`: "accepted", or the code of the first reason against it.
    func verdict(_ compiler: ConditionCompiler) throws -> SQL {
        "CASE WHEN e.entity = 'contact' THEN \(try contactVerdict(compiler)) ELSE \(Self.otherEntity) END"
    }

    /// What is said to a change of anything but a contact.
    static let otherEntity = "other_entity"

    /// The verdict where `c` is known to be a contact.
    func contactVerdict(_ compiler: ConditionCompiler) throws -> SQL {
        let tenant = compiler.tenant
        let bound: SQL = """
            EXISTS (SELECT FROM \(tenant.table("binding")) b WHERE b.connector = \(connector)
                AND b.entity = 'contact' AND b.record = e.record AND b.gone_at IS NULL)
            """
        let gone: SQL = """
            EXISTS (SELECT FROM \(tenant.table("binding")) b WHERE b.connector = \(connector)
                AND b.entity = 'contact' AND b.record = e.record AND b.gone_at IS NOT NULL)
            """
        // a record that was being made there when the contact was deleted
        let underWay: SQL = """
            EXISTS (SELECT FROM \(tenant.table("delivery")) d WHERE d.plugin = \(id) AND d.record = e.record
                AND (d.unsure OR d.state = 'leased'))
            """
        let isVisible: SQL = visibleFacets.map { "c.facets && \($0)::text[]" } ?? "true"
        return """
            CASE WHEN e.origin = \(connector) THEN 'own_change'
                WHEN e.kind IN ('deleted', 'merged') THEN CASE WHEN \(bound) OR \(underWay) THEN 'accepted' ELSE 'not_bound' END
                WHEN c.id IS NULL OR c.deleted_at IS NOT NULL THEN 'deleted_since'
                WHEN NOT \(isVisible) THEN 'not_permitted'
                WHEN NOT (\(try compiler.compile(filter))) THEN \(try reason(against: filter, compiler))
                WHEN e.kind <> 'new' AND \(gone) THEN 'deleted_there'
                WHEN NOT e.fields && \(mappedFields)::text[] AND \(bound) THEN 'nothing_mapped'
                WHEN \(isPaused) THEN 'paused'
                ELSE 'accepted' END
            """
    }

    /// The code of why a condition does not hold, where it does not.
    private func reason(against condition: Condition, _ compiler: ConditionCompiler) throws -> SQL {
        guard case .all(let parts) = condition, !parts.isEmpty else { return "\(Self.code(condition))" }
        let ordered = parts.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        let cases = try ordered.map { _, part -> SQL in
            "WHEN NOT (\(try compiler.compile(part))) THEN \(try reason(against: part, compiler))"
        }
        return "CASE \(cases.joined(separator: " ")) ELSE 'filter_not_met' END"
    }

    private static func code(_ condition: Condition) -> String {
        codes.first { code in condition.leaves.contains { $0.rejectionCode == code } } ?? "filter_not_met"
    }

    fileprivate static let codes = ["not_this_change", "no_consent", "missing_tag", "filter_not_met"]
}

extension Condition {
    /// Which reason is told first when several parts do not hold.
    fileprivate var rank: Int {
        RoutedPlugin.codes.firstIndex { code in leaves.contains { $0.rejectionCode == code } } ?? 3
    }
}

extension TenantDatabase {
    /// The plugins that changes are decided for, by id.
    func routedPlugins(as actor: Actor) async throws -> [RoutedPlugin] {
        try routedPlugins(await run(as: actor, pluginsQuery)[0])
    }

    /// The plugins, and a compiler for their filters, in one round trip.
    func routingInput() async throws -> ([RoutedPlugin], ConditionCompiler) {
        let input = compilerInput
        let rows = try await run(as: .system, input[0], input[1], input[2], pluginsQuery)
        return (try routedPlugins(rows[3]), try compiler(rows, hasChange: true))
    }

    private var pluginsQuery: SQL {
        ("""
        SELECT p.id, p.name, p.connector, k.name AS connector_name, p.state, k.state AS connector_state, p.rule,
            p.filter, p.mapping, k.visible_facets
        FROM \(table("plugin")) p JOIN \(table("connector")) k ON k.id = p.connector
        WHERE p.capability = 'push' AND p.state <> 'off' ORDER BY p.id
        """ as SQL).prepared()
    }

    private func routedPlugins(_ rows: Rows) throws -> [RoutedPlugin] {
        try rows.map { row in
            let mapping = try Mapping(JSON(text: row.get("mapping")))
            return RoutedPlugin(
                id: try row.get("id"), name: try row.get("name"), connector: try row.get("connector"),
                connectorName: try row.get("connector_name"),
                isPaused: try row.get("state", as: String.self) == "paused"
                    || row.get("connector_state", as: String.self) == "paused",
                rule: try row.get("rule"), filter: try Condition(JSON(text: row.get("filter"))),
                mappedFields: mapping.hubFields(.out).sorted(), visibleFacets: try row.get("visible_facets"))
        }
    }
}
