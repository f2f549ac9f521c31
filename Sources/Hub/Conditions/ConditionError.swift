/// Why a condition is refused.
public struct ConditionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where in the JSON, "$" being the whole: `$.all[1].field`.
    public let path: String
    public let reason: String
    public var description: String { "\(path): \(reason)" }

    init(_ path: String, _ reason: String) {
        (self.path, self.reason) = (path, reason)
    }
}
