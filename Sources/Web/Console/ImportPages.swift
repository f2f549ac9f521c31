import HTTPTypes
import Hub
import Store

/// A file with contacts: sent, looked at, tried, taken in.
extension Operations {
    static let importPages: [Operation] = [
        page("console.import", "/contacts/import", access: .tenant(.contactsWrite)) { desk in
            try importPage(desk)
        },
        Operation(
            id: "console.upload", method: .post, path: "/contacts/import", summary: "A form of the console.",
            access: .tenant(.contactsWrite), body: .stream(mediaType: "multipart/form-data"), responses: [303: nil],
            isDocumented: false, isPage: true,
            handle: { call in
                let desk = try await Desk.open(call)
                if let lacking = call.grant.confined { throw WebResponder.confined(lacking) }
                do {
                    let form = try await MultipartBody(call.stream, contentType: call.headers[.contentType])
                    try demandOwn(call, mark: form.fields["mark"] ?? "")
                    let file = try await UploadFile.keep(
                        form, name: String(form.fileName.prefix(200)), call.tenant, call.actor)
                    return desk.go("/contacts/import/\(file.upload.id)")
                } catch let fault as RequestFault {
                    return try importPage(desk, fault.failure)
                } catch let failure as Failure where failure.kind != .broken {
                    return try importPage(desk, failure)
                }
            }),
        page(
            "console.columns", "/contacts/import/{id}", access: .tenant(.contactsWrite),
            query: [.query("run", Schema.id, "The run that tried it.")]
        ) { desk in
            try await columnsPage(desk)
        },
        action("console.tryImport", "/contacts/import/{id}", access: .tenant(.contactsWrite)) { desk, form in
            let upload = try await desk.call.ask("getUpload", desk.call.path)
            let columns = (upload["columns"]?.array ?? []).indices.map { place -> JSON in
                let text = form["column.\(place)"]
                return text.isEmpty ? .null : .string(text)
            }
            let isTrial = form["do"] == "try"
            do {
                let run = try await desk.call.ask(
                    "importUpload", desk.call.path, body: ["columns": .array(columns), "dry": .bool(isTrial)])
                let number = run["id"]?.scalarText ?? ""
                return desk.go(
                    isTrial ? "/contacts/import/\(desk.call.path["id"] ?? "")?run=\(number)" : "/runs/\(number)")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await columnsPage(desk, form, failure)
            }
        },
    ]

    private static func importPage(_ desk: Desk, _ failure: Failure? = nil) throws -> Answer {
        try desk.page("import", title: desk.texts["import_title"], place: "/contacts", failure: failure, [:])
    }

    /// What each column holds, and what the trial said.
    private static func columnsPage(_ desk: Desk, _ form: FormBody? = nil, _ failure: Failure? = nil) async throws
        -> Answer
    {
        let upload = try await desk.call.ask("getUpload", desk.call.path)
        let labels = try await desk.call.ask("listFields")["items"]?.array ?? []
        let run = desk.call.query["run"]?.scalarText
        var trial = JSON.null
        if let run, desk.may(.runs) { trial = try await RunReport(desk, run).model(isWithin: true) }
        let tried = trial["columns"]?.array
        let choices = (upload["choices"]?.array ?? []).compactMap(\.string)
        let columns = (upload["columns"]?.array ?? []).enumerated().map { place, column -> JSON in
            let guess = tried.map { $0.indices.contains(place) ? $0[place] : .null } ?? column["holds"]
            let chosen = form?["column.\(place)"] ?? guess?.string ?? ""
            return [
                "name": .string("column.\(place)"), "header": column["header"] ?? .null,
                "samples": .array((column["samples"]?.array ?? []).filter { $0 != "" }.prefix(3).map { $0 }),
                "choices": .array(
                    choices.map { choice in
                        [
                            "value": .string(choice), "is_chosen": .bool(choice == chosen),
                            "text": .string(columnLabel(desk, choice, labels)),
                        ]
                    }),
            ]
        }
        return try desk.page(
            "import-columns", title: upload["name"]?.string ?? "", place: "/contacts", failure: failure,
            [
                "columns": .array(columns), "trial": trial, "is_tried": .bool(trial != .null),
                "address": .string("/contacts/import/\(desk.call.path["id"] ?? "")"),
            ])
    }

    /// A column's content in words: "Addresses: city".
    private static func columnLabel(_ desk: Desk, _ path: String, _ labels: [JSON]) -> String {
        let parts = path.split(separator: "[n].").map(String.init)
        let field = desk.texts.label(parts[0], labels)
        return parts.count == 2 && parts[1] != "value" ? "\(field): \(desk.texts["part_\(parts[1])"])" : field
    }
}
