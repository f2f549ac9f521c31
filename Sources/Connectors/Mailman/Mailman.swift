public import ConnectorKit
public import Hub

/// GNU Mailman 3 by its REST API 3.1: a segment becomes a mailing list.
public struct Mailman: GroupSink {
    public static let manifest = Manifest(
        kind: "mailman",
        title: "Mailman",
        settings: [
            .init("base_url", "Address of the REST API, such as http://lists.example:8001"),
            .init("user", "REST user", fallback: "restadmin"),
            .init("password", "REST password", isSecret: true),
            .init("domain", "Mail domain of the lists"),
        ],
        plugins: [PluginManifest("segment.group", "A segment as mailing list", .group)],
        limits: .init(perSecond: 20, burst: 50, batch: 100, takesKey: true))

    let api: MailmanAPI
    let domain: String

    public init(_ environment: ConnectorEnvironment) throws {
        let settings = SettingsReader(values: environment.settings, manifest: Self.manifest)
        api = MailmanAPI(
            base: try settings.address("base_url"), user: try settings.text("user"), secrets: environment.secrets,
            http: environment.http)
        domain = try settings.text("domain").lowercased()
        let isDomain = domain.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
        guard isDomain else { throw ConnectorError.badSettings(field: "domain", reason: "is no mail domain") }
    }

    public func check() async throws -> String {
        let version = try await api.get("system/versions")["mailman_version"]?.string ?? "Mailman"
        _ = try await api.get("domains/\(domain)")
        return "Signed in to \(Redaction.address(api.base)) as \(api.user): \(version)"
    }
}
