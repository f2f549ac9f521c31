/// Normalises the value of one field and gathers what is wrong with it.
struct FieldNormaliser {
    let field: FieldCatalogue.Field
    let region: String
    let today: Day
    private(set) var problems: [FieldProblem] = []

    init(field: FieldCatalogue.Field, region: String, today: Day) {
        (self.field, self.region, self.today) = (field, region, today)
    }

    /// The value in the hub's form, null when it is empty; nil when it is wrong.
    mutating func normalise(_ value: JSON) -> JSON? {
        if value.isEmpty { return .null }
        switch field.type {
        case .entries, .addresses, .words, .multiChoice: return list(value)
        case .text: return text(value)
        case .number: return number(value)
        case .money: return money(value)
        case .date: return date(value)
        case .month: return month(value)
        case .choice: return choice(value, field.key)
        case .flag: return flag(value)
        case .link: return link(value)
        }
    }

    mutating func report(_ code: String, _ message: String, at path: String? = nil) {
        problems.append(FieldProblem(field: path ?? field.key, code: code, message: message))
    }

    private mutating func wrong(_ code: String, _ message: String, at path: String? = nil) -> JSON? {
        report(code, message, at: path)
        return nil
    }

    /// Cut to its limit, with a word about it.
    private mutating func limited(_ text: String, _ limit: Int, at path: String) -> JSON {
        if text.isEmpty { return .null }
        guard text.utf8.count > limit, text.unicodeScalars.count > limit else { return .string(text) }
        report("too_long", "was longer than \(limit) characters and has been cut", at: path)
        return .string(Text.trimmed(Text.cut(text, to: limit)))
    }

    private mutating func text(_ value: JSON) -> JSON? {
        guard let text = value.scalarText else { return wrong("not_text", "is not text") }
        let isStandard = FieldCatalogue.isStandard(field.key)
        if field.key == "language" && isStandard { return language(text) }
        if isStandard && field.key != "notes" { return limited(Text.line(text), Normaliser.maxName, at: field.key) }
        return limited(Text.lines(text), Normaliser.maxText, at: field.key)
    }

    /// "pl" or "pl-PL".
    private mutating func language(_ text: String) -> JSON {
        let parts = Text.line(text).split { $0 == "-" || $0 == "_" }
        let isLanguage = parts.first.map { (2...3).contains($0.utf8.count) && $0.utf8.allSatisfy(isLetter) } ?? false
        guard isLanguage, parts.count <= 2, parts.dropFirst().allSatisfy({ (2...4).contains($0.utf8.count) }) else {
            report("doubtful_language", "is no language code such as \"pl\" or \"pl-PL\"")
            return limited(Text.line(text), Normaliser.maxName, at: field.key)
        }
        return .string(([parts[0].lowercased()] + parts.dropFirst().map { $0.uppercased() }).joined(separator: "-"))
    }

    private func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }

    private mutating func number(_ value: JSON) -> JSON? {
        if value.double != nil { return value }
        guard let text = value.string.map(Text.trimmed), Digits.isAmount(text) else {
            return wrong("bad_number", "is no number: \(value.brief)")
        }
        return Int64(text).map(JSON.int) ?? Double(text).map(JSON.double)
    }

    /// Plain notation with at least two decimals.
    private mutating func money(_ value: JSON) -> JSON? {
        guard let text = value.bool == nil ? value.scalarText.map(Text.trimmed) : nil, Digits.isAmount(text) else {
            return wrong("bad_amount", "is no amount such as \"100.00\": \(value.brief)")
        }
        let parts = text.split(separator: ".")
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        return .string("\(parts[0]).\(fraction)\(String(repeating: "0", count: max(0, 2 - fraction.utf8.count)))")
    }

    private mutating func date(_ value: JSON) -> JSON? {
        guard let day = value.string.flatMap({ Day(iso: Text.trimmed($0)) }) else {
            return wrong("bad_date", "is no date YYYY-MM-DD: \(value.brief)")
        }
        if field.key == "birthday" && (day.year < 1900 || day > today) {
            return wrong("bad_birthday", "is not between 1900 and today: \(day.iso)")
        }
        return .string(day.iso)
    }

    private mutating func month(_ value: JSON) -> JSON? {
        let spelled = value.string.flatMap { Digits.number(Text.trimmed($0).utf8) }
        let number = value.int.flatMap { Int(exactly: $0) } ?? spelled
        guard let number, (1...12).contains(number) else {
            return wrong("bad_month", "is no month from 1 to 12: \(value.brief)")
        }
        return .int(Int64(number))
    }

    mutating func choice(_ value: JSON, _ path: String) -> JSON? {
        guard let text = value.scalarText.map(Text.line) else { return wrong("not_text", "is not text", at: path) }
        if field.choices.isEmpty { return limited(text, Normaliser.maxName, at: path) }
        if field.choices.contains(text) { return .string(text) }
        let alike = field.choices.filter { $0.lowercased() == text.lowercased() }
        if alike.count == 1 { return .string(alike[0]) }
        return wrong("bad_choice", "has no choice \(value.brief)", at: path)
    }

    private mutating func flag(_ value: JSON) -> JSON? {
        switch value.scalarText.map({ Text.trimmed($0).lowercased() }) {
        case "true", "yes", "1", "on": return true
        case "false", "no", "0", "off": return false
        default: return wrong("bad_flag", "is neither true nor false: \(value.brief)")
        }
    }

    private mutating func link(_ value: JSON) -> JSON? {
        guard let text = value.string.flatMap(Link.normalised), text.utf8.count <= Normaliser.maxText else {
            return wrong("bad_link", "is no web address: \(value.brief)")
        }
        return .string(text)
    }
}

extension FieldNormaliser {
    private mutating func list(_ value: JSON) -> JSON? {
        var items = value.array ?? [value]
        if items.count > Normaliser.maxItems {
            report("too_many", "had more than \(Normaliser.maxItems) items; the rest has been left out")
            items = Array(items.prefix(Normaliser.maxItems))
        }
        var kept: [JSON] = []
        var places: [JSON: Int] = [:]
        for (index, item) in items.enumerated() {
            guard let normal = self.item(item, "\(field.key)[\(index)]"), !normal.isEmpty else { continue }
            let identity = field.type == .addresses ? normal.without("label") : normal["value"] ?? normal
            if let place = places[identity] {
                if kept[place]["label"] == nil, let label = normal["label"] { kept[place]["label"] = label }
                continue
            }
            places[identity] = kept.count
            kept.append(normal)
        }
        return kept.isEmpty ? .null : .array(kept)
    }

    private mutating func item(_ value: JSON, _ path: String) -> JSON? {
        if value.isEmpty { return nil }
        switch field.type {
        case .multiChoice: return choice(value, path)
        case .words:
            guard let text = value.scalarText else { return wrong("not_text", "is not text", at: path) }
            return limited(Text.line(text), Normaliser.maxName, at: path)
        case .addresses: return address(value, path)
        default: return entry(value, path)
        }
    }

    private mutating func entry(_ value: JSON, _ path: String) -> JSON? {
        let members = value.object ?? ["value": value]
        if !checkMembers(members, path) { return nil }
        guard let given = members["value"], !given.isEmpty else { return nil }
        guard let text = given.scalarText else { return wrong("not_text", "is not text", at: path) }
        guard let normal = contactPoint(text, path) else { return nil }
        var entry: JSON = ["value": normal]
        entry["label"] = label(members, path)
        return entry
    }

    private mutating func contactPoint(_ text: String, _ path: String) -> JSON? {
        switch field.key {
        case "emails":
            guard let address = Email.normalised(text) else {
                return wrong("bad_email", "is no e-mail address: \(JSON.string(text).brief)", at: path)
            }
            return .string(address)
        case "phones":
            let line = Text.line(text)
            if line.utf8.count <= 250, case .number(let number) = Phone.read(line, region: region) {
                return .string(number)
            }
            report("doubtful_phone", "is no phone number that can be dialled: \(JSON.string(line).brief)", at: path)
            return limited(line, 250, at: path)
        default:
            let line = Text.line(text)
            if Link.isProgram(line) { return wrong("bad_link", "is no profile: \(JSON.string(text).brief)", at: path) }
            return limited(line, Normaliser.maxName, at: path)
        }
    }

    private mutating func address(_ value: JSON, _ path: String) -> JSON? {
        guard let members = value.object else { return wrong("not_address", "is no address", at: path) }
        if !checkMembers(members, path) { return nil }
        var address: JSON = .object([:])
        for key in field.type.members where key != "label" {
            guard let value = members[key], !value.isEmpty else { continue }
            guard let text = value.scalarText else {
                report("not_text", "is not text", at: "\(path).\(key)")
                continue
            }
            let line = Text.line(text)
            if !line.isEmpty { address[key] = limited(line, Normaliser.maxName, at: "\(path).\(key)") }
        }
        if address.isEmpty { return nil }
        if let country = address["country"]?.string {
            if let code = Country.code(country) {
                address["country"] = .string(code)
            } else {
                report("doubtful_country", "is no country known here: \(country)", at: "\(path).country")
            }
        }
        address["label"] = label(members, path)
        return address
    }

    private mutating func label(_ members: [String: JSON], _ path: String) -> JSON? {
        guard let value = members["label"], !value.isEmpty, let text = value.scalarText else { return nil }
        let line = Text.line(text)
        return line.isEmpty ? nil : limited(line, Normaliser.maxName, at: "\(path).label")
    }

    private mutating func checkMembers(_ members: [String: JSON], _ path: String) -> Bool {
        guard let stray = members.keys.filter({ !field.type.members.contains($0) }).min() else { return true }
        report("unknown_field", "has no member \"\(stray)\"", at: path)
        return false
    }
}

extension JSON {
    fileprivate func without(_ key: String) -> JSON {
        var copy = self
        copy[key] = nil
        return copy
    }
}
