import Hub

extension Schemas {
    static let connectors: [String: JSON] = [
        "ConnectorKind": Schema.object([
            "kind": Schema.string, "title": Schema.string, "receives_hooks": Schema.flag, "signs_in": Schema.flag,
            "settings": Schema.list(
                Schema.object([
                    "name": Schema.string, "label": Schema.string, "is_secret": Schema.flag, "is_required": Schema.flag,
                    "fallback": Schema.anything,
                ])),
            "plugins": Schema.list(
                Schema.object([
                    "name": Schema.string, "title": Schema.string, "capability": Schema.string, "entity": Schema.string,
                    "filter": Schema.anyObject, "mapping": Schema.anyObject,
                ])),
        ]),
        "Connector": Schema.object([
            "id": Schema.id, "kind": Schema.string, "name": Schema.string, "settings": Schema.anyObject,
            "state": Schema.string, "state_reason": Schema.orNull(Schema.string), "rank": Schema.whole,
            "visible_facets": Schema.orNull(Schema.strings), "hidden_fields": Schema.strings,
            "closed_fields": Schema.strings, "created_at": Schema.moment, "secrets": Schema.orNull(Schema.strings),
            "plugins": Schema.list(Schema.ref("ConnectorPlugin")),
        ]),
        "ConnectorPlugin": Schema.object(pluginMembers),
        "Plugin": Schema.object(pluginMembers.merging(["connector": Schema.id]) { first, _ in first }),
        "NewConnector": Schema.object(
            [
                "kind": Schema.text(1, 40), "name": Schema.text(1, 100), "settings": Schema.anyObject,
                "rank": Schema.whole(1, 100),
            ], optional: ["settings", "rank"]),
        "ConnectorEdit": Schema.edit([
            "state": Schema.choice(["on", "paused"]), "settings": Schema.anyObject, "rank": Schema.whole(1, 100),
            "visible_facets": Schema.list(Schema.text(1, 100), most: 100),
            "hidden_fields": Schema.list(Schema.text(1, 40), most: 300),
            "closed_fields": Schema.list(Schema.text(1, 40), most: 300),
        ]),
        "PluginEdit": Schema.edit([
            "state": Schema.choice(["off", "on", "paused"]), "filter": Schema.anyObject, "mapping": Schema.anyObject,
            "every_seconds": Schema.orNull(Schema.whole(10, 31_536_000)), "since": Schema.orNull(Schema.day),
            "max_changes": Schema.orNull(Schema.whole(0, 100_000_000)),
        ]),
        "MappingTrial": Schema.object(
            ["mapping": Schema.anyObject, "records": Schema.whole(1, 50)], optional: ["mapping", "records"]),
        "Figures": Schema.object([
            "day": Schema.day, "contacts": Schema.orNull(Schema.whole), "new": Schema.whole, "edited": Schema.whole,
            "deleted": Schema.whole, "orders": Schema.whole,
        ]),
        "Monitoring": Schema.object([
            "undecided": Schema.orNull(Schema.whole),
            "connectors": Schema.list(
                Schema.object([
                    "id": Schema.id, "name": Schema.string, "state": Schema.string, "due": Schema.whole,
                    "oldest_seconds": Schema.orNull(Schema.whole), "dead": Schema.whole,
                    "closed_seconds": Schema.orNull(Schema.whole),
                    "budget": Schema.orNull(
                        Schema.object([
                            "per_second": ["type": "number"], "burst": ["type": "number"], "left": Schema.whole,
                        ])),
                    "hours": Schema.list(
                        Schema.object([
                            "hour": Schema.moment, "done": Schema.whole, "failed": Schema.whole,
                            "median_ms": Schema.orNull(Schema.whole), "slow_ms": Schema.orNull(Schema.whole),
                        ])),
                ])),
        ]),
        "HookURL": Schema.object(["path": Schema.string]),
        "Delivery": Schema.object([
            "plugin": Schema.id, "connector": Schema.string, "plugin_name": Schema.string, "record": Schema.id,
            "name": Schema.orNull(Schema.string), "state": Schema.string, "attempts": Schema.whole,
            "due_at": Schema.moment, "backfill": Schema.flag,
            "unsure": Schema.flag, "wanted": Schema.id, "delivered": Schema.orNull(Schema.id),
            "code": Schema.orNull(Schema.string), "message": Schema.orNull(Schema.string), "changed_at": Schema.moment,
        ]),
        "Retry": Schema.object(
            ["connector": Schema.id, "code": Schema.text(1, 100), "record": Schema.id],
            optional: ["connector", "code", "record"]),
        "Retried": Schema.object(["retried": Schema.whole]),
    ]

    private static let pluginMembers: [String: JSON] = [
        "id": Schema.id, "name": Schema.string, "capability": Schema.string, "entity": Schema.string,
        "state": Schema.string, "rule": Schema.whole, "filter": Schema.anyObject, "mapping": Schema.anyObject,
        "every_seconds": Schema.orNull(Schema.whole), "since": Schema.orNull(Schema.day),
        "next_at": Schema.orNull(Schema.string), "max_changes": Schema.orNull(Schema.whole),
    ]
}
