import CHost
import CLibpq
import Synchronization

extension Connection {
    private static let chunkSize = 65_536

    /// Queues COPY data and waits until the socket has taken it.
    func putCopyData(_ bytes: [UInt8]) async throws {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
            var completions = Completions()
            lock.lock()
            if let failure {
                lock.unlock()
                return continuation.resume(throwing: failure)
            }
            let sent = bytes.withUnsafeBytes {
                PQputCopyData(
                    raw, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(truncatingIfNeeded: $0.count))
            }
            drain = continuation
            if sent == 1 { flush(&completions) } else { lose(PostgresError(connection: raw), &completions) }
            lock.unlock()
            completions.resumeAll()
        }
    }

    /// Ends a COPY IN, or makes it fail, and waits for the server's verdict. Returns the rows taken.
    func endCopyIn(failing: Bool) async throws -> Int {
        let results = try await finishCopy {
            failing ? PQputCopyEnd(raw, "ended by the client") : PQputCopyEnd(raw, nil)
        }
        return results.last?.affected ?? 0
    }

    /// Reads the verdict of a COPY OUT whose data is through. Returns the rows sent.
    func endCopyOut() async throws -> Int { try await finishCopy { 1 }.last?.affected ?? 0 }

    private func finishCopy(_ end: () -> Int32) async throws -> [Rows] {
        try await withUnsafeThrowingContinuation { continuation in
            var completions = Completions()
            lock.lock()
            if let failure {
                lock.unlock()
                return continuation.resume(throwing: failure)
            }
            let ended = end() == 1
            queue.append(Operation(kind: .simple, continuation: continuation, steps: []))
            if ended {
                setInterest(interest | UInt32(CSYSTEM_IN))
                flush(&completions)
                // The verdict may be in libpq's buffer already, and then the socket stays silent.
                readResults(&completions)
            } else {
                lose(PostgresError(connection: raw), &completions)
            }
            lock.unlock()
            completions.resumeAll()
        }
    }

    /// The next rows of a COPY OUT, about 64 KiB; nil when the data is through. Between calls the socket is not
    /// read, so that the server waits for a slow consumer.
    func nextCopyChunk() async throws -> [UInt8]? {
        var chunk: [UInt8] = []
        while true {
            switch try takeCopyRows(&chunk) {
            case .through: return chunk.isEmpty ? nil : chunk
            case .full: return chunk
            case .dry:
                if !chunk.isEmpty { return chunk }
                try await waitForInput()
            }
        }
    }

    private enum Supply {
        case full
        case dry
        case through
    }

    private func takeCopyRows(_ chunk: inout [UInt8]) throws -> Supply {
        lock.lock()
        defer { lock.unlock() }
        if let failure { throw failure }
        while chunk.count < Self.chunkSize {
            var row: UnsafeMutablePointer<CChar>?
            let count = Int(PQgetCopyData(raw, &row, 1))
            if count == 0 { return .dry }
            // -1: the end; -2: an error, which the verdict that is read next will tell.
            guard count > 0, let row else { return .through }
            chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: count))
            PQfreemem(row)
        }
        return .full
    }

    private func waitForInput() async throws {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
            lock.lock()
            if let failure {
                lock.unlock()
                return continuation.resume(throwing: failure)
            }
            reader = continuation
            setInterest(interest | UInt32(CSYSTEM_IN))
            lock.unlock()
        }
    }

    /// Asks the server to stop; the answer comes on this connection.
    func cancelInBackground() { startThread { [self] in cancelBlocking() } }
}
