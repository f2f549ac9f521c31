import CHost
import Synchronization

/// Load made within this process.
enum Load {
    /// Runs `body` again and again in each of `tasks` tasks.
    /// - Returns: how often it ran per second.
    static func rate(tasks: Int, seconds: Int, _ body: @escaping @Sendable () async throws -> Void) async throws
        -> Double
    {
        let watch = Stopwatch()
        let end = Double(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var count = 0
                    while watch.seconds < end {
                        try await body()
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / watch.seconds
    }

    /// The same with the task's number, for bodies that keep something of their own.
    static func rate(
        tasks: Int, seconds: Int, _ body: @escaping @Sendable (_ task: Int, _ turn: Int) async throws -> Void
    ) async throws -> Double {
        let watch = Stopwatch()
        let end = Double(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    var turn = 0
                    while watch.seconds < end {
                        try await body(task, turn)
                        turn += 1
                    }
                    return turn
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / watch.seconds
    }
}
