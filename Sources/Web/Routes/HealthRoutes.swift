import HTTPTypes
import Hub
import Store

extension Operations {
    static func openAPI(_ document: [UInt8]) -> Operation {
        Operation(
            id: "openAPI", method: .get, path: "\(prefix)/openapi.json", summary: "This description.", access: .open,
            responses: [200: Schema.anyObject], isDocumented: false, handle: { _ in Answer(json: document) })
    }

    static func health(_ metrics: Metrics) -> [Operation] {
        [
            Operation(
                id: "health", method: .get, path: "/health", summary: "Whether the program runs.", access: .open,
                responses: [200: Schema.ref("Health")], isDocumented: false,
                handle: { _ in Answer(["status": "running"]) }),
            Operation(
                id: "ready", method: .get, path: "/ready", summary: "Whether the database answers.", access: .open,
                responses: [200: Schema.ref("Health")], isDocumented: false,
                handle: { call in
                    do {
                        try await call.services.node.ping()
                    } catch {
                        throw Failure(
                            .unavailable, "database.unavailable", "The database does not answer.", retryAfter: 1)
                    }
                    return Answer(["status": "ready"])
                }),
            Operation(
                id: "metrics", method: .get, path: "/metrics", summary: "Counts in the text format of Prometheus.",
                access: .open,
                responses: [200: Schema.string], isDocumented: false,
                handle: { call in
                    var answer = Answer(json: Array(metrics.text(pools: call.services.node.poolCounts()).utf8))
                    answer.contentType = "text/plain; version=0.0.4; charset=utf-8"
                    return answer
                }),
        ]
    }
}
