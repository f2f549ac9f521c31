// The standard library has no public normalisation.
import Foundation

/// Unicode normal forms. Equal strings in Swift may differ in bytes, and so in PostgreSQL.
enum CanonicalForm {
    /// NFC.
    static func composed(_ text: String) -> String {
        isASCII(text) ? text : text.precomposedStringWithCanonicalMapping
    }

    /// NFD.
    static func decomposed(_ text: String) -> String {
        isASCII(text) ? text : text.decomposedStringWithCanonicalMapping
    }

    private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }
}
