public import ConnectorKit

/// All kinds of connectors this program knows.
public enum Registry {
    public static let all: [any Connector.Type] = [
        CardDAV.self,
        EspoCRM.self,
        Google.self,
        Kinto.self,
        Mailman.self,
        WebhookIn.self,
        WebhookOut.self,
        WooCommerce.self,
    ]
}
