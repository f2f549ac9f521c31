/// What a kind of connector is, needs and can do.
public struct Manifest: Sendable {
    /// Stable name in settings and API: "google".
    public var kind: String
    public var title: String
    public var settings: [Setting]
    public var plugins: [PluginManifest]
    public var limits: Limits
    /// How a person lets Kontor in on a page of the other system's own; nil where what is typed is enough.
    public var signIn: SignIn?
    /// Whether the other system can send news by webhook; known from what the connector is able to do.
    public var receivesHooks = false

    public init(
        kind: String, title: String, settings: [Setting], plugins: [PluginManifest], limits: Limits,
        signIn: SignIn? = nil
    ) {
        self.kind = kind
        self.title = title
        self.settings = settings
        self.plugins = plugins
        self.limits = limits
        self.signIn = signIn
    }

    /// The authorisation code grant of OAuth 2 (RFC 6749 section 4.1) with a proof key (RFC 7636). What the page sends back becomes the secret
    /// `authorization`, {"code", "code_verifier", "redirect_uri"}, and its moment the setting `signed_in_at`; both are of the manifest, not typed.
    public struct SignIn: Sendable {
        /// Names of the settings with the page's address and the client's id.
        public var address: String
        public var clientID: String
        public var scope: String
        /// What else the page is asked with, by name.
        public var parameters: [String: String]

        public init(address: String, clientID: String, scope: String, parameters: [String: String] = [:]) {
            (self.address, self.clientID, self.scope, self.parameters) = (address, clientID, scope, parameters)
        }

        /// Names of what is kept of it.
        public static let grant = "authorization"
        public static let moment = "signed_in_at"
        /// The manifest's settings for these.
        public static let settings: [Setting] = [
            Setting(grant, "What the sign-in page sent back", isSecret: true, isRequired: false, isTyped: false),
            Setting(moment, "Signed in at", isRequired: false, isTyped: false),
        ]
    }

    public struct Setting: Sendable {
        public var name: String
        public var label: String
        /// Kept encrypted, never shown again.
        public var isSecret: Bool
        public var isRequired: Bool
        /// Whether people fill it in; what signing in leaves they do not.
        public var isTyped: Bool
        public var fallback: JSON?
        public init(
            _ name: String, _ label: String, isSecret: Bool = false, isRequired: Bool = true, isTyped: Bool = true,
            fallback: JSON? = nil
        ) {
            self.isTyped = isTyped
            self.name = name
            self.label = label
            self.isSecret = isSecret
            self.isRequired = isRequired
            self.fallback = fallback
        }
    }

    /// What the remote bears.
    public struct Limits: Sendable {
        /// Calls per second in the long run, and how many may come at once.
        public var perSecond: Double
        public var burst: Int
        /// Records in one `push`.
        public var batch: Int
        /// Whether the remote takes an idempotency key or carries Kontor's key, so that a repeated
        /// create is one record.
        public var takesKey: Bool
        public init(perSecond: Double, burst: Int, batch: Int = 1, takesKey: Bool) {
            self.perSecond = perSecond
            self.burst = burst
            self.batch = batch
            self.takesKey = takesKey
        }
    }
}

/// One capability of a connector, switched on, filtered, mapped and scheduled by itself.
public struct PluginManifest: Sendable {
    public enum Capability: String, Sendable, CaseIterable {
        /// Records come from the remote (polling, and webhooks where the connector receives them).
        case pull
        /// Contacts go to the remote.
        case push
        /// Segments become groups in the remote.
        case group
    }
    /// Stable name within the connector: "contacts.import".
    public var name: String
    public var title: String
    public var capability: Capability
    public var entity: RemoteEntity
    /// Mapping and filter that a new plugin starts with (see docs/mapping.md and docs/conditions.md).
    public var mapping: JSON
    public var filter: JSON

    public init(
        _ name: String, _ title: String, _ capability: Capability, entity: RemoteEntity = .contact,
        mapping: JSON = ["rules": []], filter: JSON = ["all": []]
    ) {
        self.name = name
        self.title = title
        self.capability = capability
        self.entity = entity
        self.mapping = mapping
        self.filter = filter
    }
}
