import Hub

extension Schemas {
    static let privacy: [String: JSON] = [
        "Purpose": Schema.object(["key": Schema.string, "title": Schema.anyObject, "channel": Schema.string]),
        "ProcessingRecord": Schema.object([
            "purposes": Schema.list(Schema.ref("Purpose")),
            "data": Schema.list(Schema.object(["key": Schema.string, "label": Schema.string])),
            "recipients": Schema.list(
                Schema.object([
                    "name": Schema.string, "kind": Schema.string, "connector_kind": Schema.string,
                    "state": Schema.string,
                    "flows": Schema.list(
                        Schema.object([
                            "title": Schema.string, "direction": Schema.choice(["from", "to"]),
                            "plugin": Schema.string, "capability": Schema.string, "filter": Schema.anyObject,
                        ])), "hidden_fields": Schema.strings, "visible_facets": Schema.orNull(Schema.strings),
                ])),
        ]),
        "RetentionRule": Schema.object([
            "id": Schema.id, "name": Schema.string, "subject": Schema.choice(["living", "deleted"]),
            "condition": Schema.anyObject, "words": Schema.string, "action": Schema.choice(["delete", "erase"]),
            "state": Schema.choice(["on", "off"]), "most": Schema.whole, "next_at": Schema.moment,
            "created_at": Schema.moment,
        ]),
        "NewRetentionRule": Schema.object(newRetention, optional: ["subject", "action", "most"]),
        "RetentionRuleEdit": Schema.edit(newRetention.merging(["state": Schema.choice(["on", "off"])]) { $1 }),
        "RetentionPreview": Schema.object([
            "count": Schema.whole,
            "items": Schema.list(
                Schema.object(["id": Schema.id, "name": Schema.string, "updated_at": Schema.moment])),
        ]),
        "PurposeEdit": Schema.object(
            [
                "title": [
                    "type": "object", "minProperties": 1, "maxProperties": 50,
                    "additionalProperties": Schema.text(1, 200), "propertyNames": language,
                ], "channel": ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"],
            ], optional: ["channel"]),
        "Wording": Schema.object([
            "id": Schema.id, "purpose": Schema.string, "language": Schema.string, "version": Schema.id,
            "body": Schema.string, "published_at": Schema.moment,
        ]),
        "NewWording": Schema.object(
            [
                "purpose": ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"], "language": language,
                "body": Schema.text(1, 100_000),
            ], optional: ["purpose"]),
        "PublishedWording": Schema.object(["id": Schema.id, "version": Schema.id]),
        "Consent": Schema.object([
            "id": Schema.id, "purpose": Schema.string, "granted": Schema.flag, "evidence_at": Schema.moment,
            "source": Schema.string, "proof": Schema.orNull(Schema.string), "wording": Schema.orNull(Schema.id),
            "actor": Schema.string, "at": Schema.moment,
        ]),
        "PreferenceLink": Schema.object(["path": Schema.string]),
        "SubjectExport": Schema.object(
            [
                "contact": Schema.anyObject, "consents": Schema.list(Schema.anyObject),
                "history": Schema.list(Schema.anyObject), "systems": Schema.list(Schema.anyObject),
                "orders": Schema.list(Schema.anyObject),
            ], optional: ["orders"]),
        "ErasureCertificate": Schema.object([
            "contact": Schema.id, "at": Schema.moment, "actor": Schema.string, "erased": Schema.anyObject,
            "systems": Schema.list(Schema.anyObject), "complete": Schema.flag,
        ]),
    ]

    private static let newRetention: [String: JSON] = [
        "name": Schema.text(1, 200), "subject": Schema.choice(["living", "deleted"]), "condition": Schema.anyObject,
        "action": Schema.choice(["delete", "erase"]), "most": Schema.whole(0, 1_000_000),
    ]
    private static let language: JSON = ["type": "string", "pattern": "^[a-z]{2}$"]
}
