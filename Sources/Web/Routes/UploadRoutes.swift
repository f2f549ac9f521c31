import HTTPTypes
import Hub
import Store

extension Operations {
    private static let uploadID = id("id", "The upload's number.")

    static let uploads: [Operation] = [
        Operation(
            id: "createUpload", method: .post, path: "\(prefix)/uploads",
            summary: "Keeps a CSV file of up to 100 MB for a day, to be looked at, tried and taken in.",
            access: .tenant(.contactsWrite),
            parameters: [.query("name", Schema.text(1, 200), "What the file is called.")],
            body: .stream(mediaType: "text/csv"), responses: [201: Schema.ref("Upload")], errors: [429],
            handle: { call in
                let file = try await UploadFile.keep(
                    call.stream, name: call.text("name") ?? "file.csv", call.tenant, call.actor)
                return Answer(201, try await json(file, call)).with(.location, "\(prefix)/uploads/\(file.upload.id)")
            }),
        Operation(
            id: "getUpload", method: .get, path: "\(prefix)/uploads/{id}",
            summary: "A file that waits: its columns, what each seems to hold, and its first rows.",
            access: .tenant(.contactsWrite), parameters: [uploadID], responses: [200: Schema.ref("Upload")],
            errors: [422],
            handle: { call in Answer(try await json(file(call), call)) }),
        Operation(
            id: "importUpload", method: .post, path: "\(prefix)/uploads/{id}/import",
            summary: "Takes a file in that was sent before; it stays for a day.", access: .tenant(.contactsWrite),
            parameters: [uploadID], body: .json(Schema.ref("UploadImport")), responses: [202: Schema.ref("Run")],
            errors: [409],
            handle: { call in
                let file = try await file(call)
                var params: JSON = ["upload": .int(try call.id()), "file": .string(file.upload.name)]
                params["columns"] = call.body["columns"]
                if let most = call.body["max_changes"] { params["max_changes"] = most }
                let run = try await file.take(
                    mapping: call.body["mapping"], fields: call.body["columns"]?.array?.map(\.string), params: params,
                    isDry: call.body["dry"] == true)
                return try await accepted(run, call)
            }),
        Operation(
            id: "deleteUpload", method: .delete, path: "\(prefix)/uploads/{id}", summary: "Throws a file away.",
            access: .tenant(.contactsWrite), parameters: [uploadID], responses: [204: nil],
            handle: { call in
                try await call.tenant.deleteUpload(call.id(), as: call.actor)
                return .empty
            }),
    ]

    private static func file(_ call: Call) async throws -> UploadFile {
        UploadFile(
            tenant: call.tenant, actor: call.actor, upload: try await call.tenant.upload(call.id(), as: call.actor))
    }

    private static func json(_ file: UploadFile, _ call: Call) async throws -> JSON {
        let catalogue = try await call.tenant.catalogue(as: call.actor)
        let table = try await file.table(catalogue)
        let guesses = HeaderGuess.fields(table.headers, catalogue: catalogue)
        let columns = table.headers.enumerated().map { place, header -> JSON in
            [
                "header": .string(header), "holds": guesses[place].map(JSON.string) ?? .null,
                "samples": .array(
                    table.samples.prefix(5).map { .string($0.indices.contains(place) ? $0[place] : "") }),
            ]
        }
        return [
            "id": .int(file.upload.id), "name": .string(file.upload.name), "bytes": .int(file.upload.bytes),
            "created_at": .string(file.upload.createdAt), "columns": .array(columns),
            "choices": .array(HeaderGuess.choices(catalogue).map(JSON.string)),
        ]
    }
}
