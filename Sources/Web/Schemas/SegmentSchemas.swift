import Hub

extension Schemas {
    static let segments: [String: JSON] = [
        "Segment": Schema.object([
            "id": Schema.id, "name": Schema.string, "condition": Schema.anyObject, "words": Schema.string,
            "created_at": Schema.moment,
        ]),
        "NewSegment": Schema.object(["name": Schema.text(1, 200), "condition": Schema.anyObject]),
        "Preview": Schema.object(["condition": Schema.anyObject]),
        "PreviewResult": Schema.object(["count": Schema.whole, "words": Schema.string]),
        "Membership": Schema.object([
            "member": Schema.flag, "words": Schema.string, "answers": Schema.list(Schema.anyObject),
            "what_would_change": Schema.strings,
        ]),
        "Push": Schema.object([
            "id": Schema.id, "segment": Schema.id, "plugin": Schema.id, "connector": Schema.string,
            "group_name": Schema.string, "remote_id": Schema.orNull(Schema.string), "purpose": Schema.string,
            "schedule": Schema.orNull(Schema.anyObject), "next_at": Schema.orNull(Schema.moment),
            "last_run": Schema.orNull(Schema.id),
        ]),
        "NewPush": Schema.object(
            [
                "plugin": Schema.id, "group_name": Schema.text(1, 200),
                "purpose": ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"],
                "schedule": [
                    "anyOf": [
                        Schema.object(["monthly": Schema.whole(1, 28)]),
                        Schema.object(["every_seconds": Schema.whole(60, 31_536_000)]),
                    ]
                ],
            ], optional: ["schedule"]),
        "Made": Schema.object(["id": Schema.id]),
    ]
}
