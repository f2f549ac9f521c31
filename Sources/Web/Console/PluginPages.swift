import Hub
import Store

/// What a plugin takes: its filter, with what another would have decided, and its mapping.
extension Operations {
    static let pluginPages: [Operation] = [
        page("console.plugin", "/connections/{id}/plugins/{plugin}", access: .tenant(.config)) { desk in
            try await pluginPage(desk)
        },
        action("console.setFilter", "/connections/{id}/plugins/{plugin}/filter", access: .tenant(.config)) {
            desk, form in
            let rows = SegmentForm(form)
            if form.has("more") { return try await pluginPage(desk, rows: rows, more: true) }
            do {
                let filter = try form.has("as_text") ? document(form.raw("text")) : rows.whole()
                if form["do"] == "try" {
                    return try await pluginPage(
                        desk, rows: rows, typed: form,
                        trial: try await FilterTrial(desk, filter, of: pluginPath(desk)).model())
                }
                try await desk.call.ask("editPlugin", pluginPath(desk), body: ["filter": filter])
                return desk.go(pluginAddress(desk), notice: "saved")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await pluginPage(desk, failure, rows: rows, typed: form)
            }
        },
        action("console.setSchedule", "/connections/{id}/plugins/{plugin}/schedule", access: .tenant(.config)) {
            desk, form in
            do {
                if form["do"] == "try" {
                    let run = try await desk.call.ask("runPlugin", pluginPath(desk), query: ["dry": true])
                    return desk.go("/runs/\(run["id"]?.scalarText ?? "")")
                }
                try await desk.call.ask("editPlugin", pluginPath(desk), body: PluginSchedule.edit(form))
                return desk.go(pluginAddress(desk), notice: "saved")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await pluginPage(desk, failure, typed: form)
            }
        },
        action("console.setMapping", "/connections/{id}/plugins/{plugin}/mapping", access: .tenant(.config)) {
            desk, form in
            if form.has("another") { return try await pluginPage(desk, typed: form) }
            do {
                let mapping = try form.has("mapping") ? document(form.raw("mapping")) : MappingForm(form).mapping()
                if form["do"] == "try" {
                    let run = try await desk.call.ask("tryMapping", pluginPath(desk), body: ["mapping": mapping])
                    return desk.go("/runs/\(run["id"]?.scalarText ?? "")")
                }
                try await desk.call.ask("editPlugin", pluginPath(desk), body: ["mapping": mapping])
                return desk.go(pluginAddress(desk), notice: "saved")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await pluginPage(desk, failure, typed: form)
            }
        },
    ]

    private static func pluginPath(_ desk: Desk) -> [String: String] { ["id": desk.call.path["plugin"] ?? ""] }

    private static func pluginAddress(_ desk: Desk) -> String {
        "/connections/\(desk.call.path["id"] ?? "")/plugins/\(desk.call.path["plugin"] ?? "")"
    }

    private static func document(_ text: String) throws -> JSON {
        do { return try JSON(text: text) } catch {
            throw Failure(.invalid, "body.malformed", "This is no JSON: \(error).")
        }
    }

    private static func pluginPage(
        _ desk: Desk, _ failure: Failure? = nil, rows: SegmentForm? = nil, typed: FormBody? = nil, trial: JSON = .null,
        more: Bool = false
    ) async throws -> Answer {
        async let asked = desk.call.ask("getConnector", desk.call.path)
        async let known = desk.phrases()
        let plugin = try await desk.call.ask("getPlugin", pluginPath(desk))
        let (system, phrases) = (try await asked, try await known)
        let fields = phrases.fields
        guard plugin["connector"] == system["id"] else { throw Failure.notFound("plugin") }
        let title = desk.title(
            ofPlugin: plugin["name"]?.string ?? "", kind: system["kind"]?.string ?? "", of: system["name"]?.string ?? ""
        )
        let filter = plugin["filter"] ?? ["all": []]
        let kept = SegmentForm(filter, fields: fields)
        // conditions within conditions do not fit rows
        let isText = typed?.has("as_text") == true || (rows == nil && kept == nil)
        var model = (rows ?? kept ?? SegmentForm()).model(desk.texts, fields: fields, more: more, ofChanges: true)
        model["is_push"] = .bool(plugin["capability"] == "push")
        model["pull"] =
            plugin["capability"] == "pull"
            ? PluginSchedule(plugin, desk.texts).model(typed?.has("every") == true ? typed : nil) : .null
        model["is_text"] = .bool(isText)
        model["text"] = .string(typed?.has("as_text") == true ? typed!.raw("text") : pretty(filter))
        model["mapping"] = .string(
            typed?.names.contains("mapping") == true ? typed!.raw("mapping") : pretty(plugin["mapping"] ?? [:]))
        model["is_remapped"] = .bool(typed?.has("mapping") == true)
        let typedRules = typed.flatMap { $0.has("hub") ? MappingForm($0) : nil }
        model["rules"] = (typedRules ?? MappingForm(plugin["mapping"])).model(
            desk.texts, fields: fields, more: typed?.has("another") == true)
        let systemName = system["name"]?.string ?? ""
        model["mapping_about"] = .string(desk.texts.filled("mapping_about", ["system": systemName]))
        // either works in one direction, whatever its rules allow
        if let way = ["pull": "mapping_reads", "push": "mapping_writes"][plugin["capability"]?.string ?? ""] {
            model["mapping_way"] = .string(desk.texts.filled(way, ["system": systemName]))
        }
        model["remotes"] = MappingForm.remotes(desk.manifest(system["kind"]?.string ?? ""), desk.texts, fields)
        model["trial"] = trial
        model["words"] = spoken(plugin, phrases)
        model["connection"] = system["name"] ?? .null
        model["back"] = .string("/connections/\(desk.call.path["id"] ?? "")")
        model["address"] = .string(pluginAddress(desk))
        return try desk.page("plugin", title: title, place: "/connections", failure: failure, model)
    }

    /// JSON over several lines, to be read and changed by people.
    static func pretty(_ value: JSON, indent: String = "") -> String {
        let inner = indent + "  "
        if value.text.count <= 80 { return value.text }
        if let items = value.array {
            return "[\n" + items.map { inner + pretty($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        }
        if let members = value.object {
            let lines = members.sorted { $0.key < $1.key }.map {
                "\(inner)\(JSON.string($0.key).text): \(pretty($0.value, indent: inner))"
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
        return value.text
    }
}
