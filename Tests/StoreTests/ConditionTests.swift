import Foundation
import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// What a naive reader of a contact answers.
private struct Naive {
    let fields: JSON
    let consents: [String]
    let catalogue: FieldCatalogue

    func holds(_ condition: Condition) -> Bool {
        switch condition {
        case .all(let parts): parts.allSatisfy(holds)
        case .any(let parts): parts.contains(where: holds)
        case .not(let part): !holds(part)
        case .leaf(let leaf): holds(leaf)
        }
    }

    private func holds(_ leaf: Leaf) -> Bool {
        switch leaf {
        case .tag(let tag): fields["tags"]?.array?.contains(.string(tag)) == true
        case .consent(let purpose): consents.contains("consent:\(purpose)")
        case .birthMonth(.month(let month)): fields["birth_month"]?.int == Int64(month)
        case .birthMonth(.this): fields["birth_month"]?.int == Int64(Day.today.month)
        case .field(let path, let comparison): compare(values(path), comparison, path)
        case .noOrderInDays: true
        case .orders(let comparison), .spent(let comparison): compare([.int(0)], comparison, "orders")
        default: false
        }
    }

    private func values(_ path: String) -> [JSON] {
        let parts = path.split(separator: ".").map(String.init)
        guard let value = fields[parts[0]] else { return [] }
        guard let items = value.array else { return [value] }
        let member = parts.count > 1 ? parts[1] : "value"
        return items.compactMap {
            $0.object == nil ? $0 : $0[member] ?? (parts[0] == "addresses" && parts.count == 1 ? $0 : nil)
        }
    }

    private func compare(_ values: [JSON], _ comparison: Comparison, _ path: String) -> Bool {
        func any(_ test: (JSON) -> Bool) -> Bool { values.contains(where: test) }
        func text(_ test: (String) -> Bool) -> Bool { any { $0.string.map { test($0.lowercased()) } ?? false } }
        func number(_ other: JSON, _ test: (Double, Double) -> Bool) -> Bool {
            any { value in amount(value).flatMap { mine in amount(other).map { test(mine, $0) } } ?? false }
        }
        func day(_ moment: Comparison.Moment, _ test: (String, String) -> Bool) -> Bool {
            let other: String
            switch moment {
            case .day(let day): other = day.iso
            case .daysAgo(let days):
                other = Day(daysSinceEpoch: Int(Date().timeIntervalSince1970 / 86_400) - days)?.iso ?? ""
            }
            return any { $0.string.map { test($0, other) } ?? false }
        }
        switch comparison {
        case .is(let other): return any { equal($0, other) }
        case .isNot(let other): return !any { equal($0, other) }
        case .oneOf(let others): return any { value in others.contains { equal(value, $0) } }
        case .contains(let part): return text { $0.contains(part.lowercased()) }
        case .startsWith(let part): return text { $0.hasPrefix(part.lowercased()) }
        case .below(let other): return number(other, <)
        case .above(let other): return number(other, >)
        case .atMost(let other): return number(other, <=)
        case .atLeast(let other): return number(other, >=)
        case .before(let moment): return day(moment, <)
        case .after(let moment): return day(moment, >)
        case .exists(let flag): return any { $0 != "" && !$0.isNull && $0 != [] } == flag
        }
    }

    private func amount(_ value: JSON) -> Double? { value.double ?? value.string.flatMap(Double.init) }
    private func equal(_ value: JSON, _ other: JSON) -> Bool {
        if let mine = amount(value), let its = amount(other) { return mine == its }
        return value.scalarText == other.scalarText
    }
}

@Suite(.inTurn) struct ConditionTests {
    private static let words = ["Ada", "ÉVA", "łukasz", "o'neil", "50%", "a_b", "Müller", "x"]

    private static func contact(_ random: inout SplitMix) -> JSON {
        var fields: JSON = ["given_name": .string(words.randomElement(using: &random) ?? "x")]
        func sometimes(_ key: String, _ value: @autoclosure () -> JSON) {
            if Bool.random(using: &random) { fields[key] = value() }
        }
        sometimes(
            "tags", .array(["client", "vip", "Été", "a:b"].shuffled(using: &random).prefix(2).map { .string($0) }))
        sometimes("language", .string(["pl", "de", "en"].randomElement(using: &random) ?? "pl"))
        sometimes(
            "birthday",
            .string(
                "19\(Int.random(in: 60...99, using: &random))-0\(Int.random(in: 1...9, using: &random))-1\(Int.random(in: 0...9, using: &random))"
            ))
        sometimes(
            "emails", [["value": .string("p\(Int.random(in: 0...30, using: &random))@example.org"), "label": "work"]])
        sometimes(
            "addresses",
            [
                ["city": .string(["Gdańsk", "Łódź"].randomElement(using: &random) ?? "")],
                ["street": "Long 1", "label": "home"],
            ])
        sometimes("industry", .string(["carpentry", "glass"].randomElement(using: &random) ?? ""))
        sometimes("skills", .array(["wood", "steel", "law"].shuffled(using: &random).prefix(2).map { .string($0) }))
        sometimes("size", .int(Int64.random(in: -3...40, using: &random)))
        sometimes("worth", .string("\(Int.random(in: 0...20, using: &random)).50"))
        sometimes("since", .string("2026-0\(Int.random(in: 1...9, using: &random))-15"))
        sometimes("month", .int(Int64.random(in: 1...12, using: &random)))
        sometimes("member", .bool(Bool.random(using: &random)))
        sometimes("company", .string(words.randomElement(using: &random) ?? ""))
        return fields
    }

    private static let leaves: [Leaf] = {
        let day = Day(year: 1980, month: 5, day: 15)!
        var leaves: [Leaf] = [
            .tag("client"), .tag("Été"), .tag("a:b"), .tag("none"), .consent(purpose: "news"), .birthMonth(.this),
            .birthMonth(.month(9)),
            .noOrderInDays(30), .unchangedInDays(30), .orders(.atLeast(1)), .orders(.below(1)), .orders(.isNot(0)),
            .spent(.is(0)),
            .spent(.above("0.01")),
            .bought(Purchase(supplier: "x")), .bought(Purchase(category: "y", withinDays: 3, atLeast: 2)),
            .field("birthday", .before(.day(day))), .field("birthday", .after(.day(day))),
            .field("birthday", .is("1980-05-15")),
            .field("since", .before(.daysAgo(100))), .field("since", .after(.daysAgo(100))),
            .field("since", .after(.day(Day(year: 2026, month: 4, day: 15)!))),
            .field("member", .is(true)), .field("member", .isNot(true)), .field("member", .oneOf([false])),
            .field("month", .is(9)), .field("month", .oneOf([1, 2, 3])), .field("month", .atLeast(6)),
            .field("birth_month", .below(6)),
            .field("industry", .is("carpentry")), .field("industry", .oneOf(["glass", "carpentry"])),
            .field("skills", .is("wood")),
            .field("skills", .isNot("wood")), .field("skills", .oneOf(["law"])), .field("tags", .is("vip")),
            .field("tags", .contains("É")),
        ]
        for path in [
            "given_name", "company", "language", "emails", "emails.label", "addresses.city", "industry", "tags",
        ] {
            for part in ["é", "ł", "A", "%", "_", "'", "p1", "work", "dań", "\\"] {
                leaves += [.field(path, .contains(part)), .field(path, .startsWith(part))]
                // a choice is only ever compared with its choices
                if path != "industry" {
                    leaves += [.field(path, .is(.string(part))), .field(path, .isNot(.string(part)))]
                }
            }
        }
        for path in ["size", "worth"] {
            for value: JSON in [0, 7, "12.50", -1] {
                leaves += [
                    .field(path, .is(value)), .field(path, .isNot(value)), .field(path, .below(value)),
                    .field(path, .above(value)), .field(path, .atMost(value)), .field(path, .atLeast(value)),
                    .field(path, .oneOf([value, 3])),
                ]
            }
        }
        for path in [
            "given_name", "tags", "emails", "emails.label", "addresses", "addresses.city", "addresses.region", "size",
            "birthday", "member", "skills", "industry",
        ] {
            leaves += [.field(path, .exists(true)), .field(path, .exists(false))]
        }
        return leaves
    }()

    private static func tree(_ depth: Int, _ random: inout SplitMix) -> Condition {
        switch Int.random(in: 0...(depth < 3 ? 5 : 2), using: &random) {
        case 3: .all((0..<Int.random(in: 0...4, using: &random)).map { _ in tree(depth + 1, &random) })
        case 4: .any((0..<Int.random(in: 1...3, using: &random)).map { _ in tree(depth + 1, &random) })
        case 5: .not(tree(depth + 1, &random))
        default: .leaf(leaves.randomElement(using: &random) ?? .tag("client"))
        }
    }

    @Test(arguments: [[], ["sales"]]) func agreesWithANaiveReader(modules: [String]) async throws {
        try await withTenant(modules: modules) { tenant in
            var random = SplitMix(seed: 11)
            for (key, type, choices) in [
                ("industry", "choice", ["carpentry", "glass"]), ("skills", "multi_choice", ["wood", "steel", "law"]),
                ("size", "number", []),
                ("worth", "money", []), ("since", "date", []), ("month", "month", []), ("member", "flag", []),
            ] as [(String, String, [String])] {
                try await tenant.addField(as: .token(1), key: key, label: key, type: type, choices: choices)
            }
            _ = try await tenant.merge((0..<320).map { _ in Self.contact(&random) })
            _ = try await tenant.rows(
                """
                INSERT INTO \(tenant.table("consent")) (contact, purpose, granted, evidence_at, source, actor)
                SELECT id, 'news', id % 3 = 0, now(), 't', 'system' FROM \(tenant.table("contact"))
                """)
            let catalogue = try await tenant.catalogue(as: .token(1))
            var contacts: [Int64: Naive] = [:]
            for row in try await tenant.rows(
                "SELECT id, data, to_json(consents)::text AS consents FROM \(tenant.table("contact"))")
            {
                let consents = try JSON(text: row.get("consents")).array ?? []
                contacts[try row.get("id")] = Naive(
                    fields: try JSON(text: row.get("data")), consents: consents.compactMap(\.string),
                    catalogue: catalogue)
            }
            #expect(contacts.count > 150)
            let compiler = try await tenant.compiler(as: .token(1))
            let conditions = Self.leaves.map(Condition.leaf) + (0..<150).map { _ in Self.tree(0, &random) }
            for condition in conditions {
                let filter = try compiler.compile(Condition.checked(condition.json, catalogue))
                let found = try await tenant.rows("SELECT c.id FROM \(tenant.table("contact")) c WHERE \(filter)")
                let ids = Set(try found.map { try $0.get("id", as: Int64.self) })
                let expected = Set(contacts.filter { $0.value.holds(condition) }.map(\.key))
                #expect(
                    ids == expected,
                    "\(condition.words): \(ids.symmetricDifference(expected).prefix(3).map { contacts[$0]?.fields.text ?? "" })"
                )
            }
        }
    }
}
