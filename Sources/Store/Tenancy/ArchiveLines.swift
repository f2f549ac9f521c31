/// The lines of an exported tenant, of any length in all, as they come in. Read by one task at a time: the lock of a
/// mutex could not be held while more is waited for.
public final class ArchiveLines: @unchecked Sendable {
    private let more: () async throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    /// Bytes that one line may have; a row of any table is far smaller.
    private static let maxLine = 64 << 20

    /// - Parameter more: gives the next bytes; none at the end.
    public init(_ more: @escaping () async throws -> [UInt8]) { self.more = more }

    /// The next line without its end; nil when there is none.
    /// - Throws: `Failure` `archive.broken`, and what reading throws.
    func next() async throws -> String? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return String(decoding: buffer[start..<end], as: UTF8.self)
            }
            if isAtEnd {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return String(decoding: buffer[start...], as: UTF8.self)
            }
            guard buffer.count - start <= Self.maxLine else { throw TenantRestore.broken("a line is too long") }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            let bytes = try await more()
            isAtEnd = bytes.isEmpty
            buffer += bytes
        }
    }
}
