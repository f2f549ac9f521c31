import ConnectorKit
import Connectors
import Hub
import Testing

/// What the registry offers holds together.
@Suite struct DiscoveryTests {
    @Test func kindsAndPluginsHaveNamesOfTheirOwn() {
        let manifests = Registry.all.map { $0.manifest }
        #expect(Set(manifests.map(\.kind)).count == manifests.count && manifests.count >= 4)
        for manifest in manifests {
            #expect(Set(manifest.plugins.map(\.name)).count == manifest.plugins.count, "\(manifest.kind)")
            #expect(Set(manifest.settings.map(\.name)).count == manifest.settings.count, "\(manifest.kind)")
        }
    }

    @Test func defaultMappingsAndFiltersAreSound() throws {
        for manifest in Registry.all.map({ $0.manifest }) {
            for plugin in manifest.plugins where plugin.entity == .contact && plugin.capability != .group {
                let mapping = try Mapping(plugin.mapping)
                #expect(manifest.kind.isEmpty == false && mapping.json == plugin.mapping)
                _ = try Condition(plugin.filter)
            }
        }
    }

    @Test func capabilitiesFitTheTypes() {
        for type in Registry.all {
            let wanted = Set(type.manifest.plugins.map(\.capability))
            if wanted.contains(.push) { #expect(type is any RecordSink.Type, "\(type.manifest.kind)") }
            if wanted.contains(.group) { #expect(type is any GroupSink.Type, "\(type.manifest.kind)") }
        }
    }

    @Test func settingsThatMakeNoSenseAreRefused() {
        let environment = { (settings: JSON) in
            ConnectorEnvironment(
                settings: settings, secrets: KitSecrets([:]), http: HTTPClient(), log: KitLog().logger)
        }
        #expect(throws: ConnectorError.self) { try WooCommerce(environment([:])) }
        for address in ["ftp://x.example", "shop.example", "https://", "https://x.example/?a=1", ""] {
            #expect(throws: ConnectorError.self) { try WooCommerce(environment(["base_url": .string(address)])) }
        }
        #expect(throws: ConnectorError.self) { try Google(environment([:])) }
        #expect(throws: ConnectorError.self) {
            try Mailman(environment(["base_url": "http://x.example", "domain": "a domain"]))
        }
    }
}
