import Hub

/// Checks a JSON value against the part of JSON Schema (2020-12) that Kontor's schemas are written in.
struct SchemaCheck {
    /// What "#/components/schemas/..." leads to.
    let schemas: [String: JSON]
    private(set) var problems: [JSON] = []
    private static let maxProblems = 20

    init(schemas: [String: JSON]) { self.schemas = schemas }

    /// Mistakes as {"field": place, "code", "message"}; empty when the value is good.
    static func problems(_ value: JSON, _ schema: JSON, schemas: [String: JSON], at place: String = "") -> [JSON] {
        var check = SchemaCheck(schemas: schemas)
        check.check(value, schema, place)
        return check.problems
    }

    private mutating func report(_ place: String, _ code: String, _ message: String) {
        guard problems.count < Self.maxProblems else { return }
        problems.append(["field": .string(place), "code": .string(code), "message": .string(message)])
    }

    mutating func check(_ value: JSON, _ schema: JSON, _ place: String) {
        if let name = schema["$ref"]?.string?.split(separator: "/").last, let target = schemas[String(name)] {
            return check(value, target, place)
        }
        if let choices = schema["anyOf"]?.array {
            let fits = choices.contains { Self.problems(value, $0, schemas: schemas).isEmpty }
            if !fits { report(place, "type", "is of none of the kinds that are allowed here") }
            return
        }
        if let wanted = schema["type"], !Self.isType(value, wanted) {
            return report(place, "type", "must be \(Self.words(wanted))")
        }
        if let allowed = schema["enum"]?.array, !allowed.contains(value) {
            return report(place, "choice", "must be one of \(allowed.map(\.text).joined(separator: ", "))")
        }
        switch value {
        case .string(let text): check(text: text, schema, place)
        case .int, .double: check(number: value, schema, place)
        case .array(let items): check(items: items, schema, place)
        case .object(let members): check(members: members, schema, place)
        case .null, .bool: break
        }
    }

    private mutating func check(text: String, _ schema: JSON, _ place: String) {
        let count = Int64(text.unicodeScalars.count)
        if let least = schema["minLength"]?.int, count < least {
            report(place, "short", "must have \(least) characters or more")
        }
        if let most = schema["maxLength"]?.int, count > most {
            report(place, "long", "must have \(most) characters at most")
        }
        if let pattern = schema["pattern"]?.string, !TextPattern.matches(text, pattern) {
            report(place, "pattern", "must be written like \(pattern)")
        }
        switch schema["format"]?.string {
        case "date-time" where !RFC3339.isMoment(text):
            report(place, "moment", "must be a moment such as 2026-01-31T12:00:00Z")
        case "date" where Day(iso: text) == nil: report(place, "date", "must be a day such as 2026-01-31")
        default: break
        }
    }

    private mutating func check(number: JSON, _ schema: JSON, _ place: String) {
        guard let value = number.double else { return }
        if let least = schema["minimum"]?.double, value < least {
            report(place, "small", "must be \(schema["minimum"]?.scalarText ?? "") or more")
        }
        if let most = schema["maximum"]?.double, value > most {
            report(place, "large", "must be \(schema["maximum"]?.scalarText ?? "") at most")
        }
    }

    private mutating func check(items: [JSON], _ schema: JSON, _ place: String) {
        if let least = schema["minItems"]?.int, items.count < least {
            report(place, "few", "must have \(least) entries or more")
        }
        if let most = schema["maxItems"]?.int, items.count > most {
            report(place, "many", "must have \(most) entries at most")
        }
        if schema["uniqueItems"]?.bool == true, Set(items).count < items.count {
            report(place, "repeated", "must not repeat an entry")
        }
        guard let kind = schema["items"] else { return }
        for (index, item) in items.enumerated() {
            guard problems.count < Self.maxProblems else { return }
            check(item, kind, "\(place)[\(index)]")
        }
    }

    private mutating func check(members: [String: JSON], _ schema: JSON, _ place: String) {
        let known = schema["properties"]?.object ?? [:]
        for name in schema["required"]?.array?.compactMap(\.string) ?? [] where members[name] == nil {
            report(Self.join(place, name), "missing", "is needed")
        }
        if let least = schema["minProperties"]?.int, members.count < least {
            report(place, "few", "must have \(least) members or more")
        }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let kind = known[name] {
                check(value, kind, Self.join(place, name))
            } else if schema["additionalProperties"]?.bool == false {
                report(Self.join(place, name), "unknown", "is not a member that is known here")
            } else if let kind = schema["additionalProperties"], kind.object != nil {
                check(value, kind, Self.join(place, name))
            }
        }
    }

    private static func join(_ place: String, _ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    private static func isType(_ value: JSON, _ wanted: JSON) -> Bool {
        if let several = wanted.array { return several.contains { isType(value, $0) } }
        switch (wanted.string, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object):
            return true
        case ("integer", _): return value.int != nil
        case ("number", .int), ("number", .double): return true
        default: return false
        }
    }

    private static func words(_ wanted: JSON) -> String {
        wanted.array.map { $0.map(words).joined(separator: " or ") } ?? wanted.string ?? ""
    }
}
