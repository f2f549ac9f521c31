import HTTPTypes
import Hub
import Store

extension Operations {
    static let processing: [Operation] = [
        Operation(
            id: "getProcessingRecord", method: .get, path: "\(prefix)/processing-record",
            summary:
                "What is kept of people, what for, and who gets it: Kontor's part of the record of processing activities (GDPR, Article 30).",
            access: .tenant(.config), responses: [200: Schema.ref("ProcessingRecord")],
            handle: { call in
                let purposes = try await call.ask("listPurposes")["items"] ?? []
                let fields = try await call.ask("listFields")["items"]?.array ?? []
                let systems = try await call.ask("listConnectors")["items"]?.array ?? []
                return Answer([
                    "purposes": purposes,
                    "data": .array(fields.map { ["key": $0["key"] ?? .null, "label": $0["label"] ?? .null] }),
                    "recipients": .array(systems.map { recipient($0, call.services.manifests) }),
                ])
            })
    ]

    /// A connected system: what comes from it, what goes there, of whom, and which fields never do.
    private static func recipient(_ system: JSON, _ manifests: [Manifest]) -> JSON {
        let manifest = manifests.first { $0.kind == system["kind"]?.string }
        let flows = (system["plugins"]?.array ?? []).filter { $0["state"] == "on" }.map { plugin -> JSON in
            let known = manifest?.plugins.first { $0.name == plugin["name"]?.string }
            return [
                "title": .string(known?.title ?? plugin["name"]?.string ?? ""),
                "plugin": plugin["name"] ?? .null, "capability": plugin["capability"] ?? .null,
                "direction": plugin["capability"] == "pull" ? "from" : "to", "filter": plugin["filter"] ?? [:],
            ]
        }
        return [
            "name": system["name"] ?? .null, "kind": .string(manifest?.title ?? system["kind"]?.string ?? ""),
            "connector_kind": system["kind"] ?? .null,
            "state": system["state"] ?? .null, "flows": .array(flows), "hidden_fields": system["hidden_fields"] ?? [],
            "visible_facets": system["visible_facets"] ?? .null,
        ]
    }
}
