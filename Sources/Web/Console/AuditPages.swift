import HTTPTypes
import Hub
import Store

/// Who did what with the shop's data.
extension Operations {
    static let auditPages: [Operation] = [
        page(
            "console.audit", "/audit", access: .tenant(.audit),
            query: [
                .query("actor", Schema.text(0, 40), "Such as staff:7."),
                .query("action", Schema.text(0, 40), "Such as read."),
                .query("verify", Schema.flag, "Whether the chain of hashes is worked out anew."),
                .query("cursor", Schema.text(1, 200), "Where to go on."),
            ]
        ) { desk in
            let (actor, action) = (desk.call.text("actor") ?? "", desk.call.text("action") ?? "")
            var query: [String: JSON] = ["limit": 100]
            if !actor.isEmpty { query["actor"] = .string(actor) }
            if !action.isEmpty { query["action"] = .string(action) }
            query["cursor"] = desk.call.query["cursor"]
            async let people = desk.call.askIfAllowed("listStaff")
            async let systems = desk.call.askIfAllowed("listConnectors")
            async let alerts = desk.call.ask("listAlerts", query: ["open": true, "limit": 100])
            let list = try await desk.call.ask("listAudit", query: query)
            let words = Actors(
                desk.texts, people: try await people?["items"]?.array ?? [],
                systems: try await systems?["items"]?.array ?? [])
            let open = try await alerts["items"]?.array ?? []
            var model: JSON = [
                "alerts": .array(open.map { alert(desk, $0, words) }), "has_alerts": .bool(!open.isEmpty),
                "actor": .string(actor), "action": .string(action),
                "items": .array((list["items"]?.array ?? []).map { entry(desk, $0, words) }),
                "next": list["next"]?.string.map {
                    .string(
                        "/audit?actor=\(PercentText.encode(actor))&action=\(PercentText.encode(action))&cursor=\(PercentText.encode($0))"
                    )
                } ?? .null,
            ]
            if desk.call.flag("verify") {
                let found = try await desk.call.ask("verifyAudit")
                let isWhole = found["whole"] == true
                model["verdict"] = .string(
                    desk.texts.filled(
                        isWhole ? "audit_whole" : "audit_broken", ["n": found["sealed"]?.scalarText ?? ""]))
                model["is_whole"] = .bool(isWhole)
            }
            return try desk.page("audit", title: desk.texts["audit_title"], place: "/settings", model)
        },
        action("console.seeAlert", "/alerts/{id}/seen", access: .tenant(.audit)) { desk, _ in
            try await desk.call.ask("seeAlert", desk.call.path)
            return desk.go("/audit", notice: "saved")
        },
    ]

    private static func alert(_ desk: Desk, _ alert: JSON, _ words: Actors) -> JSON {
        [
            "id": alert["id"] ?? .null, "who": .string(words.name(alert["who"]?.string ?? "")),
            "what": .string(
                desk.texts.filled(
                    "alert_\(alert["what"]?.string ?? "")",
                    ["n": alert["count"]?.scalarText ?? "", "usual": alert["usual"]?.scalarText ?? ""])),
            "is_paused": alert["paused"] ?? false, "when": desk.moment(alert["at"]),
        ]
    }

    private static func entry(_ desk: Desk, _ entry: JSON, _ words: Actors) -> JSON {
        let details = (entry["details"]?.object ?? [:]).sorted { $0.key < $1.key }.map { key, value -> String in
            let words = value.array.map { $0.map { $0.scalarText ?? $0.text }.joined(separator: " ") }
            return "\(key.replacing("_", with: " ")): \(words ?? value.scalarText ?? value.text)"
        }
        let actor = entry["actor"]?.string ?? ""
        let what = [entry["entity"]?.string, entry["record"]?.scalarText].compactMap(\.self).joined(separator: " ")
        return [
            "who": .string(words.name(actor)), "by": .string("/audit?actor=\(PercentText.encode(actor))"),
            "action": entry["action"] ?? .null,
            "like": .string("/audit?action=\(PercentText.encode(entry["action"]?.string ?? ""))"),
            "what": what.isEmpty ? .null : .string(what),
            "details": .string(String(details.joined(separator: ", ").prefix(300))), "when": desk.moment(entry["at"]),
        ]
    }
}
