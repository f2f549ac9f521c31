/// Whether a remote may be called just now: one answer for all lanes and all processes that call it.
public protocol CallGate: Sendable {
    /// Asked before every call.
    /// - Returns: seconds that the remote is still to be left alone; nil when it may be called.
    /// - Throws: `RemoteError` when that cannot be told.
    func closedFor() async throws(RemoteError) -> Double?

    /// The remote asks to be left alone, by Retry-After.
    func close(for seconds: Double) async
}

extension RemoteError {
    /// The code of calls that the gate held back: nothing was sent.
    public static let closedCode = "remote_closed"

    /// Whether the gate held the call back, so that it counts as no attempt.
    public var isHeldBack: Bool {
        if case .later(Self.closedCode, _, _) = self { true } else { false }
    }
}
