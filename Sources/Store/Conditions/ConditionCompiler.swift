internal import Hub
internal import Postgres

/// Turns a condition into one SQL expression over a contact `c` and, for filters, a change `e`.
///
/// What can be asked of the facet array is asked of it, several questions in one `@>`, so that a
/// segment is one look-up in one index.
struct ConditionCompiler {
    let tenant: TenantDatabase
    let catalogue: FieldCatalogue
    /// Connector names, for the leaf "origin".
    var connectors: [String: Int64] = [:]
    /// Whether there is a change `e` to ask about.
    var hasChange = false
    /// Whether the tenant has the sales module.
    var hasSales = false

    /// - Throws: `Failure` `condition.needs_change` for a leaf that asks about a change where there is none.
    func compile(_ condition: Condition) throws -> SQL {
        switch condition {
        case .all(let parts):
            let facets = parts.compactMap { part in
                if case .leaf(let leaf) = part { facet(of: leaf) } else { nil as Facet? }
            }
            var terms = try parts.filter { part in
                if case .leaf(let leaf) = part { facet(of: leaf) == nil } else { true }
            }.map(compile)
            if !facets.isEmpty { terms.insert(holds(facets), at: 0) }
            return terms.isEmpty ? "true" : "(\(terms.joined(separator: " AND ")))"
        case .any(let parts):
            let terms = try parts.map(compile)
            return terms.isEmpty ? "false" : "(\(terms.joined(separator: " OR ")))"
        case .not(let part): return "(\(try compile(part))) IS NOT TRUE"
        case .leaf(let leaf): return try compile(leaf)
        }
    }

    /// Whether the index on facets finds what the condition asks for.
    func isByFacets(_ condition: Condition) -> Bool {
        switch condition {
        case .leaf(let leaf): facet(of: leaf) != nil
        case .all(let parts): parts.contains(where: isByFacets)
        case .any, .not: false
        }
    }

    /// One expression, never null, for one leaf.
    func compile(_ leaf: Leaf) throws -> SQL {
        if let facet = facet(of: leaf) { return holds([facet]) }
        switch leaf {
        case .tag, .consent, .birthMonth: throw unanswerable(leaf)
        case .field(let path, let comparison):
            guard let target = catalogue.target(path) else { throw unanswerable(leaf) }
            return try FieldQuestion(path: path, target: target).compile(comparison)
        case .origin(let name):
            try demandChange(leaf)
            switch name {
            case "staff": return "e.actor LIKE 'staff:%'"
            case "api": return "e.actor ~ '^(token|agent):'"
            case "sql": return "e.actor LIKE 'login:%'"
            default: return "e.origin IS NOT DISTINCT FROM \(connectors[name] ?? -1)"
            }
        case .change(let kinds):
            try demandChange(leaf)
            return "e.kind = ANY (\(kinds.map(\.rawValue).sorted()))"
        case .changed(let fields):
            try demandChange(leaf)
            return "e.fields && \(fields)::text[]"
        case .owner(let people):
            return people.isEmpty ? "c.owner IS NULL" : "coalesce(c.owner = ANY (\(people)::bigint[]), false)"
        case .bought(let purchase): return hasSales ? bought(purchase) : "false"
        case .noOrderInDays(let days):
            guard hasSales else { return "true" }
            return """
                NOT EXISTS (SELECT FROM \(tenant.orders("sale")) s WHERE s.contact = c.id AND \(counts)
                    AND s.placed_at > now() - make_interval(days => \(days)))
                """
        case .unchangedInDays(let days):
            let isOld: SQL = "c.updated_at < now() - make_interval(days => \(days))"
            guard hasSales else { return isOld }
            return """
                (\(isOld) AND NOT EXISTS (SELECT FROM \(tenant.orders("sale")) s WHERE s.contact = c.id
                    AND s.placed_at > now() - make_interval(days => \(days))))
                """
        case .orders(let comparison):
            let count: SQL =
                hasSales
                ? "(SELECT count(*) FROM \(tenant.orders("sale")) s WHERE s.contact = c.id AND \(counts))" : "0"
            return try FieldQuestion.number(count, comparison)
        case .spent(let comparison):
            let sum: SQL =
                hasSales
                ? "(SELECT coalesce(sum(s.total), 0) FROM \(tenant.orders("sale")) s WHERE s.contact = c.id AND \(counts))"
                : "0"
            return try FieldQuestion.number(sum, comparison)
        }
    }

    private func holds(_ facets: [Facet]) -> SQL {
        let known = facets.compactMap(\.text)
        // one value, so that it is not put together anew for each row
        guard known.count < facets.count else { return "c.facets @> \(known)::text[]" }
        return "c.facets @> ARRAY[\(facets.map(\.sql).joined(separator: ", "))]::text[]"
    }

    /// Kinds of facets that are no fields: a field of a tenant's own with such a key has none (`hub.facets`).
    private static let reserved: Set<String> = ["tag", "consent", "supplier", "category", "country"]
    /// Orders that count as bought.
    private var counts: SQL { "s.status NOT IN ('deleted', 'cancelled', 'failed', 'refunded')" }

    /// The facet that a leaf asks for, when it asks for just one. What is computed stands in a SELECT of its own:
    /// `||` is not leakproof, and beside row security PostgreSQL would then read every row instead of the index.
    private func facet(of leaf: Leaf) -> Facet? {
        switch leaf {
        case .tag(let tag): return .known("tag:" + tag)
        case .consent(let purpose): return .known("consent:" + purpose)
        case .birthMonth(.month(let month)): return .known("birth_month:\(month)")
        case .birthMonth(.this): return .computed("(SELECT 'birth_month:' || extract(month FROM now()))")
        case .bought(let purchase): return hasSales ? facet(of: purchase) : nil
        case .field(let path, .is(let value)):
            guard let target = catalogue.target(path), !path.contains("."), !Self.reserved.contains(path),
                [.choice, .multiChoice, .flag, .month, .words].contains(target.field.type),
                let text = value.scalarText, value.bytes.count <= 42
            else { return nil }
            return .known((path == "tags" ? "tag" : path) + ":" + text)
        default: return nil
        }
    }

    private func facet(of purchase: Purchase) -> Facet? {
        guard purchase.withinDays == nil, purchase.atLeast == 1 else { return nil }
        switch (purchase.supplier, purchase.product, purchase.category) {
        case (let supplier?, nil, nil):
            return .computed("(SELECT 'supplier:' || id FROM \(tenant.table("supplier")) WHERE name = \(supplier))")
        case (nil, nil, let category?): return .known("category:" + category)
        default: return nil
        }
    }

    private func bought(_ purchase: Purchase) -> SQL {
        var terms: [SQL] = ["s.contact = c.id", counts]
        if let days = purchase.withinDays { terms.append("s.placed_at > now() - make_interval(days => \(days))") }
        if let name = purchase.product { terms.append("p.name = \(name)") }
        if let name = purchase.category { terms.append("\(name) = ANY (p.categories)") }
        if let name = purchase.supplier {
            terms.append("p.supplier = (SELECT id FROM \(tenant.table("supplier")) WHERE name = \(name))")
        }
        return """
            (SELECT count(DISTINCT s.id) FROM \(tenant.orders("sale")) s
                JOIN \(tenant.orders("sale_line")) l ON l.sale = s.id
                LEFT JOIN \(tenant.table("product")) p ON p.id = l.product
                WHERE \(terms.joined(separator: " AND "))) >= \(purchase.atLeast)
            """
    }

    private func demandChange(_ leaf: Leaf) throws {
        guard hasChange else {
            throw Failure(
                .invalid, "condition.needs_change",
                "\(Condition.leaf(leaf).words): a segment has no change to ask about; use this in plugin filters only.")
        }
    }

    private func unanswerable(_ leaf: Leaf) -> Failure {
        Failure(.invalid, "condition.field", "There is no such field: \(Condition.leaf(leaf).words).")
    }
}

/// One entry of a contact's facets that a condition asks for.
private enum Facet {
    case known(String)
    case computed(SQL)

    var text: String? { if case .known(let text) = self { text } else { nil } }

    var sql: SQL {
        switch self {
        case .known(let text): "\(text)"
        case .computed(let sql): sql
        }
    }
}
