public import Hub
public import Logging

/// What a connector is given to work with.
public struct ConnectorEnvironment: Sendable {
    /// Values of the manifest's settings that are not secret.
    public var settings: JSON
    public var secrets: any SecretStore
    public var http: HTTPClient
    public var log: Logger

    public init(settings: JSON, secrets: any SecretStore, http: HTTPClient, log: Logger) {
        self.settings = settings
        self.secrets = secrets
        self.http = http
        self.log = log
    }
}

/// The connector's own secrets, by setting name; also what it was given later, such as access tokens.
public protocol SecretStore: Sendable {
    func secret(_ name: String) async throws -> String?
    /// A secret that is gone for everybody else from then on; nil when there is none.
    func take(_ name: String) async throws -> String?
    /// Keeps values by name, all of them or, when it throws, none.
    func save(_ values: [String: String]) async throws
}
