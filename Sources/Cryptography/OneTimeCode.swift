import CLibcrypto

/// One-time codes by time (TOTP, RFC 6238): six digits, a new one every 30 seconds, HMAC-SHA-1, which is what every
/// authenticator app knows.
public struct OneTimeCode: Sendable {
    /// 20 random bytes.
    public let secret: [UInt8]
    /// Seconds that one code holds.
    public static let period: Int64 = 30

    /// - Parameter secret: shared with the person's device.
    public init(secret: [UInt8]) { self.secret = secret }

    public static func make() -> OneTimeCode { OneTimeCode(secret: Crypto.randomBytes(20)) }

    /// The code of a step of time (HOTP, RFC 4226, 5.3).
    func code(step: Int64) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * $0)) }
        var digest = [UInt8](repeating: 0, count: 20)
        var length: UInt32 = 0
        let made = HMAC(EVP_sha1(), secret, Int32(secret.count), counter, counter.count, &digest, &length)
        precondition(made != nil && length == 20, "libcrypto cannot sign with SHA-1")
        let offset = Int(digest[19] & 0x0F)
        let number = digest[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - text.count) + text
    }

    /// The step whose code this is: the present one, or the one before or after for clocks that differ; nil for none.
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - last: step that was used last: codes up to it are none any more.
    public func step(of code: String, now: Int64, after last: Int64) -> Int64? {
        let present = now / Self.period
        return [present, present - 1, present + 1].first {
            $0 > last && Crypto.constantTimeEqual(self.code(step: $0).utf8, code.utf8)
        }
    }

    /// The secret as people type it (base 32, RFC 4648, without padding).
    public var text: String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var (buffer, bits, out) = (UInt32(0), 0, "")
        for byte in secret {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                out.append(letters[Int(buffer >> UInt32(bits)) & 31])
            }
            buffer &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { out.append(letters[Int(buffer << UInt32(5 - bits)) & 31]) }
        return out
    }
}
