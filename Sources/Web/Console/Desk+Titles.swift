import Hub

/// What connectors are and ask for, in the reader's language; in their own words where there are no texts for them.
extension Desk {
    func manifest(_ kind: String) -> Manifest? { call.services.manifests.first { $0.kind == kind } }

    /// What a kind of connector is called.
    func title(ofKind kind: String) -> String { texts.known("kind_\(kind)") ?? manifest(kind)?.title ?? kind }

    /// What a plugin does: "Contacts to Google". One of several of a connector that do the same is told by its own title.
    /// - Parameters:
    ///   - kind: of its connector.
    ///   - system: name of the connection.
    func title(ofPlugin name: String, kind: String, of system: String) -> String {
        let plugins = manifest(kind)?.plugins ?? []
        guard let own = plugins.first(where: { $0.name == name }) else { return name }
        let alike = plugins.filter { $0.capability == own.capability && $0.entity == own.entity }
        guard alike.count == 1, let said = texts.known("flow_\(own.capability.rawValue)_\(own.entity.rawValue)") else {
            return own.title
        }
        return Placeholders.fill(said, ["system": system])
    }

    /// What a connector's setting is called: by a text of its own, or by one for all whose English is the connector's.
    func title(ofSetting name: String, kind: String, label: String) -> String {
        if let own = texts.known("setting_\(kind)_\(name)") { return own }
        return console.texts("en").known("setting_\(name)") == label ? texts["setting_\(name)"] : label
    }
}
