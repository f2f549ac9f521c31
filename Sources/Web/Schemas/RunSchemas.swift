import Hub

extension Schemas {
    static let runs: [String: JSON] = [
        "Run": Schema.object(
            runMembers.merging(["params": Schema.anyObject, "waiting": Schema.whole]) { first, _ in first }),
        "RunSummary": Schema.object(runMembers),
        "RunRow": Schema.object([
            "line": Schema.whole, "remote_id": Schema.orNull(Schema.string), "contact": Schema.orNull(Schema.id),
            "verdict": Schema.orNull(Schema.string), "fields": Schema.orNull(Schema.anyObject),
            "difference": Schema.anything, "problems": Schema.orNull(Schema.list(Schema.anyObject)),
        ]),
        "Upload": Schema.object([
            "id": Schema.id, "name": Schema.string, "bytes": Schema.whole, "created_at": Schema.moment,
            "columns": Schema.list(
                Schema.object([
                    "header": Schema.string, "holds": Schema.orNull(Schema.string), "samples": Schema.strings,
                ])), "choices": Schema.strings,
        ]),
        "UploadImport": Schema.object(
            [
                "mapping": Schema.anyObject, "columns": Schema.list(Schema.orNull(Schema.text(1, 100)), most: 500),
                "dry": Schema.flag, "max_changes": Schema.whole(0, 100_000_000),
            ], optional: ["mapping", "columns", "dry", "max_changes"]),
        "Batch": ["type": "array", "items": Schema.anyObject, "minItems": 1, "maxItems": 10_000],
        "Replay": Schema.object([
            "since": Schema.moment,
            "rules": [
                "type": "object", "minProperties": 1,
                "additionalProperties": Schema.edit(["filter": Schema.anyObject, "mapping": Schema.anyObject]),
            ],
        ]),
        "ReplayResult": Schema.object(["changes": Schema.whole, "differences": Schema.list(Schema.anyObject)]),
    ]

    static let runStates = ["staging", "queued", "running", "awaiting_approval", "done", "failed", "undone"]
    static let runKinds = ["poll", "check", "try", "csv", "batch", "edit", "undo", "segment", "hook", "retention"]

    private static let runMembers: [String: JSON] = [
        "id": Schema.id, "kind": Schema.string, "plugin": Schema.orNull(Schema.id),
        "connector": Schema.orNull(Schema.id),
        "state": Schema.choice(runStates), "dry": Schema.flag, "counts": Schema.anyObject,
        "message": Schema.orNull(Schema.string), "actor": Schema.string, "created_at": Schema.moment,
        "started_at": Schema.orNull(Schema.moment), "ended_at": Schema.orNull(Schema.moment),
    ]
}
