import Hub
import Store

extension Operations {
    static let segmentPages: [Operation] = [
        page("console.segments", "/segments", access: .tenant(.contactsRead)) { desk in
            let list = try await desk.call.ask("listSegments")["items"]?.array ?? []
            let phrases = try await desk.phrases()
            return try desk.page(
                "segments", title: desk.texts["menu_segments"], place: "/segments",
                [
                    "may_make": .bool(desk.may(.config)),
                    "segments": .array(
                        list.map { segment in
                            [
                                "href": .string("/segments/\(segment["id"]?.scalarText ?? "")"),
                                "name": segment["name"] ?? .null,
                                "words": phrases.sentence(segment["condition"]),
                            ]
                        }), "is_empty": .bool(list.isEmpty),
                ])
        },
        page("console.newSegment", "/segments/new", access: .tenant(.config)) { desk in
            try await formPage(desk, SegmentForm())
        },
        action("console.addSegment", "/segments/new", access: .tenant(.config)) { desk, form in
            let segment = SegmentForm(form)
            if form.has("more") { return try await formPage(desk, segment, more: true) }
            do {
                let made = try await desk.call.ask(
                    "createSegment", body: ["name": .string(segment.name), "condition": segment.whole()])
                return desk.go("/segments/\(made["id"]?.scalarText ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await formPage(desk, segment, failure)
            }
        },
        action("console.previewSegment", "/segments/preview", access: .tenant(.config)) { desk, form in
            try desk.html("segment-preview", try await preview(desk, SegmentForm(form)))
        },
        action("console.deleteSegment", "/segments/{id}/delete", access: .tenant(.config)) { desk, _ in
            try await desk.call.ask("deleteSegment", desk.call.path)
            return desk.go("/segments", notice: "saved")
        },
        action("console.addPush", "/segments/{id}/pushes", access: .tenant(.config)) { desk, form in
            var push: JSON = [
                "plugin": Int64(form["plugin"]).map { .int($0) } ?? .null, "group_name": .string(form["group_name"]),
                "purpose": .string(form["purpose"]),
            ]
            if let day = Int64(form["monthly"]) { push["schedule"] = ["monthly": .int(day)] }
            do {
                let made = try await desk.call.ask("createPush", desk.call.path, body: push)
                try await desk.call.ask("runPush", ["id": made["id"]?.scalarText ?? ""])
                return desk.go("/segments/\(try desk.call.id())", notice: "running")
            } catch let failure as Failure where failure.kind != .broken {
                return try await segmentPage(desk, form, failure)
            }
        },
        action("console.changePush", "/segments/{id}/pushes/{push}", access: .tenant(.config)) { desk, form in
            let push = ["id": desk.call.path["push"] ?? ""]
            try await desk.call.ask(form.has("stop") ? "deletePush" : "runPush", push)
            return desk.go("/segments/\(try desk.call.id())", notice: form.has("stop") ? "saved" : "running")
        },
        page(
            "console.segment", "/segments/{id}", access: .tenant(.contactsRead),
            query: [
                .query("cursor", Schema.text(1, 200), "Where to go on."),
                .query(
                    "contact", Schema.text(1, 200),
                    "A contact to ask about: its number, or part of its name or addresses."),
            ]
        ) { desk in try await segmentPage(desk) },
    ]

    private static func formPage(
        _ desk: Desk, _ form: SegmentForm, _ failure: Failure? = nil, more: Bool = false
    ) async throws -> Answer {
        let fields = try await desk.call.ask("listFields")["items"]?.array ?? []
        var model = form.model(desk.texts, fields: fields, more: more)
        for (name, value) in try await preview(desk, form).object ?? [:] { model[name] = value }
        return try desk.page(
            "segment-new", title: desk.texts["segment_new"], place: "/segments",
            failure: failure, model)
    }

    /// How many a condition means, and what it says; or what is wrong with it.
    private static func preview(_ desk: Desk, _ form: SegmentForm) async throws -> JSON {
        do {
            let found = try await desk.call.ask("previewSegment", body: ["condition": form.condition])
            return [
                "count": .string(desk.texts.count("count_contacts", Int(found["count"]?.int ?? 0))),
                "words": try await desk.phrases().sentence(form.condition),
            ]
        } catch let failure as Failure where failure.kind == .invalid {
            return ["wrong": .string(desk.texts.said(failure))]
        }
    }

    private static func segmentPage(_ desk: Desk, _ form: FormBody? = nil, _ failure: Failure? = nil) async throws
        -> Answer
    {
        let path = ["id": desk.call.path["id"] ?? ""]
        let segment = try await desk.call.ask("getSegment", path)
        let count = try await desk.call.ask("countSegment", path)["count"]?.int ?? 0
        var query: [String: JSON] = ["limit": 50]
        query["cursor"] = desk.call.query["cursor"]
        let members = try await desk.call.ask("listMembers", path, query: query)
        var model: JSON = [
            "id": segment["id"] ?? .null, "name": segment["name"] ?? .null,
            "words": try await desk.phrases().sentence(segment["condition"]),
            "count": .string(desk.texts.count("count_contacts", Int(count))), "may_make": .bool(desk.may(.config)),
            "members": .array(
                (members["items"]?.array ?? []).map { member in
                    [
                        "href": .string("/contacts/\(member["id"]?.scalarText ?? "")"), "name": member["name"] ?? .null,
                        "initials": .string(FieldText.initials(member["name"]?.string ?? "")),
                    ]
                }),
        ]
        if let next = members["next"]?.string {
            model["next"] = .string("/segments/\(path["id"] ?? "")?cursor=\(PercentText.encode(next))")
        }
        if let contact = desk.call.query["contact"]?.scalarText {
            model["contact"] = .string(contact)
            model["answer"] = try await membership(desk, segment, contact)
        }
        if desk.may(.config) { model = try await withPushes(desk, path, model, form) }
        return try desk.page(
            "segment", title: segment["name"]?.string ?? "", place: "/segments",
            failure: failure, model)
    }

    /// Why a contact is or is not in a segment, and what would change that.
    private static func membership(_ desk: Desk, _ segment: JSON, _ contact: String) async throws -> JSON {
        let (found, meant): (JSON, (id: String, name: String))
        do {
            meant = try await desk.meant(contact)
            found = try await desk.call.ask(
                "explainMember", ["id": segment["id"]?.scalarText ?? "", "contact": meant.id])
        } catch let failure as Failure where failure.kind == .notFound || failure.code == "contact.unclear" {
            return ["text": .string(desk.texts.said(failure)), "badge": "calm"]
        }
        let isMember = found["member"] == true
        let condition = try Condition(segment["condition"] ?? .null)
        let phrases = try await desk.phrases()
        let answers = (found["answers"]?.array ?? []).map { $0["answer"] == true }
        let advice = condition.verdict(leafResults: answers).whatWouldChange(in: phrases)
        return [
            "text": .string(desk.texts[isMember ? "member_is" : "member_is_not"]), "badge": isMember ? "good" : "calm",
            "href": .string("/contacts/\(meant.id)"), "name": .string(meant.name),
            "asked": .array(
                zip(condition.leaves, answers).map { leaf, answer in
                    [
                        "text": .string(Condition.leaf(leaf).words(in: phrases)),
                        "answer": .string(desk.texts[answer ? "yes" : "no"]), "badge": answer ? "good" : "calm",
                    ]
                }),
            "advice": .array(advice.map(JSON.string)), "has_advice": .bool(!advice.isEmpty),
        ]
    }

    /// The groups a segment is kept as in other systems, and where it could be.
    private static func withPushes(_ desk: Desk, _ path: [String: String], _ page: JSON, _ form: FormBody?) async throws
        -> JSON
    {
        var model = page
        let purposes = try await desk.call.askIfAllowed("listPurposes")?["items"]?.array ?? []
        let pushes = try await desk.call.ask("listPushes", path)["items"]?.array ?? []
        let systems = try await desk.call.ask("listConnectors")["items"]?.array ?? []
        model["pushes"] = .array(
            pushes.map { push in
                [
                    "push": push["id"] ?? .null, "group": push["group_name"] ?? .null,
                    "system": push["connector"] ?? .null,
                    "purpose": .string(desk.texts.title(ofPurpose: push["purpose"], purposes)),
                    "when": desk.moment(push["next_at"]),
                ]
            })
        let targets = systems.flatMap { system -> [JSON] in
            (system["plugins"]?.array ?? []).filter { $0["capability"] == "group" }.map { plugin in
                ["value": plugin["id"] ?? .null, "text": system["name"] ?? .null]
            }
        }
        model["has_pushes"] = .bool(!pushes.isEmpty)
        model["targets"] = .array(targets)
        model["has_targets"] = .bool(!targets.isEmpty)
        model["group_name"] = .string(form?["group_name"] ?? page["name"]?.string ?? "")
        let chosen = form?["purpose"] ?? "newsletter"
        model["purposes"] = .array(
            purposes.map { purpose in
                [
                    "value": purpose["key"] ?? .null, "text": .string(desk.texts.title(ofPurpose: purpose)),
                    "is_chosen": .bool(purpose["key"]?.string == chosen),
                ]
            })
        return model
    }
}
