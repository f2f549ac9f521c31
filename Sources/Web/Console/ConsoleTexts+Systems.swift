import Hub

/// What connectors are and ask for, in the reader's language; in their own words where there are no texts for them.
extension ConsoleTexts {
    /// - Parameter title: as the connector calls itself.
    func kind(_ kind: String, _ title: String?) -> String { known("kind_\(kind)") ?? title ?? kind }

    /// What a plugin does: "Contacts to Google".
    /// - Parameters:
    ///   - flow: its capability, entity and title.
    ///   - system: name of the connection.
    func flow(_ flow: JSON, of system: String) -> String {
        let key = "flow_\(flow["capability"]?.string ?? "")_\(flow["entity"]?.string ?? "")"
        return known(key).map { Placeholders.fill($0, ["system": system]) } ?? flow["title"]?.string ?? ""
    }

    /// What a connector's setting is called: by connector, else as everywhere.
    func setting(_ name: String, of kind: String, _ label: JSON?) -> String {
        known("setting_\(kind)_\(name)") ?? known("setting_\(name)") ?? label?.string ?? name
    }

    private func known(_ key: String) -> String? { keys.contains(key) ? self[key] : nil }
}
