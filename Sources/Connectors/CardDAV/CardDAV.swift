public import ConnectorKit
public import Hub

/// An address book by CardDAV (RFC 6352) with sync-collection (RFC 6578).
public struct CardDAV: Connector {
    let client: DAVClient
    let book: AddressBook
    /// Of new cards: "3.0" or "4.0".
    let version: String

    public init(_ environment: ConnectorEnvironment) throws {
        let settings = environment.settings
        guard let url = settings["url"]?.string, URLText.origin(of: url) != nil else {
            throw ConnectorError.badSettings(field: "url", reason: "the server's address is missing")
        }
        version = settings["vcard_version"]?.string ?? "3.0"
        guard ["3.0", "4.0"].contains(version) else {
            throw ConnectorError.badSettings(field: "vcard_version", reason: "only 3.0 and 4.0 are known")
        }
        client = DAVClient(
            http: environment.http, user: settings["user"]?.string ?? "", secrets: environment.secrets)
        book = AddressBook(client, start: url, wanted: settings["address_book"]?.string ?? "")
    }

    public func check() async throws -> String {
        let place = try await book.place()
        let user = client.user.isEmpty ? "without sign-in" : "as \(client.user)"
        return "Address book “\(place.name)” at \(Redaction.address(place.url)), \(user)"
    }

    public static let manifest = Manifest(
        kind: "carddav", title: "Address book (CardDAV)",
        settings: [
            .init("url", "Address of the server or of the address book"),
            .init("user", "User name", isRequired: false),
            .init("password", "Password", isSecret: true, isRequired: false),
            .init("address_book", "Name of the address book", isRequired: false, fallback: ""),
            .init("vcard_version", "vCard version of new cards", isRequired: false, fallback: "3.0"),
        ],
        plugins: [
            PluginManifest("contacts.import", "Contacts from the address book", .pull, mapping: mapping),
            PluginManifest("contacts.export", "Contacts to the address book", .push, mapping: mapping),
        ],
        limits: .init(perSecond: 10, burst: 20, batch: 10, takesKey: true))

    private static let mapping: JSON = [
        "rules": [
            ["hub": "name", "remote": "fn"],
            ["hub": "given_name", "remote": "n.given"],
            ["hub": "family_name", "remote": "n.family"],
            ["hub": "company", "remote": "org[0]"],
            ["hub": "job_title", "remote": "title"],
            ["hub": "emails", "remote": "email", "list": ["value": "value", "label": "type"]],
            ["hub": "phones", "remote": "tel", "list": ["value": "value", "label": "type"]],
            [
                "hub": "addresses", "remote": "adr",
                "list": [
                    "label": "type", "street": "street", "city": "city", "postal_code": "postal_code",
                    "region": "region", "country": "country",
                ],
            ],
            ["hub": "birthday", "remote": "bday", "format": "date"],
            ["hub": "language", "remote": "lang"],
            ["hub": "profiles", "remote": "url", "list": ["value": "value", "label": "type"]],
            ["hub": "notes", "remote": "note"],
            ["hub": "tags", "remote": "categories", "each": true],
        ]
    ]
}
