import Hub
import NIOCore
import Store

/// A file kept in the database until it is taken in.
struct UploadFile: Sendable {
    let tenant: TenantDatabase
    let actor: Actor
    let upload: Upload

    /// Larger files go straight through `POST /imports/csv`.
    static let maxBytes = 100_000_000
    static let gone = Failure(.conflict, "upload.gone", "The file was thrown away meanwhile: send it again.")

    /// Keeps a file while it arrives.
    /// - Throws: `RequestFault` `body.too_large`; nothing of the file is left then.
    static func keep<Body: AsyncSequence>(_ body: Body, name: String, _ tenant: TenantDatabase, _ actor: Actor)
        async throws
        -> UploadFile where Body.Element == ByteBuffer
    {
        // PostgreSQL's text holds no U+0000, and nobody wants to see the others
        let shown = String(
            String.UnicodeScalarView(name.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        let id = try await tenant.createUpload(name: shown, bytes: maxBytes, as: actor)
        do {
            var (total, part, waiting) = (0, 0, [UInt8]())
            for try await piece in body {
                total += piece.readableBytes
                guard total <= maxBytes else { throw BodyReader.tooLarge(maxBytes) }
                waiting.append(contentsOf: piece.readableBytesView)
                while waiting.count >= TenantDatabase.uploadPart {
                    try await tenant.add(
                        part: part, Array(waiting.prefix(TenantDatabase.uploadPart)), toUpload: id, as: actor)
                    waiting.removeFirst(TenantDatabase.uploadPart)
                    part += 1
                }
            }
            if !waiting.isEmpty { try await tenant.add(part: part, waiting, toUpload: id, as: actor) }
            try await tenant.finish(upload: id, bytes: total, as: actor)
        } catch {
            // the request may be cancelled; what came must go all the same
            try await Task { try await tenant.deleteUpload(id, as: actor) }.value
            throw error
        }
        return UploadFile(tenant: tenant, actor: actor, upload: try await tenant.upload(id, as: actor))
    }

    /// The beginning of the file as a table; its columns need not be recognised.
    func table(_ catalogue: FieldCatalogue) async throws -> CSVTable {
        let sample = try await tenant.part(0, ofUpload: upload.id, as: actor) ?? []
        return try CSVTable(
            sample: Array(sample.prefix(CSVImport.sampleBytes)), mapping: nil, catalogue: catalogue, mayBeUnknown: true)
    }

    /// Stages the file as a run.
    /// - Parameters: as of `CSVImport`.
    func take(mapping: JSON?, fields: [String?]?, params: JSON, isDry: Bool) async throws -> Int64 {
        try await CSVImport(tenant: tenant, actor: actor, mapping: mapping, fields: fields, maxBytes: Self.maxBytes)
            .take(
                UploadParts(file: self), announced: nil, params: params, isDry: isDry)
    }
}

/// What a kept file holds, in parts as they are kept.
struct UploadParts: AsyncSequence, Sendable {
    let file: UploadFile

    struct AsyncIterator: AsyncIteratorProtocol {
        let file: UploadFile
        var number = 0
        var bytes: Int64 = 0

        /// - Throws: `Failure` `upload.gone` when the file goes away in the middle.
        mutating func next() async throws -> ByteBuffer? {
            defer { number += 1 }
            if let part = try await file.tenant.part(number, ofUpload: file.upload.id, as: file.actor) {
                bytes += Int64(part.count)
                return ByteBuffer(bytes: part)
            }
            guard bytes == file.upload.bytes else {
                throw UploadFile.gone
            }
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(file: file) }
}
