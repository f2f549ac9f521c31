import HTTPTypes
import Hub
import Store

extension Operations {
    static let dry = Parameter.query("dry", Schema.flag, "Tells what would happen, and does nothing.")
    static let maxChanges = Parameter.query(
        "max_changes", Schema.whole(0, 100_000_000),
        "When more contacts than these would be made or changed, the run waits for approval.")

    static let imports: [Operation] = [
        Operation(
            id: "importCSV", method: .post, path: "\(prefix)/imports/csv",
            summary: "Takes a CSV file in, of up to 5 GB. Encoding, delimiter and columns are told from the file.",
            access: .tenant(.contactsWrite),
            parameters: [
                dry, maxChanges,
                .query("mapping", Schema.text(1, 5000), "A mapping of columns to fields, as JSON (docs/mapping.md)."),
            ], body: .stream(mediaType: "text/csv"), responses: [202: Schema.ref("Run")],
            handle: { call in
                let mapping = try call.text("mapping").map(mapping)
                let run = try await CSVImport(
                    tenant: call.tenant, actor: call.actor, mapping: mapping, maxBytes: call.services.maxImportBytes
                ).take(
                    call.stream, announced: call.announcedLength, params: params(call), isDry: call.flag("dry"))
                return try await accepted(run, call)
            }),
        Operation(
            id: "importContacts", method: .post, path: "\(prefix)/imports/contacts",
            summary: "Takes up to 10,000 contacts in, each an object of fields.", access: .tenant(.contactsWrite),
            parameters: [dry, maxChanges], body: .json(Schema.ref("Batch")), responses: [202: Schema.ref("Run")],
            handle: { call in
                let reader = try await call.tenant.rowReader(mapping: nil, as: call.actor)
                let rows = (call.body.array ?? []).enumerated().map { reader.row(line: Int64($0 + 1), values: $1) }
                let run = try await call.tenant.createRun(
                    as: call.actor, kind: "batch", params: params(call), isDry: call.flag("dry"), state: "staging")
                try await StagingRun(tenant: call.tenant, actor: call.actor, run: run).fill { staging in
                    try await staging.stage(rows)
                    return ["rows": .int(Int64(rows.count))]
                }
                return try await accepted(run, call)
            }),
    ]

    private static func params(_ call: Call) -> JSON {
        var params: JSON = [:]
        if let most = call.query["max_changes"] { params["max_changes"] = most }
        return params
    }

    private static func mapping(_ text: String) throws -> JSON {
        do {
            return try JSON(text: text)
        } catch {
            throw RequestFault.query("query.invalid", "The mapping is no JSON text: \(error).", "mapping")
        }
    }
}
