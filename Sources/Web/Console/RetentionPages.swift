import Hub
import Store

/// How long contacts are kept: rules, whom each would end now, and switching them on.
extension Operations {
    static let retentionPages: [Operation] = [
        page("console.retention", "/retention", access: .tenant(.config)) { desk in try await retentionPage(desk) },
        page("console.processing", "/processing", access: .tenant(.config)) { desk in
            let record = try await desk.call.ask("getProcessingRecord")
            let phrases = try await desk.phrases()
            return try desk.page(
                "processing", title: desk.texts["processing_title"], place: "/settings",
                [
                    "purposes": .array(
                        (record["purposes"]?.array ?? []).map { .string(desk.texts.title(ofPurpose: $0)) }),
                    "data": .array(
                        (record["data"]?.array ?? []).map { .string(phrases.fieldName($0["key"]?.string ?? "")) }
                    ),
                    "systems": .array((record["recipients"]?.array ?? []).map { recipient(desk, $0, phrases) }),
                ])
        },
        page("console.newRetention", "/retention/new", access: .tenant(.config)) { desk in
            try await retentionForm(desk, SegmentForm())
        },
        action("console.addRetention", "/retention/new", access: .tenant(.config)) { desk, form in
            let rule = SegmentForm(form)
            if form.has("more") { return try await retentionForm(desk, rule, form, more: true) }
            do {
                let kind = form["kind"].split(separator: "_").map(String.init)
                try await desk.call.ask(
                    "createRetention",
                    body: [
                        "name": .string(rule.name), "condition": rule.whole(),
                        "action": .string(kind.first ?? ""), "subject": .string(kind.last ?? ""),
                    ])
                return desk.go("/retention", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await retentionForm(desk, rule, form, failure)
            }
        },
        action("console.changeRetention", "/retention/{id}", access: .tenant(.config)) { desk, form in
            do {
                if form["do"] == "remove" {
                    try await desk.call.ask("deleteRetention", desk.call.path)
                } else {
                    try await desk.call.ask("editRetention", desk.call.path, body: ["state": .string(form["do"])])
                }
                return desk.go("/retention", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await retentionPage(desk, failure)
            }
        },
    ]

    private static func recipient(_ desk: Desk, _ system: JSON, _ phrases: ReaderPhrases) -> JSON {
        let kind = system["connector_kind"]?.string ?? ""
        let hidden = (system["hidden_fields"]?.array ?? []).compactMap(\.string).map(phrases.fieldName)
        return [
            "name": system["name"] ?? .null, "kind": .string(desk.title(ofKind: kind)),
            "flows": .array(
                (system["flows"]?.array ?? []).map { flow in
                    [
                        "way": flow["direction"] == "to" ? "→" : "←",
                        "title": .string(
                            desk.title(
                                ofPlugin: flow["plugin"]?.string ?? "", kind: kind, of: system["name"]?.string ?? "")),
                        "words": spoken(flow, phrases),
                    ]
                }),
            "never": hidden.isEmpty ? .null : .string(hidden.joined(separator: ", ")),
        ]
    }

    static let retentionKinds = ["erase_living", "delete_living", "erase_deleted"]

    /// Whom a rule would end now, or why that cannot be told: such a rule is still there to be switched off.
    private static func previewed(_ desk: Desk, _ rule: JSON) async throws -> (JSON, fault: String?) {
        do {
            return (try await desk.call.ask("previewRetention", ["id": rule["id"]?.scalarText ?? ""]), nil)
        } catch let failure as Failure where failure.kind == .invalid {
            return ([:], desk.texts.said(failure))
        }
    }

    private static func retentionPage(_ desk: Desk, _ failure: Failure? = nil) async throws -> Answer {
        let phrases = try await desk.phrases()
        var rules: [JSON] = []
        for rule in try await desk.call.ask("listRetention")["items"]?.array ?? [] {
            let (preview, fault) = try await previewed(desk, rule)
            let isOn = rule["state"] == "on"
            let kind = "\(rule["action"]?.string ?? "")_\(rule["subject"]?.string ?? "")"
            rules.append([
                "id": rule["id"] ?? .null, "name": rule["name"] ?? .null, "words": phrases.words(rule["condition"]),
                "kind": .string(desk.texts["retention_\(kind)"]), "is_on": .bool(isOn), "badge": isOn ? "good" : "calm",
                "state": .string(desk.texts[isOn ? "retention_on" : "retention_off"]),
                "fault": fault.map { .string($0) } ?? .null,
                "sure": .string(
                    desk.texts.count(
                        "retention_sure_\(rule["action"]?.string ?? "")", Int(preview["count"]?.int ?? 0))),
                "due": .string(desk.texts.count("count_contacts", Int(preview["count"]?.int ?? 0))),
                "people": .array(
                    (preview["items"]?.array ?? []).map { contact in
                        let name = contact["name"]?.string ?? ""
                        return [
                            "href": .string("/contacts/\(contact["id"]?.scalarText ?? "")"),
                            "name": .string(name.isEmpty ? desk.texts["contact_nameless"] : name),
                        ]
                    }), "has_people": .bool(preview["items"]?.array?.isEmpty == false),
                "when": desk.moment(rule["next_at"]),
            ])
        }
        return try desk.page(
            "retention", title: desk.texts["retention_title"], place: "/settings", failure: failure,
            ["rules": .array(rules), "is_empty": .bool(rules.isEmpty)])
    }

    private static func retentionForm(
        _ desk: Desk, _ rule: SegmentForm, _ form: FormBody? = nil, _ failure: Failure? = nil, more: Bool = false
    ) async throws -> Answer {
        let fields = try await desk.call.ask("listFields")["items"]?.array ?? []
        var model = rule.model(desk.texts, fields: fields, more: more)
        model["kinds"] = .array(
            retentionKinds.map {
                [
                    "value": .string($0), "text": .string(desk.texts["retention_\($0)"]),
                    "is_chosen": .bool($0 == form?["kind"] ?? ""),
                ]
            })
        return try desk.page(
            "retention-new", title: desk.texts["retention_add"], place: "/settings", failure: failure, model)
    }
}
