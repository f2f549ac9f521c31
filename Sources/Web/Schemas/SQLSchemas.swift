import Hub

extension Schemas {
    static let sql: [String: JSON] = [
        "SQLLogin": Schema.object([
            "name": Schema.string, "label": Schema.string, "person": Schema.id, "email": Schema.string,
            "open": Schema.flag, "created_at": Schema.moment,
        ]),
        "NewSQLLogin": Schema.object(["label": Schema.text(1, 100), "person": Schema.id], optional: ["person"]),
        "MadeSQLLogin": Schema.object(
            place.merging(["name": Schema.string, "password": Schema.string]) { one, _ in one }),
        "SQLView": Schema.object([
            "name": Schema.string, "about": Schema.orNull(Schema.string),
            "columns": Schema.list(
                Schema.object([
                    "name": Schema.string, "type": Schema.string, "about": Schema.orNull(Schema.string),
                ])),
        ]),
        "SQLServer": Schema.object(
            place.merging([
                "state": Schema.choice(SQLServer.State.allCases.map(\.rawValue)),
                "behind_seconds": ["type": "number", "minimum": 0],
            ]) { one, _ in one }),
    ]

    private static let place: [String: JSON] = [
        "host": Schema.string, "port": Schema.whole(1, 65_535), "database": Schema.string,
    ]
}
