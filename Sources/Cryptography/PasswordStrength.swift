import CZxcvbn
import Glibc

/// How hard a password is to guess, by zxcvbn (Wheeler, USENIX Security 2016).
public enum PasswordStrength {
    /// Only so many bytes are looked at: the estimate takes time that grows with the square of the length.
    private static let maxBytes = 100

    /// - Parameter words: what somebody who knows the person would try: names, address, shop.
    /// - Returns: zxcvbn's score: 0 below 10³ guesses, 1 below 10⁶, 2 below 10⁸, 3 below 10¹⁰, else 4.
    public static func score(_ password: String, words: [String]) -> Int {
        var pointers = words.filter { !$0.isEmpty }.map { strdup($0.lowercased()) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var bits = 0.0
        var text = Array(password.utf8.prefix(maxBytes).map { CChar(bitPattern: $0) })
        text.append(0)
        pointers.withUnsafeMutableBufferPointer { list in
            // the library only reads the words
            list.withMemoryRebound(to: UnsafePointer<CChar>?.self) { bits = ZxcvbnMatch(text, $0.baseAddress, nil) }
        }
        let digits = bits * 0.301_029_995_663_981_2
        return [3.0, 6, 8, 10].count { digits >= $0 }
    }
}
