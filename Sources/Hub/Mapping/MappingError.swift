/// Why a mapping is refused.
public struct MappingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where in the JSON, "$" being the whole: `$.rules[2].remote`.
    public let path: String
    public let reason: String
    public var description: String { "\(path): \(reason)" }

    init(_ path: String, _ reason: String) {
        (self.path, self.reason) = (path, reason)
    }
}
