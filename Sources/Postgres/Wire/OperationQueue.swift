/// The operations of a connection in order of sending. An array with a moving head: it empties all the time, and
/// then starts over without copying. Guarded by the connection's lock.
struct OperationQueue {
    /// nil before `head`.
    private var items: [Operation?] = []
    private var head = 0

    var firstKind: Operation.Kind? { head < items.count ? items[head]?.kind : nil }
    var isEmpty: Bool { head == items.count }

    mutating func append(_ operation: Operation) {
        if operation.deadline > 0 { Reactor.shared.deadlineAdded() }
        items.append(operation)
    }

    /// Changes the first; there must be one.
    mutating func first(_ change: (inout Operation) -> Void) { change(&items[head]!) }

    /// Takes the first out; there must be one.
    mutating func removeFirst() -> Operation {
        guard let operation = items[head].take() else { preconditionFailure("the queue is empty") }
        if operation.deadline > 0 { Reactor.shared.deadlineRemoved() }
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024 {
            items.removeFirst(head)
            head = 0
        }
        return operation
    }

    /// Resumes overdue callers; their operations stay queued, because their results are still to come.
    mutating func expire(_ now: UInt64, _ completions: inout Completions) {
        for index in head..<items.count {
            guard var overdue = items[index], overdue.deadline > 0, overdue.deadline <= now,
                overdue.continuation != nil
            else { continue }
            overdue.error = PostgresError(.timeout, "the deadline passed")
            completions.finish(overdue)
            items[index]?.continuation = nil
        }
    }
}
