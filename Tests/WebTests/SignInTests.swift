@testable import Cryptography
import Foundation
import Hub
import Postgres
import TestKit
import Testing

@testable import Store
@testable import Web

@Suite(.inTurn) struct SignInTests {
    private static let password = "correct horse battery"

    /// A tenant with an owner's account.
    private struct Shop {
        let tenant: WebTestTenant
        let name: String
        let email = "Ola@Shop.example"

        func signIn(_ password: String, email: String? = nil, shop: String? = nil) async throws -> Reply {
            try await tenant.call(
                "signIn", [:],
                [
                    "tenant": .string(shop ?? name), "email": .string(email ?? self.email),
                    "password": .string(password),
                ], token: "")
        }
    }

    private func shop() async throws -> Shop {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let rows = try await server.cluster.superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0]
        let shop = Shop(tenant: tenant, name: try rows[0].get("name"))
        try await server.cluster.provisioner.setOwner(
            of: tenant.database.tenant, email: shop.email, password: Self.password)
        return shop
    }

    @Test func anOldPasswordIsGoodForNothingButToBeChanged() async throws {
        let shop = try await shop()
        let token = try await shop.signIn(Self.password).json["token"]?.string ?? ""
        let policy: JSON = ["length": 15, "strength": 3, "expires_days": 30]
        #expect(try await shop.tenant.call("setPasswordPolicy", [:], policy, token: token).status == 200)
        #expect(try await shop.tenant.call("listContacts", token: token).status == 200)
        let superuser = shop.tenant.server.cluster.superuser
        _ = try await superuser.run(
            """
            UPDATE auth.account SET password_at = now() - interval '30 days 1 minute'
            WHERE tenant = \(shop.tenant.database.tenant.id)
            """)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await shop.tenant.call("listContacts", token: token).code == "password.expired")
        let change: JSON = ["old": .string(Self.password), "new": "another correct horse"]
        #expect(try await shop.tenant.call("changePassword", [:], change, token: token).status == 204)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await shop.tenant.call("listContacts", token: token).status == 200)
    }

    @Test func aPersonSignsInWorksUnderTheirNameAndSignsOut() async throws {
        let shop = try await shop()
        let made = try await shop.signIn(Self.password, email: "ola@shop.EXAMPLE")
        #expect(made.status == 201)
        let token = made.json["token"]?.string ?? ""
        let account = try await shop.tenant.call("getAccount", token: token)
        #expect(account.json["email"] == "ola@shop.example")
        #expect(account.json["session"]?.int == made.id)
        let contact = try await shop.tenant.call(
            "createContact", [:], ["fields": ["given_name": "Ada"]], token: token)
        #expect(contact.status == 201)
        let changes = try await shop.tenant.call("contactHistory", ["id": String(contact.id)], token: token)
        #expect(changes.json["items"]?[0]?["actor"]?.string == "staff:\(account.id)")

        let sessions = try await shop.tenant.call("listSessions", token: token)
        #expect(sessions.json["items"]?.array?.map { $0["id"]?.int } == [made.id])
        #expect(sessions.json["items"]?[0]?["address"] == "127.0.0.1")
        #expect(try await shop.tenant.call("endSession", ["id": String(made.id)], token: token).status == 204)
        try await Task.sleep(for: .milliseconds(1100))
        let after = try await shop.tenant.call("getAccount", token: token)
        #expect(after.status == 401 && after.code == "token.invalid")
    }

    @Test func nothingTellsWhatIsKnown() async throws {
        let shop = try await shop()
        var replies: [Reply] = []
        var times: [Duration] = []
        for (email, name, word) in [
            (shop.email, shop.name, "a wrong password"), ("nobody@shop.example", shop.name, Self.password),
            (shop.email, "no-such-shop", Self.password),
        ] {
            let start = ContinuousClock.now
            replies.append(try await shop.signIn(word, email: email, shop: name))
            times.append(ContinuousClock.now - start)
        }
        #expect(replies.allSatisfy { $0.status == 401 && $0.code == "sign_in.failed" })
        #expect(Set(replies.map(\.body)).count == 1)
        // each of them cost a hash
        #expect(times.allSatisfy { $0 > .milliseconds(100) })
        // a suspended shop is none
        let provisioner = try await WebTestServer.shared.value.cluster.provisioner
        try await provisioner.setSuspended(true, shop.tenant.database.tenant)
        #expect(try await shop.signIn(Self.password).body == replies[0].body)
    }

    /// By a gate of its own, where nobody else's hashes are waited for.
    @Test func anUnknownAccountCostsAHashToo() async throws {
        let shop = try await shop()
        let gate = PasswordGate(cores: 2)
        func refusal(_ email: String) async throws -> Duration {
            let attempt = SignIn(
                tenant: shop.name, email: email, password: "a wrong password", address: "192.0.2.77", agent: "")
            let start = ContinuousClock.now
            await #expect(throws: Failure.self) {
                _ = try await shop.tenant.database.node.signIn(attempt, gate: gate)
            }
            return ContinuousClock.now - start
        }
        let (known, unknown) = (try await refusal(shop.email), try await refusal("nobody@shop.example"))
        #expect(unknown > known / 3, "\(known) and \(unknown)")
    }

    @Test func whoGuessesWaitsAndOthersDoNot() async throws {
        let shop = try await shop()
        let node = try await WebTestServer.shared.value.cluster.node
        let gate = PasswordGate(cores: 2)
        func attempt(_ password: String, from address: String) async throws -> String {
            do {
                _ = try await node.signIn(
                    SignIn(tenant: shop.name, email: shop.email, password: password, address: address, agent: "test"),
                    gate: gate)
                return "in"
            } catch let failure as Failure {
                #expect((failure.retryAfter ?? 0 > 0) == (failure.code == "sign_in.wait"))
                return failure.code
            }
        }
        #expect(try await attempt(Self.password, from: "192.0.2.1") == "in")
        // made at once they are counted all the same
        let start = ContinuousClock.now
        let codes = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<12 { group.addTask { try await attempt("guess number \(number)", from: "192.0.2.66") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        // five are free; the next wait 1, 2, 4 ... seconds, so that in this time there can have been so many more
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let failed = codes.filter { $0 == "sign_in.failed" }.count
        #expect(failed >= 5 && failed <= 5 + Int(log2(seconds + 1)))
        let counted = try await WebTestServer.shared.value.cluster.superuser.run(
            """
            SELECT failures FROM auth.guard
            WHERE key = auth.guard_key('pair', \(shop.name) || '|' || lower(\(shop.email)) || '|192.0.2.66')
            """)[0]
        #expect(try counted[0].get("failures", as: Int.self) == failed)
        #expect(codes.contains("sign_in.wait"))
        // after some more even the right word waits, from there
        _ = try await WebTestServer.shared.value.cluster.superuser.run(
            """
            UPDATE auth.guard SET failures = 12
            WHERE key = auth.guard_key('pair', \(shop.name) || '|' || lower(\(shop.email)) || '|192.0.2.66')
            """)
        #expect(try await attempt(Self.password, from: "192.0.2.66") == "sign_in.wait")
        #expect(try await attempt(Self.password, from: "192.0.2.2") == "in")

        // guessing from everywhere slows the account down, but not for where its owner has been
        for number in 0..<30 { _ = try await attempt("guess number \(number)", from: "198.51.100.\(number)") }
        // the wait is of seconds, which a busy machine may take for one attempt: it begins anew
        let waiting = try await WebTestServer.shared.value.cluster.superuser.run(
            """
            UPDATE auth.guard SET failed_at = now()
            WHERE key = auth.guard_key('account', \(shop.name) || '|' || lower(\(shop.email))) RETURNING failures
            """)[0]
        #expect(try waiting[0].get("failures", as: Int.self) >= 30)
        #expect(try await attempt("one more guess", from: "198.51.100.200") == "sign_in.wait")
        #expect(try await attempt(Self.password, from: "192.0.2.1") == "in")
    }

    /// Behind a proxy on this machine everybody has its address: a guesser must not make the owner wait for long.
    @Test func whereAllHaveOneAddressNobodyWaitsLong() async throws {
        let shop = try await shop()
        #expect(try await shop.signIn(Self.password).status == 201)
        var refused = Reply(status: 0, headers: [:], body: [])
        for number in 0..<20 where refused.status != 429 { refused = try await shop.signIn("guess number \(number)") }
        #expect(refused.code == "sign_in.wait")
        _ = try await WebTestServer.shared.value.cluster.superuser.run(
            """
            UPDATE auth.guard SET failures = 1000, failed_at = clock_timestamp() WHERE key IN (
                auth.guard_key('pair', \(shop.name) || '|' || lower(\(shop.email)) || '|127.0.0.1'),
                auth.guard_key('account', \(shop.name) || '|' || lower(\(shop.email))))
            """)
        let held = try await shop.signIn(Self.password)
        #expect(held.status == 429 && (1...5).contains(Int(held.headers["retry-after"] ?? "") ?? 0))
    }

    /// A stolen session is no way to guess the password.
    @Test func guessingThePresentPasswordIsSlowedDown() async throws {
        let shop = try await shop()
        let token = try await shop.signIn(Self.password).json["token"]?.string ?? ""
        let account = try await shop.tenant.call("getAccount", token: token).id
        func guess() async throws -> String? {
            try await shop.tenant.call(
                "changePassword", [:], ["old": "a guess at it", "new": "another long password"], token: token
            ).code
        }
        #expect(try await guess() == "password.wrong")
        // as after many more: the delays alone would be over before a busy machine has hashed
        let counted = try await WebTestServer.shared.value.cluster.superuser.run(
            """
            UPDATE auth.guard SET failures = failures + 20, failed_at = clock_timestamp()
            WHERE key = auth.guard_key('password', \(String(account))) AND failures = 1
            """)[0].affected
        #expect(counted == 1)
        #expect(try await guess() == "sign_in.wait")
    }

    @Test func aChangedPasswordEndsTheOtherSessions() async throws {
        let shop = try await shop()
        let first = try await shop.signIn(Self.password).json["token"]?.string ?? ""
        let second = try await shop.signIn(Self.password).json["token"]?.string ?? ""
        func change(_ old: String, _ new: String) async throws -> Reply {
            try await shop.tenant.call(
                "changePassword", [:], ["old": .string(old), "new": .string(new)], token: second)
        }
        #expect(try await change("not the old one", "another long password").code == "password.wrong")
        #expect(try await change(Self.password, "short").code == "password.length")
        #expect(try await change(Self.password, String(repeating: "ab", count: 20)).code == "password.guessable")
        #expect(try await change(Self.password, "Ola is long enough!").status == 204)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await shop.tenant.call("getAccount", token: first).status == 401)
        #expect(try await shop.tenant.call("getAccount", token: second).status == 200)
        #expect(try await shop.signIn(Self.password).status == 401)
        #expect(try await shop.signIn("Ola is long enough!").status == 201)
    }

    @Test func sessionsEndByThemselvesAndBelongToOnePerson() async throws {
        let shop = try await shop()
        let other = try await self.shop()
        let superuser = try await WebTestServer.shared.value.cluster.superuser
        for (column, age) in [("used_at", "13 hours"), ("created_at", "31 days")] {
            let made = try await shop.signIn(Self.password)
            let token = made.json["token"]?.string ?? ""
            _ = try await superuser.run(
                "UPDATE auth.session SET \(identifier: column) = now() - \(age)::interval WHERE id = \(made.id)")
            #expect(try await shop.tenant.call("getAccount", token: token).status == 401)
        }
        let mine = try await shop.signIn(Self.password)
        let stranger = try await other.signIn(Self.password).json["token"]?.string ?? ""
        #expect(try await other.tenant.call("endSession", ["id": String(mine.id)], token: stranger).status == 404)
        // an API token has no account
        let refused = try await shop.tenant.call("getAccount")
        #expect(refused.status == 403 && refused.code == "session.needed")
    }

    /// What somebody could do who makes the service send a statement of theirs.
    @Test func withoutASignatureTheFunctionsGiveNothing() async throws {
        let shop = try await shop()
        let database = try await WebTestServer.shared.value.cluster.node.database
        #expect(
            try await database.run("SELECT * FROM auth.begin_sign_in(\(shop.name), \(shop.email), 'x')")[0].isEmpty)
        let id = shop.tenant.database.tenant.id
        let made: Int64? = try await database.run("SELECT auth.begin_session(1, '', NULL, '', '', '') AS id")[0][0].get(
            "id")
        #expect(made == nil)
        #expect(try await database.run("SELECT * FROM auth.begin_password_change(\(id))")[0].isEmpty)
        // a good context of one tenant is none for no tenant, where operators are
        let signed = try await shop.tenant.database.run(as: .staff(1), "SELECT auth.me(NULL) AS me")[0]
        #expect(signed[0].isNull("me"))
        await #expect(throws: PostgresError.self) {
            try await shop.tenant.database.run(
                as: .staff(1), "SELECT auth.add_token(NULL, '', '', '', '{operator}', NULL)")
        }
        for table in ["auth.account", "auth.session", "auth.guard"] {
            await #expect(throws: PostgresError.self) {
                _ = try await database.run(SQL(unsafeRaw: "SELECT * FROM \(table)"))
            }
        }
    }
}

@Suite(.inTurn) struct SecondFactorTests {
    private static let password = "correct horse battery"

    @Test func codesAreNeededUsedOnceAndRecovered() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let superuser = server.cluster.superuser
        let shop: String = try await superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0][0].get(0)
        try await server.cluster.provisioner.setOwner(
            of: tenant.database.tenant, email: "ola@shop.example", password: Self.password)
        func signIn(_ password: String = Self.password, code: String? = nil) async throws -> Reply {
            var body: JSON = ["tenant": .string(shop), "email": "ola@shop.example", "password": .string(password)]
            body["code"] = code.map(JSON.string)
            return try await tenant.call("signIn", [:], body, token: "")
        }
        let first = try await signIn().json["token"]?.string
        let other = try await signIn().json["token"]?.string
        let wrong = try await tenant.call("proposeSecondFactor", [:], ["password": "not it at all"], token: first)
        #expect(wrong.json["code"] == "password.wrong")
        let proposed = try await tenant.call(
            "proposeSecondFactor", [:], ["password": .string(Self.password)], token: first)
        let secret = try #require(proposed.json["secret"]?.string)
        #expect(secret.count == 32 && proposed.json["address"]?.string?.contains("secret=\(secret)") == true)
        // not in force yet
        #expect(try await signIn().status == 201)
        let sealed = try await superuser.run(
            "SELECT factor FROM auth.account WHERE tenant = \(tenant.database.tenant.id)")[0][0]
            .get(0, as: [UInt8].self)
        #expect(!String(decoding: sealed, as: UTF8.self).contains(secret))
        let app = OneTimeCode(secret: Self.unbase32(secret))
        var step = Int64(Date().timeIntervalSince1970) / 30
        #expect(
            try await tenant.call("confirmSecondFactor", [:], ["code": "000000"], token: first).json["code"]
                == "factor.code")
        let confirmed = try await tenant.call(
            "confirmSecondFactor", [:], ["code": .string(app.code(step: step))], token: first)
        let codes = confirmed.json["recovery_codes"]?.array?.compactMap(\.string) ?? []
        #expect(Set(codes).count == 10)
        // the caller's other sessions have ended
        try await Task.sleep(for: .milliseconds(1200))
        #expect(try await tenant.call("getAccount", token: other).status == 401)
        #expect(try await tenant.call("getAccount", token: first).status == 200)
        // password alone, a wrong code, and the code of the confirmation do not do
        #expect(try await signIn().json["code"] == "sign_in.code")
        #expect(try await signIn(code: "123456").json["code"] == "sign_in.code")
        #expect(try await signIn(code: app.code(step: step)).json["code"] == "sign_in.code")
        // a wrong password with a right code is just wrong
        step = Int64(Date().timeIntervalSince1970) / 30 + 1
        #expect(try await signIn("wrong horse battery", code: app.code(step: step)).json["code"] == "sign_in.failed")
        #expect(try await signIn(code: app.code(step: step)).status == 201)
        #expect(try await signIn(code: app.code(step: step)).status == 401)
        // nor for another process that asked about the account at the same moment
        let account: Int64 = try await superuser.run(
            "SELECT id FROM auth.account WHERE tenant = \(tenant.database.tenant.id)")[0][0].get(0)
        for (next, isTaken) in [(step, false), (step + 1, true), (step + 1, false)] {
            let used = try await server.cluster.node.asService(
                "SELECT auth.use_code(\(account), \(next), NULL) AS done")
            #expect(try used.get("done") == isTaken)
        }
        // a recovery code works once
        #expect(try await signIn(code: codes[3].uppercased()).status == 201)
        #expect(try await signIn(code: codes[3]).status == 401)
        let state = try await tenant.call("getSecondFactor", token: first).json
        #expect(state == ["in_force": true, "recovery_codes_left": 9])
        let again = try await tenant.call(
            "proposeSecondFactor", [:], ["password": .string(Self.password)], token: first)
        #expect(again.json["code"] == "factor.there")
        #expect(
            try await tenant.call("removeSecondFactor", [:], ["password": .string(Self.password)], token: first).status
                == 204)
        #expect(try await signIn().status == 201)
        let log = try await tenant.call("listAudit", token: first).json["items"]?.array?.compactMap {
            $0["action"]?.string
        }
        for action in ["factor.set", "factor.recovery", "factor.removed"] { #expect(log?.contains(action) == true) }
    }

    /// RFC 4648, without padding.
    private static func unbase32(_ text: String) -> [UInt8] {
        var (buffer, bits, out) = (UInt32(0), 0, [UInt8]())
        for letter in text {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".firstIndex(of: letter).map {
                "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".distance(from: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".startIndex, to: $0)
            }
            buffer = buffer << 5 | UInt32(value ?? 0)
            bits += 5
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return out
    }

    /// RFC 6238, appendix B, for SHA-1; its codes have eight digits, of which these are the last six.
    @Test func codesAreThoseOfTheStandard() {
        let code = OneTimeCode(secret: Array("12345678901234567890".utf8))
        for (time, expected) in [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ] as [(Int64, String)] { #expect(code.code(step: time / 30) == expected) }
        #expect(code.text == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        #expect(code.step(of: "287082", now: 59, after: 0) == 1 && code.step(of: "287082", now: 59, after: 1) == nil)
        #expect(code.step(of: "287082", now: 89, after: 0) == 1 && code.step(of: "287082", now: 120, after: 0) == nil)
    }
}
