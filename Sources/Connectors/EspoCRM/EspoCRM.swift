public import ConnectorKit
public import Hub

/// EspoCRM by its REST API v1: contacts both ways, webhooks.
///
/// What each file does: `EspoCRM+Contacts` lists, `EspoCRM+Push` writes, `EspoCRM+Hooks` receives,
/// `EspoContact` reads and merges documents, `EspoAPI` speaks.
public struct EspoCRM: RecordSource, RecordSink, HookReceiver {
    public static let manifest = Manifest(
        kind: "espocrm",
        title: "EspoCRM",
        settings: [
            .init("base_url", "Address of the installation"),
            .init("api_key", "API key of an API user", isSecret: true),
            .init(
                "webhook_secret", "Secret keys of the webhooks, spaces between", isSecret: true, isRequired: false),
            .init("key_field", "Text field of Contact that carries Kontor's key", isRequired: false),
        ],
        plugins: [
            PluginManifest("contacts.import", "Contacts from EspoCRM", .pull, mapping: mapping),
            PluginManifest("contacts.push", "Contacts to EspoCRM", .push, mapping: mapping),
        ],
        limits: .init(perSecond: 10, burst: 20, batch: 20, takesKey: false))

    private static let mapping: JSON = [
        "rules": [
            ["hub": "given_name", "remote": "firstName"],
            ["hub": "family_name", "remote": "lastName"],
            ["hub": "company", "remote": "accountName", "direction": "in"],
            ["hub": "job_title", "remote": "title", "direction": "in"],
            ["hub": "emails", "remote": "emailAddressData", "list": ["value": "emailAddress"]],
            ["hub": "phones", "remote": "phoneNumberData", "list": ["value": "phoneNumber"]],
            ["hub": "addresses[0].street", "remote": "addressStreet"],
            ["hub": "addresses[0].city", "remote": "addressCity"],
            ["hub": "addresses[0].postal_code", "remote": "addressPostalCode"],
            ["hub": "addresses[0].region", "remote": "addressState"],
            ["hub": "addresses[0].country", "remote": "addressCountry"],
            ["hub": "notes", "remote": "description"],
        ]
    ]

    let api: EspoAPI
    /// Field that carries Kontor's key; nil when the installation has none.
    let keyField: String?

    public init(_ environment: ConnectorEnvironment) throws {
        let settings = SettingsReader(values: environment.settings, manifest: Self.manifest)
        api = EspoAPI(base: try settings.address("base_url"), secrets: environment.secrets, http: environment.http)
        keyField = settings.optionalText("key_field")
        let isName =
            keyField?.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) } ?? true
        guard isName else { throw ConnectorError.badSettings(field: "key_field", reason: "is no name of a field") }
    }

    public func check() async throws -> String {
        let user = try await api.get("App/user")["user"]
        let name = user?["userName"]?.string ?? user?["name"]?.string ?? "an unnamed user"
        return "Signed in to \(Redaction.address(api.base)) as \(name)"
    }
}
