import Hub
import NIOCore
import Store

/// Takes a CSV file in while it is being sent: never more of it is held than one page of rows.
struct CSVImport {
    let tenant: TenantDatabase
    let actor: Actor
    /// From columns to fields; nil to guess by the header.
    let mapping: JSON?
    /// What each column holds, where there is no mapping (`HeaderGuess.choices`); nil to guess.
    var fields: [String?]?
    let maxBytes: Int

    static let sampleBytes = 65_536
    private static let pageRows = 2000

    /// - Parameter announced: bytes the body is said to have.
    /// - Returns: the run's number.
    /// - Throws: `Failure` `csv.empty`, `csv.header`, `csv.columns`, `mapping.invalid`; `RequestFault` `body.too_large`.
    func take<Body: AsyncSequence & Sendable>(_ body: Body, announced: Int?, params: JSON, isDry: Bool) async throws
        -> Int64 where Body.Element == ByteBuffer
    {
        if let announced, announced > maxBytes { throw BodyReader.tooLarge(maxBytes) }
        var source = body.makeAsyncIterator()
        var sample: [UInt8] = []
        while sample.count < Self.sampleBytes, let piece = try await source.next() {
            sample.append(contentsOf: piece.readableBytesView)
        }
        let catalogue = try await tenant.catalogue(as: actor)
        let table = try CSVTable(sample: sample, mapping: mapping, fields: fields, catalogue: catalogue)
        let reader = try await tenant.rowReader(mapping: table.mapping, as: actor)
        var params = params
        params["mapping"] = table.mapping
        let run = try await tenant.createRun(as: actor, kind: "csv", params: params, isDry: isDry, state: "staging")
        try await StagingRun(tenant: tenant, actor: actor, run: run).fill { staging in
            var file = CSVFile(table: table, reader: reader)
            var total = sample.count
            file.feed(sample)
            while let piece = try await source.next() {
                total += piece.readableBytes
                guard total <= maxBytes else { throw BodyReader.tooLarge(maxBytes) }
                file.feed(Array(piece.readableBytesView))
                if file.rows.count >= Self.pageRows { try await staging.stage(file.takeRows()) }
            }
            file.finish()
            try await staging.stage(file.takeRows())
            return [
                "rows": .int(Int64(file.rowCount)), "faults": .int(Int64(file.faultCount)), "bytes": .int(Int64(total)),
            ]
        }
        return run
    }
}
