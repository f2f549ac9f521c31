import Hub
import Hummingbird
import NIOCore

/// A form with a file (multipart/form-data, RFC 7578), read while it arrives: fields first, then the one file, which
/// must be the last part.
struct MultipartBody: AsyncSequence, Sendable {
    let fields: [String: String]
    /// What the file is called.
    let fileName: String
    private let source: Source
    private let mark: [UInt8]

    /// Bytes that all but the file may have.
    private static let headBytes = 16_384

    /// - Throws: `RequestFault` `body.media_type`, `body.malformed`.
    init(_ body: RequestBody, contentType: String?) async throws {
        guard let contentType, contentType.lowercased().hasPrefix("multipart/form-data"),
            let boundary = contentType.split(separator: "boundary=").last.map({ $0.filter { $0 != "\"" } }),
            (1...70).contains(boundary.utf8.count)
        else { throw RequestFault(415, "body.media_type", "Send the file as multipart/form-data.") }
        mark = Array("\r\n--\(boundary)".utf8)
        let source = Source(body.makeAsyncIterator())
        self.source = source
        // as if the line before the first boundary had ended
        source.held = Array("\r\n".utf8)
        var found: [String: String] = [:]
        var left = Self.headBytes
        func upTo(_ end: [UInt8]) async throws -> String {
            let bytes = try await source.take(upTo: end, most: left)
            guard let bytes, left > bytes.count + end.count else {
                throw RequestFault(400, "body.malformed", "The form is cut short.")
            }
            left -= bytes.count + end.count
            return String(decoding: bytes, as: UTF8.self)
        }
        _ = try await upTo(mark)
        var file: String?
        while file == nil {
            _ = try await upTo(Array("\r\n".utf8))
            let head = try await upTo(Array("\r\n\r\n".utf8))
            file = Self.parameter("filename", of: head)
            if file == nil { found[Self.parameter("name", of: head) ?? ""] = try await upTo(mark) }
        }
        (fields, fileName) = (found, file ?? "")
    }

    /// A parameter of Content-Disposition, as browsers write it.
    private static func parameter(_ name: String, of head: String) -> String? {
        let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-disposition:") } ?? ""
        let halves = line.split(separator: "; \(name)=\"", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        return String(halves[1].prefix { $0 != "\"" }).replacing("%22", with: "\"")
    }

    /// The file, piece by piece.
    struct AsyncIterator: AsyncIteratorProtocol {
        let source: Source
        let mark: [UInt8]

        mutating func next() async throws -> ByteBuffer? { try await source.piece(before: mark) }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source, mark: mark) }

    /// The bytes that have come and are not taken yet. Read by one task, one after the other.
    final class Source: @unchecked Sendable {
        private var body: RequestBody.AsyncIterator
        var held: [UInt8] = []
        private var isOver = false

        init(_ body: RequestBody.AsyncIterator) { self.body = body }

        private func more() async throws -> Bool {
            guard let piece = try await body.next() else { return false }
            held.append(contentsOf: piece.readableBytesView)
            return true
        }

        /// What stands before `end`, which goes too; nil when it does not come within `most` bytes.
        func take(upTo end: [UInt8], most: Int) async throws -> [UInt8]? {
            while true {
                if let place = held.firstRange(of: end) {
                    defer { held.removeSubrange(..<place.upperBound) }
                    return Array(held[..<place.lowerBound])
                }
                guard held.count <= most, try await more() else { return nil }
            }
        }

        /// The next piece of what stands before `mark`; nil at its end.
        /// - Throws: `RequestFault` `body.malformed` when the mark does not come.
        func piece(before mark: [UInt8]) async throws -> ByteBuffer? {
            if isOver { return nil }
            while true {
                if let place = held.firstRange(of: mark) {
                    isOver = true
                    defer { held = [] }
                    return ByteBuffer(bytes: held[..<place.lowerBound])
                }
                // the mark may begin in what has come
                let safe = held.count - mark.count + 1
                if safe > 0 {
                    defer { held.removeFirst(safe) }
                    return ByteBuffer(bytes: held[..<safe])
                }
                guard try await more() else { throw RequestFault(400, "body.malformed", "The file is cut short.") }
            }
        }
    }
}
