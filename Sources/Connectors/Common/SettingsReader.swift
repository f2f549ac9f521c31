import ConnectorKit
import Hub

/// Reads a connector's settings, with the fallbacks of its manifest.
struct SettingsReader {
    let values: JSON
    let manifest: Manifest

    /// The text of a setting without white space around it.
    /// - Throws: `ConnectorError.badSettings` when it is missing or empty.
    func text(_ name: String) throws(ConnectorError) -> String {
        guard let text = optionalText(name) else { throw .badSettings(field: name, reason: "is missing") }
        return text
    }

    /// The text of a setting; nil when it is missing or empty.
    func optionalText(_ name: String) -> String? {
        let fallback = manifest.settings.first { $0.name == name }?.fallback
        guard let text = (values[name] ?? fallback)?.scalarText else { return nil }
        let bare = text.drop(while: \.isWhitespace)
        let end = bare.lastIndex { !$0.isWhitespace }
        return end.map { String(bare[...$0]) }
    }

    /// An http or https address without query and without a slash at its end.
    /// - Throws: `ConnectorError.badSettings`.
    func address(_ name: String) throws(ConnectorError) -> String {
        var text = try text(name)
        while text.utf8.last == UInt8(ascii: "/") { text.removeLast() }
        let isWeb = text.utf8.starts(with: "https://".utf8) || text.utf8.starts(with: "http://".utf8)
        let hasMore = text.utf8.contains(UInt8(ascii: "?")) || text.utf8.contains(UInt8(ascii: "#"))
        guard isWeb, !hasMore, URLText.origin(of: text) != nil else {
            throw .badSettings(field: name, reason: "is no web address such as https://shop.example")
        }
        return text
    }
}

extension SecretStore {
    /// A secret that a call cannot do without.
    /// - Throws: `RemoteError.locked` when it is missing, `.later` when the store cannot be read.
    func required(_ name: String) async throws(RemoteError) -> String {
        guard let value = try await optional(name) else {
            throw .locked(code: "no_secret", message: "the setting \(name) is missing")
        }
        return value
    }

    /// A secret; nil when it is missing or empty.
    /// - Throws: `RemoteError.later` when the store cannot be read.
    func optional(_ name: String) async throws(RemoteError) -> String? {
        do {
            let value = try await secret(name)
            return value == "" ? nil : value
        } catch {
            throw .later(code: "no_secrets", message: "the connector's secrets cannot be read")
        }
    }
}
