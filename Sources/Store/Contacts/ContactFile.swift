public import Hub
internal import Postgres

/// Contacts as a CSV file.
extension TenantDatabase {
    /// Writes the contacts the caller sees, with the fields as they see them: number, name, then every field there is.
    /// - Parameters:
    ///   - query: which; its limit and beginning do not count.
    ///   - write: takes the next bytes of the file.
    /// - Returns: how many contacts were written.
    /// - Throws: `Failure` `right.missing` unless the caller's role allows exports.
    public func writeContacts(_ query: ContactQuery, as actor: Actor, _ write: ([UInt8]) async throws -> Void)
        async throws -> Int
    {
        try await demandExport(as: actor)
        let fields = try await catalogue(as: actor).fields
        try await note("export.begun", entity: "contact", as: actor)
        var file = CSVWriter()
        file.row(["id", "name"] + fields.map(\.key))
        var query = query
        (query.after, query.limit) = (0, 500)
        var count = 0
        do {
            try await writePages(&query, &file, &count, fields, as: actor, write)
        } catch {
            // what was written has left, whether the rest followed or not
            try await note("export.ended", entity: "contact", ["contacts": .int(Int64(count))], as: actor)
            throw error
        }
        try await note("export.ended", entity: "contact", ["contacts": .int(Int64(count))], as: actor)
        return count
    }

    private func writePages(
        _ query: inout ContactQuery, _ file: inout CSVWriter, _ count: inout Int, _ fields: [FieldCatalogue.Field],
        as actor: Actor, _ write: ([UInt8]) async throws -> Void
    ) async throws {
        while true {
            let page = try await contacts(query, as: actor)
            for contact in try JSON(parsing: page.json).array ?? [] {
                let values = contact["fields"]
                file.row(
                    [contact["id"]?.scalarText, contact["name"]?.string] + fields.map { Self.cell(values?[$0.key]) })
            }
            try await write(file.bytes)
            file.bytes = []
            count += page.ids.count
            guard page.ids.count == query.limit, let last = page.ids.last else { break }
            query.after = last
        }
    }

    /// - Throws: `Failure` `right.missing` unless the caller's role allows exports.
    public func demandExport(as actor: Actor) async throws {
        guard try await run(as: actor, "SELECT \(table("may"))('export') AS may")[0][0].get("may") else {
            throw Failure.right
        }
    }

    /// A value in one cell: several by semicolons, an address's parts by commas.
    private static func cell(_ value: JSON?) -> String {
        switch value {
        case nil, .null?: ""
        case .array(let items)?: items.map { cell($0) }.joined(separator: "; ")
        case .object(let members)?:
            if let value = members["value"] {
                cell(value)
            } else {
                members.keys.sorted().filter { $0 != "label" }.map { cell(members[$0]) }.filter { !$0.isEmpty }
                    .joined(separator: ", ")
            }
        case let scalar?: scalar.scalarText ?? ""
        }
    }
}
