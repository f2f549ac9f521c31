import ConnectorKit
import Connectors
import Hub
import Testing

/// What the connectors' manifests offer is sound.
@Suite struct KitManifestTests {
    @Test(arguments: [CardDAV.manifest, WebhookOut.manifest, WebhookIn.manifest].indices)
    func defaultMappingsAreValid(_ index: Int) throws {
        let manifest = [CardDAV.manifest, WebhookOut.manifest, WebhookIn.manifest][index]
        for plugin in manifest.plugins { _ = try Mapping(plugin.mapping) }
    }

    /// A contact goes to a card's document and comes back the same.
    @Test func aContactSurvivesTheCardMapping() throws {
        let plugin = try #require(CardDAV.manifest.plugins.first { $0.capability == .push })
        let mapping = try Mapping(plugin.mapping)
        let contact: JSON = [
            "name": "Ann Lee", "given_name": "Ann", "family_name": "Lee", "company": "Acme", "job_title": "Owner",
            "emails": [["value": "a@example.org", "label": "work"]], "birthday": "1985-04-12",
            "addresses": [
                ["label": "home", "street": "Long 1", "city": "Town", "postal_code": "00-001", "country": "PL"]
            ],
            "tags": ["client"], "notes": "x", "language": "pl",
        ]
        let out = mapping.outward(contact)
        #expect(out.problems.isEmpty && out.document["org"] == ["Acme"] && out.document["n"]?["given"] == "Ann")
        let back = mapping.inward(out.document)
        #expect(back.problems.isEmpty)
        for (field, value) in contact.object ?? [:] { #expect(back.document[field] == value, "\(field)") }
    }
}
