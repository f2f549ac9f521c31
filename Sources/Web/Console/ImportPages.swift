import HTTPTypes
import Hub
import Store

/// A file with contacts: sent, looked at, tried, taken in.
extension Operations {
    static let importPages: [Operation] = [
        page("console.import", "/contacts/import", access: .tenant(.contactsWrite)) { desk in
            try importPage(desk)
        },
        Operation(
            id: "console.upload", method: .post, path: "/contacts/import", summary: "A form of the console.",
            access: .tenant(.contactsWrite), body: .stream(mediaType: "multipart/form-data"), responses: [303: nil],
            isDocumented: false, isPage: true,
            handle: { call in
                let desk = try await Desk.open(call)
                if let lacking = call.grant.confined { throw WebResponder.confined(lacking) }
                do {
                    let form = try await MultipartBody(call.stream, contentType: call.headers[.contentType])
                    try demandOwn(call, mark: form.fields["mark"] ?? "")
                    let file = try await UploadFile.keep(
                        form, name: String(form.fileName.prefix(200)), call.tenant, call.actor)
                    return desk.go("/contacts/import/\(file.upload.id)")
                } catch let fault as RequestFault {
                    return try importPage(desk, fault.failure)
                } catch let failure as Failure where failure.kind != .broken {
                    return try importPage(desk, failure)
                }
            }),
        page(
            "console.columns", "/contacts/import/{id}", access: .tenant(.contactsWrite),
            query: [.query("run", Schema.id, "The run that tried it.")]
        ) { desk in
            try await columnsPage(desk)
        },
        action("console.tryImport", "/contacts/import/{id}", access: .tenant(.contactsWrite)) { desk, form in
            let upload = try await desk.call.ask("getUpload", desk.call.path)
            let columns = (upload["columns"]?.array ?? []).indices.map { place -> JSON in
                let text = form["column.\(place)"]
                return text.isEmpty ? .null : .string(text)
            }
            let isTrial = form["do"] == "try"
            do {
                let run = try await desk.call.ask(
                    "importUpload", desk.call.path, body: ["columns": .array(columns), "dry": .bool(isTrial)])
                let number = run["id"]?.scalarText ?? ""
                return desk.go(
                    isTrial ? "/contacts/import/\(desk.call.path["id"] ?? "")?run=\(number)" : "/runs/\(number)")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await columnsPage(desk, form, failure)
            }
        },
        page(
            "console.run", "/runs/{id}", access: .tenant(.runs),
            query: [
                .query("cursor", Schema.text(1, 200), "Where to go on.")
            ]
        ) { desk in
            async let systems = desk.call.askIfAllowed("listConnectors")
            var model = try await report(desk, desk.call.path["id"] ?? "")
            let system = try await systems?["items"]?.array?.first { $0["id"] == model["connector"] }
            model["system"] = system.map {
                ["name": $0["name"] ?? .null, "href": .string("/connections/\($0["id"]?.scalarText ?? "")")]
            }
            return try desk.page(
                "run", title: desk.texts.filled("run_number", ["n": desk.call.path["id"] ?? ""]), place: "/", model)
        },
        action("console.undoRun", "/runs/{id}/undo", access: .tenant(.runs)) { desk, _ in
            let run = try await desk.call.ask("undoRun", desk.call.path)
            return desk.go("/runs/\(run["id"]?.scalarText ?? "")", notice: "running")
        },
        action("console.approveRun", "/runs/{id}/approve", access: .tenant(.runs)) { desk, form in
            try await desk.call.ask(form["do"] == "cancel" ? "cancelRun" : "approveRun", desk.call.path)
            return desk.go("/runs/\(desk.call.path["id"] ?? "")")
        },
    ]

    private static func importPage(_ desk: Desk, _ failure: Failure? = nil) throws -> Answer {
        try desk.page("import", title: desk.texts["import_title"], place: "/contacts", failure: failure, [:])
    }

    /// What each column holds, and what the trial said.
    private static func columnsPage(_ desk: Desk, _ form: FormBody? = nil, _ failure: Failure? = nil) async throws
        -> Answer
    {
        let upload = try await desk.call.ask("getUpload", desk.call.path)
        let labels = try await desk.call.ask("listFields")["items"]?.array ?? []
        let run = desk.call.query["run"]?.scalarText
        var trial = JSON.null
        if let run, desk.may(.runs) { trial = try await report(desk, run) }
        let tried = trial["columns"]?.array
        let choices = (upload["choices"]?.array ?? []).compactMap(\.string)
        let columns = (upload["columns"]?.array ?? []).enumerated().map { place, column -> JSON in
            let guess = tried.map { $0.indices.contains(place) ? $0[place] : .null } ?? column["holds"]
            let chosen = form?["column.\(place)"] ?? guess?.string ?? ""
            return [
                "name": .string("column.\(place)"), "header": column["header"] ?? .null,
                "samples": .array((column["samples"]?.array ?? []).filter { $0 != "" }.prefix(3).map { $0 }),
                "choices": .array(
                    choices.map { choice in
                        [
                            "value": .string(choice), "is_chosen": .bool(choice == chosen),
                            "text": .string(columnLabel(desk, choice, labels)),
                        ]
                    }),
            ]
        }
        return try desk.page(
            "import-columns", title: upload["name"]?.string ?? "", place: "/contacts", failure: failure,
            [
                "columns": .array(columns), "trial": trial, "is_tried": .bool(trial != .null),
                "address": .string("/contacts/import/\(desk.call.path["id"] ?? "")"),
            ])
    }

    /// A column's content in words: "Addresses: city".
    private static func columnLabel(_ desk: Desk, _ path: String, _ labels: [JSON]) -> String {
        let parts = path.split(separator: "[n].").map(String.init)
        let field = desk.texts.label(parts[0], labels)
        return parts.count == 2 && parts[1] != "value" ? "\(field): \(desk.texts["part_\(parts[1])"])" : field
    }

    /// How a run stands, what it did or would do, and the rows that could not be taken.
    private static func report(_ desk: Desk, _ run: String) async throws -> JSON {
        let found = try await desk.call.ask("getRun", ["id": run])
        let state = found["state"]?.string ?? ""
        let counts = found["counts"]?.object ?? [:]
        let isOver = ["done", "failed", "undone", "awaiting_approval"].contains(state)
        let said = Self.counts(desk, found)
        let rows = (counts["rows"]?.int ?? 0) + (counts["faults"]?.int ?? 0)
        let isDry = found["dry"] == true
        let samples = (found["params"]?["samples"]?.array ?? []).filter { $0["remote"] != nil }
        // a check looks for nothing
        let isIdle =
            state == "done" && rows == 0 && said.isEmpty && samples.isEmpty && found["kind"]?.string != "check"
        let isEdit = found["kind"] == "edit"
        let told = isDry || state == "awaiting_approval" ? counts["preview"]?.object ?? [:] : counts
        let effects = (counts["effects"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap {
            plugin, said -> JSON? in
            let system = String(plugin.split(separator: "/").first ?? "")
            guard let count = said["accepted"]?.int, count > 0 else { return nil }
            return .string(desk.texts.filled("import_effect", ["system": system, "n": String(count)]))
        }
        let verdicts = isEdit ? ["changed", "unchanged", "deleted_here"] : ["new", "changed", "unchanged", "refused"]
        var query: [String: JSON] = ["limit": 50, "faulty": true]
        query["cursor"] = desk.call.query["cursor"]
        let list: JSON = isOver ? try await desk.call.ask("listRunRows", ["id": run], query: query) : [:]
        let items = list["items"]?.array ?? []
        return [
            "is_over": .bool(isOver), "is_dry": .bool(isDry), "connector": found["connector"] ?? .null,
            "kind": .string(desk.texts["run_\(found["kind"]?.string ?? "")"]),
            "state": .string(desk.texts["state_\(state)"]), "badge": .string(badge(state)),
            "message": desk.texts.message(ofRun: found), "when": desk.moment(found["created_at"]),
            "address": .string("/runs/\(run)"), "done": .int(rows - (found["waiting"]?.int ?? 0)), "of": .int(rows),
            "counted": rows == 0 && !said.isEmpty ? .string(said) : .null, "is_idle": .bool(isIdle),
            "has_rows": .bool(rows > 0), "is_counted": .bool(rows > 0 && !isDry),
            "waits": .bool(state == "awaiting_approval"),
            "edit": .array(isEdit ? try await words(desk, found["params"]?["edit"] ?? [:]) : []),
            "undo": .string(desk.texts[isEdit ? "run_undo_edit" : "run_undo"]),
            "undo_sure": .string(desk.texts[isEdit ? "run_undo_edit_sure" : "run_undo_sure"]),
            "may_undo": .bool(
                !isDry && state == "done" && ["csv", "batch", "edit"].contains(found["kind"]?.string ?? "")),
            "columns": found["params"]?["columns"] ?? .null,
            "tiles": .array(
                verdicts.map { one in
                    [
                        "text": .string(desk.texts["row_\(one)"]), "count": .int(told[one]?.int ?? 0),
                        "is_bad": .bool(one == "refused" && told[one]?.int ?? 0 > 0),
                    ]
                }), "effects": .array(effects), "has_effects": .bool(!effects.isEmpty),
            "has_items": .bool(!items.isEmpty),
            "items": .array(items.map { reportRow(desk, $0) }),
            "samples": .array(samples.prefix(10).map(sample)),
            "next": list["next"]?.string.map {
                .string("/runs/\(run)?cursor=\(PercentText.encode($0))")
            } ?? .null,
        ]
    }

    /// What a change of many does, a line each.
    private static func words(_ desk: Desk, _ edit: JSON) async throws -> [JSON] {
        let labels = try await desk.call.askIfAllowed("listFields")?["items"]?.array ?? []
        var lines: [String] = []
        for (key, text) in [("add_tags", "edit_adds"), ("remove_tags", "edit_removes")] {
            let tags = (edit[key]?.array ?? []).compactMap(\.string)
            if !tags.isEmpty { lines.append(desk.texts.filled(text, ["tags": tags.joined(separator: ", ")])) }
        }
        for (field, value) in (edit["set"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let label = desk.texts.label(field, labels)
            lines.append(
                value == .null
                    ? desk.texts.filled("edit_clears", ["field": label])
                    : desk.texts.filled("edit_sets", ["field": label, "value": value.scalarText ?? value.text]))
        }
        return lines.map(JSON.string)
    }

    /// A record as a mapping was tried on it: what it is there, and here.
    private static func sample(_ sample: JSON) -> JSON {
        let contact = sample["contact"]?.scalarText
        let said = called(sample["fields"] ?? .null)
        return [
            "name": .string(said.isEmpty ? contact ?? sample["remote_id"]?.string ?? "" : said),
            "href": contact.map { .string("/contacts/\($0)") } ?? .null,
            "hub": .string(pretty(sample["fields"] ?? .null)), "remote": .string(pretty(sample["remote"] ?? .null)),
            "problems": .array(
                (sample["problems"]?.array ?? []).map { $0["message"] ?? $0["code"] ?? .string($0.text) }),
        ]
    }

    /// A name of what a row or a sample holds; empty when it holds none.
    private static func called(_ fields: JSON) -> String {
        let name = ["given_name", "family_name"].compactMap { fields[$0]?.string }.joined(separator: " ")
        return [name, fields["company"]?.string ?? ""].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private static func reportRow(_ desk: Desk, _ row: JSON) -> JSON {
        let fields = row["fields"] ?? .null
        return [
            "line": .string(desk.texts.filled("row_line", ["n": row["line"]?.scalarText ?? ""])),
            "name": .string(called(fields)),
            "email": FieldText.first(fields["emails"]).map(JSON.string) ?? .null,
            "href": row["contact"]?.int.map { .string("/contacts/\($0)") } ?? .null,
            "problems": .array(
                (row["problems"]?.array ?? []).map { problem in
                    let field = String((problem["field"]?.string ?? "").prefix { $0 != "[" && $0 != "." })
                    return [
                        "field": .string(field.isEmpty ? "" : desk.texts.label(field, [])),
                        "text": desk.texts.problem(ofValue: problem),
                    ]
                }),
        ]
    }
}
