import Hub

extension Schemas {
    static let contacts: [String: JSON] = [
        "Contact": Schema.object([
            "id": Schema.id, "version": Schema.id, "name": Schema.orNull(Schema.string), "fields": Schema.anyObject,
            "consents": Schema.strings, "locks": Schema.strings, "origins": Schema.anyObject,
            "created_at": Schema.moment,
            "updated_at": Schema.moment, "deleted_at": Schema.orNull(Schema.moment),
            "merged_into": Schema.orNull(Schema.id), "owner": Schema.orNull(Schema.id),
        ]),
        "Owner": Schema.object(["owner": Schema.orNull(Schema.id)]),
        "View": Schema.object([
            "id": Schema.id, "name": Schema.string, "query": Schema.anyObject, "shared": Schema.flag,
            "own": Schema.flag,
        ]),
        "NewView": Schema.object(
            [
                "name": Schema.text(1, 100), "q": Schema.text(1, 200), "tag": Schema.text(1, 100), "segment": Schema.id,
                "shared": Schema.flag,
            ], optional: ["q", "tag", "segment", "shared"]),
        "ContactsEdit": Schema.object(
            [
                "ids": Schema.list(Schema.id, most: 10_000), "q": Schema.text(1, 200), "tag": Schema.text(1, 100),
                "condition": Schema.anyObject, "all": Schema.flag, "set": Schema.anyObject,
                "add_tags": Schema.list(Schema.text(1, 100), most: 50),
                "remove_tags": Schema.list(Schema.text(1, 100), most: 50), "dry": Schema.flag,
                "max_changes": Schema.whole(0, 100_000_000),
            ],
            optional: [
                "ids", "q", "tag", "condition", "all", "set", "add_tags", "remove_tags", "dry", "max_changes",
            ]),
        "ContactFields": Schema.object(["fields": ["type": "object", "minProperties": 1]]),
        "Locks": Schema.object(["fields": Schema.list(Schema.text(1, 40), most: 300)]),
        "NewConsent": Schema.object(
            [
                "purpose": ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"], "granted": Schema.flag,
                "at": Schema.moment,
                "source": Schema.text(1, 200), "proof": Schema.text(1, 2000), "wording": Schema.id,
            ], optional: ["at", "proof", "wording"]),
        "Erasure": Schema.object(["changes": Schema.whole, "staged": Schema.whole, "contacts": Schema.whole]),
        "HistoryEntry": Schema.object([
            "id": Schema.id, "at": Schema.moment, "kind": Schema.string, "version": Schema.id, "fields": Schema.strings,
            "before": Schema.orNull(Schema.anyObject), "after": Schema.orNull(Schema.anyObject), "actor": Schema.string,
            "origin": Schema.orNull(Schema.string),
        ]),
        "Binding": Schema.object([
            "connector": Schema.id, "connector_name": Schema.orNull(Schema.string), "remote_id": Schema.string,
            "remote_version": Schema.orNull(Schema.string), "remote_at": Schema.orNull(Schema.moment),
            "agreed": Schema.anyObject, "bound_at": Schema.moment, "gone_at": Schema.orNull(Schema.moment),
        ]),
        "Attempt": Schema.object([
            "id": Schema.id, "plugin": Schema.id, "connector": Schema.orNull(Schema.string),
            "plugin_name": Schema.orNull(Schema.string), "change": Schema.id, "started_at": Schema.moment,
            "ended_at": Schema.orNull(Schema.moment), "outcome": Schema.orNull(Schema.string),
            "code": Schema.orNull(Schema.string), "message": Schema.orNull(Schema.string),
        ]),
        "Explanation": Schema.object([
            "contact": Schema.anyObject, "plugins": Schema.list(Schema.anyObject),
        ]),
        "Field": Schema.object([
            "key": Schema.string, "label": Schema.string, "type": Schema.string, "choices": Schema.strings,
            "is_standard": Schema.flag, "is_key": Schema.flag,
        ]),
        "NewField": Schema.object(
            [
                "key": ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"], "label": Schema.text(1, 100),
                "type": Schema.choice(FieldType.custom.map(\.rawValue)),
                "choices": Schema.list(Schema.text(1, 100), most: 200), "is_key": Schema.flag,
            ], optional: ["choices", "is_key"]),
        "FieldEdit": Schema.edit([
            "label": Schema.text(1, 100), "choices": Schema.list(Schema.text(1, 100), most: 200), "is_key": Schema.flag,
        ]),
        "Change": Schema.object([
            "tx": Schema.string, "id": Schema.id, "at": Schema.moment, "entity": Schema.string, "record": Schema.id,
            "kind": Schema.string, "version": Schema.id, "fields": Schema.strings,
            "before": Schema.orNull(Schema.anyObject), "after": Schema.orNull(Schema.anyObject),
            "origin": Schema.orNull(Schema.string), "actor": Schema.string,
        ]),
        "Feed": Schema.object(["items": Schema.list(Schema.ref("Change")), "next": Schema.string]),
        "Conflict": Schema.object([
            "id": Schema.id, "contact": Schema.id, "name": Schema.orNull(Schema.string),
            "connector": Schema.orNull(Schema.id),
            "run": Schema.orNull(Schema.id),
            "field": Schema.string, "base": Schema.anything, "hub": Schema.anything, "remote": Schema.anything,
            "kept": Schema.string, "reason": Schema.string, "at": Schema.moment,
            "settled_at": Schema.orNull(Schema.moment),
        ]),
        "Settlement": Schema.object(["keep": Schema.choice(["hub", "remote"])]),
        "Duplicate": Schema.object([
            "a": Schema.id, "b": Schema.id, "a_name": Schema.orNull(Schema.string),
            "b_name": Schema.orNull(Schema.string),
            "evidence": Schema.string, "at": Schema.moment, "state": Schema.string,
        ]),
        "Pair": Schema.object(["a": Schema.id, "b": Schema.id]),
        "MergePreview": Schema.object([
            "fields": Schema.list(
                Schema.object([
                    "field": Schema.string, "keep": Schema.anything, "other": Schema.anything,
                    "choice": Schema.choice(["keep", "other", "both"]), "result": Schema.anything,
                ])), "twins": Schema.strings,
        ]),
        "NewMerge": Schema.object(
            [
                "with": Schema.id, "with_version": Schema.whole(1, .max), "delete_twins": Schema.flag,
                "choices": ["type": "object", "additionalProperties": Schema.choice(["keep", "other", "both"])],
            ], optional: ["with_version", "choices", "delete_twins"]),
        "Merged": Schema.object(["merge": Schema.id]),
        "Merge": Schema.object([
            "id": Schema.id, "kept": Schema.id, "lost": Schema.id, "lost_name": Schema.orNull(Schema.string),
            "at": Schema.moment, "actor": Schema.string, "undone_at": Schema.orNull(Schema.moment),
            "undone_by": Schema.orNull(Schema.string),
        ]),
        "Decision": Schema.object([
            "change": Schema.id, "at": Schema.moment, "entity": Schema.string, "record": Schema.id,
            "name": Schema.orNull(Schema.string), "kind": Schema.string,
            "fields": Schema.strings,
            "verdicts": Schema.list(
                Schema.object(["plugin": Schema.id, "verdict": Schema.orNull(Schema.string), "rule": Schema.whole])),
        ]),
    ]
}
