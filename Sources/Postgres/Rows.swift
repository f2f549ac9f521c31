import CLibpq
import Glibc
import Synchronization

/// The result of one statement. Owns libpq's result, which never changes after it was made, so that any number of
/// tasks may read it. Values are read straight from libpq's memory.
public final class Rows: @unchecked Sendable {
    let result: OpaquePointer
    public let count: Int
    let columnCount: Int
    /// Where the next look-up by name begins: rows are mostly read in column order.
    private let nextColumn = Atomic<Int>(0)

    /// Takes ownership of a PGresult.
    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        columnCount = Int(PQnfields(result))
    }

    deinit { PQclear(result) }

    /// Column names in order.
    public var columns: [String] { (0..<columnCount).map { columnName($0) } }

    /// Rows inserted, updated, deleted, selected or copied, by the command tag; 0 for other commands.
    public var affected: Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// The command tag: `INSERT 0 1`, `ROLLBACK`.
    var tag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    func columnName(_ index: Int) -> String { withColumnName(index) { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with the bytes of a column's name, valid during the call only.
    func withColumnName<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        guard let name = PQfname(result, Int32(truncatingIfNeeded: index)) else {
            return body(UnsafeBufferPointer(start: nil, count: 0))
        }
        return body(
            UnsafeBufferPointer(
                start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: strlen(name)))
    }

    /// The position of a column, or nil. Costs one comparison when columns are asked for in order.
    func index(of name: String) -> Int? {
        guard columnCount > 0 else { return nil }
        let start = nextColumn.load(ordering: .relaxed)
        return name.utf8.withContiguousStorageIfAvailable { wanted -> Int? in
            for step in 0..<columnCount {
                var index = start &+ step
                if index >= columnCount { index -= columnCount }
                if matches(index, wanted) {
                    nextColumn.store(index + 1 == columnCount ? 0 : index + 1, ordering: .relaxed)
                    return index
                }
            }
            return nil
        } ?? columns.firstIndex(of: name)
    }

    private func matches(_ index: Int, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let name = PQfname(result, Int32(truncatingIfNeeded: index)) else { return false }
        for offset in 0..<wanted.count where UInt8(bitPattern: name[offset]) != wanted[offset] { return false }
        return name[wanted.count] == 0
    }

    /// The bytes of a value in text format, valid while `self` lives; nil for NULL.
    @inline(__always)
    func value(_ row: Int, _ column: Int) -> UnsafeBufferPointer<UInt8>? {
        let row = Int32(truncatingIfNeeded: row)
        let column = Int32(truncatingIfNeeded: column)
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return nil }
        let count = Int(PQgetlength(result, row, column))
        return UnsafeBufferPointer(
            start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
    }
}

extension Rows: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
    public subscript(position: Int) -> Row {
        precondition(position >= 0 && position < count, "row out of range")
        return Row(rows: self, index: position)
    }
}
