import Hub

/// Values of fields as people read them.
enum FieldText {
    /// Pieces of a value: one for each entry of a list, with its label.
    static func pieces(_ value: JSON) -> [JSON] {
        switch value {
        case .array(let items): items.flatMap(pieces)
        case .object(let members):
            if let text = members["value"]?.scalarText {
                [["text": .string(text), "kind": members["label"] ?? .null]]
            } else if members["amount"] != nil {
                [["text": .string("\(members["amount"]?.scalarText ?? "") \(members["currency"]?.string ?? "")")]]
            } else {
                [["text": .string(address(members)), "kind": members["label"] ?? .null]]
            }
        default: value.scalarText.map { [["text": .string($0)]] } ?? []
        }
    }

    private static func address(_ members: [String: JSON]) -> String {
        ["street", "postal_code", "city", "region", "country"].compactMap { members[$0]?.scalarText }
            .filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// The first entry of a list of values.
    static func first(_ value: JSON?) -> String? {
        value?[0]?["value"]?.string
    }

    /// Two letters that stand for somebody.
    static func initials(_ name: String) -> String {
        let words = name.split { !$0.isLetter && !$0.isNumber }
        let letters = [words.first, words.count > 1 ? words.last : nil].compactMap { $0?.first }
        return letters.isEmpty ? "?" : String(letters).uppercased()
    }
}
