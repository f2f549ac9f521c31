import Hub
import Store

/// What was decided about every change, and why.
extension Operations {
    static let decisionPages: [Operation] = [
        page(
            "console.decisions", "/decisions", access: .tenant(.contactsRead),
            query: [
                .query("connector", Schema.text(0, 20), "A connection's number."),
                .query("verdict", Schema.text(0, 40), "Such as missing_tag."),
                .query("cursor", Schema.text(1, 200), "Where to go on."),
            ]
        ) { desk in
            let (connector, verdict) = (desk.call.text("connector") ?? "", desk.call.text("verdict") ?? "")
            var query: [String: JSON] = ["limit": 50]
            query["connector"] = Int64(connector).map { .int($0) }
            if !verdict.isEmpty { query["verdict"] = .string(verdict) }
            query["cursor"] = desk.call.query["cursor"]
            let asked = query
            async let found = desk.call.ask("listDecisions", query: asked)
            async let known = desk.call.askIfAllowed("listConnectors")
            let phrases = try await desk.phrases()
            let systems = (try await known)?["items"]?.array ?? []
            let (list, names) = (try await found, pluginNames(systems))
            return try desk.page(
                "decisions", title: desk.texts["decisions"], place: "/monitoring",
                [
                    "systems": .array(
                        systems.map { option($0["id"]?.scalarText ?? "", $0["name"]?.string ?? "", connector) }),
                    "verdicts": .array(
                        VerdictWords<ReaderPhrases>.codes.map {
                            option($0, VerdictWords($0, in: phrases).because(system: "…"), verdict)
                        }),
                    "items": .array((list["items"]?.array ?? []).map { decision(desk, $0, names, phrases) }),
                    "next": list["next"]?.string.map {
                        .string(
                            "/decisions?connector=\(PercentText.encode(connector))&verdict=\(PercentText.encode(verdict))&cursor=\(PercentText.encode($0))"
                        )
                    } ?? .null,
                ])
        }
    ]

    private static func option(_ value: String, _ text: String, _ chosen: String) -> JSON {
        ["value": .string(value), "text": .string(text), "is_chosen": .bool(value == chosen)]
    }

    /// Names of connections by number of their plugins.
    private static func pluginNames(_ systems: [JSON]) -> [Int64: String] {
        Dictionary(
            systems.flatMap { system in
                (system["plugins"]?.array ?? []).compactMap { plugin in
                    plugin["id"]?.int.map { ($0, system["name"]?.string ?? "") }
                }
            }
        ) { one, _ in one }
    }

    private static func decision(_ desk: Desk, _ item: JSON, _ names: [Int64: String], _ phrases: ReaderPhrases) -> JSON
    {
        let (entity, record) = (item["entity"]?.string ?? "", item["record"]?.scalarText ?? "")
        let fields = (item["fields"]?.array ?? []).compactMap(\.string).map {
            entity == "contact" ? desk.texts.label($0, phrases.fields) : $0
        }
        return [
            "what": entity == "contact"
                ? desk.contact(item["name"], item["record"])
                : .string("\(desk.texts.known("entity_\(entity)") ?? entity) \(record)"),
            "href": entity == "contact" ? .string("/contacts/\(record)") : .null,
            "kind": .string(desk.texts["change_\(item["kind"]?.string ?? "")"]),
            "fields": fields.isEmpty ? .null : .string(fields.joined(separator: ", ")), "when": desk.moment(item["at"]),
            "verdicts": .array(
                (item["verdicts"]?.array ?? []).map { one in
                    let (code, name) = (one["verdict"]?.string ?? "", names[one["plugin"]?.int ?? 0] ?? "")
                    return [
                        "system": .string(name), "badge": code == "accepted" ? "good" : "calm",
                        "because": .string(VerdictWords(code, in: phrases).because(system: name)),
                    ]
                }),
        ]
    }
}
