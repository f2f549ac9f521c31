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
            let staff = try await people?["items"]?.array ?? []
            let connectors = try await systems?["items"]?.array ?? []
            let words = Actors(desk.texts, people: staff, systems: connectors)
            let open = try await alerts["items"]?.array ?? []
            var model: JSON = [
                "alerts": .array(open.map { alert(desk, $0, words) }), "has_alerts": .bool(!open.isEmpty),
                "actors": .array(
                    actors(actor, staff, connectors).map {
                        ["value": .string($0), "text": .string(words.name($0)), "is_chosen": .bool($0 == actor)]
                    }),
                "actions": .array(
                    actions.map {
                        ["value": .string($0), "text": .string(said($0, desk)), "is_chosen": .bool($0 == action)]
                    }),
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

    /// What is written down, by how often it is asked for (docs/audit.md).
    private static let actions = [
        "read", "added", "changed", "removed", "export.begun", "export.ended", "erased", "contact.merged",
        "contact.unmerged", "session.begun", "session.ended", "password.set", "factor.set", "factor.removed",
        "factor.recovery", "policy.set", "token.made", "token.revoked", "sql_login.made", "sql_login.removed",
    ]

    /// Whose deeds can be asked for: those of staff, of connections, and of whom the page is about.
    private static func actors(_ chosen: String, _ staff: [JSON], _ connectors: [JSON]) -> [String] {
        let known =
            staff.map { "staff:\($0["id"]?.scalarText ?? "")" }
            + connectors.map { "connector:\($0["id"]?.scalarText ?? "")" }
        return chosen.isEmpty || known.contains(chosen) ? known : [chosen] + known
    }

    private static func said(_ action: String, _ desk: Desk) -> String {
        desk.texts.known("did_\(action.replacing(".", with: "_"))") ?? action
    }

    private static func entry(_ desk: Desk, _ entry: JSON, _ words: Actors) -> JSON {
        let action = entry["action"]?.string ?? ""
        let details = (entry["details"]?.object ?? [:]).sorted { $0.key < $1.key }.filter {
            // of what came or went they are always the same
            $0.key != "fields" || action == "changed"
        }.map { key, value -> String in
            let words = (value.array ?? [value]).map { one in
                let text = one.scalarText ?? one.text
                return key == "fields" ? desk.texts.known("column_\(text)") ?? text : text
            }
            // two columns may have one name
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            return "\(desk.texts.known("detail_\(key)") ?? key): \(words.joined(separator: ", "))"
        }
        let actor = entry["actor"]?.string ?? ""
        let entity = entry["entity"]?.string.map { desk.texts.known("entity_\($0)") ?? $0 }
        let what = [entity, entry["record"]?.scalarText].compactMap(\.self).joined(separator: " ")
        return [
            "who": .string(words.name(actor)), "by": .string("/audit?actor=\(PercentText.encode(actor))"),
            "action": .string(said(action, desk)), "like": .string("/audit?action=\(PercentText.encode(action))"),
            "what": what.isEmpty ? .null : .string(what),
            "details": .string(String(details.joined(separator: "; ").prefix(300))), "when": desk.moment(entry["at"]),
        ]
    }
}
