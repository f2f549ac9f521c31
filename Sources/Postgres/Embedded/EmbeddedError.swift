/// Why an embedded cluster did not start. `code` is stable: it is what operators and programs look for.
public struct EmbeddedError: Error, Sendable, CustomStringConvertible {
    /// `embedded.copy`, `embedded.in_use`, `embedded.foreign`, `embedded.no_binaries`, `embedded.folder`, `embedded.initdb`,
    /// `embedded.start`.
    public var code: String
    public var message: String

    public init(code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }
}
