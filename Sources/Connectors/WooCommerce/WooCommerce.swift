public import ConnectorKit
public import Hub

/// WooCommerce by its REST API v3: customers both ways, orders and products in, webhooks.
///
/// What each file does: `WooCommerce+Lists` lists, `WooCommerce+Customers` writes, `WooCommerce+Hooks` receives,
/// `WooRecords` reads the shop's documents, `WooAPI` speaks.
public struct WooCommerce: RecordSource, RecordSink, HookReceiver {
    public static let manifest = Manifest(
        kind: "woocommerce",
        title: "WooCommerce",
        settings: [
            .init("base_url", "Address of the shop"),
            .init("consumer_key", "Consumer key", isSecret: true),
            .init("consumer_secret", "Consumer secret", isSecret: true),
            .init("webhook_secret", "Secret of the webhooks", isSecret: true, isRequired: false),
        ],
        plugins: [
            PluginManifest("customers.import", "Customers from the shop", .pull, mapping: mapping),
            PluginManifest("customers.push", "Contacts to the shop as customers", .push, mapping: mapping),
            PluginManifest("orders.import", "Orders from the shop", .pull, entity: .order),
            PluginManifest("products.import", "Products from the shop", .pull, entity: .product),
        ],
        limits: .init(perSecond: 5, burst: 10, batch: 100, takesKey: true))

    private static let mapping: JSON = [
        "rules": [
            ["hub": "given_name", "remote": "first_name"],
            ["hub": "family_name", "remote": "last_name"],
            ["hub": "emails[0].value", "remote": "email"],
            ["hub": "phones[0].value", "remote": "billing.phone"],
            ["hub": "company", "remote": "billing.company"],
            ["hub": "addresses[0].street", "remote": "billing.address_1"],
            ["hub": "addresses[0].city", "remote": "billing.city"],
            ["hub": "addresses[0].postal_code", "remote": "billing.postcode"],
            ["hub": "addresses[0].region", "remote": "billing.state"],
            ["hub": "addresses[0].country", "remote": "billing.country"],
        ]
    ]

    let api: WooAPI

    public init(_ environment: ConnectorEnvironment) throws {
        let settings = SettingsReader(values: environment.settings, manifest: Self.manifest)
        api = WooAPI(base: try settings.address("base_url"), secrets: environment.secrets, http: environment.http)
    }

    public func check() async throws -> String {
        let response = try await api.send("GET", "customers", [("per_page", "1")])
        let count = response.headers["x-wp-total"] ?? "an unknown number of"
        return "Signed in to \(Redaction.address(api.base)): \(count) customers"
    }
}
