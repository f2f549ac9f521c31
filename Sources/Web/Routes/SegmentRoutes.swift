import HTTPTypes
import Hub
import Store

extension Operations {
    private static let segmentID = id("id", "The segment's number.")

    static let segments: [Operation] = [
        Operation(
            id: "listSegments", method: .get, path: "\(prefix)/segments",
            summary: "All segments, with their conditions in words.",
            access: .tenant(.contactsRead), responses: [200: Schema.page(Schema.ref("Segment"))],
            handle: { call in .items(try await call.tenant.segments(as: call.actor).bytes) }),
        Operation(
            id: "createSegment", method: .post, path: "\(prefix)/segments", summary: "Makes a segment.",
            access: .tenant(.config), body: .json(Schema.ref("NewSegment")), responses: [201: Schema.ref("Segment")],
            errors: [409],
            handle: { call in
                let id = try await call.tenant.createSegment(
                    as: call.actor, name: call.body["name"]?.string ?? "", condition: call.body["condition"] ?? .null)
                return Answer(201, try await call.tenant.segment(id, as: call.actor)).with(
                    .location, "\(prefix)/segments/\(id)")
            }),
        Operation(
            id: "previewSegment", method: .post, path: "\(prefix)/segments/preview",
            summary: "How many contacts meet a condition, and what it says in words.", access: .tenant(.contactsRead),
            body: .json(Schema.ref("Preview")), responses: [200: Schema.ref("PreviewResult")],
            handle: { call in
                let condition = try Condition.checked(
                    call.body["condition"] ?? .null, await call.tenant.catalogue(as: call.actor))
                let count = try await call.tenant.count(condition, as: call.actor)
                return Answer(["count": .int(Int64(count)), "words": .string(condition.words)])
            }),
        Operation(
            id: "getSegment", method: .get, path: "\(prefix)/segments/{id}", summary: "One segment.",
            access: .tenant(.contactsRead), parameters: [segmentID], responses: [200: Schema.ref("Segment")],
            handle: { call in Answer(try await call.tenant.segment(call.id(), as: call.actor)) }),
        Operation(
            id: "deleteSegment", method: .delete, path: "\(prefix)/segments/{id}",
            summary: "Deletes a segment; groups made of it elsewhere stay.", access: .tenant(.config),
            parameters: [segmentID],
            responses: [204: nil],
            handle: { call in
                try await call.tenant.deleteSegment(call.id(), as: call.actor)
                return .empty
            }),
        Operation(
            id: "countSegment", method: .get, path: "\(prefix)/segments/{id}/count",
            summary: "How many contacts are in a segment.",
            access: .tenant(.contactsRead), parameters: [segmentID], responses: [200: Schema.ref("Count")],
            handle: { call in
                Answer(["count": .int(Int64(try await call.tenant.count(segment: call.id(), as: call.actor)))])
            }),
        Operation(
            id: "listMembers", method: .get, path: "\(prefix)/segments/{id}/members",
            summary: "The contacts in a segment.",
            access: .tenant(.contactsRead), parameters: [segmentID, limit, cursor],
            responses: [200: Schema.page(Schema.ref("Contact"))],
            handle: { call in
                let page = try await call.tenant.members(
                    ofSegment: call.id(), after: call.cursor() ?? 0, limit: call.limit, as: call.actor)
                return .page(page.json, next: page.ids.count == call.limit ? page.ids.last.map { String($0) } : nil)
            }),
        Operation(
            id: "explainMember", method: .get, path: "\(prefix)/segments/{id}/members/{contact}",
            summary: "Why a contact is or is not in a segment.", access: .tenant(.contactsRead),
            parameters: [segmentID, id("contact", "The contact's number.")], responses: [200: Schema.ref("Membership")],
            handle: { call in
                Answer(try await call.tenant.explain(member: call.id("contact"), ofSegment: call.id(), as: call.actor))
            }),
    ]

    static let pushes: [Operation] = [
        Operation(
            id: "listPushes", method: .get, path: "\(prefix)/segments/{id}/pushes",
            summary: "The groups a segment is kept as in other systems.", access: .tenant(.config),
            parameters: [segmentID],
            responses: [200: Schema.page(Schema.ref("Push"))],
            handle: { call in .items(try await call.tenant.segmentPushes(ofSegment: call.id(), as: call.actor)) }),
        Operation(
            id: "createPush", method: .post, path: "\(prefix)/segments/{id}/pushes",
            summary: "Keeps a segment as a group in another system, of people who granted the purpose.",
            access: .tenant(.config), parameters: [segmentID], body: .json(Schema.ref("NewPush")),
            responses: [201: Schema.ref("Made")],
            handle: { call in
                let id = try await call.tenant.createSegmentPush(
                    as: call.actor, segment: call.id(), plugin: call.body["plugin"]?.int ?? 0,
                    groupName: call.body["group_name"]?.string ?? "", purpose: call.body["purpose"]?.string ?? "",
                    schedule: call.body["schedule"])
                return Answer(201, ["id": .int(id)])
            }),
        Operation(
            id: "runPush", method: .post, path: "\(prefix)/pushes/{id}/run", summary: "Brings a group up to date now.",
            access: .tenant(.config), parameters: [id("id", "The push's number.")], responses: [202: Schema.ref("Run")],
            handle: { call in try await accepted(call.tenant.runSegmentPush(call.id(), as: call.actor), call) }),
        Operation(
            id: "deletePush", method: .delete, path: "\(prefix)/pushes/{id}",
            summary: "Stops keeping a segment as a group; the group stays as it is.", access: .tenant(.config),
            parameters: [id("id", "The push's number.")], responses: [204: nil],
            handle: { call in
                try await call.tenant.deleteSegmentPush(call.id(), as: call.actor)
                return .empty
            }),
    ]
}
