import Hub

/// What generic webhooks begin with: the hub's own names on both sides.
enum WebhookMapping {
    static let contact: JSON = [
        "rules": .array(
            fields.map { ["hub": .string($0), "remote": .string($0)] }
                + [["hub": "tags", "remote": "tags", "each": true]]
                + lists.map { name, members in
                    let members = members.map { ($0, JSON.string($0)) }
                    return [
                        "hub": .string(name), "remote": .string(name),
                        "list": .object(Dictionary(members, uniquingKeysWith: { first, _ in first })),
                    ]
                })
    ]

    private static let fields = [
        "kind", "name", "given_name", "family_name", "company", "job_title", "language", "birthday", "birth_month",
        "source", "type", "notes",
    ]
    private static let lists = [
        ("emails", ["value", "label"]), ("phones", ["value", "label"]), ("profiles", ["value", "label"]),
        ("addresses", ["label", "street", "city", "postal_code", "region", "country"]),
    ]
}
