import HTTPTypes
import Hub
import Store

/// All operations there are. Files beside this one add theirs.
enum Operations {
    static func all(_ metrics: Metrics) -> [Operation] {
        let document = OpenAPIDocument.make(api, schemas: Schemas.all).bytes
        return api + [openAPI(document), hook] + pages + console + health(metrics)
    }

    /// What is in the document.
    static let api =
        contacts + merges + contactViews + fields + connectors + plugins + runs + imports + uploads + deliveries
        + changes
        + conflicts
        + segments + pushes + sessions + account + staff + roles + teams + sqlLogins + audit + privacy + retention
        + processing
        + tokens + views
        + tenants + usage

    static let apiByID = Dictionary(uniqueKeysWithValues: api.map { ($0.id, $0) })

    static let prefix = "/api/v1"

    // Parameters that many operations have.
    static let limit = Parameter.query("limit", Schema.whole(1, 500), "Entries on a page; 50 unless told.")
    static let cursor = Parameter.query("cursor", Schema.text(1, 200), "Where to go on: “next” of the page before.")
    static let ifMatch = Parameter.header(
        "If-Match", Schema.string,
        "The ETag the caller saw; the request fails with 412 when the contact has changed since.")

    static func id(_ name: String = "id", _ summary: String) -> Parameter {
        Parameter(name: name, place: .path, schema: Schema.id, summary: summary, isRequired: true)
    }

    static func name(_ name: String, _ schema: JSON, _ summary: String) -> Parameter {
        Parameter(name: name, place: .path, schema: schema, summary: summary, isRequired: true)
    }

    /// An answer with the run that was asked for.
    static func accepted(_ run: Int64, _ call: Call) async throws -> Answer {
        try await Answer(202, json: call.tenant.runJSON(run, as: call.actor))
            .with(.location, "\(prefix)/runs/\(run)")
    }
}
