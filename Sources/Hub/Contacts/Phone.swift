import CPhone

/// Phone numbers, read by libphonenumber.
public enum Phone {
    /// What a text turned out to be.
    public enum Reading: Sendable, Hashable {
        /// A number that can be dialled, in E.164 form ("+48221234567").
        case number(String)
        /// Digits, but no such number exists.
        case impossible
        case notANumber
    }

    /// - Parameter region: ISO 3166 alpha-2 country of numbers without a country code; "" for none.
    public static func read(_ text: String, region: String) -> Reading {
        var text = text
        let region = region.utf8.count == 2 ? region : "ZZ"
        return text.withUTF8 { bytes in
            // The longest E.164 number is 15 digits; an extension is left out.
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { out in
                let verdict = bytes.withMemoryRebound(to: CChar.self) {
                    cphone_e164($0.baseAddress, $0.count, region, out.baseAddress, out.count)
                }
                switch verdict {
                case CPHONE_VALID: return out.baseAddress.map { .number(String(cString: $0)) } ?? .notANumber
                case CPHONE_IMPOSSIBLE: return .impossible
                default: return .notANumber
                }
            }
        }
    }
}
