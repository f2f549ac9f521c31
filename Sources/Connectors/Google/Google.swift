public import ConnectorKit
public import Hub

/// Google Contacts by the People API v1: lists contacts by sync token and writes them in batches.
///
/// What each file does: `Google+Contacts` lists, `Google+Push` writes, `Google+Lookup` finds what an earlier
/// attempt may have made, `PersonMerge` keeps what is not mapped, `PeopleAPI` speaks.
public struct Google: RecordSource, RecordSink {
    public static let manifest = Manifest(
        kind: "google",
        title: "Google Contacts",
        settings: [
            .init("base_url", "Address of the People API", fallback: "https://people.googleapis.com"),
            .init("token_url", "Address of the token endpoint", fallback: "https://oauth2.googleapis.com/token"),
            .init("client_id", "OAuth client id"),
            .init("client_secret", "OAuth client secret", isSecret: true),
            .init("refresh_token", "OAuth refresh token (scope contacts)", isSecret: true, isRequired: false),
            .init(
                "sign_in_url", "Address of the sign-in page", fallback: "https://accounts.google.com/o/oauth2/v2/auth"),
        ] + Manifest.SignIn.settings,
        plugins: [
            PluginManifest("contacts.import", "Contacts from Google", .pull, mapping: mapping),
            PluginManifest("contacts.push", "Contacts to Google", .push, mapping: mapping),
        ],
        limits: .init(perSecond: 1.5, burst: 20, batch: 200, takesKey: false),
        // offline and consent: else Google gives no refresh token, or only the first time
        signIn: .init(
            address: "sign_in_url", clientID: "client_id", scope: "https://www.googleapis.com/auth/contacts",
            parameters: ["access_type": "offline", "prompt": "consent"]))

    /// Both ways. Groups are left to the user, as a tag rule of one's own may stand in their place:
    /// {"hub": "tags", "remote": "groups", "each": true}.
    private static let mapping: JSON = [
        "rules": [
            ["hub": "given_name", "remote": "names[0].givenName"],
            ["hub": "family_name", "remote": "names[0].familyName"],
            ["hub": "company", "remote": "organizations[0].name"],
            ["hub": "job_title", "remote": "organizations[0].title"],
            ["hub": "emails", "remote": "emailAddresses", "list": ["value": "value", "label": "type"]],
            ["hub": "phones", "remote": "phoneNumbers", "list": ["value": "value", "label": "type"]],
            [
                "hub": "addresses", "remote": "addresses",
                "list": [
                    "label": "type", "street": "streetAddress", "city": "city", "postal_code": "postalCode",
                    "region": "region", "country": "countryCode",
                ],
            ],
            ["hub": "profiles", "remote": "urls", "list": ["value": "value", "label": "type"]],
            ["hub": "birthday", "remote": "birthdays[0].date", "format": "date_parts"],
            ["hub": "language", "remote": "locales[0].value"],
            ["hub": "notes", "remote": "biographies[0].value"],
        ]
    ]

    let api: PeopleAPI

    public init(_ environment: ConnectorEnvironment) throws {
        let settings = SettingsReader(values: environment.settings, manifest: Self.manifest)
        let grant = OAuth2.Settings(
            tokenURL: try settings.address("token_url"), clientID: try settings.text("client_id"))
        api = PeopleAPI(
            base: try settings.address("base_url"),
            oauth: OAuth2(grant, secrets: environment.secrets, http: environment.http))
    }

    /// The account's group of all its contacts says how many there are; the scope of contacts shows no more of
    /// whose they are.
    public func check() async throws -> String {
        let mine = try await api.get("contactGroups/myContacts", [("groupFields", "name,memberCount")])
        let count = mine["memberCount"]?.int ?? 0
        return "Signed in at \(Redaction.address(api.base)): \(count) contacts"
    }
}
