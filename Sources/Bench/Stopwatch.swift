import CHost

/// Seconds of wall time since it was made.
struct Stopwatch: Sendable {
    private let began = csystem_now_ns()
    var seconds: Double { Double(csystem_now_ns() - began) / 1e9 }
}
