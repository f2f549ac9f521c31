import Synchronization

/// Runs lanes as they are rung: each one at a time, all in turn, at most `width` at once.
final class LaneScheduler: Sendable {
    private struct State {
        var queue: [LaneKey] = []
        var head = 0
        /// In the queue or running; true: rung for while it runs.
        var active: [LaneKey: Bool] = [:]
        var timers: [LaneKey: (Int, Task<Void, Never>)] = [:]
        var timerNumber = 0
        var running = 0
        var isClosed = false
        var onDrained: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())
    private let width: Int
    private let work: @Sendable (LaneKey) async -> LaneNext

    init(width: Int, work: @escaping @Sendable (LaneKey) async -> LaneNext) {
        self.width = width
        self.work = work
    }

    /// Asks for a lane to run, once more if it runs already.
    func ring(_ key: LaneKey) {
        let mustStart = state.withLock { state -> Bool in
            guard !state.isClosed else { return false }
            if let isRung = state.active[key] {
                // a lane that waits in the queue will see everything anyway
                if !isRung { state.active[key] = true }
                return false
            }
            state.timers.removeValue(forKey: key)?.1.cancel()
            state.active[key] = false
            state.queue.append(key)
            return state.running < width
        }
        if mustStart { startWorkers() }
    }

    /// Stops taking work and waits until what runs has ended.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state -> Bool in
                state.isClosed = true
                for timer in state.timers.values { timer.1.cancel() }
                state.timers = [:]
                state.queue = []
                state.head = 0
                if state.running > 0 { state.onDrained = continuation }
                return state.running == 0
            }
            if isIdle { continuation.resume() }
        }
    }

    private func startWorkers() {
        let isStarted = state.withLock { state -> Bool in
            guard state.running < width, state.head < state.queue.count else { return false }
            state.running += 1
            return true
        }
        if isStarted { Task { await runQueue() } }
    }

    private func runQueue() async {
        while let key = take() {
            let next = await work(key)
            settle(key, next)
        }
    }

    private func take() -> LaneKey? {
        let (key, drained) = state.withLock { state -> (LaneKey?, CheckedContinuation<Void, Never>?) in
            guard state.head < state.queue.count else {
                state.running -= 1
                let waiter = state.running == 0 ? state.onDrained : nil
                if waiter != nil { state.onDrained = nil }
                return (nil, waiter)
            }
            let key = state.queue[state.head]
            state.head += 1
            if state.head > 1024 {
                state.queue.removeFirst(state.head)
                state.head = 0
            }
            state.active[key] = false
            return (key, nil)
        }
        drained?.resume()
        return key
    }

    private func settle(_ key: LaneKey, _ next: LaneNext) {
        state.withLock { state in
            let wasRung = state.active.removeValue(forKey: key) ?? false
            guard !state.isClosed else { return }
            if case .again = next {
                state.active[key] = false
                state.queue.append(key)
            } else if wasRung {
                state.active[key] = false
                state.queue.append(key)
            } else if case .after(let seconds) = next {
                state.timerNumber += 1
                let number = state.timerNumber
                let timer = Task { [weak self] in
                    guard (try? await Task.sleep(for: .seconds(seconds))) != nil else { return }
                    self?.fire(key, number)
                }
                state.timers[key] = (number, timer)
            }
        }
    }

    private func fire(_ key: LaneKey, _ number: Int) {
        let isMine = state.withLock { state -> Bool in
            guard state.timers[key]?.0 == number else { return false }
            state.timers[key] = nil
            return true
        }
        if isMine { ring(key) }
    }
}
