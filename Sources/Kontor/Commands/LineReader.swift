import Foundation
import Synchronization

/// The lines of a file of any size, one after the other.
final class LineReader: Sendable {
    private struct State {
        var buffer: [UInt8] = []
        var start = 0
        var isAtEnd = false
    }
    private let state = Mutex(State())
    private let handle: FileHandle
    private static let chunk = 1 << 20

    /// - Returns: nil when the file cannot be read.
    init?(path: String) {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        self.handle = handle
    }

    /// The next line without its end; nil at the end of the file.
    func next() throws -> String? {
        try state.withLock { state in
            while true {
                if let end = state.buffer[state.start...].firstIndex(of: 0x0A) {
                    defer { state.start = end + 1 }
                    return String(decoding: state.buffer[state.start..<end], as: UTF8.self)
                }
                if state.isAtEnd {
                    guard state.start < state.buffer.count else { return nil }
                    defer { state.start = state.buffer.count }
                    return String(decoding: state.buffer[state.start...], as: UTF8.self)
                }
                state.buffer.removeFirst(state.start)
                state.start = 0
                let more = try handle.read(upToCount: Self.chunk) ?? Data()
                state.isAtEnd = more.isEmpty
                state.buffer += more
            }
        }
    }
}
