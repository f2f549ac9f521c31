import Hub
import Store

extension Operations {
    static let segmentPages: [Operation] = [
        page("console.segments", "/segments", access: .tenant(.contactsRead)) { desk in
            let list = try await desk.call.ask("listSegments")["items"]?.array ?? []
            return try desk.page(
                "segments", title: desk.texts["menu_segments"], place: "/segments",
                [
                    "segments": .array(
                        list.map { segment in
                            [
                                "href": .string("/segments/\(segment["id"]?.scalarText ?? "")"),
                                "name": segment["name"] ?? .null,
                                "words": segment["words"] ?? .null,
                            ]
                        }), "is_empty": .bool(list.isEmpty),
                ])
        },
        page(
            "console.segment", "/segments/{id}", access: .tenant(.contactsRead),
            query: [.query("cursor", Schema.text(1, 200), "Where to go on.")]
        ) { desk in
            let path = ["id": desk.call.path["id"] ?? ""]
            let segment = try await desk.call.ask("getSegment", path)
            let count = try await desk.call.ask("countSegment", path)["count"]?.int ?? 0
            var query: [String: JSON] = ["limit": 50]
            query["cursor"] = desk.call.query["cursor"]
            let members = try await desk.call.ask("listMembers", path, query: query)
            var model: JSON = [
                "name": segment["name"] ?? .null, "words": segment["words"] ?? .null,
                "count": .string(desk.texts.count("count_contacts", Int(count))),
                "members": .array(
                    (members["items"]?.array ?? []).map { member in
                        [
                            "href": .string("/contacts/\(member["id"]?.scalarText ?? "")"),
                            "name": member["name"] ?? .null,
                            "initials": .string(FieldText.initials(member["name"]?.string ?? "")),
                        ]
                    }),
            ]
            if let next = members["next"]?.string {
                model["next"] = .string("/segments/\(path["id"] ?? "")?cursor=\(PercentText.encode(next))")
            }
            return try desk.page("segment", title: segment["name"]?.string ?? "", place: "/segments", model)
        },
    ]
}
