import Hub

extension Schemas {
    static let usage: [String: JSON] = [
        "Usage": Schema.object([
            "name": Schema.string, "title": Schema.string, "state": Schema.string, "month": Schema.day,
            "tariff": Schema.orNull(Schema.string),
            "orders": Schema.whole, "contacts": Schema.whole, "calls": Schema.whole, "deliveries": Schema.whole,
            "storage": Schema.whole, "waiting": Schema.whole, "dead": Schema.whole, "stopped": Schema.whole,
            "limits": Schema.ref("Limits"), "reached": Schema.strings,
        ]),
        "Limits": Schema.object(
            [
                "contacts": Schema.whole(0, 1_000_000_000), "staff": Schema.whole(1, 1_000_000),
                "storage": Schema.whole(1, 1_000_000_000), "calls": Schema.whole(1, 1_000_000),
            ], optional: ["contacts", "staff", "storage", "calls"]),
        "Tariff": Schema.object([
            "name": Schema.string, "currency": Schema.string, "base": number, "steps": Schema.list(Schema.anyObject),
        ]),
        "TariffEdit": Schema.object([
            "currency": ["type": "string", "pattern": "^[A-Z]{3}$"], "base": price,
            "steps": [
                "type": "array", "minItems": 1, "maxItems": 50,
                "items": Schema.object(["upto": Schema.id, "price": price], optional: ["upto"]),
            ],
        ]),
        "TariffChoice": Schema.object(["tariff": Schema.orNull(Schema.text(1, 40))]),
        "Invoice": Schema.object([
            "month": Schema.day, "tariff": Schema.string, "orders": Schema.whole, "currency": Schema.string,
            "lines": Schema.list(
                Schema.object([
                    "text": Schema.string, "quantity": Schema.whole, "price": Schema.string, "amount": Schema.string,
                ])), "total": Schema.string,
        ]),
    ]

    private static let number: JSON = ["type": "number"]
    private static let price: JSON = ["type": "number", "minimum": 0, "maximum": 1_000_000]
}
