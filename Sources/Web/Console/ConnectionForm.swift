import Hub

/// What a kind of connector asks for, as fields of a form, and what was typed into them.
struct ConnectionForm {
    private let desk: Desk
    private let kind: JSON
    private var asked: [JSON] { kind["settings"]?.array ?? [] }

    /// - Parameter kind: as the interface lists it.
    init(_ desk: Desk, _ kind: JSON) { (self.desk, self.kind) = (desk, kind) }

    /// Fields of a page: those that have to be filled in, and, folded away, those that need not be.
    /// - Parameters:
    ///   - form: what was typed, when that was refused.
    ///   - system: the connection whose settings these are; null for a new one.
    func model(_ form: FormBody?, of system: JSON = .null) -> JSON {
        func isNeeded(_ setting: JSON) -> Bool {
            setting["is_required"] == true && (setting["fallback"] ?? .null).isNull
        }
        let extra = asked.filter { !isNeeded($0) }
        return [
            "settings": inputs(asked.filter(isNeeded), form, of: system),
            "extra": inputs(extra, form, of: system), "has_extra": .bool(!extra.isEmpty),
        ]
    }

    private func inputs(_ asked: [JSON], _ form: FormBody?, of system: JSON) -> JSON {
        .array(
            asked.map { setting in
                let name = setting["name"]?.string ?? ""
                let isSecret = setting["is_secret"] == true
                let isKept = isSecret && system["secrets"]?.array?.contains(.string(name)) == true
                let stored = system["settings"]?[name] ?? setting["fallback"]
                let isLines = setting["fallback"]?.object != nil
                let typed = form?.has("set.\(name)") == true ? form?.raw("set.\(name)") : nil
                return [
                    "name": .string(name),
                    "label": .string(
                        desk.title(
                            ofSetting: name, kind: kind["kind"]?.string ?? "", label: setting["label"]?.string ?? name)),
                    "type": isSecret ? "password" : "text", "is_lines": .bool(isLines), "is_kept": .bool(isKept),
                    "is_required": .bool(setting["is_required"] == true && !isKept),
                    "value": .string(
                        isSecret ? "" : typed ?? (isLines ? Self.lines(stored) : stored?.scalarText ?? "")),
                ]
            })
    }

    /// What was typed, in the type of each setting's fallback; secrets that were left empty stay as they are.
    /// - Parameter system: the connection whose settings these are; null for a new one.
    func settings(_ form: FormBody, of system: JSON = .null) -> JSON {
        var settings: JSON = [:]
        for setting in asked {
            guard let name = setting["name"]?.string, form.has("set.\(name)") else { continue }
            let isSecret = setting["is_secret"] == true
            let text = isSecret ? form.raw("set.\(name)") : form["set.\(name)"]
            if text.isEmpty {
                // what was something before is emptied
                if !isSecret, let was = system["settings"]?[name], !was.isNull, was != "" {
                    let usual = setting["fallback"] ?? .null
                    settings[name] = usual.isNull ? "" : usual
                }
                continue
            }
            switch setting["fallback"] {
            case .bool?: settings[name] = .bool(text == "true")
            case .int?: settings[name] = Int64(text).map { .int($0) } ?? .string(text)
            case .double?: settings[name] = Double(text).map { .double($0) } ?? .string(text)
            case .object?: settings[name] = Self.members(form.lines("set.\(name)"))
            default: settings[name] = .string(text)
            }
        }
        return settings
    }

    /// "X-Source: kontor", one member a line.
    private static func lines(_ value: JSON?) -> String {
        (value?.object ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.scalarText ?? "")" }
            .joined(separator: "\n")
    }

    private static func members(_ lines: [String]) -> JSON {
        .object(
            Dictionary(
                lines.map { line in
                    let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    return (
                        String(halves[0]), JSON.string(halves.count == 2 ? String(halves[1].drop { $0 == " " }) : "")
                    )
                }
            ) { $1 })
    }
}
