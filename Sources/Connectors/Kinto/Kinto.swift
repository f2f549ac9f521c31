public import ConnectorKit
public import Hub

/// Contacts in one collection of a Kinto server, both ways.
///
/// What each file does: `Kinto+Contacts` lists and writes, `KintoAPI` speaks.
public struct Kinto: RecordSource, RecordSink {
    public static let manifest = Manifest(
        kind: "kinto",
        title: "Kinto",
        settings: [
            .init("base_url", "Address of the server with its version (https://kinto.example/v1)"),
            .init("bucket", "Bucket"),
            .init("collection", "Collection", fallback: "contacts"),
            .init("user", "User name"),
            .init("password", "Password", isSecret: true),
        ],
        plugins: [
            PluginManifest("contacts.import", "Contacts from Kinto", .pull, mapping: mapping),
            PluginManifest("contacts.push", "Contacts to Kinto", .push, mapping: mapping),
        ],
        limits: .init(perSecond: 10, burst: 20, batch: 20, takesKey: true))

    /// A collection has no form of its own: records begin with the hub's names.
    private static let mapping: JSON = [
        "rules": .array(
            ["given_name", "family_name", "company", "job_title", "language", "birthday", "notes"]
                .map { ["hub": .string($0), "remote": .string($0)] }
                + [
                    ["hub": "tags", "remote": "tags", "each": true],
                    ["hub": "emails", "remote": "emails", "list": ["value": "value", "label": "label"]],
                    ["hub": "phones", "remote": "phones", "list": ["value": "value", "label": "label"]],
                    [
                        "hub": "addresses", "remote": "addresses",
                        "list": [
                            "label": "label", "street": "street", "city": "city", "postal_code": "postal_code",
                            "region": "region", "country": "country",
                        ],
                    ],
                ])
    ]

    let api: KintoAPI

    public init(_ environment: ConnectorEnvironment) throws {
        let settings = SettingsReader(values: environment.settings, manifest: Self.manifest)
        api = KintoAPI(
            base: try settings.address("base_url"), bucket: try settings.text("bucket"),
            collection: try settings.text("collection"), user: try settings.text("user"),
            secrets: environment.secrets, http: environment.http)
    }

    /// Kinto shows permissions only to who may write, and to others of a listing only what they may read.
    public func check() async throws -> String {
        let root = try await api.send("GET", "/")
        let collection = try await api.send("GET", api.collectionPath)
        let user = root.body["user"]?["id"]?.string ?? api.user
        let mayWrite = collection.body["permissions"]?.object?.isEmpty == false
        return "Signed in to \(Redaction.address(api.base)) as \(user), collection \(api.bucket)/\(api.collection)"
            + (mayWrite ? "" : ", which this user may not write")
    }
}
