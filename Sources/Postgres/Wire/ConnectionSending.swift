import CHost
import CLibpq
import Synchronization

extension Connection {
    /// Sends `prelude` and `statements` and one Sync in one go, and waits for all results.
    /// - Parameters:
    ///   - deadline: monotonic nanoseconds, 0 for none; also set as the statements' statement_timeout.
    ///   - counted: the pool counted this operation into `load`; it is counted out when its results are in.
    ///   - isLookUp: the statements may share a Sync with those of other tasks, see `LookUpGroup`.
    /// - Returns: the results of `statements`, not those of the prelude.
    /// - Throws: `PostgresError`; `Skipped` for a look-up when another one under its Sync failed before it.
    func pipeline(
        prelude: SQL?, _ statements: [SQL], deadline: UInt64 = 0, counted: Bool = false, isLookUp: Bool = false
    ) async throws -> [Rows] {
        try await withUnsafeThrowingContinuation { continuation in
            var completions = Completions()
            lock.lock()
            if let failure {
                if counted { load.wrappingSubtract(1, ordering: .relaxed) }
                lock.unlock()
                return continuation.resume(throwing: failure)
            }
            let joins = isLookUp && deadline == 0 && group.mayWait
            var operation = Operation(kind: joins ? .member : .pipeline, continuation: continuation, steps: [])
            operation.deadline = deadline
            operation.counted = counted
            operation.steps.reserveCapacity(statements.count + 2)
            var sent = true
            if group.isOpen, !joins || !group.takes(hasPrelude: prelude != nil), !closeGroup(&completions) {
                if counted { load.wrappingSubtract(1, ordering: .relaxed) }
                let error = failure ?? PostgresError(.connection, "the connection was lost")
                lock.unlock()
                completions.resumeAll()
                return continuation.resume(throwing: error)
            }
            if !group.isOpen {
                self.statements.beginPipeline()
                sent = sendHousekeeping(deadline, &operation.steps)
            }
            sent = sent && send(prelude, statements, &operation.steps)
            if joins {
                group.add(hasPrelude: prelude != nil)
                queue.append(operation)
            } else {
                sent = sent && PQpipelineSync(raw) == 1
                queue.append(operation)
                group.sentSync()
            }
            if !sent {
                // Half a pipeline without its Sync would shift every later answer: the connection is of no use.
                lose(PostgresError(connection: raw), &completions)
            } else if !joins {
                flush(&completions)
            }
            lock.unlock()
            completions.resumeAll()
        }
    }

    /// Sends a text outside pipeline mode; several statements are allowed, parameters are not.
    /// Only for connections with one user and nothing under way.
    func simple(_ text: [UInt8], kind: Operation.Kind = .simple) async throws -> [Rows] {
        try await withUnsafeThrowingContinuation { continuation in
            var completions = Completions()
            lock.lock()
            if let failure {
                lock.unlock()
                return continuation.resume(throwing: failure)
            }
            let sent = PQexitPipelineMode(raw) == 1 && withCText(text) { PQsendQuery(raw, $0) } == 1
            queue.append(Operation(kind: kind, continuation: continuation, steps: []))
            if sent { flush(&completions) } else { lose(PostgresError(connection: raw), &completions) }
            lock.unlock()
            completions.resumeAll()
        }
    }

    /// Goes back into pipeline mode after `simple` or a COPY.
    func resumePipelining() throws {
        lock.lock()
        defer { lock.unlock() }
        if let failure { throw failure }
        guard PQenterPipelineMode(raw) == 1 else { throw PostgresError(.usage, "the connection is still in use") }
    }

    // MARK: With the lock held

    /// Sends the Sync that the waiting look-ups share. Returns false, the connection lost, when it cannot be sent.
    func closeGroup(_ completions: inout Completions) -> Bool {
        guard failure == nil, PQpipelineSync(raw) == 1 else {
            lose(PostgresError(connection: raw), &completions)
            return false
        }
        queue.append(Operation(kind: .pipeline, continuation: nil, steps: []))
        group.sentSync()
        flush(&completions)
        return true
    }

    private func send(_ prelude: SQL?, _ statements: [SQL], _ steps: inout [Step]) -> Bool {
        if let prelude {
            guard send(prelude, &steps) else { return false }
            steps[steps.count - 1] = .discard
        }
        for statement in statements {
            guard send(statement, &steps) else { return false }
        }
        return true
    }

    private func sendHousekeeping(_ deadline: UInt64, _ steps: inout [Step]) -> Bool {
        for name in statements.takeGarbage() {
            guard PQsendQueryParams(raw, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 0) == 1 else { return false }
            steps.append(.deallocate)
        }
        guard deadline > 0 else { return true }
        let now = csystem_now_ns()
        let milliseconds = deadline > now ? (deadline - now) / 1_000_000 + 1 : 1
        // set_config, for SET LOCAL warns outside an explicit transaction though it acts the same.
        let text = "SELECT set_config('statement_timeout', '\(milliseconds)', true)"
        steps.append(.discard)
        return PQsendQueryParams(raw, text, 0, nil, nil, nil, nil, 0) == 1
    }

    private func send(_ sql: SQL, _ steps: inout [Step]) -> Bool {
        guard sql.isPrepared else { return sendUnprepared(sql, &steps) }
        let entry: StatementCache.Entry
        switch statements.lookup(sql.text) {
        case .unprepared: return sendUnprepared(sql, &steps)
        case .use(let known): entry = known
        case .prepare(let new):
            entry = new
            steps.append(.parse(entry))
            guard withCText(sql.text, { PQsendPrepare(raw, entry.name, $0, 0, nil) }) == 1 else { return false }
        }
        steps.append(.keep(entry))
        return sql.withParameters { PQsendQueryPrepared(raw, entry.name, $0, $1, nil, nil, 0) } == 1
    }

    private func sendUnprepared(_ sql: SQL, _ steps: inout [Step]) -> Bool {
        steps.append(.keep(nil))
        return withCText(sql.text) { text in
            sql.withParameters { PQsendQueryParams(raw, text, $0, nil, $1, nil, nil, 0) }
        } == 1
    }
}

extension SQL {
    /// Calls `body` with the parameters as libpq takes them: their number and C strings (nil for NULL).
    @inline(__always)
    func withParameters(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?) -> Int32
    ) -> Int32 {
        if parameters.isEmpty { return body(0, nil) }
        return values.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: parameters.count) { pointers in
                for (index, parameter) in parameters.enumerated() {
                    let start = parameter.offset < 0 ? nil : bytes.baseAddress.map { $0 + Int(parameter.offset) }
                    pointers.initializeElement(at: index, to: start?.assumingMemoryBound(to: CChar.self))
                }
                return body(Int32(truncatingIfNeeded: parameters.count), UnsafePointer(pointers.baseAddress))
            }
        }
    }

    /// - Throws: `.usage` for what must not reach libpq.
    func check() throws {
        if holdsNUL { throw PostgresError(.usage, "a NUL byte cannot be sent to PostgreSQL") }
        if parameters.count > 65_535 { throw PostgresError(.usage, "more than 65535 parameters") }
    }
}

/// Calls `body` with the text as a C string.
@inline(__always)
func withCText<R>(_ text: [UInt8], _ body: (UnsafePointer<CChar>) -> R) -> R {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count + 1) { buffer in
        _ = buffer.initialize(from: text)
        buffer.initializeElement(at: text.count, to: 0)
        return buffer.withMemoryRebound(to: CChar.self) { chars in
            guard let start = chars.baseAddress else { preconditionFailure("an allocation without memory") }
            return body(start)
        }
    }
}
