import Dispatch
public import Hub

/// Where passwords are hashed: on threads of their own, half as many as the machine has cores and four at most (each hash
/// takes 128 MiB), so that other requests go on. A few callers wait, and further ones are refused.
public actor PasswordGate {
    private var free: [DispatchQueue]
    private var waiting: [CheckedContinuation<DispatchQueue, Never>] = []
    private let maxWaiting: Int

    /// - Parameters:
    ///   - cores: of this machine.
    ///   - maxWaiting: callers that may wait; one hash takes about a third of a second.
    public init(cores: Int, maxWaiting: Int = 16) {
        free = (0..<min(4, max(1, cores / 2))).map { DispatchQueue(label: "kontor.password.\($0)") }
        self.maxWaiting = maxWaiting
    }

    /// One caller's time with a thread to hash on.
    public struct Turn: Sendable {
        fileprivate let queue: DispatchQueue

        /// Runs `work`, which hashes.
        func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
            try await withCheckedThrowingContinuation { continuation in
                queue.async { continuation.resume(with: Result { try work() }) }
            }
        }
    }

    /// Runs `body` when its turn comes.
    /// - Throws: `Failure` `sign_in.busy`, and what `body` throws.
    func turn<T: Sendable>(_ body: @Sendable (Turn) async throws -> T) async throws -> T {
        let queue = try await take()
        defer { give(queue) }
        return try await body(Turn(queue: queue))
    }

    private func take() async throws -> DispatchQueue {
        if let queue = free.popLast() { return queue }
        guard waiting.count < maxWaiting else {
            throw Failure(
                .tooMany, "sign_in.busy", "Too many people sign in at this moment. Try again in a few seconds.",
                retryAfter: 3)
        }
        return await withCheckedContinuation { waiting.append($0) }
    }

    private func give(_ queue: DispatchQueue) {
        if waiting.isEmpty { free.append(queue) } else { waiting.removeFirst().resume(returning: queue) }
    }
}
