import Hub
import Store

extension Operations {
    static let home: [Operation] = [
        page("console.home", "/") { desk in
            let call = desk.call
            let one: [String: JSON] = ["limit": 100]
            // asked together: they do not wait for each other
            async let phrases = desk.phrases()
            async let dead = call.askIfAllowed("listDeliveries", query: ["state": "dead", "limit": 100])
            async let conflicts = call.askIfAllowed("listConflicts", query: one)
            async let duplicates = call.askIfAllowed("listDuplicates", query: one)
            async let connectors = call.askIfAllowed("listConnectors")
            async let alerts = call.askIfAllowed("listAlerts", query: ["open": true, "limit": 100])
            async let runs = call.askIfAllowed("listRuns", query: ["limit": 30])
            async let figures = call.askIfAllowed("getFigures", query: ["days": 14])
            var attention: [JSON] = []
            func note(_ answer: JSON?, _ key: String, _ icon: String, _ href: String) {
                guard let items = answer?["items"]?.array, !items.isEmpty else { return }
                let more = answer?["next"]?.string == nil ? "" : "+"
                attention.append([
                    "text": .string(desk.texts.count(key, items.count)), "more": .string(more), "icon": .string(icon),
                    "href": .string(href),
                ])
            }
            note(try await alerts, "count_alerts", "graph-up-arrow", "/audit")
            note(try await dead, "count_failed", "exclamation-triangle", "/problems")
            note(try await conflicts, "count_conflicts", "signpost-split", "/problems")
            note(try await duplicates, "count_duplicates", "files", "/problems")
            let words = try await phrases
            let systems = (try await connectors)?["items"]?.array ?? []
            for system in systems where system["state"] != "on" {
                attention.append([
                    "text": .string(desk.texts.filled("home_paused", ["name": system["name"]?.string ?? ""])),
                    "icon": "pause-circle", "href": .string("/connections/\(system["id"]?.scalarText ?? "")"),
                ])
            }
            let all = (try await runs)?["items"]?.array ?? []
            let told = all.filter(isWorthTelling)
            let tiles = Figures((try await figures)?["items"]?.array ?? []).tiles(desk.texts)
            return try desk.page(
                "home", title: desk.texts["menu_home"], place: "/",
                [
                    "attention": .array(attention), "has_attention": .bool(!attention.isEmpty),
                    "hello": .string(hello(desk)),
                    "figures": .array(tiles), "has_figures": .bool(!tiles.isEmpty),
                    "systems": .array(systems.map { connectionCard(desk, $0, words) }),
                    "has_systems": .bool(!systems.isEmpty),
                    "may_connect": .bool(desk.may(.config)),
                    "runs": .array(told.prefix(shownRuns).map { runRow(desk, $0, systems) }),
                    "is_quiet": .bool(told.isEmpty && !all.isEmpty),
                ])
        }
    ]

    private static let shownRuns = 6
    /// What a run may count without having changed anything.
    private static let idle: Set = ["listed", "rows", "unchanged", "echo", "outdated", "superseded", "due", "members"]

    /// Whether a run did something, found something wrong, or is not over: most only look and find nothing new.
    private static func isWorthTelling(_ run: JSON) -> Bool {
        guard run["state"] == "done",
            ["poll", "hook", "check", "segment", "retention"].contains(run["kind"]?.string ?? "")
        else { return true }
        return (run["counts"]?.object ?? [:]).contains { !idle.contains($0.key) && $0.value.int ?? 0 > 0 }
    }

    private static func hello(_ desk: Desk) -> String {
        let name = desk.frame["name"]?.string ?? ""
        return name.isEmpty ? desk.texts["menu_home"] : desk.texts.filled("home_hello", ["name": name])
    }

    /// What a run counted, in words.
    /// - Parameter isWhole: also of what changed nothing.
    static func counts(_ desk: Desk, _ run: JSON, isWhole: Bool = true) -> String {
        (run["counts"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { key, value in
            // what changed nothing is told on the run's own page
            guard let count = value.int, count > 0, isWhole || !idle.contains(key),
                let said = desk.texts.known("counted_\(key)")
            else { return nil }
            return "\(said): \(count)"
        }.joined(separator: ", ")
    }

    /// A run as a row of a list.
    static func runRow(_ desk: Desk, _ run: JSON, _ systems: [JSON]) -> JSON {
        let system = systems.first { $0["id"] == run["connector"] }
        return [
            "href": .string("/runs/\(run["id"]?.scalarText ?? "")"),
            "kind": .string(desk.texts["run_\(run["kind"]?.string ?? "")"]), "system": system?["name"] ?? .null,
            "is_dry": .bool(run["dry"] == true),
            "state": run["state"] ?? .null, "state_text": .string(desk.texts["state_\(run["state"]?.string ?? "")"]),
            "badge": .string(badge(run["state"]?.string)), "counts": .string(counts(desk, run, isWhole: false)),
            "message": desk.texts.message(ofRun: run), "when": desk.moment(run["created_at"]),
        ]
    }

    /// The colour of a state.
    static func badge(_ state: String?) -> String {
        switch state {
        case "done", "on", "accepted", "sent": "good"
        case "dead", "failed", "locked": "bad"
        case "due", "leased", "running", "queued", "staging", "waiting": "wait"
        default: "calm"
        }
    }
}
