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
            async let roles = desk.call.askIfAllowed("listRoles")
            async let known = desk.call.askIfAllowed("listFields")
            async let tokens = desk.call.askIfAllowed("listTokens")
            async let segments = desk.call.askIfAllowed("listSegments")
            async let alerts = desk.call.ask("listAlerts", query: ["open": true, "limit": 100])
            let list = try await desk.call.ask("listAudit", query: query)
            let staff = try await people?["items"]?.array ?? []
            let connectors = try await systems?["items"]?.array ?? []
            let words = Actors(
                desk.texts, people: staff, systems: connectors, tokens: try await tokens?["items"]?.array ?? [])
            let entries = AuditWords(
                desk: desk, actors: words, systems: connectors, roles: try await roles?["items"]?.array ?? [],
                segments: try await segments?["items"]?.array ?? [], fields: try await known?["items"]?.array ?? [])
            let open = try await alerts["items"]?.array ?? []
            var model: JSON = [
                "alerts": .array(open.map { alert(desk, $0, words) }), "has_alerts": .bool(!open.isEmpty),
                "actors": .array(
                    actors(actor, staff, connectors).map {
                        ["value": .string($0), "text": .string(words.name($0)), "is_chosen": .bool($0 == actor)]
                    }),
                "actions": .array(
                    actions.map {
                        ["value": .string($0), "text": .string(entries.said($0)), "is_chosen": .bool($0 == action)]
                    }),
                "items": .array((list["items"]?.array ?? []).map(entries.row)),
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
}
