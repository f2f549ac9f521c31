import Foundation
import HTTPTypes
import Hub
import Store

extension Operations {
    private static let hookLimit = 2_000_000
    /// Header fields that name an event at its source. The delivery number of WooCommerce is none: it is another
    /// with every attempt.
    private static let eventKeys = ["webhook-id", "x-event-id"]
    private static let longestKey = 200

    /// Stores a webhook and answers at once; the relay applies it.
    static let hook = Operation(
        id: "receiveHook", method: .post, path: "/hooks/{path}", summary: "Takes a webhook in.", access: .open,
        parameters: [name("path", Schema.string, "As the connector's hook-url says.")], body: .bytes(limit: hookLimit),
        responses: [200: Schema.object(["stored": Schema.flag])], isDocumented: false, handle: receive)

    @Sendable private static func receive(_ call: Call) async throws -> Answer {
        let node = call.services.node
        guard let target = try await node.hookTarget(call.path["path"] ?? ""),
            let tenant = try await node.openTenant(target.tenant)
        else {
            throw Failure.notFound("address")
        }
        var headers: [String: String] = [:]
        for field in call.headers { headers[field.name.canonicalName] = field.value }
        let database = node.tenant(tenant)
        let now = Int64(Date().timeIntervalSince1970)
        try await call.services.verifyHook(database, target.connector, headers, call.bytes, now)
        // what opened the door need not be kept
        for name in ["authorization", "cookie"] { headers[name] = nil }
        let key = eventKeys.lazy.compactMap { headers[$0] }.first { !$0.isEmpty && $0.utf8.count <= longestKey }
        try await database.storeHook(connector: target.connector, eventKey: key, headers: headers, body: call.bytes)
        return Answer(["stored": true])
    }
}
