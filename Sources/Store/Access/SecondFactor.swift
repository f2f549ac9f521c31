import Cryptography
import Foundation
public import Hub
internal import Postgres

/// The second factor of a person's account.
extension TenantDatabase {
    /// Whether the account that acts has one in force, and how many recovery codes are left.
    /// - Throws: `Failure` `not_found`.
    public func secondFactor(as actor: Actor) async throws -> JSON {
        let row = try await myFactor(actor)
        return ["in_force": .bool(try row.get("in_force")), "recovery_codes_left": .int(try row.get("codes_left"))]
    }

    private func myFactor(_ actor: Actor) async throws -> Row {
        let rows = try await run(
            as: actor,
            "SELECT account, email, factor, last_step, in_force, codes_left FROM auth.my_factor(\(tenant.id))")[0]
        guard let row = rows.first else { throw Failure.notFound("account") }
        return row
    }

    /// Makes a secret for the person's device; it is in force once a first code is given. The present password is asked for:
    /// a stolen session is not to lock the person out.
    /// - Returns: the secret, and the address that authenticator apps read from a picture (otpauth://).
    /// - Throws: `Failure` `password.wrong`, `sign_in.wait`, `sign_in.busy`, `factor.there`.
    public func proposeFactor(password: String, as actor: Actor, gate: PasswordGate) async throws -> (
        secret: String, address: String
    ) {
        try await demandPassword(password, as: actor, gate: gate)
        let row = try await myFactor(actor)
        let (account, email): (Int64, String) = (try row.get("account"), try row.get("email"))
        let code = OneTimeCode.make()
        let sealed = try await sealFactor(code.secret, account)
        let done = try await run(
            as: actor, "SELECT auth.propose_factor(\(tenant.id), \(sealed)) AS done")[0][0].get("done", as: Bool?.self)
        guard done == true else {
            throw Failure(.conflict, "factor.there", "There is a second factor already: remove it first.")
        }
        var address = URLComponents()
        (address.scheme, address.host, address.path) = ("otpauth", "totp", "/Kontor:\(email)")
        address.queryItems = [
            URLQueryItem(name: "secret", value: code.text), URLQueryItem(name: "issuer", value: "Kontor"),
        ]
        return (code.text, address.string ?? "")
    }

    /// Puts the proposed factor in force.
    /// - Parameter session: the one it is done in; the account's others end.
    /// - Returns: ten recovery codes, which can be read only now; each works once in place of a code.
    /// - Throws: `Failure` `factor.code`.
    public func confirmFactor(code: String, in session: Int64, as actor: Actor) async throws -> [String] {
        let row = try await myFactor(actor)
        guard let sealed: [UInt8] = try row.get("factor"), !(try row.get("in_force", as: Bool.self)),
            let secret = try await openFactor(sealed, row.get("account")),
            let step = OneTimeCode(secret: secret).step(
                of: code, now: Int64(Date().timeIntervalSince1970), after: try row.get("last_step"))
        else { throw Self.wrongCode }
        let codes = (0..<10).map { _ in Self.recoveryCode() }
        let hashes = codes.map { Crypto.sha256($0.utf8) }
        let done: Bool = try await run(
            as: actor,
            """
            SELECT auth.confirm_factor(\(tenant.id), \(sealed), \(step), ARRAY(SELECT decode(h, 'hex')
                FROM unnest(\(hashes.map(Crypto.hex))::text[]) h), \(session)) AS done
            """)[0][0].get("done")
        guard done else { throw Self.wrongCode }
        return codes
    }

    /// Takes the factor of one's own account away; the present password is asked for.
    /// - Throws: `Failure` `password.wrong`, `sign_in.wait`, `not_found`.
    public func removeFactor(password: String, as actor: Actor, gate: PasswordGate) async throws {
        try await demandPassword(password, as: actor, gate: gate)
        try await removeFactor(of: myFactor(actor).get("account"), as: actor)
    }

    /// Takes anybody's away, for who manages staff and has seen to it that they are who they say.
    /// - Throws: `Failure` `not_found`.
    public func removeFactor(of person: Int64, as actor: Actor) async throws {
        let done: Bool = try await run(
            as: actor, "SELECT auth.remove_factor(\(tenant.id), \(person)) AS done")[0][0].get("done")
        guard done else { throw Failure.notFound("second factor") }
    }

    private static let wrongCode = Failure(
        .forbidden, "factor.code", "The code is wrong or too old: look at your device's clock, and try the next one.")

    private static func recoveryCode() -> String {
        let text = Crypto.hex(Crypto.randomBytes(8))
        return "\(text.prefix(8))-\(text.suffix(8))"
    }

    private func factorKey() async throws -> [UInt8] {
        guard let own = try await keys().newest(.addresses)?.key else { throw Failure.notFound("tenant") }
        return Crypto.hmacSHA256(key: own, Array("kontor 1 second factor".utf8))
    }

    private func sealFactor(_ secret: [UInt8], _ account: Int64) async throws -> [UInt8] {
        try Crypto.seal(secret, key: await factorKey(), associated: Array("\(tenant.id)|\(account)".utf8))
    }

    private func openFactor(_ sealed: [UInt8], _ account: Int64) async throws -> [UInt8]? {
        try await Crypto.openIfAuthentic(
            sealed, key: await factorKey(), associated: Array("\(tenant.id)|\(account)".utf8))
    }

    /// Whether a code may go with a right password: one of the device's, or a recovery code. It is used up by this.
    func takesCode(_ code: String, account: Int64, sealed: [UInt8], last: Int64) async throws -> Bool {
        let code = code.filter { !$0.isWhitespace }.lowercased()
        guard let secret = try await openFactor(sealed, account) else {
            throw Failure(
                .broken, "secret.unreadable", "The second factor cannot be opened: was the master key replaced?")
        }
        let step = OneTimeCode(secret: secret).step(of: code, now: Int64(Date().timeIntervalSince1970), after: last)
        let hash = step == nil ? Crypto.sha256(code.utf8) : nil
        return try await node.asService("SELECT auth.use_code(\(account), \(step), \(hash)) AS done").get("done")
    }
}
