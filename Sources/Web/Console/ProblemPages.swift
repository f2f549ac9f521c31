import Hub
import Store

/// What went wrong between the systems, and what to do about it.
extension Operations {
    static let problemPages: [Operation] = [
        page("console.problems", "/problems", access: .tenant(.runs)) { desk in
            async let asked = desk.call.ask("listDeliveries", query: ["state": "dead", "limit": 100])
            async let conflicts = desk.call.askIfAllowed("listConflicts", query: ["limit": 50])
            async let duplicates = desk.call.askIfAllowed("listDuplicates", query: ["limit": 50])
            async let connected = desk.call.askIfAllowed("listConnectors")
            let known = try await desk.call.askIfAllowed("listFields")?["items"]?.array ?? []
            let dead = try await asked["items"]?.array ?? []
            let open = ((try await conflicts)?["items"]?.array ?? []).filter { $0["settled_at"]?.string == nil }
            let systems = (try await connected)?["items"]?.array ?? []
            let pairs = (try await duplicates)?["items"]?.array ?? []
            let mayWrite = desk.may(.contactsWrite)
            func contact(_ id: JSON?) -> JSON { .string("/contacts/\(id?.scalarText ?? "")") }
            return try desk.page(
                "problems", title: desk.texts["menu_problems"], place: "/problems",
                [
                    "is_empty": .bool(dead.isEmpty && open.isEmpty && pairs.isEmpty),
                    "dead": .array(
                        dead.map { one in
                            [
                                "href": contact(one["record"]), "who": desk.contact(one["name"], one["record"]),
                                "system": one["connector"] ?? .null,
                                "retry": .string("/contacts/\(one["record"]?.scalarText ?? "")/retry"),
                                "because": refused(one, desk.texts, systems, known),
                                "edit": mayWrite && one["code"]?.string?.hasPrefix("value_") == true
                                    ? .string("/contacts/\(one["record"]?.scalarText ?? "")/edit") : .null,
                                "code": one["code"] ?? .null, "message": one["message"] ?? .null,
                                "when": desk.moment(one["changed_at"]),
                            ]
                        }), "has_dead": .bool(!dead.isEmpty),
                    "conflicts": .array(
                        open.map { one in
                            let system = systems.first { $0["id"] == one["connector"] }?["name"]?.string
                            let sides = ["hub", "remote"].map { side(one[$0], of: one, desk.texts, known) }
                            return [
                                "id": one["id"] ?? .null, "href": contact(one["contact"]),
                                "who": desk.contact(one["name"], one["contact"]),
                                "field": .string(desk.texts.label(one["field"]?.string ?? "", known)),
                                "keep_hub": .string(desk.texts.filled("keep_hub", ["value": sides[0]])),
                                "keep_remote": .string(
                                    desk.texts.filled(
                                        "keep_remote",
                                        ["value": sides[1], "system": system ?? desk.texts["other_system"]])),
                            ]
                        }), "has_conflicts": .bool(!open.isEmpty),
                    "duplicates": .array(
                        pairs.map { one in
                            [
                                "a": contact(one["a"]), "b": contact(one["b"]), "a_id": one["a"] ?? .null,
                                "b_id": one["b"] ?? .null,
                                "merge": .string(
                                    "/contacts/\(one["a"]?.scalarText ?? "")/merge?with=\(one["b"]?.scalarText ?? "")"),
                                "a_name": desk.contact(one["a_name"], one["a"]),
                                "b_name": desk.contact(one["b_name"], one["b"]),
                                "evidence": .string(common(one["evidence"]?.string ?? "", desk.texts, known)),
                            ]
                        }), "has_duplicates": .bool(!pairs.isEmpty), "may_merge": .bool(mayWrite),
                ])
        },
        action("console.retryAll", "/problems/retry", access: .tenant(.runs)) { desk, _ in
            try await desk.call.ask("retryDeliveries", body: [:])
            return desk.go("/problems", notice: "retried")
        },
        action("console.settle", "/problems/conflicts/{id}", access: .tenant(.contactsWrite)) { desk, form in
            try await desk.call.ask(
                "settleConflict", ["id": desk.call.path["id"] ?? ""], body: ["keep": .string(form["keep"])])
            return desk.go("/problems", notice: "settled")
        },
    ]

    /// Why two contacts may be one.
    /// - Parameter evidence: what they share, `email`, `phone`, or `field:` and a key field of the shop's own; `hand`
    ///   for two that were merged before, and that was undone.
    private static func common(_ evidence: String, _ texts: ConsoleTexts, _ known: [JSON]) -> String {
        if evidence == "hand" { return texts["duplicate_hand"] }
        let fields = ["email": "emails", "phone": "phones"]
        let field = fields[evidence] ?? String(evidence.split(separator: ":").last ?? "")
        return texts.filled("duplicate_common", ["field": texts.label(field, known)])
    }

    /// Why a system did not take a contact, with the field that it named where a mapping of that system knows it.
    private static func refused(_ delivery: JSON, _ texts: ConsoleTexts, _ systems: [JSON], _ known: [JSON]) -> JSON {
        let said = texts.refusal(delivery["code"], of: delivery["connector"])
        guard delivery["code"]?.string?.hasPrefix("value_") == true, let message = delivery["message"]?.string else {
            return said
        }
        let words = Set(message.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
        let flow = systems.first { $0["name"] == delivery["connector"] }?["plugins"]?.array?.first {
            $0["id"] == delivery["plugin"]
        }
        let rule = (flow?["mapping"]?["rules"]?.array ?? []).first { words.contains($0["remote"]?.string ?? "") }
        guard let hub = rule?["hub"] else { return said }
        return .string("\(MappingForm.label(hub.string ?? hub.text, texts, known)): \(said.string ?? "")")
    }

    /// A value of a conflict's field, as its reader says it; the beginning of a long one.
    private static func side(_ value: JSON?, of conflict: JSON, _ texts: ConsoleTexts, _ known: [JSON]) -> String {
        let text = texts.pieces(value ?? .null, of: conflict["field"]?.string ?? "", known).compactMap {
            $0["text"]?.string
        }.joined(separator: ", ")
        return text.isEmpty ? "–" : text.count > longest ? text.prefix(longest) + "…" : text
    }

    private static let longest = 60
}
