internal import Hub
internal import Postgres

/// Compiles a comparison of one field of the contact `c`.
struct FieldQuestion {
    let path: String
    let target: FieldCatalogue.Target

    func compile(_ comparison: Comparison) throws -> SQL {
        switch comparison {
        case .isNot(let value): return "(\(try compile(.is(value)))) IS NOT TRUE"
        case .oneOf(let values):
            let terms = try values.map { try compile(.is($0)) }
            return terms.isEmpty ? "false" : "(\(terms.joined(separator: " OR ")))"
        case .exists(let exists):
            let found: SQL =
                path == "name"
                ? "c.name IS NOT NULL"
                : path.contains(".")
                    ? any("nullif(\(item), '') IS NOT NULL")
                    : "coalesce(c.data -> \(target.field.key), 'null') NOT IN ('null', '[]', '\"\"')"
            return exists ? found : "NOT (\(found))"
        default: break
        }
        return target.isList ? any(try ask(item, comparison)) : try ask(value, comparison)
    }

    /// Text of one entry `x.i` of a list, or of the member asked for.
    private var item: SQL {
        let member = path.split(separator: ".").dropFirst().first.map(String.init)
        return switch target.field.type {
        case .entries: "(x.i ->> \(member ?? "value"))"
        case .addresses: member.map { "(x.i ->> \($0))" as SQL } ?? "(x.i::text)"
        default: "(x.i #>> '{}')"
        }
    }

    private func any(_ holds: SQL) -> SQL {
        """
        EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(c.data -> \(target.field.key))
            WHEN 'array' THEN c.data -> \(target.field.key) ELSE '[]' END) AS x (i) WHERE \(holds))
        """
    }

    private var value: SQL {
        switch path {
        case "name": "c.name"
        default: "(c.data ->> \(path))"
        }
    }

    private func ask(_ value: SQL, _ comparison: Comparison) throws -> SQL {
        switch target.type {
        case .number, .money, .month: return try Self.number("hub.as_number(\(value))", comparison)
        case .date:
            let day: SQL = path == "birthday" ? "c.birthday" : "hub.as_date(\(value))"
            return try Self.date(day, value, comparison)
        default: return try Self.text(value, comparison)
        }
    }

    static func number(_ value: SQL, _ comparison: Comparison) throws -> SQL {
        switch comparison {
        case .is(let other): "coalesce(\(value) = hub.as_number(\(other.scalarText)), false)"
        case .isNot(let other): "coalesce(\(value) <> hub.as_number(\(other.scalarText)), true)"
        case .below(let other): "coalesce(\(value) < hub.as_number(\(other.scalarText)), false)"
        case .above(let other): "coalesce(\(value) > hub.as_number(\(other.scalarText)), false)"
        case .atMost(let other): "coalesce(\(value) <= hub.as_number(\(other.scalarText)), false)"
        case .atLeast(let other): "coalesce(\(value) >= hub.as_number(\(other.scalarText)), false)"
        case .oneOf(let others): "coalesce(\(value) = ANY (\(others.compactMap(\.scalarText))::numeric[]), false)"
        default: throw unfit(comparison)
        }
    }

    private static func date(_ day: SQL, _ raw: SQL, _ comparison: Comparison) throws -> SQL {
        switch comparison {
        case .is(let other): "coalesce(\(raw) = \(other.scalarText), false)"
        case .before(let moment): "coalesce(\(day) < \(self.moment(moment)), false)"
        case .after(let moment): "coalesce(\(day) > \(self.moment(moment)), false)"
        default: throw unfit(comparison)
        }
    }

    private static func moment(_ moment: Comparison.Moment) -> SQL {
        switch moment {
        case .day(let day): "\(day.iso)::date"
        case .daysAgo(let days): "(current_date - \(days)::int)"
        }
    }

    private static func text(_ value: SQL, _ comparison: Comparison) throws -> SQL {
        switch comparison {
        case .is(let other): "coalesce(\(value) = \(other.scalarText), false)"
        case .contains(let part): "coalesce(strpos(lower(\(value)), lower(\(part))) > 0, false)"
        case .startsWith(let part): "coalesce(starts_with(lower(\(value)), lower(\(part))), false)"
        default: throw unfit(comparison)
        }
    }

    private static func unfit(_ comparison: Comparison) -> Failure {
        Failure(.invalid, "condition.comparison", "“\(comparison.key)” cannot be asked of this field.")
    }
}
