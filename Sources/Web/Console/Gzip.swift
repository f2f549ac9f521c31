import CZlib
import Hub

/// Packs answers (RFC 1952).
enum Gzip {
    /// How hard it tries, from 1 to 9 (zlib's manual, Basic Functions).
    enum Level: Int32 {
        /// A page is a tenth larger than at the usual 6, in little more than half of the time.
        case quick = 3
        /// For what is packed once.
        case best = 9
    }

    /// - Throws: `Failure` `gzip.failed` for lack of memory.
    static func pack(_ bytes: [UInt8], _ level: Level) throws -> [UInt8] {
        var stream = z_stream()
        let failure = Failure(.broken, "gzip.failed", "zlib could not pack an answer.")
        // 16 more than the largest window asks for gzip's head and end
        guard
            deflateInit2_(
                &stream, level.rawValue, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw failure }
        defer { deflateEnd(&stream) }
        var source = bytes
        var packed = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let (count, status) = source.withUnsafeMutableBufferPointer { input in
            packed.withUnsafeMutableBufferPointer { output in
                (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
                (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                let status = deflate(&stream, Z_FINISH)
                return (Int(stream.total_out), status)
            }
        }
        guard status == Z_STREAM_END else { throw failure }
        return Array(packed.prefix(count))
    }

    /// Whether the other side takes gzip (RFC 9110, 12.5.3).
    static func isTaken(_ header: String?) -> Bool {
        (header ?? "").lowercased().split(separator: ",").contains { part in
            let halves = part.split(separator: ";").map { $0.filter { $0 != " " } }
            return halves.first == "gzip" && !halves.dropFirst().contains { $0 == "q=0" || $0 == "q=0.0" }
        }
    }
}
