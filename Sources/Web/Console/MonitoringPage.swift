import Foundation
import Hub
import Store

/// How every connection does: what waits, what went through and what failed, and how quickly.
extension Operations {
    static let monitoringPages: [Operation] = [
        page(
            "console.monitoring", "/monitoring", access: .tenant(.runs),
            query: [.query("hours", Schema.whole(1, 168), "How many hours back.")]
        ) { desk in
            let hours = Int(desk.call.query["hours"]?.int ?? 24)
            let found = try await desk.call.ask("monitoring", query: ["hours": .int(Int64(hours))])
            let systems = found["connectors"]?.array ?? []
            return try desk.page(
                "monitoring", title: desk.texts["menu_monitoring"], place: "/monitoring",
                [
                    "systems": .array(systems.map { monitored(desk, $0, hours: hours) }),
                    "is_empty": .bool(systems.isEmpty), "is_week": .bool(hours > 24),
                ])
        }
    ]

    private static func monitored(_ desk: Desk, _ system: JSON, hours: Int) -> JSON {
        let known = Dictionary(
            (system["hours"]?.array ?? []).map { (String(($0["hour"]?.string ?? "").prefix(13)), $0) }
        ) { first, _ in first }
        // every hour has its place, those too in which nothing happened
        let now = Date(), format = ISO8601DateFormatter()
        let places = (0...hours).map { back -> JSON in
            let start = String(format.string(from: now.addingTimeInterval(-3600 * Double(hours - back))).prefix(13))
            var hour = known[start] ?? ["done": 0, "failed": 0]
            hour["hour"] = .string(start + ":00:00Z")
            return hour
        }
        func list(_ key: String) -> JSON { .array(places.map { $0[key] ?? .null }) }
        let (done, failed) = (total(known, "done"), total(known, "failed"))
        let state = system["state"]?.string ?? ""
        return [
            "name": system["name"] ?? .null, "href": .string("/connections/\(system["id"]?.scalarText ?? "")"),
            "initials": .string(FieldText.initials(system["name"]?.string ?? "")),
            "state": .string(desk.texts["state_\(state)"]), "badge": .string(badge(state)), "due": system["due"] ?? 0,
            "done": .int(done), "failed": .int(failed), "is_failing": .bool(failed > 0),
            "dead": system["dead"]?.int ?? 0 > 0
                ? .string(desk.texts.count("count_failed", Int(system["dead"]?.int ?? 0))) : .null,
            "oldest": system["oldest_seconds"]?.int ?? 0 > 1
                ? .string(desk.texts.filled("monitor_oldest", ["n": system["oldest_seconds"]?.scalarText ?? ""]))
                : .null,
            "closed": (system["closed_seconds"]?.scalarText).map {
                .string(desk.texts.filled("monitor_closed", ["n": $0]))
            } ?? .null,
            "budget": budget(desk, system["budget"]),
            "has_hours": .bool(!known.isEmpty),
            "chart": .string(
                ([
                    "hours": list("hour"), "done": list("done"), "failed": list("failed"), "median": list("median_ms"),
                    "slow": list("slow_ms"),
                ] as JSON).text),
            "rows": .array(
                places.filter { ($0["done"]?.int ?? 0) + ($0["failed"]?.int ?? 0) > 0 }.reversed().map { hour in
                    [
                        "when": desk.moment(hour["hour"]), "done": hour["done"] ?? 0, "failed": hour["failed"] ?? 0,
                        "median": hour["median_ms"] ?? .null, "slow": hour["slow_ms"] ?? .null,
                    ]
                }),
        ]
    }

    /// How many calls may be made at once, of how many, and how quickly more may.
    private static func budget(_ desk: Desk, _ budget: JSON?) -> JSON {
        guard let left = budget?["left"]?.int, let rate = budget?["per_second"]?.double else { return .null }
        return [
            "left": .string(desk.texts.grouped(left)),
            "words": .string(
                desk.texts.filled(
                    "monitor_budget",
                    [
                        "burst": desk.texts.grouped(Int64(budget?["burst"]?.double ?? 0)),
                        "rate": rate.formatted(.number.precision(.fractionLength(0...1)).locale(desk.texts.locale)),
                    ])),
        ]
    }

    private static func total(_ hours: [String: JSON], _ key: String) -> Int64 {
        hours.values.reduce(0) { $0 + ($1[key]?.int ?? 0) }
    }
}
