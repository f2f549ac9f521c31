/// The server that SQL logins work on, as the service knows it.
public struct SQLServer: Sendable {
    public enum State: String, Sendable, CaseIterable {
        /// Nobody has a login yet.
        case idle
        case starting, ready
        /// It does not start, or cannot be reached; it is tried again.
        case failing
    }
    public let host: String
    public let port: Int
    public var state: State
    /// Seconds it is behind the service's own database.
    public var behindSeconds = 0.0

    public init(host: String, port: Int, state: State) { (self.host, self.port, self.state) = (host, port, state) }
}
