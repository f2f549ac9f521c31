import HTTPTypes
import Hub
import Store

extension Operations {
    static let merges: [Operation] = [
        Operation(
            id: "previewMerge", method: .get, path: "\(prefix)/contacts/{id}/merge",
            summary: "What merging another contact into this one would do, field by field.",
            access: .tenant(.contactsRead),
            parameters: [
                contactID,
                Parameter(
                    name: "with", place: .query, schema: Schema.id, summary: "The contact that goes into this one.",
                    isRequired: true),
            ],
            responses: [200: Schema.ref("MergePreview")], errors: [422],
            handle: { call in
                _ = try await call.tenant.contact(call.id(), as: call.actor)
                guard let other = call.query["with"]?.int else {
                    throw Failure(.invalid, "merge.with", "Say in “with” which contact goes into this one.")
                }
                call.noteRead([try call.id(), other])
                return Answer(try await call.tenant.mergePreview(call.id(), with: other, as: call.actor))
            }),
        Operation(
            id: "mergeContacts", method: .post, path: "\(prefix)/contacts/{id}/merge",
            summary: "Merges another contact into this one. It can be undone.", access: .tenant(.contactsWrite),
            parameters: [contactID, ifMatch], body: .json(Schema.ref("NewMerge")),
            responses: [201: Schema.ref("Merged")],
            errors: [409, 412],
            handle: { call in
                let merge = try await call.tenant.mergeContacts(
                    call.id(), with: call.body["with"]?.int ?? 0,
                    versions: (call.seenVersion(), call.body["with_version"]?.int),
                    choices: call.body["choices"] ?? [:],
                    dropsTwins: call.body["delete_twins"] == true, as: call.actor)
                return Answer(201, ["merge": .int(merge)])
            }),
        Operation(
            id: "listMerges", method: .get, path: "\(prefix)/contacts/{id}/merges",
            summary: "Merges this contact stayed or went in, newest first.", access: .tenant(.contactsRead),
            parameters: [contactID, limit, cursor], responses: [200: Schema.page(Schema.ref("Merge"))],
            handle: { call in
                let page = try await call.tenant.merges(
                    of: call.id(), before: call.cursor(), limit: call.limit, as: call.actor)
                return .page(page.json, next: page.next)
            }),
        Operation(
            id: "undoMerge", method: .post, path: "\(prefix)/merges/{id}/undo",
            summary: "Takes a merge back: both contacts live again.", access: .tenant(.contactsWrite),
            parameters: [id("id", "The merge's number.")], responses: [204: nil], errors: [409],
            handle: { call in
                try await call.tenant.undoMerge(call.id(), as: call.actor)
                return .empty
            }),
        Operation(
            id: "setDifferent", method: .post, path: "\(prefix)/duplicates/different",
            summary: "Notes that a pair of possible duplicates are two people.", access: .tenant(.contactsWrite),
            body: .json(Schema.ref("Pair")), responses: [204: nil], errors: [404],
            handle: { call in
                try await call.tenant.setDifferent(
                    call.body["a"]?.int ?? 0, call.body["b"]?.int ?? 0, as: call.actor)
                return .empty
            }),
    ]
}
