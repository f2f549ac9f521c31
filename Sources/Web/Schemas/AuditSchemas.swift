import Hub

extension Schemas {
    static let audit: [String: JSON] = [
        "AuditEntry": Schema.object([
            "id": Schema.id, "at": Schema.moment, "actor": Schema.string, "action": Schema.string,
            "entity": Schema.orNull(Schema.string), "record": Schema.orNull(Schema.id), "details": Schema.anyObject,
            "place": Schema.orNull(Schema.id), "hash": Schema.orNull(Schema.string),
        ]),
        "Alert": Schema.object([
            "id": Schema.id, "who": Schema.string,
            "what": Schema.choice(["new", "edited", "deleted", "read", "exported", "failed"]), "hour": Schema.moment,
            "count": Schema.whole, "usual": Schema.whole, "paused": Schema.flag, "at": Schema.moment,
            "seen_at": Schema.orNull(Schema.moment),
        ]),
        "AuditVerification": Schema.object([
            "whole": Schema.flag, "sealed": Schema.whole, "open": Schema.orNull(Schema.whole),
            "head": Schema.orNull(Schema.string), "broken_at": Schema.orNull(Schema.id),
        ]),
    ]
}
