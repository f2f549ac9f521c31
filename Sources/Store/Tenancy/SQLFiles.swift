import Foundation
public import Hub

/// The SQL that lives in files: roles, control schema, and each module's numbered migrations.
public struct SQLFiles: Sendable {
    private let folder: String

    /// - Parameter folder: where `instance/` and `tenant/` are.
    public init(folder: String) { self.folder = folder }

    /// - Throws: `Failure` `sql.missing`.
    func instance(_ name: String) throws -> String { try read("instance/\(name)") }

    /// A module's migrations in order: number, and text with {s} and {id} filled in.
    func migrations(of module: String, for tenant: Tenant) throws -> [(number: Int, text: String)] {
        try names(of: module).map { name in
            guard let number = Int(name.prefix(3)) else { throw missing("tenant/\(module)/\(name)") }
            let text = try read("tenant/\(module)/\(name)")
                .replacingOccurrences(of: "{s}", with: tenant.schema)
                .replacingOccurrences(of: "{id}", with: String(tenant.id))
            return (number, text)
        }
    }

    /// Modules that tenants can have.
    func modules() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: "\(folder)/tenant") }

    /// Number of a module's newest migration.
    func newest(of module: String) throws -> Int { try names(of: module).count }

    private func names(of module: String) throws -> [String] {
        guard let all = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/tenant/\(module)") else {
            throw missing("tenant/\(module)")
        }
        return all.filter { $0.hasSuffix(".sql") }.sorted()
    }

    private func read(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)") else { throw missing(path) }
        return String(decoding: data, as: UTF8.self)
    }

    private func missing(_ path: String) -> Failure {
        Failure(
            .broken, "sql.missing", "The file \(path) is missing from \(folder): set KONTOR_SQL to Kontor's sql folder."
        )
    }
}
