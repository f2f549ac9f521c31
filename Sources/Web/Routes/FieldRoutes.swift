import HTTPTypes
import Hub
import Store

extension Operations {
    private static let key = name("key", Schema.text(1, 40), "The field's key.")

    static let fields: [Operation] = [
        Operation(
            id: "listFields", method: .get, path: "\(prefix)/fields",
            summary: "The fields of contacts, standard and own.",
            access: .tenant(.contactsRead), responses: [200: Schema.page(Schema.ref("Field"))],
            handle: { call in
                let fields = try await call.tenant.catalogue(as: call.actor).fields
                return .items(JSON.array(fields.map(\.json)).bytes)
            }),
        Operation(
            id: "createField", method: .post, path: "\(prefix)/fields", summary: "Adds a field of the tenant's own.",
            access: .tenant(.config), body: .json(Schema.ref("NewField")), responses: [201: Schema.ref("Field")],
            errors: [409],
            handle: { call in
                let key = call.body["key"]?.string ?? ""
                if call.body["is_key"] == true { try TenantDatabase.checkKeyType(call.body["type"]?.string ?? "") }
                try await call.tenant.addField(
                    as: call.actor, key: key, label: call.body["label"]?.string ?? "",
                    type: call.body["type"]?.string ?? "",
                    choices: call.body["choices"]?.array?.compactMap(\.string) ?? [])
                if call.body["is_key"] == true { try await call.tenant.setKey(key, as: call.actor, isKey: true) }
                return try await field(key, call, 201)
            }),
        Operation(
            id: "editField", method: .patch, path: "\(prefix)/fields/{key}",
            summary: "Changes label or choices of an own field, and whether it recognises contacts.",
            access: .tenant(.config), parameters: [key], body: .json(Schema.ref("FieldEdit")),
            responses: [200: Schema.ref("Field")],
            handle: { call in
                // first, as it is what may be refused
                if let isKey = call.body["is_key"]?.bool {
                    try await call.tenant.setKey(call.path["key"] ?? "", as: call.actor, isKey: isKey)
                }
                try await call.tenant.editField(
                    call.path["key"] ?? "", as: call.actor, label: call.body["label"]?.string,
                    choices: call.body["choices"]?.array?.compactMap(\.string))
                return try await field(call.path["key"] ?? "", call, 200)
            }),
        Operation(
            id: "deleteField", method: .delete, path: "\(prefix)/fields/{key}",
            summary: "Removes an own field that no contact has a value in.", access: .tenant(.config),
            parameters: [key],
            responses: [204: nil], errors: [409],
            handle: { call in
                try await call.tenant.removeField(call.path["key"] ?? "", as: call.actor)
                return .empty
            }),
    ]

    private static func field(_ key: String, _ call: Call, _ status: Int) async throws -> Answer {
        guard let field = try await call.tenant.catalogue(as: call.actor)[key] else { throw Failure.notFound("field") }
        return Answer(status, field.json)
    }
}

extension FieldCatalogue.Field {
    fileprivate var json: JSON {
        [
            "key": .string(key), "label": .string(label), "type": .string(type.rawValue),
            "choices": .array(choices.map(JSON.string)), "is_standard": .bool(FieldCatalogue.isStandard(key)),
            "is_key": .bool(isKey),
        ]
    }
}
