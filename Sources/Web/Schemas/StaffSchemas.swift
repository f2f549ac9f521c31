import Hub

extension Schemas {
    static let staff: [String: JSON] = [
        "Role": Schema.object([
            "id": Schema.id, "name": Schema.string, "title": Schema.string, "rights": Schema.anyObject,
            "version": Schema.id,
        ]),
        "NewRole": Schema.object([
            "name": ["type": "string", "pattern": "^[a-z][a-z0-9-]{1,39}$"], "title": Schema.text(1, 100),
            "rights": Schema.anyObject,
        ]),
        "RoleEdit": Schema.edit(["title": Schema.text(1, 100), "rights": Schema.anyObject]),
        "Team": Schema.object([
            "id": Schema.id, "name": Schema.string, "members": Schema.list(Schema.id),
        ]),
        "TeamName": Schema.object(["name": Schema.text(1, 100)]),
        "Member": Schema.object([
            "id": Schema.id, "email": Schema.string, "name": Schema.string, "role": Schema.id,
            "role_name": Schema.string,
            "superior": Schema.orNull(Schema.id), "language": Schema.string, "teams": Schema.list(Schema.id),
            "presence": Schema.choice(presences), "presence_until": Schema.orNull(Schema.moment), "online": Schema.flag,
            "disabled": Schema.flag, "created_at": Schema.moment,
        ]),
        "Presence": Schema.object(
            ["presence": Schema.choice(presences), "until": Schema.orNull(Schema.moment)], optional: ["until"]),
        "NewMember": Schema.object(
            edited.merging(["email": Schema.text(3, 320), "mail": Schema.flag]) { one, _ in one },
            optional: ["superior", "language", "teams", "mail"]),
        "NewOwner": Schema.object(
            [
                "email": Schema.text(3, 320), "name": Schema.text(0, 200), "language": Schema.choice(languages),
                "mail": Schema.flag,
            ], optional: ["name", "language", "mail"]),
        "MemberEdit": Schema.edit(edited.merging(["disabled": Schema.flag]) { one, _ in one }),
        "Invitation": Schema.object([
            "id": Schema.id, "token": Schema.orNull(Schema.string), "mailed": Schema.flag,
        ]),
        "Mail": Schema.object([
            "id": Schema.id, "account": Schema.id, "email": Schema.string,
            "kind": Schema.choice(["invitation", "reset", "password"]),
            "state": Schema.choice(["waiting", "sent", "failed"]), "attempts": Schema.whole,
            "error": Schema.orNull(Schema.string), "made_at": Schema.moment, "sent_at": Schema.orNull(Schema.moment),
        ]),
        "PasswordPolicy": Schema.object(
            [
                "length": Schema.whole(15, 64), "strength": Schema.whole(3, 4),
                "words": Schema.list(Schema.text(3, 100), most: 1000), "history": Schema.whole(0, 5),
                "expires_days": Schema.orNull(Schema.whole(30, 3650)),
                "factor_roles": Schema.list(Schema.id, most: 100),
            ], optional: ["words", "history", "expires_days", "factor_roles"]),
        "Language": Schema.object(["language": Schema.choice(languages)]),
        "ResetRequest": Schema.object(["tenant": Schema.text(1, 100), "email": Schema.text(1, 320)]),
        "Acceptance": Schema.object(["token": Schema.text(1, 100), "password": Schema.text(1, 1024)]),
        "HandOver": Schema.object(["to": Schema.id]),
        "HandedOver": Schema.object(["contacts": Schema.whole]),
        "Rights": Schema.object([
            "role": Schema.string, "sees_all": Schema.flag, "reads": people, "changes": people, "deletes": people,
            "tags": facets, "sources": facets, "countries": facets, "consents": facets, "hidden": Schema.strings,
            "masked": Schema.strings,
            "orders": Schema.string, "products": Schema.flag, "may": Schema.strings,
        ]),
        "RightsExplained": Schema.object([
            "role": Schema.string, "because": Schema.strings, "owner": Schema.orNull(Schema.id),
            "owner_fits": Schema.flag, "tag_fits": Schema.flag, "source_fits": Schema.flag, "country_fits": Schema.flag,
            "consent_fits": Schema.flag, "hidden": Schema.strings, "masked": Schema.strings,
            "may": Schema.object(["read": Schema.flag, "change": Schema.flag, "delete": Schema.flag]),
        ]),
    ]

    static let presences = ["available", "busy", "away"]
    static let languages = ["en", "it", "lt", "nb", "pl"]
    private static let people: JSON = ["anyOf": [Schema.list(Schema.id), Schema.choice(["all"])]]
    private static let facets: JSON = ["anyOf": [Schema.strings, Schema.choice(["any"])]]
    private static let edited: [String: JSON] = [
        "name": Schema.text(1, 200), "role": Schema.id, "superior": Schema.orNull(Schema.id),
        "language": Schema.choice(languages), "teams": Schema.list(Schema.id, most: 100),
    ]
}
