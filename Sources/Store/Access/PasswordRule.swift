import Cryptography
import Hub
internal import Postgres

/// What a password must be like: long, hard to guess, and what else the shop demands.
public struct PasswordRule: Sendable {
    /// Characters.
    private let least: Int
    /// zxcvbn's score.
    private let strength: Int
    /// What it may not hold.
    private let blocked: [String]
    /// What somebody who knows the person would try.
    private let known: [String]
    /// Hashes of passwords that may not come again.
    private let old: [String]

    /// The floor, below which no shop's policy goes.
    public init(email: String) {
        (least, strength, blocked, old) = (15, 3, [], [])
        known = Self.words(of: email)
    }

    /// - Parameter row: of `auth.password_rules`.
    init(_ row: Row) throws {
        least = try row.get("length")
        strength = try row.get("strength")
        blocked = try row.get("words")
        old = try row.get("old")
        let (name, shop): (String, String) = (try row.get("name"), try row.get("shop"))
        known = Self.words(of: try row.get("email")) + [shop] + name.split(separator: " ").map(String.init)
    }

    private static func words(of email: String) -> [String] {
        ["kontor", email] + email.split(whereSeparator: { "@.+-_".contains($0) }).map(String.init)
    }

    /// - Throws: `Failure` `password.length`, `password.blocked`, `password.guessable`.
    public func check(_ password: String) throws {
        guard password.unicodeScalars.count >= least, password.utf8.count <= PasswordHash.maxPasswordBytes else {
            throw Failure(
                .invalid, "password.length",
                "The password must have \(least) characters or more, and 1,024 bytes at most.")
        }
        let plain = password.lowercased()
        guard !blocked.contains(where: { plain.contains($0.lowercased()) }) else {
            throw Failure(
                .invalid, "password.blocked", "The password holds a word that the shop does not allow in passwords.")
        }
        guard PasswordStrength.score(password, words: known + blocked) >= strength else {
            throw Failure(
                .invalid, "password.guessable",
                "The password is too easy to guess: use several words that have nothing to do with each other or with you."
            )
        }
    }

    /// To be called where passwords may be hashed, for that is what it does.
    /// - Throws: `Failure` `password.used_before`.
    func checkHistory(_ password: String) throws {
        for hash in old where try PasswordHash.verify(password, against: hash) {
            throw Failure(.invalid, "password.used_before", "This was your password already: choose another one.")
        }
    }
}
