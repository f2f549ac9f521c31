import HTTPTypes
import Hub
import Hummingbird
import NIOCore

/// Takes the body of a request in.
enum BodyReader {
    /// - Parameter limit: bytes.
    /// - Throws: `RequestFault` `body.encoding`, `body.too_large`.
    static func bytes(_ request: Request, limit: Int) async throws -> [UInt8] {
        try expectUnpacked(request)
        if let announced = request.headers[.contentLength].flatMap({ Int($0) }), announced > limit {
            throw tooLarge(limit)
        }
        var bytes: [UInt8] = []
        for try await piece in request.body {
            guard bytes.count + piece.readableBytes <= limit else { throw tooLarge(limit) }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    /// A JSON body that fits a schema.
    /// - Throws: `RequestFault` `body.media_type`, `body.encoding`, `body.too_large`, `body.malformed`, `body.invalid`.
    static func json(_ request: Request, schema: JSON, limit: Int) async throws -> JSON {
        try expect("application/json", request)
        let bytes = try await bytes(request, limit: limit)
        let value: JSON
        do {
            value = try JSON(parsing: bytes, maxDepth: 64)
        } catch {
            throw RequestFault(400, "body.malformed", "The body is no JSON text that Kontor takes: \(error).")
        }
        let problems = SchemaCheck.problems(value, schema, schemas: Schemas.all)
        guard problems.isEmpty else {
            throw Failure(.invalid, "body.invalid", "The body is not what is needed here.", details: problems)
        }
        return value
    }

    /// - Throws: `RequestFault` `body.media_type`.
    static func expect(_ mediaType: String, _ request: Request) throws {
        let given = request.headers[.contentType]?.split(separator: ";").first.map {
            $0.lowercased().filter { $0 != " " && $0 != "\t" }
        }
        guard given == mediaType else {
            throw RequestFault(415, "body.media_type", "Send the body as \(mediaType), and say so in Content-Type.")
        }
    }

    /// Bodies come unpacked: what does not, could grow without end here.
    /// - Throws: `RequestFault` `body.encoding`.
    static func expectUnpacked(_ request: Request) throws {
        let coding = request.headers[.contentEncoding]?.lowercased() ?? "identity"
        guard coding == "identity" else {
            throw RequestFault(415, "body.encoding", "Send the body unpacked, without Content-Encoding.")
        }
    }

    /// - Throws: `RequestFault` `body.unexpected`.
    static func expectNone(_ request: Request) throws {
        let length = request.headers[.contentLength].map { Int($0) ?? 1 } ?? 0
        guard length == 0, request.headers[.transferEncoding] == nil else {
            throw RequestFault(400, "body.unexpected", "This takes no body.")
        }
    }

    static func tooLarge(_ limit: Int) -> RequestFault {
        RequestFault(413, "body.too_large", "The body may have \(limit) bytes at most.")
    }
}
