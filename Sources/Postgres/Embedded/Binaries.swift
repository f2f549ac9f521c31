import Glibc

/// Finds PostgreSQL's server programs.
enum Binaries {
    private static let base = "/usr/lib/postgresql"

    /// The folder given, else the one in KONTOR_PG_BIN, else Debian's newest from version 15 on.
    /// - Throws: `embedded.no_binaries`.
    static func find(_ given: String?) throws -> String {
        let named = given ?? getenv("KONTOR_PG_BIN").map { String(cString: $0) }
        if let named {
            guard isComplete(named) else {
                throw EmbeddedError(code: "embedded.no_binaries", "no initdb and postgres in \(named)")
            }
            return named
        }
        let versions = (Files.list(base) ?? []).compactMap { Int($0) }.filter { $0 >= 15 }.sorted(by: >)
        guard let newest = versions.map({ "\(base)/\($0)/bin" }).first(where: isComplete) else {
            throw EmbeddedError(
                code: "embedded.no_binaries", "no PostgreSQL 15 or newer under \(base); set KONTOR_PG_BIN")
        }
        return newest
    }

    private static func isComplete(_ folder: String) -> Bool {
        access(folder + "/initdb", X_OK) == 0 && access(folder + "/postgres", X_OK) == 0
    }
}
