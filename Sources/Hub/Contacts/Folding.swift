/// Text reduced to what matters when people write the same word differently.
public enum Folding {
    /// Small ASCII letters and digits only, accents taken off: "E-mail służbowy" becomes "emailsluzbowy".
    public static func key(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in CanonicalForm.decomposed(text.lowercased()).unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": result.append(scalar)
            default: result.append(contentsOf: (special[scalar] ?? "").unicodeScalars)
            }
        }
        return String(result)
    }

    /// Letters that are no letter with a mark.
    private static let special: [Unicode.Scalar: String] = [
        "ł": "l", "ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ı": "i", "œ": "oe", "þ": "th", "ð": "d",
    ]
}
