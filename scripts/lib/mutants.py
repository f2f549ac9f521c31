"""Takes one cure after the other out of the SQL and the Swift, and looks whether the test that guards it fails (docs/security.md).

mutants.py --build FOLDER [NAME ...]: the scratch folder of a test build, and which mutants; all when none is named.
Ends with 1 when a mutant survives.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# name: file, what stands there, what is put in its place, tests that must fail then
MUTANTS = {
    "context-unsigned": ("instance/013_mail.sql", "'hex') <> part[5] THEN", "'hex') <> part[5] AND false THEN", "TenancyTests|LintTests"),
    "context-of-any-tenant": (
        "instance/013_mail.sql", "cardinality(part) <> 5 OR part[1] <> tenant::text", "cardinality(part) <> 5", "TenancyTests|LintTests"),
    "context-of-any-backend": (
        "instance/013_mail.sql", "OR (part[4] <> pg_backend_pid()::text AND NOT (k.pooled AND part[4] = '0'))", "", "TenancyTests|LintTests"),
    "context-for-ever": (
        "instance/013_mail.sql", "part[3]::bigint < extract(epoch FROM transaction_timestamp())", "false", "TenancyTests|LintTests"),
    "login-of-a-disabled-person": (
        "instance/013_mail.sql", "AND a.disabled_at IS NULL AND 'sql' = ANY (a.scopes) AND n.state = 'open'", "", "SQLLoginTests"),
    "service-skips-row-security": (
        "instance/001_roles.sql", "ALTER ROLE kontor_app LOGIN;", "ALTER ROLE kontor_app LOGIN BYPASSRLS;", "TenancyTests|LintTests"),
    "service-makes-roles": (
        "instance/001_roles.sql", "ALTER ROLE kontor_app LOGIN;", "ALTER ROLE kontor_app LOGIN CREATEROLE;", "TenancyTests|LintTests"),
    "service-becomes-the-owner": (
        "instance/001_roles.sql", "GRANT kontor_owner TO kontor_migrate;", "GRANT kontor_owner TO kontor_migrate, kontor_app;", "TenancyTests|LintTests"),
    "views-skip-row-security": (
        "instance/001_roles.sql", "GRANT kontor_view TO kontor_owner;", "GRANT kontor_view TO kontor_owner; ALTER ROLE kontor_view BYPASSRLS;",
        "TenancyTests|LintTests"),
    "views-without-a-barrier": (
        "tenant/hub/003_views.sql", "CREATE VIEW {s}.contact_seen WITH (security_barrier) AS", "CREATE VIEW {s}.contact_seen AS", "TenancyTests|LintTests"),
    "names-to-be-guessed-by-explain": (
        "tenant/hub/003_views.sql", "CASE WHEN x.is_whole THEN c.name ELSE hub.display_name(x.data) END AS name,", "c.name,", "SQLLoginTests"),
    "orders-to-be-found-by-explain": ("tenant/reporting/002_explaining.sql", "s.status || '' AS status", "s.status", "SQLLoginTests"),
    "goods-to-be-guessed-by-explain": ("tenant/reporting/002_explaining.sql", "p.name || '' AS name", "p.name", "SQLLoginTests"),
    "truncating": (
        "tenant/hub/001_hub.sql", "GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.contact TO kontor_app;",
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {s}.contact TO kontor_app;", "TenancyTests|LintTests"),
    # revoked schema by schema, as looks natural and has no effect
    "functions-for-all": (
        "instance/002_lockdown.sql", "ALTER DEFAULT PRIVILEGES FOR ROLE kontor_owner REVOKE",
        "ALTER DEFAULT PRIVILEGES FOR ROLE kontor_owner IN SCHEMA extension REVOKE", "TenancyTests|LintTests"),
    "functions-led-astray": (
        "instance/013_mail.sql", "SET search_path = pg_catalog, pg_temp\nAS $$ SELECT mails FROM kontor.instance $$;",
        "AS $$ SELECT mails FROM kontor.instance $$;", "TenancyTests|LintTests"),
    "a-frozen-context": (
        "instance/013_mail.sql", "LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER",
        "LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER", "TenancyTests|LintTests"),
    "an-empty-setting-is-a-value": (
        "tenant/hub/002_rights.sql", "batch bigint := nullif(current_setting('kontor.run', true), '')::bigint;",
        "batch bigint := current_setting('kontor.run', true)::bigint;", "TenancyTests|IntakeTests"),
    "a-bell-that-tells": (
        "tenant/hub/002_rights.sql", "PERFORM pg_notify('kontor', '{id}');", "PERFORM pg_notify('kontor', '{id} contact');", "TenancyTests|LintTests"),
    "advisory-locks-for-all": (
        "instance/002_lockdown.sql", "pg_catalog.pg_advisory_xact_lock(bigint), pg_catalog.pg_advisory_xact_lock(int, int),\n", "", "TenancyTests|LintTests"),
    "bodies-for-all": ("instance/002_lockdown.sql", ", pg_catalog.pg_get_functiondef(oid) FROM PUBLIC;", " FROM PUBLIC;", "SQLLoginTests"),
    "other-databases-for-all": ("instance/002_lockdown.sql", "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;", "", "TenancyTests|LintTests"),
    "logins-read-tables": (
        "tenant/reporting/001_reporting.sql", "GRANT USAGE ON SCHEMA {s}_rep TO g_{id};",
        "GRANT USAGE ON SCHEMA {s}_rep, {s} TO g_{id}; GRANT SELECT ON {s}.contact TO g_{id};", "SQLLoginTests"),
    "a-login-known-by-its-name-alone": (
        "instance/013_mail.sql", "l.name = session_user AND l.role = to_regrole(session_user) AND", "l.name = session_user AND", "SQLLoginTests"),
    "languages-for-all": ("instance/002_lockdown.sql", "REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;", "", "TenancyTests|LintTests"),
    "large-objects-for-all": (
        "instance/002_lockdown.sql", "REVOKE EXECUTE ON FUNCTION pg_catalog.lo_from_bytea(oid, bytea), pg_catalog.lo_creat(int),",
        "REVOKE EXECUTE ON FUNCTION", "TenancyTests|LintTests"),
    "table-without-forced-security": (
        "tenant/hub/014_retention.sql", "ALTER TABLE {s}.retention FORCE ROW LEVEL SECURITY;", "", "TenancyTests|LintTests"),
    "feed-of-what-is-not-settled": (
        "tenant/hub/003_views.sql", "> (after_tx, after_id) AND c.tx < pg_snapshot_xmin(pg_current_snapshot())",
        "> (after_tx, after_id)", "TenancyTests|LintTests"),
    "contacts-of-everybody": (
        "tenant/hub/017_agents.sql", "ALTER POLICY contact_read_in_views ON {s}.contact\n    USING (",
        "ALTER POLICY contact_read_in_views ON {s}.contact\n    USING (true OR ", "RoleMatrixTests"),
    "a-token-outlives-its-end": (
        "instance/015_agents.sql", "WHERE t.id = substr(actor, 7)::bigint AND t.revoked_at IS NULL", "WHERE t.id = substr(actor, 7)::bigint",
        "AgentTests"),
    "programs-make-tokens": (
        "tenant/hub/017_agents.sql", "f NOT IN ('staff', 'sql', 'tokens')", "f NOT IN ('staff', 'sql')", "AgentTests"),
    "room-for-anybody": ("tenant/hub/018_limits.sql", "IF EXISTS (SELECT FROM new_rows) THEN", "IF false THEN", "RoomTests|TenantLimitTests"),
    "consent-by-who-hangs-on-it": ("tenant/hub/017_agents.sql", " AND r.consents IS NULL, false)", ", false)", "AgentTests"),
    "edits-of-everybody": (
        "tenant/hub/002_rights.sql", "CREATE POLICY contact_edit ON {s}.contact FOR UPDATE TO kontor_app\n    USING (",
        "CREATE POLICY contact_edit ON {s}.contact FOR UPDATE TO kontor_app\n    USING (true OR ", "RightsWallTests"),
    "changes-of-hidden-fields": (
        "tenant/hub/003_views.sql", "(kind <> 'edited' OR NOT fields <@ (SELECT r.hidden FROM {s}.mine() r)::text[])", "true",
        "RightsTests|RightsWallTests|RoleMatrixTests"),
    "history-unmasked": (
        "tenant/hub/003_views.sql", "ELSE hub.shown(h.after, x.hidden, x.masked) END AS after", "ELSE h.after END AS after",
        "RoleMatrixTests"),
    "search-by-an-operator-that-errs": (
        "tenant/hub/003_views.sql", "c.search OPERATOR(extension.#~~) pattern", "c.search LIKE pattern", "RightsWallTests"),
    "runs-approved-by-anybody": (
        "tenant/hub/002_rights.sql", "USING ((SELECT {s}.is_program() OR {s}.sees_all() AND {s}.may('mass_change')));\nCREATE POLICY run_drop",
        "USING (true);\nCREATE POLICY run_drop", "RightsWallTests|RightsTests"),
    "audit-chain-unchecked": ("tenant/hub/007_audit.sql", "r.hash IS DISTINCT FROM last", "false", "AuditTests"),
    "audit-read-by-all": (
        "tenant/hub/007_audit.sql", "CREATE POLICY audit_read ON {s}.audit FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.may('audit')));",
        "CREATE POLICY audit_read ON {s}.audit FOR SELECT TO kontor_app USING ((SELECT auth.me({id})) IS NOT NULL);", "AuditTests|RightsWallTests"),
    "a-tie-of-consents-is-yes": (
        "tenant/hub/001_hub.sql", "ORDER BY x.contact, x.purpose, x.evidence_at DESC, x.granted",
        "ORDER BY x.contact, x.purpose, x.evidence_at DESC, x.granted DESC", "ConsentTests|PrivacyTests"),
    "who-left-stays-in": (
        "tenant/hub/010_leaving.sql", "DELETE FROM {s}.group_member m WHERE m.push = push_id AND m.state = 'in' AND m.email <> ALL (present)",
        "DELETE FROM {s}.group_member m WHERE m.push = push_id AND false", "PrivacyTests"),
    "conflicts-outlive-erasure": (
        "tenant/hub/001_hub.sql", "DELETE FROM {s}.conflict WHERE contact = subject;", "", "ContactTests|IntakeTests|ContactMergeTests"),
    "a-code-works-twice": (
        "instance/012_second_factor.sql", "AND a.factor_step < step", "", "SecondFactorTests"),
    "anybody-sets-the-watch": (
        "tenant/hub/015_watch.sql", "IF auth.me({id}) IS DISTINCT FROM 'system' THEN", "IF false THEN", "WatchTests"),
}


# the same of Swift, by files below Sources
SWIFT = {
    "forms-from-anywhere": (
        "Web/Console/ConsoleOperations.swift", "guard ConsoleSession.isOwn(call.headers, host: call.host), ConsoleSession.isMark(mark, of: token) else {",
        "guard true else {", "ConsoleTests"),
    "led-elsewhere": (
        "Web/Console/DoorPages.swift", 'path.hasPrefix("/") && !path.hasPrefix("//") && !path.contains("\\\\")', 'path.hasPrefix("/")', "ConsoleTests"),
    "nothing-is-escaped": (
        "Web/Pages/HTMLPage.swift", "guard text.utf8.contains(where: { entity($0) != nil }) else { return text }", "return text",
        "ConsoleTests|PageTests"),
    "scripts-from-anywhere": ("Web/Console/Desk.swift", "script-src 'self'; ", "script-src 'unsafe-inline'; ", "ConsoleTests"),
    "formulas-in-files": ("Hub/CSV/CSVWriter.swift", "if isGuarded { bytes.append", "if false { bytes.append", "CSVTests"),
    "calls-to-within": (
        "ConnectorKit/AddressGuard.swift", "case 4: return !Self.internalV4.contains { $0.contains(address) }", "case 4: return true",
        "KitTransportTests|KitAnswerTests"),
    "formulas-with-a-mark": (
        "Hub/CSV/CSVWriter.swift", "text.utf8.first.map(CSVWriter.formulaStarts.contains) ?? false",
        "text.first?.asciiValue.map(CSVWriter.formulaStarts.contains) ?? false", "CSVTests"),
    "programs-with-a-mark": (
        "Hub/Contacts/Link.swift", "start.starts(with: $0.unicodeScalars)", "String(start).hasPrefix($0)", "NormaliserTests"),
    "texts-that-look-alike": (
        "Postgres/Wire/StatementCache.swift",
        """{ text.withUnsafeBytes { hasher.combine(bytes: $0) } }
        static func == (left: Key, right: Key) -> Bool { left.text == right.text }""",
        """{ hasher.combine(String(decoding: text, as: UTF8.self)) }
        static func == (left: Key, right: Key) -> Bool {
            String(decoding: left.text, as: UTF8.self) == String(decoding: right.text, as: UTF8.self)
        }""", "PreparedTests"),
    "cursors-of-others": ("Postgres/Pool/LeaseReset.swift", '"CLOSE ALL", ', "", "LeaseTests"),
    "temporary-tables-for-all": (
        "Store/Tenancy/Instance.swift", "REVOKE ALL ON DATABASE kontor FROM PUBLIC;", "REVOKE CONNECT ON DATABASE kontor FROM PUBLIC;", "TenancyTests|LintTests"),
    "statements-without-end": ("Store/Access/SQLWatch.swift", "WHEN a.state = 'active' AND", "WHEN false AND", "SQLLoginTests"),
    "mails-to-more": (
        "ConnectorKit/MailMessage.swift", "guard bare.wholeMatch(of: /[!-;=?-~]+@[!-;=?A-~]+/) != nil else", "guard bare.contains(\"@\") else", "MailTests"),
    "packed-bodies": ("Web/Server/BodyReader.swift", 'guard coding == "identity" else {', "guard true else {", "LimitTests"),
    "bodies-without-end": (
        "Web/Server/BodyReader.swift", "guard bytes.count + piece.readableBytes <= limit else { throw tooLarge(limit) }", "", "LimitTests"),
    "twice-the-same-key": ("Hub/JSONParser.swift", 'throw fail("duplicate key")', "_ = 0", "JSONTests|LimitTests|RefusalTests"),
    "mails-without-tls": ("ConnectorKit/SMTPClient.swift", 'needsTLS = scheme == "smtps" ||', "needsTLS = false &&", "MailTests"),
    "webhooks-unsigned": (
        "ConnectorKit/WebhookSignature.swift", "where Crypto.constantTimeEqual(candidate, expected) { isGenuine = true }", "{ isGenuine = true }", "WebhookTests|KitCryptoTests|WooCommerceTests"),
    "preferences-unsigned": (
        "Store/API/SignedPath.swift", "Crypto.constantTimeEqual(own.utf8, path.utf8) ? (tenant, number) : nil", "(tenant, number)",
        "PrivacyTests|PageTests"),
    "who-is-known": (
        "Store/Access/SignIn.swift", 'let stored: String = try found.get("password", as: String?.self) ?? PasswordHash.decoy()',
        'guard let stored = try found.get("password", as: String?.self) else { throw Self.refused }', "SignInTests"),
    "programs-are-people": (
        "Web/Access/Caller.swift", "guard case .staff = grant.actor else { throw Self.noSession }", "", "ConsoleTests|SignInTests|RefusalTests"),
    "calls-without-end": ("Web/Access/CallRates.swift", "minute.calls > most", "false", "TenantLimitTests"),
    "certificates-of-anybody": (
        "ConnectorKit/HTTPTransfer.swift", "CURLOPT_SSL_VERIFYPEER, 1", "CURLOPT_SSL_VERIFYPEER, 0", "KitTransportTests"),
    "certificates-for-others": (
        "ConnectorKit/HTTPTransfer.swift", "CURLOPT_SSL_VERIFYHOST, 2", "CURLOPT_SSL_VERIFYHOST, 0", "KitTransportTests"),
}

# passes whatever is taken out, as long as the SQL is still SQL
CONTROL = "MonitoringTests"


def tests(tree, build, sql, choice):
    """Whether the tests pass on this SQL, and the first of them that does not."""
    try:
        done = subprocess.run(
            ["swift", "test", "--scratch-path", build, "--skip-build", "--filter", choice],
            cwd=tree, env={**os.environ, "KONTOR_TEST_SQL": str(sql)}, capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        return False, "none ended within ten minutes"
    # "Test name() recorded an issue at file:line: what", in one line each
    said = [line.split("Test ", 1)[1] for line in done.stdout.splitlines() if " recorded an issue at " in line]
    return done.returncode == 0, said[0][:300] if said else ""


def without(name, file, cure, instead):
    """The file's text without the cure, and what it was."""
    text = file.read_text()
    if text.count(cure) != 1:
        sys.exit(f"mutants: {name}: what is to be taken out stands {text.count(cure)} times in {file}")
    file.write_text(text.replace(cure, instead))
    return text


def of_sql(name, build):
    file, cure, instead, choice = MUTANTS[name]
    with tempfile.TemporaryDirectory() as folder:
        # the private cluster's user reads it, too
        os.chmod(folder, 0o755)
        sql = pathlib.Path(folder) / "sql"
        shutil.copytree(ROOT / "sql", sql)
        without(name, sql / file, cure, instead)
        if not tests(ROOT, build, sql, CONTROL)[0]:
            sys.exit(f"mutants: {name}: without this cure nothing works at all, which shows nothing")
        return *tests(ROOT, build, sql, choice), choice


def of_swift(name, tree, build):
    """In a copy of the sources, which keeps its own build."""
    file, cure, instead, choice = SWIFT[name]
    place = tree / "Sources" / file
    before = without(name, place, cure, instead)
    try:
        built = subprocess.run(["swift", "build", "--scratch-path", build, "--build-tests"], cwd=tree, capture_output=True, text=True)
        if built.returncode:
            sys.exit(f"mutants: {name}: does not build: " + "".join(x for x in built.stdout.splitlines(True) if "error:" in x)[:800])
        return *tests(tree, build, ROOT / "sql", choice), choice
    finally:
        place.write_text(before)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("names", nargs="*", choices=[*MUTANTS, *SWIFT, []])
    options = parser.parse_args()
    names = options.names or [*MUTANTS, *SWIFT]
    # as everything is, the tests pass: else a failure would show nothing
    everything = "|".join(sorted({({**MUTANTS, **SWIFT})[name][3] for name in names}))
    passed, test = tests(ROOT, options.build, ROOT / "sql", everything)
    if not passed:
        sys.exit(f"mutants: with every cure in its place, {test or everything} does not pass")
    survivors = []
    tree = pathlib.Path(options.build) / "mutants"
    if any(name in SWIFT for name in names):
        shutil.rmtree(tree, ignore_errors=True)
        # with the files' own times, by which a build goes
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".build*", "var"))
    for name in names:
        passed, test, choice = of_sql(name, options.build) if name in MUTANTS else of_swift(
            name, tree, f"{options.build}-mutants")
        by = test.split(" recorded")[0] or choice
        print(f"{'SURVIVES' if passed else 'caught  '}  {name:32}  {by}", flush=True)
        if passed:
            survivors.append(name)
    print(f"mutants: {len(names)}, {len(survivors)} survive")
    sys.exit(1 if survivors else 0)


main()
