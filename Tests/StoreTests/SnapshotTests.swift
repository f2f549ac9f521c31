import Foundation
import Hub
import Postgres
import Store
import TestKit
import Testing

/// What the SQL files make, compared with sql/snapshot.txt, so that a change of the schema is seen in review as what it
/// does, not as how it is written. After a meant change run the test with KONTOR_SNAPSHOT=write and commit the file.
@Suite(.inTurn) struct SnapshotTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "sql/snapshot.txt")

    @Test func theSchemaIsAsCommitted() async throws {
        try await withTenant(modules: ["reporting"]) { tenant in
            let schema = tenant.tenant.schema
            let lines = try await tenant.rows(
                Self.catalogue(["kontor", "auth", "hub", schema, schema + "_rep"], of: tenant.tenant)
            ).map { row in
                // the tenant's number is in its schema's name and its policies
                (try row.get("line") as String).replacing(schema, with: "{s}")
                    .replacing("auth.me((\(tenant.tenant.id))::bigint)", with: "auth.me({t})")
                    .replacing("g_\(tenant.tenant.id)", with: "g_{t}")
                    .replacing(/\s+/, with: " ")
            }
            let text = lines.sorted().joined(separator: "\n") + "\n"
            if ProcessInfo.processInfo.environment["KONTOR_SNAPSHOT"] == "write" {
                try text.write(to: Self.file, atomically: true, encoding: .utf8)
            }
            let committed = try String(contentsOf: Self.file, encoding: .utf8)
            let (now, then) = (Set(lines), Set(committed.split(separator: "\n").map(String.init)))
            #expect(now.subtracting(then).sorted() == [], "in the schema, not in sql/snapshot.txt")
            #expect(then.subtracting(now).sorted() == [], "in sql/snapshot.txt, not in the schema")
        }
    }

    /// One line for each column, constraint, index, policy, trigger, function and grant of some schemas.
    private static func catalogue(_ schemas: [String], of tenant: Tenant) -> SQL {
        // functions are told by a hash of their text, in which the tenant's name and number are none of its own
        let (number, bell) = ("auth\\.([a-z_]+)\\(\(tenant.id)\\M", "'\(tenant.id)'")
        return """
            WITH n AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(\(schemas)::text[])),
            r AS (SELECT c.*, format('%s.%s', n.nspname, c.relname) AS path FROM pg_class c JOIN n ON n.oid = c.relnamespace)
            SELECT format('%s %s: %s%s%s%s', path, attname, format_type(atttypid, atttypmod),
                CASE WHEN attnotnull THEN ' not null' ELSE '' END,
                CASE attidentity WHEN '' THEN '' ELSE ' identity ' || attidentity::text END,
                coalesce(CASE attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END || pg_get_expr(adbin, adrelid), '')) AS line
            FROM r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = attnum WHERE relkind IN ('r', 'p', 'v', 'm')
            UNION ALL SELECT format('%s security: %s%s %s', path, CASE WHEN relrowsecurity THEN 'on' ELSE 'off' END,
                CASE WHEN relforcerowsecurity THEN ' forced' ELSE '' END, coalesce(array_to_string(reloptions, ' '), ''))
            FROM r WHERE relkind IN ('r', 'p', 'v')
            UNION ALL SELECT format('%s view of %s: %s', path, relowner::regrole, pg_get_viewdef(oid)) FROM r WHERE relkind = 'v'
            UNION ALL SELECT format('%s constraint %s: %s', path, conname, pg_get_constraintdef(k.oid))
            FROM r JOIN pg_constraint k ON k.conrelid = r.oid
            UNION ALL SELECT format('%s index: %s', path, pg_get_indexdef(oid)) FROM r WHERE relkind = 'i'
            UNION ALL SELECT format('%s policy %s for %s to %s: %s %s', path, polname, polcmd,
                (SELECT string_agg(CASE x WHEN 0 THEN 'public' ELSE x::regrole::text END, ' ') FROM unnest(polroles) x),
                pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
            FROM r JOIN pg_policy p ON p.polrelid = r.oid
            UNION ALL SELECT format('%s trigger: %s', path, pg_get_triggerdef(t.oid))
            FROM r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT tgisinternal
            UNION ALL SELECT format('%s grant: %s to %s', path, string_agg(privilege_type, ' ' ORDER BY privilege_type),
                CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END)
            FROM r, aclexplode(relacl) WHERE grantee <> relowner GROUP BY path, grantee
            UNION ALL SELECT format('%s.%s(%s) %s%s %s: %s', nspname, proname, pg_get_function_identity_arguments(f.oid),
                CASE WHEN prosecdef THEN 'definer ' ELSE '' END, provolatile,
                coalesce(array_to_string(proconfig, ' '), ''), md5(regexp_replace(CASE WHEN nspname = \(tenant.schema) THEN
                    regexp_replace(replace(regexp_replace(replace(prosrc, \(tenant.schema), '{s}'), \(number), 'auth.\\1({t}', 'g'), \(bell), '{t}'),
                        \(" = \(tenant.id)\\M"), ' = {t}', 'g') ELSE prosrc END, '\\s+', ' ', 'g')))
            FROM pg_proc f JOIN n ON n.oid = pronamespace
            UNION ALL SELECT format('%s.%s(%s) grant: to %s', nspname, proname, pg_get_function_identity_arguments(f.oid),
                CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END)
            FROM pg_proc f JOIN n ON n.oid = pronamespace, aclexplode(proacl) WHERE grantee <> proowner
            UNION ALL SELECT format('schema %s grant: %s to %s', s.nspname, string_agg(privilege_type, ' ' ORDER BY privilege_type),
                CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END)
            FROM pg_namespace s JOIN n ON n.oid = s.oid, aclexplode(s.nspacl) WHERE grantee <> s.nspowner GROUP BY s.nspname, grantee
            """
    }
}
