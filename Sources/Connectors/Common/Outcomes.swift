import ConnectorKit

/// Gathers the outcomes of a batch that takes several calls, each for some of its pushes.
struct Outcomes {
    private var found: [PushOutcome?]

    init(count: Int) { found = Array(repeating: nil, count: count) }

    subscript(index: Int) -> PushOutcome? {
        get { found[index] }
        set { found[index] = newValue }
    }

    /// Sends one after the other; what a failure says of the whole remote holds for those not sent, too.
    /// - Throws: as `settled`.
    static func oneByOne<Item>(
        _ items: [Item], _ send: (Item) async throws(RemoteError) -> PushOutcome
    ) async throws(RemoteError) -> [PushOutcome] {
        var outcomes = Outcomes(count: items.count)
        for (index, item) in items.enumerated() {
            do {
                outcomes[index] = try await send(item)
            } catch {
                outcomes[index] = .failed(error)
                guard let rest = error.forUnsent else { continue }
                outcomes.fail(items.indices.dropFirst(index + 1), rest)
                break
            }
        }
        return try outcomes.settled()
    }

    /// The same error for several pushes: what a call that failed did to all it was for.
    mutating func fail(_ indices: some Sequence<Int>, _ error: RemoteError) {
        for index in indices { found[index] = .failed(error) }
    }

    /// One outcome per push, in order.
    ///
    /// - Throws: the error when nothing at all was done because the remote is out of reach or refuses the
    ///   credentials: that holds for the whole call, not for its records.
    func settled() throws(RemoteError) -> [PushOutcome] {
        let outcomes = found.map { outcome in
            outcome ?? .failed(.unsure(code: "no_outcome", message: "the remote said nothing about this record"))
        }
        if let common = commonError(outcomes) { throw common }
        return outcomes
    }

    private func commonError(_ outcomes: [PushOutcome]) -> RemoteError? {
        guard case .failed(let error) = outcomes.first else { return nil }
        switch error {
        case .refused, .stale, .cursorExpired: return nil
        case .later, .unsure, .locked: break
        }
        let isCommon = outcomes.allSatisfy { outcome in
            if case .failed(let other) = outcome { other == error } else { false }
        }
        return isCommon ? error : nil
    }
}
