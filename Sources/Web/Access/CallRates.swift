import Hub
import Synchronization

/// Holds tenants' programs to as many calls in a minute as their operator allows, each service process for itself.
final class CallRates: Sendable {
    private struct Minute {
        let began: ContinuousClock.Instant
        var calls = 0
    }
    private let minutes = Mutex<[Int64: Minute]>([:])

    /// Counts a call.
    /// - Throws: `Failure` `limit.calls` with the seconds until the next minute.
    func admit(tenant: Int64, most: Int) throws {
        let now = ContinuousClock.now
        let left: Duration? = minutes.withLock { minutes in
            var minute = minutes[tenant] ?? Minute(began: now)
            if now - minute.began >= .seconds(60) { minute = Minute(began: now) }
            minute.calls += 1
            minutes[tenant] = minute
            return minute.calls > most ? .seconds(60) - (now - minute.began) : nil
        }
        guard let left else { return }
        throw Failure(
            .tooMany, "limit.calls",
            "The shop's programs may make \(most) calls in a minute: wait, or ask who hosts Kontor for more.",
            retryAfter: Int(left.components.seconds) + 1)
    }
}
