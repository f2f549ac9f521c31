import CLibpq

/// What to do with the result of one message of a pipeline.
enum Step {
    /// The context that the caller set before its statements, and housekeeping: the result is dropped.
    case discard
    case keep(StatementCache.Entry?)
    case parse(StatementCache.Entry)
    case deallocate
}

/// A look-up that the server skipped, because one before it under the same Sync failed.
struct Skipped: Error {}

/// Something that was sent and waits for its results, in the order of sending.
struct Operation {
    enum Kind {
        /// Ends with the result of its Sync.
        case pipeline
        /// Look-ups that share the Sync of the `pipeline` after them; ends with the last of its own results.
        case member
        /// Sent outside pipeline mode; ends when libpq has no more results.
        case simple
        /// As `simple`, but ends at the switch into COPY if it comes.
        case startsCopy
    }

    let kind: Kind
    var continuation: UnsafeContinuation<[Rows], any Error>?
    var steps: [Step]
    var results: [Rows] = []
    /// A `PostgresError`; boxed, since it is large and operations are moved about.
    var error: (any Error)?
    /// Monotonic nanoseconds; 0 for none.
    var deadline: UInt64 = 0
    /// True on shared connections, whose load the pool compares.
    var counted = false
    /// Results seen so far: the index of the step the next one belongs to.
    var position = 0

    /// The step the next result belongs to.
    var currentStep: Step { position < steps.count ? steps[position] : .keep(nil) }

    /// Takes the result of the next step. Ownership of `result` passes to this call.
    mutating func take(_ result: OpaquePointer, failure: PostgresError?, aborted: Bool) {
        let step = currentStep
        position += 1
        if error == nil, let failure { error = failure }
        // Something before it in its pipeline failed: another look-up, when it is not known what.
        if error == nil, aborted { error = Skipped() }
        switch step {
        case .discard, .deallocate: break
        case .parse(let entry): entry.state = failure == nil && !aborted ? .ready : .broken
        case .keep(let entry):
            if let failure, failure.isStalePlan { entry?.state = .broken }
            if error == nil { return results.append(Rows(result)) }
        }
        PQclear(result)
    }
}

/// Continuations to resume once the connection's lock is let go.
struct Completions {
    private var items: [(UnsafeContinuation<[Rows], any Error>, Result<[Rows], any Error>)] = []
    private var waiters: [(UnsafeContinuation<Void, any Error>, PostgresError?)] = []
    private var loss: (@Sendable (PostgresError) -> Void, PostgresError)?

    mutating func finish(_ operation: Operation) {
        guard let continuation = operation.continuation else { return }
        if let error = operation.error {
            items.append((continuation, .failure(error)))
        } else {
            items.append((continuation, .success(operation.results)))
        }
    }

    mutating func wake(_ waiter: UnsafeContinuation<Void, any Error>, _ error: PostgresError? = nil) {
        waiters.append((waiter, error))
    }

    mutating func report(_ loss: @escaping @Sendable (PostgresError) -> Void, _ error: PostgresError) {
        self.loss = (loss, error)
    }

    mutating func resumeAll() {
        if let (hook, error) = loss {
            loss = nil
            hook(error)
        }
        for (continuation, result) in items { continuation.resume(with: result) }
        items.removeAll(keepingCapacity: true)
        guard !waiters.isEmpty else { return }
        for (waiter, error) in waiters {
            if let error { waiter.resume(throwing: error) } else { waiter.resume() }
        }
        waiters.removeAll(keepingCapacity: true)
    }
}
