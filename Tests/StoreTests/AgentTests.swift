import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// Programs with a role: what ends with their token, and what they never may.
@Suite(.inTurn) struct AgentTests {
    /// A shop's owner, and a token with a role of these rights.
    private func agent(_ door: TenantDatabase, _ rights: JSON, scopes: [String]) async throws -> (
        boss: Actor, id: Int64, text: String
    ) {
        let cluster = try await TestCluster.shared.value
        try await cluster.provisioner.setOwner(
            of: door.tenant, email: "boss@shop.example", password: "a long passphrase")
        let boss = Actor.staff(try await door.rows("SELECT account FROM \(door.table("staff"))")[0].get(0))
        let role = try await door.createRole(as: boss, name: "till", title: "Till", rights: rights)
        let made = try await door.addToken(as: boss, label: "till", scopes: scopes, expiresAt: nil, role: role)
        return (boss, made.id, made.text)
    }

    private static let all: JSON = [
        "contact": ["read": "all", "create": true, "change": "all", "delete": "all"], "order": ["read": "all"],
        "product": ["read": "all"], "functions": ["mass_change", "runs", "tokens"],
    ]

    private func code(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "done"
        } catch let failure as Failure {
            return failure.code
        } catch { return (error as? PostgresError)?.sqlState ?? "\(error)" }
    }

    @Test func workOfARevokedTokenDoesNotGoOn() async throws {
        try await withTenant { door in
            let (boss, id, text) = try await agent(door, Self.all, scopes: ["contacts:read", "contacts:write", "runs"])
            let actor = Actor.agent(id)
            func queue() async throws -> ClaimedRun {
                let run = try await door.createRun(as: actor, kind: "batch", state: "staging")
                let reader = try await door.rowReader(mapping: nil, as: actor)
                try await door.stage([reader.row(line: 1, values: ["given_name": "Ada"])], run: run, as: actor)
                try await door.queueStaged(run: run, counts: [:], as: actor)
                return try #require(try await door.claimRun(lease: 60))
            }
            let first = try await queue()
            #expect(try await door.mergeRun(first, isDry: false) { true }.effective == 1)
            try await door.end(first, state: "done")
            let second = try await queue()
            try await door.revokeToken(id, as: boss)
            #expect(await code { _ = try await door.mergeRun(second, isDry: false) { true } } == "right.missing")
            #expect(try await door.rows("SELECT id FROM \(door.table("contact"))", as: actor).isEmpty)
            let presented = try #require(APIToken(presented: text))
            #expect(try await door.node.open(token: presented) == nil)
        }
    }

    @Test func programsNeitherManagePeopleNorMakeTokens() async throws {
        try await withTenant { door in
            var rights = Self.all
            rights["functions"] = ["mass_change", "runs", "tokens", "staff", "sql"]
            let scopes = ["contacts:read", "contacts:write", "runs", "tokens"]
            let (boss, id, text) = try await agent(door, rights, scopes: scopes)
            let actor = Actor.agent(id)
            let presented = try #require(APIToken(presented: text))
            let grant = try #require(try await door.node.open(token: presented))
            #expect(grant.scopes == ["contacts:read", "contacts:write", "runs"])
            for role in [nil, Int64(1)] {
                #expect(
                    await code {
                        _ = try await door.addToken(
                            as: actor, label: "x", scopes: ["contacts:read"], expiresAt: nil, role: role)
                    } == "42501")
            }
            #expect(await code { _ = try await door.invite(as: actor, email: "a@b.example", StaffEdit()) } == "42501")
            #expect(await code { _ = try await door.addSQLLogin(of: 1, label: "x", as: actor) } != "done")
            #expect(
                try await door.rows("SELECT count(*) FROM auth.tokens(\(door.tenant.id))", as: actor)[0].get(0) == 0)
            // the owner's own choice
            #expect(
                await code {
                    _ = try await door.addToken(as: boss, label: "x", scopes: ["runs"], expiresAt: nil, role: 99)
                } == "token.role")
        }
    }

    @Test func aRoleThatATokenHasStays() async throws {
        try await withTenant { door in
            let (boss, id, _) = try await agent(door, Self.all, scopes: ["contacts:read"])
            let role: Int64 = try await door.rows("SELECT id FROM \(door.table("role")) WHERE name = 'till'")[0].get(0)
            let policy: JSON = ["length": 15, "strength": 3, "factor_roles": [.int(role), 2]]
            try await door.setPasswordPolicy(policy, as: boss)
            #expect(await code { try await door.deleteRole(role, as: boss) } == "role.in_use")
            try await door.revokeToken(id, as: boss)
            #expect(await code { try await door.deleteRole(role, as: boss) } == "done")
            // and nothing names it any more
            #expect(try JSON(parsing: await door.passwordPolicy(as: boss))["factor_roles"] == [2])
        }
    }

    /// Who sees a contact only while it agrees to something does not decide that for it.
    @Test func consentIsNotAskedByWhoHangsOnIt() async throws {
        try await withTenant { door in
            let rights: JSON = [
                "contact": ["read": "all", "change": "all", "only": ["consent": ["newsletter"]]],
                "order": ["read": "all"], "product": ["read": "all"],
            ]
            let (boss, id, _) = try await agent(door, rights, scopes: ["contacts:read", "contacts:write"])
            let ada = try await door.createContact(as: boss, fields: ["given_name": "Ada"]).id
            let actor = Actor.agent(id)
            #expect(await code { _ = try await door.preferencePath(of: ada, as: actor) } == "not_found")
            _ = try await door.addConsent(
                ada, as: boss, purpose: "newsletter", granted: true, at: nil, source: "form", proof: nil)
            #expect(await code { _ = try await door.preferencePath(of: ada, as: actor) } == "right.missing")
            #expect(await code { _ = try await door.preferencePath(of: ada, as: boss) } == "done")
            let wrong: JSON = [
                "contact": ["read": "all", "create": true, "only": ["consent": ["newsletter"]]]
            ]
            #expect(
                await code { _ = try await door.createRole(as: boss, name: "w", title: "W", rights: wrong) } != "done")
        }
    }
}
