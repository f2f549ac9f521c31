import Hub
import Store

/// Entries of the audit log as people read them: names in place of numbers, what rights and fields were and are.
struct AuditWords {
    /// Links in one entry; of what is beyond them the number is told.
    private static let mostContacts = 50
    let desk: Desk
    let actors: Actors
    /// As the interface lists them; empty where the reader may not see them.
    let systems: [JSON]
    let roles: [JSON]
    let segments: [JSON]
    let fields: [JSON]
    private var texts: ConsoleTexts { desk.texts }

    /// - Parameter entry: as the interface lists it.
    /// - Returns: members for the page's template.
    func row(_ entry: JSON) -> JSON {
        let (actor, action) = (entry["actor"]?.string ?? "", entry["action"]?.string ?? "")
        let (what, href) = record(entry)
        let further = (entry["details"]?["contacts"]?.array ?? []).count - Self.mostContacts
        return [
            "who": .string(actors.name(actor)), "by": .string("/audit?actor=\(PercentText.encode(actor))"),
            "action": .string(said(action)), "like": .string("/audit?action=\(PercentText.encode(action))"),
            "what": what, "href": href, "when": desk.moment(entry["at"]),
            "details": .array(details(entry).map(JSON.string)), "contacts": .array(contacts(entry)),
            "further": further > 0 ? .string("+ \(further)") : .null,
        ]
    }

    /// What was done.
    func said(_ action: String) -> String { texts.known("did_\(action.replacing(".", with: "_"))") ?? action }

    /// What it was done to, by its name where it still has one, and where that is.
    private func record(_ entry: JSON) -> (JSON, JSON) {
        guard let entity = entry["entity"]?.string else { return (.null, .null) }
        let number = entry["record"]?.scalarText ?? ""
        let title = texts.known("entity_\(entity)") ?? entity
        let (name, href) = name(of: entity, entry["record"] ?? .null, entry["details"] ?? [:])
        let text = name.map { "\(title) \($0)" } ?? (number.isEmpty ? title : "\(title) \(number)")
        return (.string(text), href.map(JSON.string) ?? .null)
    }

    private func name(of entity: String, _ record: JSON, _ details: JSON) -> (String?, String?) {
        let number = record.scalarText ?? ""
        let written = ["after", "before"].lazy.compactMap {
            details[$0]?["name"]?.string ?? details[$0]?["key"]?.string ?? details[$0]?["purpose"]?.string
        }
        switch entity {
        case "contact": return (nil, "/contacts/\(number)")
        case "staff", "team_member": return (actors.name("staff:\(number)"), "/staff/\(number)")
        case "connector":
            let system = systems.first { $0["id"] == record }
            return (system?["name"]?.string, system == nil ? nil : "/connections/\(number)")
        case "plugin": return flow(record)
        case "role":
            let role = roles.first { $0["id"] == record }
            return (role?["title"]?.string ?? written.first, role == nil ? nil : "/staff/roles/\(number)")
        case "segment":
            let segment = segments.first { $0["id"] == record }
            return (segment?["name"]?.string ?? written.first, segment == nil ? nil : "/segments/\(number)")
        case "field": return (written.first.map { texts.label($0, fields) }, nil)
        default: return (written.first, nil)
        }
    }

    /// A flow of a connection, which may be gone.
    private func flow(_ record: JSON) -> (String?, String?) {
        for system in systems {
            guard let plugin = system["plugins"]?.array?.first(where: { $0["id"] == record }) else { continue }
            let title = desk.title(
                ofPlugin: plugin["name"]?.string ?? "", kind: system["kind"]?.string ?? "",
                of: system["name"]?.string ?? "")
            return (
                "“\(title)”", "/connections/\(system["id"]?.scalarText ?? "")/plugins/\(record.scalarText ?? "")"
            )
        }
        return (nil, nil)
    }

    private func contacts(_ entry: JSON) -> [JSON] {
        (entry["details"]?["contacts"]?.array ?? []).prefix(Self.mostContacts).map {
            ["number": $0, "href": .string("/contacts/\($0.scalarText ?? "")")]
        }
    }

    /// What else is said, a line each.
    private func details(_ entry: JSON) -> [String] {
        let details = entry["details"]?.object ?? [:]
        let isChange = entry["action"] == "changed"
        var lines = changes(details["before"] ?? [:], details["after"] ?? [:])
        for (key, value) in details.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "before", "after", "contacts": break
            // tells a reader nothing
            case "session": break
            case "account":
                if entry["actor"] != .string("staff:\(value.scalarText ?? "")") {
                    lines.append(line("detail_account", actors.name("staff:\(value.scalarText ?? "")")))
                }
            // of what came or went they are always the same
            case "fields":
                if isChange { lines.append(line("detail_fields", listed(value) { texts.known("column_\($0)") ?? $0 })) }
            case "scopes": lines.append(line("token_scopes", listed(value, texts.grant)))
            default: lines.append(line("detail_\(key)", listed(value) { $0 }))
            }
        }
        return lines
    }

    private func line(_ key: String, _ value: String) -> String {
        "\(texts.known(key) ?? String(key.dropFirst("detail_".count))): \(value)"
    }

    private func listed(_ value: JSON, _ said: (String) -> String) -> String {
        // two columns may have one name
        (value.array ?? [value]).map { said($0.scalarText ?? $0.text) }
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.joined(separator: ", ")
    }

    /// What was before and is after where they differ, each under its name.
    private func changes(_ before: JSON, _ after: JSON) -> [String] {
        let (was, now) = (leaves(before), leaves(after))
        return Set(was.keys).union(now.keys).sorted().compactMap { path in
            // the first are the program's own
            guard !["id", "version", "created_at", "name", "key"].contains(path), was[path] != now[path] else {
                return nil
            }
            let sides = [was[path], now[path]].map { $0.map { value($0, at: path) } }
            let former = sides[0].map { "\($0) → " } ?? ""
            return "\(label(path)): \(former)\(sides[1] ?? "–")"
        }
    }

    /// Values by where they stand, with points between the names; lists are one value.
    private func leaves(_ value: JSON, _ path: String = "") -> [String: JSON] {
        guard let members = value.object else { return value.isNull || value == [] ? [:] : [path: value] }
        return members.reduce(into: [:]) { all, member in
            all.merge(leaves(member.value, path.isEmpty ? member.key : "\(path).\(member.key)")) { $1 }
        }
    }

    /// What a place in a role's rights, a field or a team's member is called on the page where it is set.
    private func label(_ path: String) -> String {
        let parts = path.split(separator: ".").map(String.init)
        guard parts.first == "rights" else {
            return texts.known("column_\(path)") ?? texts.known("detail_\(path)") ?? path
        }
        switch (parts.dropFirst().first, parts.last ?? "") {
        case ("contact", let kind) where parts.contains("only"): return texts["role_only_\(kind)"]
        case ("contact", "hidden"), ("contact", "masked"):
            return "\(texts["role_fields"]), \(texts["sight_\(parts[2])"])"
        case ("contact", let right): return texts.known("role_\(right)") ?? path
        case ("functions", _): return texts["role_functions"]
        case (let entity?, _): return texts.known("role_\(entity)") ?? path
        default: return path
        }
    }

    private func value(_ value: JSON, at path: String) -> String {
        if let flag = value.bool { return texts["flag_\(flag)"] }
        return listed(value) { text in
            switch path {
            case "rights.functions": texts.known("function_\(text)") ?? text
            case "rights.contact.hidden", "rights.contact.masked": texts.label(text, fields)
            case "account": actors.name("staff:\(text)")
            case "type": texts.known("type_\(text)") ?? text
            default:
                path.hasPrefix("rights.") && !path.contains(".only.")
                    ? texts.known("scope_\(text)").map { _ in
                        Operations.scope(
                            text, of: path.split(separator: ".").dropFirst().first.map(String.init) ?? "", texts)
                    } ?? text : text
            }
        }
    }
}

extension ConsoleTexts {
    /// What an API token may do.
    /// - Parameter scope: as the interface calls it.
    func grant(_ scope: String) -> String { known("grant_\(scope.replacing(":", with: "_"))") ?? scope }
}
