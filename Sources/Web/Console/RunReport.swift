import Hub
import Store

/// How a run stands, what it did or would do, and the rows that could not be taken as they were.
struct RunReport {
    /// Where a run belongs: the entry of the menu, and the page one came from.
    struct Place {
        let menu: String
        let back: String
        let title: String
    }
    private static let mostRows = 50

    private let desk: Desk
    private let id: String
    private let run: JSON
    private var texts: ConsoleTexts { desk.texts }
    private var kind: String { run["kind"]?.string ?? "" }
    private var state: String { run["state"]?.string ?? "" }
    private var counts: [String: JSON] { run["counts"]?.object ?? [:] }
    private var isDry: Bool { run["dry"] == true }
    private var isEdit: Bool { kind == "edit" }
    private var isOver: Bool { ["done", "failed", "undone", "awaiting_approval"].contains(state) }
    /// Rows there are, faulty ones among them.
    private var rows: Int64 { (counts["rows"]?.int ?? 0) + (counts["faults"]?.int ?? 0) }

    /// - Parameter id: the run's number.
    init(_ desk: Desk, _ id: String) async throws {
        (self.desk, self.id) = (desk, id)
        run = try await desk.call.ask("getRun", ["id": id])
    }

    private func connection(_ systems: [JSON]) -> JSON? { systems.first { $0["id"] == run["connector"] } }

    private func flow(_ systems: [JSON]) -> JSON? {
        connection(systems)?["plugins"]?.array?.first { $0["id"] == run["plugin"] }
    }

    /// The connection it ran for, as a link; null for none.
    func system(_ systems: [JSON]) -> JSON {
        guard let found = connection(systems) else { return .null }
        return ["name": found["name"] ?? .null, "href": .string("/connections/\(found["id"]?.scalarText ?? "")")]
    }

    func place(_ systems: [JSON]) -> Place {
        if ["csv", "batch", "edit"].contains(kind) {
            return Place(menu: "/contacts", back: "/contacts", title: texts["menu_contacts"])
        }
        guard let system = connection(systems) else { return Place(menu: "/", back: "/", title: texts["menu_home"]) }
        let address = "/connections/\(system["id"]?.scalarText ?? "")"
        guard kind == "try", let flow = flow(systems) else {
            return Place(menu: "/connections", back: address, title: system["name"]?.string ?? "")
        }
        return Place(
            menu: "/connections", back: "\(address)/plugins/\(flow["id"]?.scalarText ?? "")",
            title: called(flow, of: system))
    }

    /// What it is called: by its file or by the flow it tries; by its number otherwise.
    func title(_ systems: [JSON]) async throws -> String {
        if let file = run["params"]?["file"]?.string {
            return texts.filled(state == "done" && !isDry ? "run_imported" : "run_importing", ["file": file])
        }
        if kind == "try", let system = connection(systems), let flow = flow(systems) {
            return texts.filled("run_trial", ["flow": called(flow, of: system)])
        }
        return texts.filled("run_number", ["n": id])
    }

    private func called(_ flow: JSON, of system: JSON) -> String {
        desk.title(
            ofPlugin: flow["name"]?.string ?? "", kind: system["kind"]?.string ?? "", of: system["name"]?.string ?? "")
    }

    /// Members for the page's template.
    /// - Parameters:
    ///   - isWithin: whether it stands in a page that says itself that it is a trial.
    ///   - systems: connections as the interface lists them.
    func model(_ systems: [JSON] = [], isWithin: Bool = false) async throws -> JSON {
        let said = Operations.counts(desk, run)
        let samples = (run["params"]?["samples"]?.array ?? []).filter { $0["remote"] != nil }
        // a check looks for nothing
        let isIdle = state == "done" && rows == 0 && said.isEmpty && samples.isEmpty && kind != "check"
        var query: [String: JSON] = ["limit": .int(Int64(Self.mostRows)), "faulty": true]
        query["cursor"] = desk.call.query["cursor"]
        let list: JSON = isOver ? try await desk.call.ask("listRunRows", ["id": id], query: query) : [:]
        let items = list["items"]?.array ?? []
        let effects = effects()
        let known: JSON = samples.isEmpty ? .null : try await desk.call.askIfAllowed("listFields")?["items"] ?? .null
        let called = connection(systems)?["name"]?.string ?? ""
        var model: JSON = [
            "is_over": .bool(isOver), "is_dry": .bool(isDry), "hides_state": .bool(isWithin && isOver),
            "kind": .string(texts["run_\(kind)"]),
            "state": .string(texts["state_\(state)"]), "badge": .string(Operations.badge(state)),
            "message": texts.message(ofRun: run), "when": desk.moment(run["created_at"]),
            "address": .string("/runs/\(id)"), "done": .int(rows - (run["waiting"]?.int ?? 0)), "of": .int(rows),
            "counted": rows == 0 && !said.isEmpty && samples.isEmpty ? .string(said) : .null,
            "is_idle": .bool(isIdle), "has_rows": .bool(rows > 0), "is_counted": .bool(rows > 0 && !isDry && !isOver),
            "waits": .bool(state == "awaiting_approval"),
            "edit": .array(isEdit ? try await words(run["params"]?["edit"] ?? [:]) : []),
            "undo": .string(texts[isEdit ? "run_undo_edit" : "run_undo"]),
            "undo_sure": .string(texts[isEdit ? "run_undo_edit_sure" : "run_undo_sure"]),
            "may_undo": .bool(!isDry && state == "done" && ["csv", "batch", "edit"].contains(kind)),
            "columns": run["params"]?["columns"] ?? .null,
            "tiles": .array(tiles(items, hasMore: list["next"]?.string != nil)),
            "effects": .array(effects), "has_effects": .bool(!effects.isEmpty),
            "has_items": .bool(!items.isEmpty), "items": .array(items.map(row)),
            "samples": .array(
                samples.prefix(10).enumerated().map { sample($1, isFirst: $0 == 0, known.array ?? [], called) }),
            "tried": samples.isEmpty ? .null : .string(tried(samples)),
            "next": list["next"]?.string.map {
                .string("/runs/\(id)?cursor=\(PercentText.encode($0))")
            } ?? .null,
        ]
        if state == "done", !isDry, ["csv", "batch"].contains(kind) {
            model["people"] = .array(try await people(&model))
        }
        model["has_people"] = .bool(model["people"]?.array?.isEmpty == false)
        return model
    }

    private func tiles(_ faulty: [JSON], hasMore: Bool) -> [JSON] {
        let told = isDry || state == "awaiting_approval" ? counts["preview"]?.object ?? [:] : counts
        let verdicts = isEdit ? ["changed", "unchanged", "deleted_here"] : ["new", "changed", "unchanged", "refused"]
        var tiles: [JSON] = verdicts.map { one in
            let count = told[one]?.int ?? 0
            return [
                "text": .string(texts["row_\(one)"]), "count": .string(texts.grouped(count)),
                "is_bad": .bool(one == "refused" && count > 0),
            ]
        }
        let partial = faulty.filter { !isRefused($0) }.count
        if partial > 0 {
            tiles.append([
                "text": .string(texts["row_partial"]), "count": .string("\(partial)\(hasMore ? "+" : "")"),
                "is_bad": true,
            ])
        }
        return tiles
    }

    private func effects() -> [JSON] {
        (counts["effects"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { plugin, said in
            let system = String(plugin.split(separator: "/").first ?? "")
            guard let count = said["accepted"]?.int, count > 0 else { return nil }
            return .string(texts.filled("import_effect", ["system": system, "n": String(count)]))
        }
    }

    /// Contacts that it made or changed: the first of them, and how many there are besides.
    private func people(_ model: inout JSON) async throws -> [JSON] {
        let list =
            try await desk.call.ask(
                "listRunRows", ["id": id], query: ["limit": .int(Int64(Self.mostRows))])["items"]?.array ?? []
        let people: [JSON] = list.compactMap { row in
            guard let contact = row["contact"]?.int else { return nil }
            let name = Self.named(row["fields"] ?? .null)
            return [
                "href": .string("/contacts/\(contact)"), "name": .string(name.isEmpty ? "\(contact)" : name),
            ]
        }
        let further = rows - Int64(list.count)
        model["further"] = further > 0 ? .string("+ \(texts.grouped(further))") : .null
        return people
    }

    /// What a change of many does, a line each.
    private func words(_ edit: JSON) async throws -> [JSON] {
        let labels = try await desk.call.askIfAllowed("listFields")?["items"]?.array ?? []
        var lines: [String] = []
        for (key, text) in [("add_tags", "edit_adds"), ("remove_tags", "edit_removes")] {
            let tags = (edit[key]?.array ?? []).compactMap(\.string)
            if !tags.isEmpty { lines.append(texts.filled(text, ["tags": tags.joined(separator: ", ")])) }
        }
        for (field, value) in (edit["set"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let label = texts.label(field, labels)
            lines.append(
                value == .null
                    ? texts.filled("edit_clears", ["field": label])
                    : texts.filled("edit_sets", ["field": label, "value": value.scalarText ?? value.text]))
        }
        return lines.map(JSON.string)
    }

    private static func problems(_ of: JSON) -> [JSON] { of["problems"]?.array ?? [] }

    /// How many records a mapping was tried on, and how many with problems.
    private func tried(_ samples: [JSON]) -> String {
        let bad = samples.filter { !Self.problems($0).isEmpty }.count
        return texts.filled("run_tried", ["n": String(samples.count), "bad": String(bad)])
    }

    /// A record as a mapping was tried on it: what it is there, and here.
    /// - Parameters:
    ///   - known: fields as the interface lists them.
    ///   - system: what the connection is called.
    private func sample(_ sample: JSON, isFirst: Bool, _ known: [JSON], _ system: String) -> JSON {
        let contact = sample["contact"]?.scalarText
        let said = Self.named(sample["fields"] ?? .null)
        let problems = Self.problems(sample)
        return [
            "name": .string(said.isEmpty ? contact ?? sample["remote_id"]?.string ?? "" : said),
            "href": contact.map { .string("/contacts/\($0)") } ?? .null, "is_first": .bool(isFirst),
            "outcome": .string(problems.isEmpty ? texts["sample_good"] : texts.count("sample_bad", problems.count)),
            "badge": problems.isEmpty ? "good" : "bad",
            "here": .array(
                (sample["fields"]?.object ?? [:]).sorted { $0.key < $1.key }.map { key, value in
                    let said = texts.pieces(value, of: key, known).compactMap { $0["text"]?.string }
                    return ["label": .string(texts.label(key, known)), "value": .string(said.joined(separator: ", "))]
                }),
            "there": .array(Self.leaves(sample["remote"] ?? .null, "")),
            "other": .string(system.isEmpty ? texts["other_system"] : system),
            "hub": .string(Operations.pretty(sample["fields"] ?? .null)),
            "remote": .string(Operations.pretty(sample["remote"] ?? .null)),
            "problems": .array(problems.map { $0["message"] ?? $0["code"] ?? .string($0.text) }),
        ]
    }

    /// Values of another system's document by where they stand, such as `addresses[0].city`.
    private static func leaves(_ value: JSON, _ path: String) -> [JSON] {
        if let members = value.object {
            return members.sorted { $0.key < $1.key }.flatMap {
                leaves($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)")
            }
        }
        if let items = value.array { return items.enumerated().flatMap { leaves($1, "\(path)[\($0)]") } }
        return value.isNull ? [] : [["label": .string(path), "value": .string(value.scalarText ?? value.text)]]
    }

    /// A name of what a row or a sample holds; empty when it holds none.
    private static func named(_ fields: JSON) -> String {
        let name = ["given_name", "family_name"].compactMap { fields[$0]?.string }.joined(separator: " ")
        return [name, fields["company"]?.string ?? ""].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private func isRefused(_ row: JSON) -> Bool { row["verdict"] == "refused" }

    private func row(_ row: JSON) -> JSON {
        let fields = row["fields"] ?? .null
        let problems = Self.problems(row).map { problem -> (field: String, text: JSON) in
            let field = String((problem["field"]?.string ?? "").prefix { $0 != "[" && $0 != "." })
            return (field.isEmpty ? "" : texts.label(field, []), texts.problem(ofValue: problem))
        }
        let left = problems.map(\.field).reduce(into: [String]()) { if !$1.isEmpty, !$0.contains($1) { $0.append($1) } }
        let outcome = isRefused(row) ? "row_out" : left.isEmpty ? "row_in" : "row_without"
        return [
            "line": .string(texts.filled("row_line", ["n": row["line"]?.scalarText ?? ""])),
            "name": .string(Self.named(fields)),
            "email": FieldText.first(fields["emails"]).map(JSON.string) ?? .null,
            "href": row["contact"]?.int.map { .string("/contacts/\($0)") } ?? .null,
            "outcome": isEdit
                ? .null
                : .string(texts.filled("\(outcome)\(isDry ? "_dry" : "")", ["fields": left.joined(separator: ", ")])),
            "problems": .array(problems.map { ["field": .string($0.field), "text": $0.text] }),
        ]
    }
}
