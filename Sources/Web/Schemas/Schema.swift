import Hub

/// Building stones of schemas (JSON Schema 2020-12, as OpenAPI 3.1 takes it).
enum Schema {
    static let id: JSON = ["type": "integer", "format": "int64", "minimum": 1]
    static let whole: JSON = ["type": "integer", "format": "int64"]
    static let flag: JSON = ["type": "boolean"]
    static let string: JSON = ["type": "string"]
    static let moment: JSON = ["type": "string", "format": "date-time"]
    static let day: JSON = ["type": "string", "format": "date"]
    /// Any object.
    static let anyObject: JSON = ["type": "object"]
    /// Any JSON value.
    static let anything: JSON = [:]
    static let strings: JSON = ["type": "array", "items": ["type": "string"]]

    static func text(_ least: Int64 = 1, _ most: Int64) -> JSON {
        ["type": "string", "minLength": .int(least), "maxLength": .int(most)]
    }

    static func choice(_ values: [String]) -> JSON { ["type": "string", "enum": .array(values.map(JSON.string))] }

    static func whole(_ least: Int64, _ most: Int64) -> JSON {
        ["type": "integer", "format": "int64", "minimum": .int(least), "maximum": .int(most)]
    }

    static func list(_ item: JSON, most: Int64? = nil) -> JSON {
        var schema: JSON = ["type": "array", "items": item]
        if let most { schema["maxItems"] = .int(most) }
        return schema
    }

    /// The same or null.
    static func orNull(_ schema: JSON) -> JSON {
        guard let type = schema["type"] else { return ["anyOf": [schema, ["type": "null"]]] }
        var copy = schema
        copy["type"] = [type, "null"]
        if let values = schema["enum"]?.array { copy["enum"] = .array(values + [.null]) }
        return copy
    }

    /// An object with these members and no others.
    /// - Parameter optional: members that may be missing; all others are needed.
    static func object(_ members: [String: JSON], optional: [String] = []) -> JSON {
        let needed = members.keys.filter { !optional.contains($0) }.sorted()
        var schema: JSON = ["type": "object", "properties": .object(members), "additionalProperties": false]
        if !needed.isEmpty { schema["required"] = .array(needed.map(JSON.string)) }
        return schema
    }

    /// An object of a change: any of these members, at least one.
    static func edit(_ members: [String: JSON]) -> JSON {
        var schema = object(members, optional: Array(members.keys))
        schema["minProperties"] = 1
        return schema
    }

    static func ref(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    /// A page of a list.
    static func page(_ item: JSON) -> JSON {
        object(["items": ["type": "array", "items": item], "next": ["type": ["string", "null"]]])
    }
}

/// Schemas by name.
enum Schemas {
    static let all: [String: JSON] = [
        audit, common, contacts, connectors, privacy, runs, segments, sql, staff, tenants, usage,
    ].reduce(into: [:]) { all, some in all.merge(some) { _, _ in preconditionFailure("two schemas of one name") } }

    static let common: [String: JSON] = [
        "Problem": Schema.object([
            "type": Schema.string, "title": Schema.string, "status": Schema.whole(400, 599), "code": Schema.string,
            "detail": Schema.string, "errors": Schema.list(Schema.anyObject),
        ]),
        "Count": Schema.object(["count": Schema.whole]),
        "Health": Schema.object(["status": Schema.string]),
    ]
}
