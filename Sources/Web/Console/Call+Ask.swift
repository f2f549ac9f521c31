import HTTPTypes
import Hub
import Store

extension Call {
    /// Has an operation of the interface done for whoever asked for a page: with the same rights and the same checks.
    /// - Parameters:
    ///   - id: of the operation.
    ///   - path: parts of its path by name.
    ///   - version: that the caller saw (If-Match).
    /// - Returns: the answer's body; null when there is none.
    /// - Throws: what the operation throws.
    @discardableResult
    func ask(
        _ id: String, _ path: [String: String] = [:], query: [String: JSON] = [:], body: JSON = .null,
        version: Int64? = nil
    ) async throws -> JSON {
        let answer = try await answer(id, path, query: query, body: body, version: version)
        return answer.body.isEmpty ? .null : try JSON(parsing: answer.body)
    }

    /// The same for a page of a list, of whose items not everything is looked at.
    /// - Parameters:
    ///   - members: of an item, that are kept.
    ///   - parts: the same of what an item holds, by how much deeper it stands.
    func askForItems(
        _ id: String, query: [String: JSON], keeping members: [String], parts: [Int: [String]] = [:]
    ) async throws -> JSON {
        let body = try await answer(id, query: query).body
        // the page, its items, an item
        var kept = [2: members]
        for (depth, names) in parts { kept[2 + depth] = names }
        return try JSON(parsing: body, keeping: kept)
    }

    /// The same, with the answer as it is, such as a file.
    func answer(
        _ id: String, _ path: [String: String] = [:], query: [String: JSON] = [:], body: JSON = .null,
        version: Int64? = nil
    ) async throws -> Answer {
        guard let operation = Operations.apiByID[id] else { preconditionFailure("there is no operation \(id)") }
        var asked = Caller.anybody
        if operation.access != .open {
            if let lacking = grant.confined, !operation.isOfOwnAccount { throw WebResponder.confined(lacking) }
            asked = try Caller(grant, operation.access, node: services.node)
        }
        if case .json(let schema, _) = operation.body {
            let problems = SchemaCheck.problems(body, schema, schemas: Schemas.all)
            guard problems.isEmpty else {
                throw Failure(
                    .invalid, "body.invalid", "Something was not filled in as it should be.", details: problems)
            }
        }
        var headers = headers
        headers[.ifMatch] = version.map { "\"v\($0)\"" }
        return try await operation.handle(
            Call(
                services: services, caller: asked, path: path, query: query, headers: headers, body: body, bytes: [],
                stream: stream, peer: peer))
    }

    /// The same; nil when the caller's role does not let them.
    func askIfAllowed(
        _ id: String, _ path: [String: String] = [:], query: [String: JSON] = [:]
    ) async throws -> JSON? {
        do {
            return try await ask(id, path, query: query)
        } catch let failure as Failure where failure.kind == .forbidden {
            return nil
        }
    }
}
