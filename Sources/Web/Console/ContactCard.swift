import Hub
import Store

/// One contact: what is known, from where, where else it is and why, and what happened to it.
struct ContactCard {
    private let desk: Desk
    private var call: Call { desk.call }
    private var texts: ConsoleTexts { desk.texts }

    init(_ desk: Desk) { self.desk = desk }

    func answer() async throws -> Answer {
        let path = call.path
        async let asked = call.ask("getContact", path)
        async let explained = call.askIfAllowed("explainContact", path)
        async let tried = call.askIfAllowed("contactAttempts", path, query: ["limit": 50])
        async let history = call.askIfAllowed("contactHistory", path, query: ["limit": 30])
        async let known = call.ask("listFields")
        async let people = call.askIfAllowed("listStaff")
        async let systems = call.askIfAllowed("listConnectors")
        async let erasure = call.askIfAllowed("listConsents", path)
        async let purposes = call.askIfAllowed("listPurposes")
        async let erased = certificate()
        async let tokens = call.askIfAllowed("listTokens")
        async let merged = call.askIfAllowed("listMerges", path)
        let (contact, labels) = (try await asked, try await known["items"]?.array ?? [])
        let certificate = try await erased
        let isErased = certificate != .null
        let name = self.name(contact, isErased: isErased)
        let staff = try await people?["items"]?.array ?? []
        let phrases = ReaderPhrases(texts: texts, fields: labels, staff: staff)
        let words = Actors(
            texts, people: staff, systems: try await systems?["items"]?.array ?? [],
            tokens: try await tokens?["items"]?.array ?? [])
        let plugins = (try await explained)?["plugins"]?.array ?? []
        let rows = ((try await history)?["items"]?.array ?? []).map { row($0, labels, words) }
        let attempts = try await tried?["items"]?.array ?? []
        let aims = try await purposes?["items"]?.array ?? []
        let isDeleted = contact["deleted_at"]?.string != nil
        let merges = ((try await merged)?["items"]?.array ?? []).filter { ($0["undone_at"] ?? .null).isNull }
        let here = merges.filter { $0["kept"] == contact["id"] }
        let into = contact["merged_into"]?.int
        let fields = fields(contact, labels, words)
        return try desk.page(
            "contact", title: name, place: "/contacts",
            [
                "id": contact["id"] ?? .null, "version": contact["version"] ?? .null,
                "initials": .string(FieldText.initials(name)),
                "name": .string(name), "company": contact["fields"]?["company"] ?? .null,
                "is_gone": .bool(isDeleted && !isErased && into == nil), "is_erased": .bool(isErased),
                "tags": .array(
                    (contact["fields"]?["tags"]?.array ?? []).map { tag in
                        ["text": tag, "href": .string("/contacts?tag=\(PercentText.encode(tag.string ?? ""))")]
                    }),
                "fields": .array(fields), "has_fields": .bool(!fields.isEmpty),
                "owner": (contact["owner"]?.int).map { .string(words.name("staff:\($0)")) } ?? .null,
                "owners": .array(
                    staff.filter { $0["disabled"] != true || $0["id"] == contact["owner"] }.map { person in
                        [
                            "value": person["id"] ?? .null,
                            "text": .string(words.name("staff:\(person["id"]?.scalarText ?? "")")),
                            "is_chosen": .bool(person["id"] == contact["owner"]),
                        ]
                    }), "may_give": .bool(desk.may(.contactsWrite) && !isDeleted && !staff.isEmpty),
                "plugins": .array(try plugins.map { try plugin($0, phrases, attempts) }),
                "has_plugins": .bool(!plugins.isEmpty),
                "can_retry": .bool(desk.may(.runs) && plugins.contains { $0["delivery"]?["state"] == "dead" }),
                "history": .array(rows), "may_write": .bool(desk.may(.contactsWrite) && !isDeleted),
                "purposes": .array(
                    aims.map { purpose in
                        ["value": purpose["key"] ?? .null, "text": .string(texts.title(ofPurpose: purpose))]
                    }),
                "has_purposes": .bool(!aims.isEmpty),
                "may_export": .bool(desk.may(.feed) && !isErased), "erased": certificate,
                "erase_title": .string(texts.filled("erase_title", ["name": name])),
                "erase_sure": .string(eraseQuestion(plugins)),
                "may_restore": .bool(desk.may(.contactsWrite) && isDeleted && !isErased && into == nil),
                "is_merged": .bool(into != nil), "into": into.map { .string("/contacts/\($0)") } ?? .null,
                "undo": into == nil ? .null : merges.first { $0["lost"] == contact["id"] }?["id"] ?? .null,
                "merges": .array(here.map { absorbed($0, words) }), "has_merges": .bool(!here.isEmpty),
                "consents": .array(((try await erasure)?["items"]?.array ?? []).map { consent($0, aims) }),
            ])
    }

    static let order = [
        "given_name", "family_name", "emails", "phones", "addresses", "company", "job_title", "birthday", "birth_month",
        "language", "profiles",
        "type",
        "source", "notes",
    ]

    private func fields(_ contact: JSON, _ known: [JSON], _ words: Actors) -> [JSON] {
        let values = contact["fields"]?.object ?? [:]
        let locks = Set((contact["locks"]?.array ?? []).compactMap(\.string))
        let keys = values.keys.filter {
            // the month is part of the day
            !["tags", "name", "kind"].contains($0)
                && !($0 == "birth_month" && values["birthday"] != nil)
        }
        let sorted = keys.sorted {
            (Self.order.firstIndex(of: $0) ?? 99, $0) < (Self.order.firstIndex(of: $1) ?? 99, $1)
        }
        return sorted.map { key in
            let origin = contact["origins"]?[key] ?? contact["origins"]?["*"]
            return [
                "label": .string(texts.label(key, known)), "key": .string(key),
                "pieces": .array(texts.pieces(values[key] ?? .null, of: key, known)),
                "from": origin?["by"]?.string.map { .string(words.name($0)) } ?? .null,
                "when": desk.moment(origin?["at"]), "is_locked": .bool(locks.contains(key)),
            ]
        }
    }

    private func name(_ contact: JSON, isErased: Bool) -> String {
        let name = contact["name"]?.string ?? ""
        return name.isEmpty ? texts[isErased ? "contact_nobody" : "contact_nameless"] : name
    }

    /// How far an erasure is; null when there was none.
    private func certificate() async throws -> JSON {
        do {
            let found = try await call.ask("getErasure", call.path)
            return [
                "has_systems": .bool(found["systems"]?.array?.isEmpty == false), "when": desk.moment(found["at"]),
                "systems": .array(
                    (found["systems"]?.array ?? []).map { system in
                        let state = system["state"]?.string ?? ""
                        return [
                            "name": system["connector"] ?? .null, "state": .string(texts["erasure_\(state)"]),
                            "badge": state == "removed" ? "good" : state == "failed" ? "bad" : "wait",
                        ]
                    }),
            ]
        } catch let failure as Failure where failure.kind == .notFound || failure.kind == .forbidden {
            return .null
        }
    }

    /// What is asked before a contact is erased, with the systems that have it.
    private func eraseQuestion(_ plugins: [JSON]) -> String {
        let names = plugins.filter { $0["delivery"]?["remote_id"]?.string != nil }.compactMap {
            $0["connector"]?.string
        }
        let systems = names.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let also = texts.filled("erase_also", ["systems": systems.joined(separator: ", ")])
        return systems.isEmpty ? texts["erase_sure"] : "\(texts["erase_sure"]) \(also)"
    }

    /// A contact that was merged into this one.
    private func absorbed(_ merge: JSON, _ words: Actors) -> JSON {
        let name = merge["lost_name"]?.string ?? ""
        return [
            "id": merge["id"] ?? .null, "contact": merge["kept"] ?? .null,
            "name": .string(name.isEmpty ? texts["contact_nameless"] : name),
            "href": .string("/contacts/\(merge["lost"]?.scalarText ?? "")"),
            "who": .string(words.name(merge["actor"]?.string ?? "")), "when": desk.moment(merge["at"]),
        ]
    }

    /// The last attempts to deliver by a plugin, newest first.
    private func attempts(_ plugin: JSON, _ all: [JSON]) -> [JSON] {
        all.filter { $0["plugin"] == plugin["id"] }.prefix(5).map { one in
            let outcome = one["outcome"]?.string ?? "open"
            let isGood = ["done", "gone", "skipped"].contains(outcome)
            return [
                "when": desk.moment(one["started_at"]), "text": .string(texts["outcome_\(outcome)"]),
                "badge": isGood ? "good" : outcome == "open" ? "wait" : "bad", "message": one["message"] ?? .null,
            ]
        }
    }

    private func plugin(_ plugin: JSON, _ phrases: ReaderPhrases, _ tried: [JSON]) throws -> JSON {
        let attempts = attempts(plugin, tried)
        let delivery = plugin["delivery"] ?? [:]
        let state = delivery["state"]?.string
        let verdict = VerdictWords(plugin["verdict"]?.string ?? "", in: phrases)
        let advice = try advice(plugin, verdict)
        let shown = state == "dead" ? "dead" : state == "done" ? "done" : state != nil ? "due" : "none"
        return [
            "system": plugin["connector"] ?? .null, "badge": .string(Self.badge(shown)),
            "state": .string(texts["delivery_\(shown)"]),
            "because": .string(verdict.because(system: plugin["connector"]?.string ?? "")),
            "words": phrases.words(plugin["rule"]?["filter"]), "remote": delivery["remote_id"] ?? .null,
            "problem": shown == "dead" ? texts.refusal(delivery["code"], of: plugin["connector"]) : .null,
            "message": shown == "dead" ? delivery["message"] ?? .null : .null,
            "advice": .array(advice.map(JSON.string)), "has_advice": .bool(!advice.isEmpty),
            "when": desk.moment(delivery["due_at"]), "attempts": .array(attempts),
            "has_attempts": .bool(!attempts.isEmpty),
        ]
    }

    /// What would change a verdict; nothing where there is none.
    private func advice(_ plugin: JSON, _ verdict: VerdictWords<ReaderPhrases>) throws -> [String] {
        guard let filter = plugin["rule"]?["filter"] else { return [] }
        let answers = (plugin["input"]?["answers"]?.array ?? []).map { $0["answer"] == true }
        return verdict.advice(
            try Condition(filter).verdict(leafResults: answers),
            mapped: (plugin["mapped"]?.array ?? []).compactMap(\.string))
    }

    private static func badge(_ shown: String) -> String {
        switch shown {
        case "dead": "bad"
        case "done": "good"
        case "due": "wait"
        default: "calm"
        }
    }

    private func row(_ change: JSON, _ known: [JSON], _ words: Actors) -> JSON {
        let keys = (change["fields"]?.array ?? []).compactMap(\.string)
        let changes = keys.map { key -> JSON in
            let sides = ["before", "after"].map { side in
                texts.pieces(change[side]?[key] ?? .null, of: key, known).compactMap { $0["text"]?.string }
                    .joined(separator: ", ")
            }
            return [
                "label": .string(texts.label(key, known)), "before": sides[0].isEmpty ? .null : .string(sides[0]),
                "after": sides[1].isEmpty ? .null : .string(sides[1]),
            ]
        }
        let who = words.name(change["actor"]?.string ?? "")
        return [
            "when": desk.moment(change["at"]), "kind": .string(texts["change_\(change["kind"]?.string ?? "")"]),
            "who": .string(who), "from": change["origin"]?.string == who ? .null : change["origin"] ?? .null,
            "changes": .array(changes),
        ]
    }

    private func consent(_ consent: JSON, _ asked: [JSON]) -> JSON {
        let isGranted = consent["granted"] == true
        return [
            "purpose": .string(texts.title(ofPurpose: consent["purpose"], asked)), "badge": isGranted ? "good" : "calm",
            "state": .string(texts[isGranted ? "consent_yes" : "consent_no"]), "source": consent["source"] ?? .null,
            "when": desk.moment(consent["evidence_at"] ?? consent["at"]),
        ]
    }
}

extension ConsoleTexts {
    /// What a field is called: in the reader's language, and those of the tenant's own as the tenant calls them.
    func label(_ key: String, _ known: [JSON]) -> String {
        let own = known.first { $0["key"]?.string == key && $0["is_standard"] == false }
        return own?["label"]?.string ?? field(key)
    }

    /// The same of a purpose's key.
    func title(ofPurpose key: JSON?, _ known: [JSON]) -> String {
        known.first { $0["key"] == key }.map(title(ofPurpose:)) ?? key?.string ?? ""
    }

    /// What people are asked to consent to: in the reader's language, else in English or any other.
    func title(ofPurpose purpose: JSON) -> String {
        let titles = purpose["title"]?.object ?? [:]
        return (titles[language] ?? titles["en"] ?? titles.values.first)?.string ?? purpose["key"]?.string ?? ""
    }
}

/// Who did something, in words.
struct Actors {
    private let texts: ConsoleTexts
    private let people: [JSON]
    private let systems: [JSON]
    private let tokens: [JSON]

    init(_ texts: ConsoleTexts, people: [JSON], systems: [JSON], tokens: [JSON]) {
        (self.texts, self.people, self.systems, self.tokens) = (texts, people, systems, tokens)
    }

    /// - Parameter actor: as the change log has it, such as `staff:3`.
    func name(_ actor: String) -> String {
        let halves = actor.split(separator: ":").map(String.init)
        guard halves.count == 2, let number = Int64(halves[1]) else { return texts["actor_system"] }
        switch halves[0] {
        case "staff":
            let person = people.first { $0["id"]?.int == number }
            return person?["name"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? person?["email"]?.string
                ?? texts.filled("actor_staff", ["n": halves[1]])
        case "intake", "connector":
            return systems.first { $0["id"]?.int == number }?["name"]?.string
                ?? texts.filled("actor_connector", ["n": halves[1]])
        case "token", "agent":
            let label = tokens.first { $0["id"]?.int == number }?["label"]?.string ?? ""
            if !label.isEmpty { return texts.filled("actor_token", ["n": "“\(label)”"]) }
            return texts.filled("actor_token", ["n": halves[1]])
        default: return actor
        }
    }
}
