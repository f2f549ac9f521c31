import Hub

/// The OpenAPI 3.1 description of a list of operations.
enum OpenAPIDocument {
    static func make(_ operations: [Operation], schemas: [String: JSON]) -> JSON {
        var paths: [String: JSON] = [:]
        for operation in operations where operation.isDocumented {
            var item = paths[operation.path] ?? [:]
            item[operation.verb.lowercased()] = describe(operation)
            paths[operation.path] = item
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Kontor", "version": "1",
                "description":
                    "Contacts in one place, and the same in every system. Errors are RFC 9457 problems with stable codes.",
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "A token of the API or of a session; both begin with kontor_.",
                    ]
                ],
            ],
        ]
    }

    private static func describe(_ operation: Operation) -> JSON {
        var responses: [String: JSON] = [:]
        for (status, schema) in operation.responses {
            var response: JSON = ["description": .string(Problem.title(status))]
            if let schema { response["content"] = .object([operation.answerType: ["schema": schema]]) }
            responses[String(status)] = response
        }
        for status in errors(of: operation) {
            responses[String(status)] = [
                "description": .string(Problem.title(status)),
                "content": .object([Problem.mediaType: ["schema": Schema.ref("Problem")]]),
            ]
        }
        var described: JSON = [
            "operationId": .string(operation.id), "summary": .string(operation.summary),
            "responses": .object(responses),
        ]
        let parameters = operation.parameters.map(describe)
        if !parameters.isEmpty { described["parameters"] = .array(parameters) }
        switch operation.body {
        case .none, .bytes: break
        case .json(let schema, _):
            described["requestBody"] = ["required": true, "content": ["application/json": ["schema": schema]]]
        case .stream(let mediaType):
            described["requestBody"] = [
                "required": true, "content": .object([mediaType: ["schema": ["type": "string"]]]),
            ]
        }
        switch operation.access {
        case .open: described["security"] = []
        case .staff: described["security"] = [["token": []]]
        case .tenant(let scope): described["security"] = [["token": [.string(scope.rawValue)]]]
        case .operators: described["security"] = [["token": [.string(Scope.operator.rawValue)]]]
        }
        return described
    }

    private static func describe(_ parameter: Parameter) -> JSON {
        [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue), "schema": parameter.schema,
            "description": .string(parameter.summary), "required": .bool(parameter.isRequired),
        ]
    }

    /// Statuses of errors an operation can answer with.
    static func errors(of operation: Operation) -> [Int] {
        var statuses = Set(operation.errors)
        statuses.formUnion([400, 500, 503])
        if case .open = operation.access {} else { statuses.formUnion([401, 403]) }
        if case .tenant = operation.access { statuses.insert(429) }
        if !operation.pathNames.isEmpty { statuses.insert(404) }
        switch operation.body {
        case .none: break
        case .json: statuses.formUnion([413, 415, 422])
        case .stream: statuses.formUnion([413, 415, 422])
        case .bytes: statuses.formUnion([413, 415])
        }
        return statuses.subtracting(operation.responses.keys).sorted()
    }
}
