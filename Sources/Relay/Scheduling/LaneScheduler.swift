import Synchronization

/// Runs lanes as they are rung: each one at a time, all in turn, at most `width` at once.
final class LaneScheduler: Sendable {
    private struct State {
        var queue: [LaneKey] = []
        var head = 0
        /// In the queue or running, and what was asked for while it ran.
        var active: [LaneKey: Rung] = [:]
        var timers: [LaneKey: Timer] = [:]
        var timerNumber = 0
        var running = 0
        var isClosed = false
        var onDrained: CheckedContinuation<Void, Never>?
    }
    private enum Rung: Comparable {
        case no, soon, now
    }
    private struct Timer {
        let number: Int
        let fires: ContinuousClock.Instant
        let task: Task<Void, Never>
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
            if state.active[key] != nil {
                // a lane that waits in the queue will see everything anyway
                state.active[key] = .now
                return false
            }
            state.timers.removeValue(forKey: key)?.task.cancel()
            state.active[key] = .no
            state.queue.append(key)
            return state.running < width
        }
        if mustStart { startWorkers() }
    }

    /// Asks for a lane to run within `seconds`: many such rings are one run. For lanes that seldom have anything to do.
    func ring(_ key: LaneKey, within seconds: Double) {
        state.withLock { state in
            guard !state.isClosed else { return }
            if let rung = state.active[key] {
                state.active[key] = max(rung, .soon)
                return
            }
            setTimer(key, seconds, &state)
        }
    }

    /// Stops taking work and waits until what runs has ended.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state -> Bool in
                state.isClosed = true
                for timer in state.timers.values { timer.task.cancel() }
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
            state.active[key] = .no
            return (key, nil)
        }
        drained?.resume()
        return key
    }

    private func settle(_ key: LaneKey, _ next: LaneNext) {
        state.withLock { state in
            let rung = state.active.removeValue(forKey: key) ?? .no
            guard !state.isClosed else { return }
            switch (next, rung) {
            case (.again, _), (_, .now):
                state.active[key] = .no
                state.queue.append(key)
            case (.after(let seconds), .soon): setTimer(key, min(seconds, Self.soon), &state)
            case (.after(let seconds), .no): setTimer(key, seconds, &state)
            case (.idle, .soon): setTimer(key, Self.soon, &state)
            case (.idle, .no): break
            }
        }
    }

    /// Seconds until a lane runs again that was rung for while it ran, by a ring that could wait.
    private static let soon = 0.2

    /// Lets a lane run after some time, unless it is to run earlier.
    private func setTimer(_ key: LaneKey, _ seconds: Double, _ state: inout State) {
        let fires = ContinuousClock.now + .seconds(seconds)
        if let known = state.timers[key] {
            if known.fires <= fires { return }
            known.task.cancel()
        }
        state.timerNumber += 1
        let number = state.timerNumber
        let task = Task { [weak self] in
            // a timer that is no longer wanted is cancelled
            do { try await Task.sleep(until: fires) } catch { return }
            self?.fire(key, number)
        }
        state.timers[key] = Timer(number: number, fires: fires, task: task)
    }

    private func fire(_ key: LaneKey, _ number: Int) {
        let isMine = state.withLock { state -> Bool in
            guard state.timers[key]?.number == number else { return false }
            state.timers[key] = nil
            return true
        }
        if isMine { ring(key) }
    }
}
