import Postgres
import TestKit
import Testing

@testable import Store

/// The lint of the catalogue, without which the service does not open.
@Suite(.inTurn) struct LintTests {
    @Test func lintFindsNothing() async throws {
        let cluster = try await TestCluster.shared.value
        try await withTenant(modules: ["sales", "reporting"]) { _ in
            let text = try cluster.files.instance("lint.sql")
            let all = try await cluster.node.database.run(SQL(unsafeRaw: text))[0]
            #expect(try all.map { try $0.get(0, as: String.self) + " " + $0.get(1, as: String.self) } == [])
        }
    }

    /// Each rule of the lint against what it is there for, in a transaction that is given up.
    @Test func lintFindsEachFault() async throws {
        let cluster = try await TestCluster.shared.value
        let lint = SQL(unsafeRaw: try cluster.files.instance("lint.sql"))
        try await withTenant { tenant in
            let (contact, fault) = (tenant.table("contact"), tenant.table("fault"))
            let login: SQL = "CREATE ROLE u_0123456789abcdef LOGIN CONNECTION LIMIT 5"
            let faults: [(String, [SQL])] = [
                ("L01", ["ALTER ROLE kontor_app BYPASSRLS"]), ("L02", ["GRANT kontor_owner TO kontor_app"]),
                ("L03", ["CREATE ROLE u_0123456789abcdef LOGIN"]),
                ("L04", ["CREATE TABLE \(fault) (id int)"]),
                ("L05", ["CREATE POLICY fault ON \(contact) USING (true)"]),
                ("L06", ["CREATE POLICY fault ON \(contact) USING (auth.me(1) IS NOT NULL)"]),
                ("L07", ["CREATE VIEW \(fault) AS SELECT 1 AS id"]),
                ("L08", ["CREATE VIEW \(fault) WITH (security_barrier) AS SELECT 1 AS id"]),
                (
                    "L09",
                    ["CREATE MATERIALIZED VIEW \(fault) AS SELECT 1 AS id", "GRANT SELECT ON \(fault) TO kontor_app"]
                ),
                ("L10", ["GRANT TRUNCATE ON \(contact) TO kontor_app"]),
                ("L11", ["CREATE FUNCTION \(fault)() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"]),
                (
                    "L12",
                    [
                        """
                        CREATE FUNCTION \(fault)() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                        AS 'SELECT 1'
                        """, "GRANT EXECUTE ON FUNCTION \(fault)() TO PUBLIC",
                    ]
                ),
                (
                    "L13",
                    [
                        "CREATE FUNCTION \(fault)() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT current_setting(''x.y'')'"
                    ]
                ),
                ("L14", ["GRANT TEMPORARY ON DATABASE kontor TO PUBLIC"]),
                ("L15", ["GRANT CREATE ON SCHEMA \(identifier: tenant.tenant.schema) TO PUBLIC"]),
                ("L16", ["GRANT CONNECT ON DATABASE postgres TO PUBLIC"]),
                ("L17", ["GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_lock(bigint) TO PUBLIC"]),
                ("L18", ["GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC"]),
                (
                    "L19",
                    [
                        "SET LOCAL allow_system_table_mods = on",
                        "UPDATE pg_index SET indisvalid = false WHERE indrelid = \(tenant.tenant.schema + ".contact")::regclass",
                    ]
                ),
                ("L20", ["CREATE EXTENSION postgres_fdw"]),
                (
                    "L22",
                    [
                        login, "GRANT USAGE ON SCHEMA \(identifier: tenant.tenant.schema) TO u_0123456789abcdef",
                        "GRANT SELECT ON \(contact) TO u_0123456789abcdef",
                    ]
                ),
            ]
            for (code, statements) in faults {
                let found = try await cluster.superuser.lease { session in
                    _ = try await session.query("BEGIN")
                    for statement in statements { _ = try await session.query(statement) }
                    let found = try await session.query(lint).map { try $0.get(0, as: String.self) }
                    _ = try await session.query("ROLLBACK")
                    return found
                }
                #expect(found.contains { $0.hasPrefix(code + " ") }, "\(code): \(found)")
            }
        }
    }
}
