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
        if name.utf8.allSatisfy({ $0 < 0x80 }) { return plainInitials(name) }
        let words = name.split { !$0.isLetter && !$0.isNumber }
        let letters = [words.first, words.count > 1 ? words.last : nil].compactMap { $0?.first }
        return letters.isEmpty ? "?" : String(letters).uppercased()
    }

    /// The same of a name in ASCII, as most are, without looking letters up in Unicode's tables.
    private static func plainInitials(_ name: String) -> String {
        let words = name.utf8.split { byte in
            !(0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte)
        }
        let letters = [words.first, words.count > 1 ? words.last : nil].compactMap { $0?.first }
        return letters.isEmpty ? "?" : String(decoding: letters, as: UTF8.self).uppercased()
    }
}
