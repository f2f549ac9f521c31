import Cryptography
import Hub

/// What a password must be like: long, and not what anybody would try first.
public enum PasswordRule {
    private static let least = 15

    /// - Throws: `Failure` `password.length`, `password.guessable`.
    public static func check(_ password: String, email: String) throws {
        guard password.unicodeScalars.count >= least, password.utf8.count <= PasswordHash.maxPasswordBytes else {
            throw Failure(
                .invalid, "password.length",
                "The password must have \(least) characters or more, and 1,024 bytes at most.")
        }
        let name = email.lowercased().split(separator: "@").first.map(String.init) ?? ""
        guard Set(password.unicodeScalars).count >= 5, !(name.count > 3 && password.lowercased().contains(name)) else {
            throw Failure(
                .invalid, "password.guessable",
                "The password must not hold the name of the e-mail address, nor be made of fewer than five different characters."
            )
        }
    }
}
