public import Hub
internal import Postgres

/// Turns the rows of a file, or the objects of a batch, into rows to be staged.
public struct RowReader: Sendable {
    private let mapping: Mapping?
    private let normaliser: Normaliser

    fileprivate init(_ mapping: Mapping?, _ normaliser: Normaliser) {
        (self.mapping, self.normaliser) = (mapping, normaliser)
    }

    /// - Parameters:
    ///   - line: number within the run.
    ///   - values: what the file says, by column; hub fields when there is no mapping.
    public func row(line: Int64, values: JSON) -> StagedRow {
        if let mapping {
            let read = TenantDatabase.read(values, mapping, normaliser)
            return StagedRow(line: line, data: read.document, problems: read.problems)
        }
        let normal = normaliser.normalise(values, isPartial: true)
        return StagedRow(line: line, data: normal.document, problems: normal.problems)
    }

    /// A line that could not be read at all: staged as refused.
    public func fault(line: Int64, message: String) -> StagedRow {
        StagedRow(line: line, data: [:], problems: [FieldProblem(field: "", code: "csv.line", message: message)])
    }
}

extension TenantDatabase {
    /// - Parameter mapping: from columns to hub fields; nil when rows hold hub fields.
    /// - Throws: `Failure` `mapping.invalid`.
    public func rowReader(mapping: JSON?, as actor: Actor) async throws -> RowReader {
        let catalogue = try await catalogue(as: actor)
        guard let mapping else { return RowReader(nil, normaliser(catalogue)) }
        try Mapping.check(mapping, catalogue)
        return RowReader(try Mapping(mapping), normaliser(catalogue))
    }

    /// Lets the relay take up a run whose rows are all staged.
    public func queueStaged(run id: Int64, counts: JSON, as actor: Actor) async throws {
        _ = try await run(
            as: actor,
            """
            UPDATE \(table("run")) SET state = 'queued', counts = counts || \(counts.text)::jsonb
            WHERE id = \(id) AND state = 'staging'
            """)
        ring()
    }

    /// Gives up a run whose rows did not all arrive.
    public func abandonStaged(run id: Int64, message: String, as actor: Actor) async throws {
        _ = try await run(
            as: actor,
            """
            UPDATE \(table("run")) SET state = 'failed', message = \(message), ended_at = now()
            WHERE id = \(id) AND state = 'staging'
            """, "DELETE FROM \(table("stage")) WHERE run = \(id)")
        show()
    }
}
