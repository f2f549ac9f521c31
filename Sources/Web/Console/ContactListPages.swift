import Foundation
import HTTPTypes
import Hub
import Store

/// What a list of contacts is asked for, and how it is shown.
struct ContactListPage {
    static let query: [Parameter] = [
        .query("q", Schema.text(0, 200), "What to search for."),
        .query("tag", Schema.text(0, 100), "Only with this tag."),
        .query("segment", Schema.text(0, 20), "Only those of this segment."),
        .query("cursor", Schema.text(1, 200), "Where to go on."), .query("part", Schema.flag, "The rows alone."),
    ]
    static let filters = ["q", "tag", "segment"]

    let desk: Desk
    /// By filter; empty texts are none.
    let chosen: [String: String]

    init(_ desk: Desk) {
        let given = Self.filters.map { ($0, desk.call.text($0) ?? "") }.filter { !$0.1.isEmpty }
        (self.desk, chosen) = (desk, Dictionary(given) { one, _ in one })
    }

    init(_ desk: Desk, _ form: FormBody) {
        let given = Self.filters.map { ($0, form[$0]) }.filter { !$0.1.isEmpty }
        (self.desk, chosen) = (desk, Dictionary(given) { one, _ in one })
    }

    private init(_ desk: Desk, _ chosen: [String: String]) { (self.desk, self.chosen) = (desk, chosen) }

    /// The same as the interface takes it.
    /// - Throws: `Failure` `not_found` for a segment that is gone: what was to be of some is not done to all.
    func asked() async throws -> [String: JSON] {
        var asked: [String: JSON] = [:]
        for key in ["q", "tag"] { asked[key] = chosen[key].map(JSON.string) }
        if let condition = try await condition() { asked["condition"] = .string(condition.text) }
        return asked
    }

    func condition() async throws -> JSON? {
        guard let segment = chosen["segment"] else { return nil }
        return try await desk.call.ask("getSegment", ["id": segment])["condition"]
    }

    /// The address of the list with these filters.
    static func address(_ path: String, _ chosen: [String: String], cursor: String? = nil) -> String {
        var parts = filters.compactMap { key in chosen[key].map { "\(key)=\(PercentText.encode($0))" } }
        if let cursor { parts.append("cursor=\(PercentText.encode(cursor))") }
        return parts.isEmpty ? path : "\(path)?\(parts.joined(separator: "&"))"
    }

    func answer(_ failure: Failure? = nil) async throws -> Answer {
        var query: [String: JSON]
        do {
            query = try await asked()
        } catch let gone as Failure where gone.code == "not_found" {
            // a view that outlived its segment
            return try await ContactListPage(desk, chosen.filter { $0.key != "segment" }).answer(gone)
        }
        query["limit"] = 50
        query["cursor"] = desk.call.query["cursor"]
        let list = try await desk.call.ask("listContacts", query: query)
        let items = list["items"]?.array ?? []
        // PostgreSQL asks for more: a role without limits
        let mayChangeMany = desk.may(.contactsWrite) && desk.may(.runs)
        var model: JSON = [
            "contacts": .array(items.map { Self.row(desk, $0) }), "is_empty": .bool(items.isEmpty),
            "is_all": .bool(chosen.isEmpty), "may_write": .bool(desk.may(.contactsWrite)),
            "may_change_many": .bool(mayChangeMany),
        ]
        if let next = list["next"]?.string { model["next"] = .string(Self.address("/contacts", chosen, cursor: next)) }
        if desk.call.flag("part"), failure == nil { return try desk.html("contact-rows", model) }
        for key in Self.filters { model[key] = chosen[key].map(JSON.string) }
        model["export"] = desk.may(.feed) ? .string(Self.address("/contacts/export", chosen)) : .null
        model["may_import"] = .bool(mayChangeMany)
        try await addViews(&model)
        if mayChangeMany { try await addFields(&model) }
        return try desk.page(
            "contacts", title: desk.texts["menu_contacts"], place: "/contacts", failure: failure, model)
    }

    private func addViews(_ model: inout JSON) async throws {
        async let saved = desk.call.ask("listViews")
        let segments = try await desk.call.ask("listSegments")["items"]?.array ?? []
        model["segments"] = .array(
            segments.map { segment in
                [
                    "id": .string(segment["id"]?.scalarText ?? ""), "name": segment["name"] ?? .null,
                    "is_chosen": .bool(segment["id"]?.scalarText == chosen["segment"]),
                ]
            })
        model["has_segments"] = .bool(!segments.isEmpty)
        model["views"] = .array(
            (try await saved["items"]?.array ?? []).map { view in
                let kept = (view["query"]?.object ?? [:]).compactMapValues(\.scalarText)
                return [
                    "name": view["name"] ?? .null, "href": .string(Self.address("/contacts", kept)),
                    "id": view["id"] ?? .null, "is_own": view["own"] ?? false, "is_shared": view["shared"] ?? false,
                    "is_this": .bool(kept == chosen),
                ]
            })
    }

    /// Fields that can be set for many: those that are typed in one line.
    private func addFields(_ model: inout JSON) async throws {
        let fields = try await desk.call.ask("listFields")["items"]?.array ?? []
        model["fields"] = .array(
            fields.compactMap { field in
                guard let key = field["key"]?.string, Self.isSettable(field) else { return nil }
                let label = field["is_standard"] == true ? desk.texts.field(key) : field["label"]?.string ?? key
                return ["key": .string(key), "label": .string(label)]
            })
    }

    private static func isSettable(_ field: JSON) -> Bool {
        let one = ["company", "job_title", "language", "source", "type"]
        return field["is_standard"] == true
            ? one.contains(field["key"]?.string ?? "")
            : ["text", "number", "date", "choice", "link", "flag"].contains(field["type"]?.string ?? "")
    }

    static func row(_ desk: Desk, _ contact: JSON) -> JSON {
        let (name, fields) = (contact["name"]?.string ?? "", contact["fields"] ?? [:])
        return [
            "id": .string(contact["id"]?.scalarText ?? ""),
            "href": .string("/contacts/\(contact["id"]?.scalarText ?? "")"),
            "name": .string(name.isEmpty ? desk.texts["contact_nameless"] : name),
            "initials": .string(FieldText.initials(name)), "company": fields["company"] ?? .null,
            "email": FieldText.first(fields["emails"]).map(JSON.string) ?? .null,
            "phone": FieldText.first(fields["phones"]).map(JSON.string) ?? .null,
            "tags": .array(
                (fields["tags"]?.array ?? []).map { tag in
                    ["text": tag, "href": .string("/contacts?tag=\(PercentText.encode(tag.string ?? ""))")]
                }),
            "when": desk.moment(contact["updated_at"]),
        ]
    }
}

extension Operations {
    static let contactListPages: [Operation] = [
        page("console.contacts", "/contacts", access: .tenant(.contactsRead), query: ContactListPage.query) { desk in
            try await ContactListPage(desk).answer()
        },
        action("console.saveView", "/contacts/views") { desk, form in
            let page = ContactListPage(desk, form)
            do {
                var view = JSON.object(page.chosen.mapValues(JSON.string))
                if let segment = page.chosen["segment"] { view["segment"] = Int64(segment).map { .int($0) } ?? .null }
                (view["name"], view["shared"]) = (.string(form["name"]), .bool(form["shared"] == "true"))
                try await desk.call.ask("saveView", body: view)
                return desk.go(ContactListPage.address("/contacts", page.chosen), notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await page.answer(failure)
            }
        },
        action("console.deleteView", "/contacts/views/{id}/delete") { desk, _ in
            try await desk.call.ask("deleteView", desk.call.path)
            return desk.go("/contacts", notice: "gone")
        },
        action("console.editContacts", "/contacts/edit", access: .tenant(.contactsWrite)) { desk, form in
            let page = ContactListPage(desk, form)
            do {
                let run = try await desk.call.ask("editContacts", body: try await edit(desk, form, page))
                return desk.go("/runs/\(run["id"]?.scalarText ?? "")")
            } catch let failure as Failure where failure.kind != .broken {
                return try await page.answer(failure)
            }
        },
    ]

    /// Contacts beyond which a change of all that are found waits for approval.
    private static let mostUnasked: Int64 = 100

    /// What a form says of many contacts, as the interface takes it.
    private static func edit(_ desk: Desk, _ form: FormBody, _ page: ContactListPage) async throws -> JSON {
        var edit: JSON = ["max_changes": .int(mostUnasked)]
        if form["scope"] == "found" {
            for key in ["q", "tag"] { edit[key] = page.chosen[key].map(JSON.string) }
            edit["condition"] = try await page.condition()
            if page.chosen.isEmpty { edit["all"] = true }
        } else {
            let ids = form.all("id").compactMap { Int64($0) }
            guard !ids.isEmpty else {
                throw Failure(.invalid, "edit.nobody", "Mark contacts first, or choose all that are found.")
            }
            edit["ids"] = .array(ids.map { .int($0) })
        }
        func tags(_ name: String) -> [String] {
            form[name].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
        for name in ["add_tags", "remove_tags"] {
            let named = tags(name)
            if !named.isEmpty { edit[name] = .array(named.map(JSON.string)) }
        }
        if !form["field"].isEmpty {
            // as it was typed: what it means is judged where every value is
            guard form["value"].isEmpty == (form["clear"] == "true") else {
                throw Failure(.invalid, "edit.value", "Give the value, or say that it is to be taken away from all.")
            }
            edit["set"] = .object([form["field"]: form["value"].isEmpty ? .null : .string(form["value"])])
        }
        return edit
    }
}
