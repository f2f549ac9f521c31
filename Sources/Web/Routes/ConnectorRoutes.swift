import HTTPTypes
import Hub
import Store

extension Operations {
    private static let connectorID = id("id", "The connector's number.")

    static let connectors: [Operation] = [
        Operation(
            id: "listConnectorKinds", method: .get, path: "\(prefix)/connector-kinds",
            summary: "Kinds of connectors, with what they need and can do.", access: .tenant(.config),
            responses: [200: Schema.page(Schema.ref("ConnectorKind"))],
            handle: { call in .items(JSON.array(call.services.manifests.map(\.json)).bytes) }),
        Operation(
            id: "listConnectors", method: .get, path: "\(prefix)/connectors",
            summary: "All connectors with their plugins.",
            access: .tenant(.config), responses: [200: Schema.page(Schema.ref("Connector"))],
            handle: { call in .items(try await call.tenant.connectors(as: call.actor)) }),
        Operation(
            id: "createConnector", method: .post, path: "\(prefix)/connectors",
            summary: "Makes a connector with its plugins, which are off. Secret settings are never shown again.",
            access: .tenant(.config), body: .json(Schema.ref("NewConnector")),
            responses: [201: Schema.ref("Connector")],
            errors: [409], handle: create),
        Operation(
            id: "getConnector", method: .get, path: "\(prefix)/connectors/{id}",
            summary: "One connector with its plugins.",
            access: .tenant(.config), parameters: [connectorID], responses: [200: Schema.ref("Connector")],
            handle: { call in try await connector(call.id(), call) }),
        Operation(
            id: "editConnector", method: .patch, path: "\(prefix)/connectors/{id}",
            summary:
                "Changes a connector. Settings that are given replace those of the same name; new secrets unlock it.",
            access: .tenant(.config), parameters: [connectorID], body: .json(Schema.ref("ConnectorEdit")),
            responses: [200: Schema.ref("Connector")], handle: edit),
        Operation(
            id: "checkConnector", method: .post, path: "\(prefix)/connectors/{id}/check",
            summary: "Asks the other system whether the settings work.", access: .tenant(.config),
            parameters: [connectorID],
            responses: [202: Schema.ref("Run")],
            handle: { call in
                let id = try call.id()
                _ = try await call.tenant.kind(ofConnector: id, as: call.actor)
                return try await accepted(call.tenant.createRun(as: call.actor, kind: "check", connector: id), call)
            }),
        Operation(
            id: "connectorHookURL", method: .get, path: "\(prefix)/connectors/{id}/hook-url",
            summary: "The path that the other system sends its webhooks to, on this server.", access: .tenant(.config),
            parameters: [connectorID], responses: [200: Schema.ref("HookURL")],
            handle: { call in
                let id = try call.id()
                _ = try await call.tenant.kind(ofConnector: id, as: call.actor)
                let path = try await call.services.node.hookPath(tenant: call.tenant.tenant.id, connector: id)
                return Answer(["path": .string("/hooks/\(path)")])
            }),
    ]

    static let plugins: [Operation] = [
        Operation(
            id: "getPlugin", method: .get, path: "\(prefix)/plugins/{id}",
            summary: "One plugin with its rule in force.",
            access: .tenant(.config), parameters: [id("id", "The plugin's number.")],
            responses: [200: Schema.ref("Plugin")],
            handle: { call in Answer(json: try await call.tenant.plugin(call.id(), as: call.actor)) }),
        Operation(
            id: "editPlugin", method: .patch, path: "\(prefix)/plugins/{id}",
            summary: "Changes a plugin. A new filter or mapping makes a new rule.", access: .tenant(.config),
            parameters: [id("id", "The plugin's number.")], body: .json(Schema.ref("PluginEdit")),
            responses: [200: Schema.ref("Plugin")],
            handle: { call in
                let id = try call.id()
                try await call.tenant.editPlugin(
                    id, as: call.actor,
                    PluginEdit(
                        state: call.body["state"]?.string, filter: call.body["filter"], mapping: call.body["mapping"],
                        everySeconds: call.body["every_seconds"].map { $0.int.map { Int($0) } },
                        since: call.body["since"].map(\.string),
                        maxChanges: call.body["max_changes"].map { $0.int.map { Int($0) } }))
                call.tenant.ring()
                return Answer(json: try await call.tenant.plugin(id, as: call.actor))
            }),
        Operation(
            id: "runPlugin", method: .post, path: "\(prefix)/plugins/{id}/run",
            summary: "Asks a plugin that pulls to do so now.",
            access: .tenant(.config), parameters: [id("id", "The plugin's number."), dry, maxChanges],
            responses: [202: Schema.ref("Run")],
            errors: [409],
            handle: { call in
                try await accepted(
                    call.tenant.runPlugin(
                        call.id(), as: call.actor, maxChanges: call.query["max_changes"]?.int, isDry: call.flag("dry")),
                    call)
            }),
        Operation(
            id: "tryMapping", method: .post, path: "\(prefix)/plugins/{id}/try",
            summary: "Tries a mapping on some records as they are now: the run's samples show each before and after.",
            access: .tenant(.config), parameters: [id("id", "The plugin's number.")],
            body: .json(Schema.ref("MappingTrial")), responses: [202: Schema.ref("Run")], errors: [409],
            handle: { call in
                try await accepted(
                    call.tenant.tryMapping(
                        plugin: call.id(), mapping: call.body["mapping"], records: Int(call.body["records"]?.int ?? 10),
                        as: call.actor), call)
            }),
    ]

    @Sendable private static func create(_ call: Call) async throws -> Answer {
        let manifest = try call.services.manifest(call.body["kind"]?.string ?? "")
        if manifest.plugins.contains(where: { $0.capability == .pull && $0.entity != .contact }) {
            try await call.services.provisioner.ensure(module: "sales", for: call.tenant.tenant)
        }
        let id = try await call.tenant.createConnector(
            as: call.actor, manifest: manifest, name: call.body["name"]?.string ?? "",
            settings: call.body["settings"] ?? [:],
            rank: Int(call.body["rank"]?.int ?? 50))
        return try await connector(id, call, 201).with(.location, "\(prefix)/connectors/\(id)")
    }

    @Sendable private static func edit(_ call: Call) async throws -> Answer {
        let id = try call.id()
        let manifest = try call.services.manifest(await call.tenant.kind(ofConnector: id, as: call.actor))
        var edit = ConnectorEdit()
        edit.state = call.body["state"]?.string
        edit.settings = call.body["settings"]
        edit.rank = call.body["rank"]?.int.map { Int($0) }
        edit.visibleFacets = call.body["visible_facets"]?.array?.compactMap(\.string)
        edit.hiddenFields = call.body["hidden_fields"]?.array?.compactMap(\.string)
        edit.closedFields = call.body["closed_fields"]?.array?.compactMap(\.string)
        try await call.tenant.editConnector(id, as: call.actor, manifest: manifest, edit)
        return try await connector(id, call)
    }

    private static func connector(_ id: Int64, _ call: Call, _ status: Int = 200) async throws -> Answer {
        let list = try await call.tenant.connectors(as: call.actor, id: id)
        guard list.count > 2 else { throw Failure.notFound("connector") }
        return Answer(status, json: Array(list.dropFirst().dropLast()))
    }
}

extension Manifest {
    fileprivate var json: JSON {
        [
            "kind": .string(kind), "title": .string(title), "receives_hooks": .bool(receivesHooks),
            "signs_in": .bool(signIn != nil),
            "settings": .array(
                settings.filter(\.isTyped).map {
                    [
                        "name": .string($0.name), "label": .string($0.label), "is_secret": .bool($0.isSecret),
                        "is_required": .bool($0.isRequired), "fallback": $0.fallback ?? .null,
                    ]
                }),
            "plugins": .array(
                plugins.map {
                    [
                        "name": .string($0.name), "title": .string($0.title),
                        "capability": .string($0.capability.rawValue),
                        "entity": .string($0.entity.rawValue), "filter": $0.filter, "mapping": $0.mapping,
                    ]
                }),
        ]
    }
}
