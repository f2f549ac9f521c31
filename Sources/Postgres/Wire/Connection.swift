import CHost
import CLibpq
import Synchronization

/// One libpq connection, non-blocking and as a rule in pipeline mode. Tasks send under its lock; the reactor reads
/// results and resumes the tasks in order. After a loss everything answers with the error of the loss.
final class Connection: @unchecked Sendable {
    let id: UInt64
    let descriptor: Int32
    let backendPID: Int32
    let created = csystem_now_ns()
    /// Operations under way; kept for shared connections only.
    let load = Atomic<Int>(0)

    let raw: OpaquePointer
    let lock = Lock()
    // Guarded by `lock`:
    var queue = OperationQueue()
    var statements = StatementCache()
    var group = LookUpGroup()
    var failure: PostgresError?
    var interest = UInt32(CSYSTEM_IN)
    /// Waits for input in a COPY OUT, which is read only as fast as its consumer takes it.
    var reader: UnsafeContinuation<Void, any Error>?
    var drain: UnsafeContinuation<Void, any Error>?
    var hooks = Hooks()

    struct Hooks {
        /// Called once from any thread when the connection is gone, unless it was closed on purpose.
        var lost: (@Sendable (PostgresError) -> Void)?
        /// Called on the reactor's thread: channel, payload.
        var notified: (@Sendable (String, String) -> Void)?
    }

    /// Takes over an open libpq connection and starts watching it.
    init(_ raw: OpaquePointer) throws {
        self.raw = raw
        id = Reactor.shared.newID()
        descriptor = PQsocket(raw)
        backendPID = PQbackendPID(raw)
        guard PQsetnonblocking(raw, 1) == 0, PQenterPipelineMode(raw) == 1, Reactor.shared.add(self) else {
            let error = PostgresError(connection: raw)
            close()
            throw error
        }
    }

    /// Sets the callbacks; returns the error when the connection is gone already.
    func setHooks(_ hooks: Hooks) -> PostgresError? {
        lock.lock()
        defer { lock.unlock() }
        self.hooks = hooks
        return failure
    }

    var isAlive: Bool {
        lock.lock()
        defer { lock.unlock() }
        return failure == nil
    }

    /// The state of the session's transaction after the last completed operation.
    var transactionStatus: PGTransactionStatusType {
        lock.lock()
        defer { lock.unlock() }
        return failure == nil ? PQtransactionStatus(raw) : PQTRANS_UNKNOWN
    }

    /// Closes on purpose: what is under way fails with `.connection`.
    func close() {
        var completions = Completions()
        lock.lock()
        if failure == nil {
            hooks = Hooks()
            lose(PostgresError(.connection, "the connection was closed"), &completions)
        }
        lock.unlock()
        completions.resumeAll()
    }

    /// A request to cancel what runs now. Blocking: opens a connection of its own; call on a helper thread.
    /// Does nothing when the connection is gone.
    func cancelBlocking() {
        lock.lock()
        let request = failure == nil ? PQgetCancel(raw) : nil
        lock.unlock()
        guard let request else { return }
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(request, &message, Int32(message.count))
        PQfreeCancel(request)
    }

    // MARK: On the reactor's thread

    func handle(events: UInt32, _ completions: inout Completions) {
        var notes: [(String, String)] = []
        lock.lock()
        let notified = hooks.notified
        if failure == nil {
            if interest & UInt32(CSYSTEM_OUT) != 0 { flush(&completions) }
            let broken = events & UInt32(CSYSTEM_ERROR | CSYSTEM_HANGUP) != 0
            if interest & UInt32(CSYSTEM_IN) != 0 || broken {
                let alive = PQconsumeInput(raw) == 1
                if let reader {
                    self.reader = nil
                    setInterest(interest & ~UInt32(CSYSTEM_IN))
                    completions.wake(reader)
                }
                readResults(&completions)
                if failure == nil, notified != nil { notes = takeNotifications() }
                if failure == nil, !alive || PQstatus(raw) == CONNECTION_BAD {
                    lose(PostgresError(connection: raw), &completions)
                }
            }
        }
        lock.unlock()
        completions.resumeAll()
        if let notified { for note in notes { notified(note.0, note.1) } }
    }

    /// Resumes the callers whose deadline is over with `.timeout`; their results are dropped when they come.
    func expire(_ now: UInt64, _ completions: inout Completions) {
        lock.lock()
        queue.expire(now, &completions)
        lock.unlock()
        completions.resumeAll()
    }

    private func takeNotifications() -> [(String, String)] {
        var notes: [(String, String)] = []
        while let note = PQnotifies(raw) {
            notes.append((String(cString: note.pointee.relname), String(cString: note.pointee.extra)))
            PQfreemem(note)
        }
        return notes
    }
}

// MARK: With the lock held
extension Connection {
    /// Sends what libpq has buffered; EPOLLOUT is watched only while something is left over.
    func flush(_ completions: inout Completions) {
        switch PQflush(raw) {
        case 1: setInterest(interest | UInt32(CSYSTEM_OUT))
        default:
            // A failed write shows up as an error on reading, which the reactor handles.
            setInterest(interest & ~UInt32(CSYSTEM_OUT))
            if let drain {
                self.drain = nil
                completions.wake(drain)
            }
        }
    }

    func setInterest(_ wanted: UInt32) {
        guard wanted != interest else { return }
        interest = wanted
        Reactor.shared.change(self, interest: wanted)
    }

    /// Hands the results that have come to the operations they belong to.
    func readResults(_ completions: inout Completions) {
        var ends = 0
        while let kind = queue.firstKind, PQisBusy(raw) == 0 {
            guard let result = PQgetResult(raw) else {
                // In a pipeline a nil only parts two statements; two nils in a row mean that libpq has nothing.
                ends += 1
                let isPiped = kind == .pipeline || kind == .member
                if isPiped, ends < 2 { continue }
                if !isPiped { finishFirst(&completions) }
                if ends > 1 { break }
                continue
            }
            ends = 0
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                PQclear(result)
                finishFirst(&completions)
                group.synced()
                if group.isDue, !closeGroup(&completions) { return }
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // From here a COPY OUT is read when its consumer asks for more.
                if PQresultStatus(result) == PGRES_COPY_OUT { setInterest(interest & ~UInt32(CSYSTEM_IN)) }
                guard kind == .startsCopy else {
                    PQclear(result)
                    return lose(PostgresError(.usage, "COPY is for copyIn and copyOut of a session"), &completions)
                }
                queue.first { $0.take(result, failure: nil, aborted: false) }
                return finishFirst(&completions)
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                take(result, PostgresError(result: result), aborted: false, &completions)
            case PGRES_PIPELINE_ABORTED: take(result, nil, aborted: true, &completions)
            default: take(result, nil, aborted: false, &completions)
            }
        }
    }

    private func take(
        _ result: OpaquePointer, _ failure: PostgresError?, aborted: Bool, _ completions: inout Completions
    ) {
        var isThrough = false
        queue.first { operation in
            if failure?.sqlState == "26000", case .deallocate = operation.currentStep { statements.removeAll() }
            operation.take(result, failure: failure, aborted: aborted)
            isThrough = operation.kind == .member && operation.position == operation.steps.count
        }
        if isThrough { finishFirst(&completions) }
    }

    private func finishFirst(_ completions: inout Completions) {
        let operation = queue.removeFirst()
        if operation.counted { load.wrappingSubtract(1, ordering: .relaxed) }
        completions.finish(operation)
    }

    /// Marks the connection as gone, fails everything that waits and closes the socket.
    func lose(_ error: PostgresError, _ completions: inout Completions) {
        guard failure == nil else { return }
        failure = error
        if let lost = hooks.lost { completions.report(lost, error) }
        while queue.firstKind != nil {
            queue.first { $0.error = $0.error ?? error }
            finishFirst(&completions)
        }
        if let reader { completions.wake(reader, error) }
        if let drain { completions.wake(drain, error) }
        reader = nil
        drain = nil
        Reactor.shared.remove(self)
        PQfinish(raw)
    }
}
