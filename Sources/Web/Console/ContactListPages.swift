import Foundation
import HTTPTypes
import Hub
import Store

/// Which contacts a list is of.
struct ContactListQuery {
    static let parameters: [Parameter] = [
        .query("q", Schema.text(0, 200), "What to search for."),
        .query("tag", Schema.text(0, 100), "Only with this tag."),
        .query("segment", Schema.text(0, 20), "Only those of this segment."),
        .query("cursor", Schema.text(1, 200), "Where to go on."), .query("part", Schema.flag, "The rows alone."),
    ]
    static let filters = ["q", "tag", "segment"]
    /// Members of a contact that a list shows something of.
    private static let shown = ["id", "name", "fields", "updated_at"]

    let call: Call
    /// By filter; empty texts are none.
    let chosen: [String: String]

    init(_ call: Call) { self.init(call) { call.text($0) ?? "" } }
    init(_ call: Call, _ form: FormBody) { self.init(call) { form[$0] } }

    private init(_ call: Call, _ value: (String) -> String) {
        let given = Self.filters.map { ($0, value($0)) }.filter { !$0.1.isEmpty }
        (self.call, chosen) = (call, Dictionary(given) { one, _ in one })
    }

    private init(_ call: Call, chosen: [String: String]) { (self.call, self.chosen) = (call, chosen) }

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
        return try await call.ask("getSegment", ["id": segment])["condition"]
    }

    /// The address of the list with these filters.
    static func address(_ path: String, _ chosen: [String: String], cursor: String? = nil) -> String {
        var parts = filters.compactMap { key in chosen[key].map { "\(key)=\(PercentText.encode($0))" } }
        if let cursor { parts.append("cursor=\(PercentText.encode(cursor))") }
        return parts.isEmpty ? path : "\(path)?\(parts.joined(separator: "&"))"
    }

    /// Asks for all that the page is made of, at once: nothing of it waits for anything else.
    /// - Parameter isPart: whether the rows alone are wanted.
    func found(isPart: Bool = false) async throws -> ContactListPage {
        var query: [String: JSON]
        do {
            query = try await asked()
        } catch let gone as Failure where gone.code == "not_found" {
            // a view that outlived its segment
            var page = try await Self(call, chosen: chosen.filter { $0.key != "segment" }).found()
            page.gone = gone
            return page
        }
        query["limit"] = 50
        query["cursor"] = call.query["cursor"]
        let columns = ContactColumns(call.headers)
        if isPart {
            // the usual columns are known
            let fields = columns.isUsual ? .null : try await call.ask("listFields")
            let list = try await contacts(query, columns)
            return ContactListPage(chosen: chosen, list: list, columns: columns, fields: fields)
        }
        let asked = query
        async let list = contacts(asked, columns)
        async let segments = call.ask("listSegments")
        async let views = call.ask("listViews")
        async let fields = call.ask("listFields")
        return try await ContactListPage(
            chosen: chosen, list: list, columns: columns, fields: fields,
            around: .init(segments: segments, views: views))
    }

    private func contacts(_ query: [String: JSON], _ columns: ContactColumns) async throws -> JSON {
        var parts = [1: columns.fields]
        // addresses and numbers are shown as they are: the fields' lists, what stands in them
        if columns.isUsual { parts[3] = ["value"] }
        return try await call.askForItems("listContacts", query: query, keeping: Self.shown, parts: parts)
    }
}

/// A list of contacts with what stands around it, as the interface gave it.
struct ContactListPage {
    struct Around {
        let segments: JSON
        let views: JSON
    }

    let chosen: [String: String]
    let list: JSON
    let columns: ContactColumns
    /// All there are; null for the rows alone in the usual columns.
    let fields: JSON
    private var known: [JSON] { fields["items"]?.array ?? [] }
    /// Nil for the rows alone, which a script puts in place.
    var around: Around?
    /// Where the segment it was to be of is none any more.
    var gone: Failure?

    /// - Parameter refusal: why a form was refused, to be said above the list.
    func answer(_ desk: Desk, _ refusal: Failure? = nil) throws -> Answer {
        let failure = refusal ?? gone
        // PostgreSQL asks for more: a role without limits
        let mayChangeMany = desk.may(.contactsWrite) && desk.may(.runs)
        var model = rows(desk, mayChangeMany)
        guard let around else { return try desk.html("contact-rows", model) }
        for key in ContactListQuery.filters { model[key] = chosen[key].map(JSON.string) }
        model["export"] = desk.may(.feed) ? .string(ContactListQuery.address("/contacts/export", chosen)) : .null
        model["may_import"] = .bool(mayChangeMany)
        addViews(around, &model)
        model["choices"] = columns.choices(desk.texts, known)
        if mayChangeMany { addFields(desk, &model) }
        return try desk.page(
            "contacts", title: desk.texts["menu_contacts"], place: "/contacts", failure: failure, model)
    }

    /// The table, and what stands in its place where there is nobody.
    private func rows(_ desk: Desk, _ mayChangeMany: Bool) -> JSON {
        let isEmpty = list["items"]?.array?.isEmpty != false
        return [
            "table": isEmpty ? .null : .string(String(decoding: table(desk, mayChangeMany), as: UTF8.self)),
            "is_empty": .bool(isEmpty), "is_all": .bool(chosen.isEmpty), "may_write": .bool(desk.may(.contactsWrite)),
            "may_change_many": .bool(mayChangeMany),
        ]
    }

    private func table(_ desk: Desk, _ mayChangeMany: Bool) -> [UInt8] {
        let items = list["items"]?.array ?? []
        let pick = mayChangeMany ? desk.texts["pick"] : nil
        var page = Markup(room: (items.count + 2) * 600)
        page.tags("<table class=\"list")
        if mayChangeMany { page.tags(" picks") }
        if !columns.isUsual { page.tags(" own") }
        page.tags("\"><thead><tr>")
        if mayChangeMany {
            page.tags("<th scope=\"col\" class=\"pick\"><input type=\"checkbox\" data-pick-all aria-label=\"")
            page.text(desk.texts["pick_all"])
            page.tags("\"></th>")
        }
        page.tags("<th scope=\"col\">")
        page.text(desk.texts["contact"])
        page.tags("</th>")
        columns.writeTitles(to: &page, desk.texts, known)
        page.tags("</tr></thead><tbody>")
        for item in items {
            ContactLine(item, desk.texts, columns.columns, known).write(to: &page, columns.columns, pick: pick)
        }
        page.tags("</tbody></table>")
        if let next = list["next"]?.string {
            page.tags("<p class=\"more\"><a class=\"quiet\" href=\"")
            page.text(ContactListQuery.address("/contacts", chosen, cursor: next))
            page.tags("\" data-more>")
            page.text(desk.texts["more"])
            page.tags("</a></p>")
        }
        return page.bytes
    }

    private func addViews(_ around: Around, _ model: inout JSON) {
        let segments = around.segments["items"]?.array ?? []
        model["segments"] = .array(
            segments.map { segment in
                [
                    "id": .string(segment["id"]?.scalarText ?? ""), "name": segment["name"] ?? .null,
                    "is_chosen": .bool(segment["id"]?.scalarText == chosen["segment"]),
                ]
            })
        model["has_segments"] = .bool(!segments.isEmpty)
        model["views"] = .array(
            (around.views["items"]?.array ?? []).map { view in
                let kept = (view["query"]?.object ?? [:]).compactMapValues(\.scalarText)
                return [
                    "name": view["name"] ?? .null, "href": .string(ContactListQuery.address("/contacts", kept)),
                    "id": view["id"] ?? .null, "is_own": view["own"] ?? false, "is_shared": view["shared"] ?? false,
                    "is_this": .bool(kept == chosen),
                ]
            })
    }

    /// Fields that can be set for many: those that are typed in one line.
    private func addFields(_ desk: Desk, _ model: inout JSON) {
        model["fields"] = .array(
            known.compactMap { field in
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
}

extension Operations {
    static let contactListPages: [Operation] = [
        page(
            "console.contacts", "/contacts", access: .tenant(.contactsRead), query: ContactListQuery.parameters,
            asking: { call in try await ContactListQuery(call).found(isPart: call.flag("part")) },
            { desk, page in try page.answer(desk) }),
        action("console.setColumns", "/contacts/columns", access: .tenant(.contactsRead)) { desk, form in
            let fields = try await desk.call.ask("listFields")["items"]?.array ?? []
            let chosen = ContactListQuery(desk.call, form).chosen
            return desk.go(ContactListQuery.address("/contacts", chosen)).with(
                .setCookie, ContactColumns(form, fields: fields).cookie)
        },
        action("console.saveView", "/contacts/views") { desk, form in
            let query = ContactListQuery(desk.call, form)
            do {
                var view = JSON.object(query.chosen.mapValues(JSON.string))
                if let segment = query.chosen["segment"] { view["segment"] = Int64(segment).map { .int($0) } ?? .null }
                (view["name"], view["shared"]) = (.string(form["name"]), .bool(form["shared"] == "true"))
                try await desk.call.ask("saveView", body: view)
                return desk.go(ContactListQuery.address("/contacts", query.chosen), notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await query.found().answer(desk, failure)
            }
        },
        action("console.deleteView", "/contacts/views/{id}/delete") { desk, _ in
            try await desk.call.ask("deleteView", desk.call.path)
            return desk.go("/contacts", notice: "gone")
        },
        action("console.editContacts", "/contacts/edit", access: .tenant(.contactsWrite)) { desk, form in
            let query = ContactListQuery(desk.call, form)
            do {
                let run = try await desk.call.ask("editContacts", body: try await edit(form, query))
                return desk.go("/runs/\(run["id"]?.scalarText ?? "")")
            } catch let failure as Failure where failure.kind != .broken {
                return try await query.found().answer(desk, failure)
            }
        },
    ]

    /// Contacts beyond which a change of all that are found waits for approval.
    private static let mostUnasked: Int64 = 100

    /// What a form says of many contacts, as the interface takes it.
    private static func edit(_ form: FormBody, _ query: ContactListQuery) async throws -> JSON {
        var edit: JSON = ["max_changes": .int(mostUnasked)]
        if form["scope"] == "found" {
            for key in ["q", "tag"] { edit[key] = query.chosen[key].map(JSON.string) }
            edit["condition"] = try await query.condition()
            if query.chosen.isEmpty { edit["all"] = true }
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
