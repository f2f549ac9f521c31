import Hub

extension Schemas {
    static let tenants: [String: JSON] = [
        "Token": Schema.object([
            "id": Schema.id, "prefix": Schema.string, "label": Schema.string, "scopes": Schema.strings,
            "role": Schema.orNull(Schema.id), "created_at": Schema.moment, "expires_at": Schema.orNull(Schema.moment),
            "revoked_at": Schema.orNull(Schema.moment), "used_at": Schema.orNull(Schema.moment),
        ]),
        "NewToken": Schema.object(
            [
                "label": Schema.text(1, 100), "scopes": scopes, "expires_at": Schema.moment, "role": Schema.id,
            ], optional: ["expires_at", "role"]),
        "SignIn": Schema.object(
            [
                "tenant": Schema.text(1, 40), "email": Schema.text(1, 320), "password": Schema.text(1, 1024),
                "code": Schema.text(1, 40),
            ], optional: ["code"]),
        "PresentPassword": Schema.object(["password": Schema.text(1, 1024)]),
        "FactorCode": Schema.object(["code": Schema.text(1, 40)]),
        "SecondFactor": Schema.object(["in_force": Schema.flag, "recovery_codes_left": Schema.whole]),
        "ProposedFactor": Schema.object(["secret": Schema.string, "address": Schema.string]),
        "RecoveryCodes": Schema.object(["recovery_codes": Schema.strings]),
        "Session": Schema.object([
            "id": Schema.id, "address": Schema.string, "agent": Schema.string, "created_at": Schema.moment,
            "used_at": Schema.moment,
        ]),
        "Account": Schema.object([
            "id": Schema.id, "email": Schema.string, "name": Schema.string, "scopes": Schema.strings,
            "password_at": Schema.moment, "session": Schema.id, "presence": Schema.choice(presences),
            "presence_until": Schema.orNull(Schema.moment),
        ]),
        "NewPassword": Schema.object(["old": Schema.text(1, 1024), "new": Schema.text(1, 1024)]),
        "MadeToken": Schema.object(["id": Schema.id, "token": Schema.string]),
        "Tenant": Schema.object([
            "id": Schema.id, "name": Schema.string, "title": Schema.string, "country": Schema.string,
            "state": Schema.string, "created_at": Schema.moment,
        ]),
        "NewTenant": Schema.object([
            "name": ["type": "string", "pattern": "^[a-z][a-z0-9-]{1,39}$"], "title": Schema.text(1, 200),
            "country": ["type": "string", "pattern": "^[A-Z]{2}$"],
        ]),
        "MadeTenant": Schema.object(["id": Schema.id, "name": Schema.string]),
        "NewTenantToken": Schema.object(["label": Schema.text(1, 100), "scopes": scopes]),
        "MadeTenantToken": Schema.object(["token": Schema.string]),
    ]

    private static let scopes: JSON = [
        "type": "array", "items": Schema.choice(Scope.ofTenants.map(\.rawValue)), "minItems": 1, "maxItems": 10,
        "uniqueItems": true,
    ]
}
