/// Writes the rows of a `COPY ... FROM STDIN`. Small writes are gathered into pieces of 64 KiB.
public final class CopyWriter {
    private static let pieceSize = 65_536

    private let connection: Connection
    private var piece: [UInt8] = []

    init(_ connection: Connection) {
        self.connection = connection
        piece.reserveCapacity(Self.pieceSize + 4096)
    }

    /// Writes bytes in the format the COPY statement named; pieces need not end at rows.
    /// - Throws: `.connection` when the connection is gone. A bad row is reported at the end of the COPY.
    public func write(_ bytes: [UInt8]) async throws {
        piece.append(contentsOf: bytes)
        if piece.count >= Self.pieceSize { try await flush() }
    }

    /// Writes one row in COPY's text format; nil is NULL.
    public func row(_ fields: [String?]) async throws {
        for (index, field) in fields.enumerated() {
            if index > 0 { piece.append(UInt8(ascii: "\t")) }
            if let field { append(field) } else { piece.append(contentsOf: "\\N".utf8) }
        }
        piece.append(UInt8(ascii: "\n"))
        if piece.count >= Self.pieceSize { try await flush() }
    }

    /// Sends what is gathered.
    func flush() async throws {
        guard !piece.isEmpty else { return }
        try await connection.putCopyData(piece)
        piece.removeAll(keepingCapacity: true)
    }

    private func append(_ field: String) {
        for byte in field.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): piece.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\t"): piece.append(contentsOf: "\\t".utf8)
            case UInt8(ascii: "\n"): piece.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): piece.append(contentsOf: "\\r".utf8)
            default: piece.append(byte)
            }
        }
    }
}
