import Hub

/// Says what a person's rights to a contact hang on.
struct RightsWords {
    private let answer: JSON

    /// - Parameter answer: of the function `explain_rights`.
    init(_ answer: JSON) { self.answer = answer }

    var sentences: [String] {
        var sentences: [String] = []
        if answer["owner_fits"] == false {
            sentences.append(
                answer["owner"]?.int == nil
                    ? "The contact is nobody's, and the role “\(role)” reads contacts of certain people only."
                    : "The contact is member of staff \(answer["owner"]?.int ?? 0)'s, whose contacts this person does not read."
            )
        }
        for (part, words) in [
            ("tag_fits", "tags"), ("source_fits", "sources"), ("country_fits", "countries"),
            ("consent_fits", "consents"),
        ]
        where answer[part] == false {
            sentences.append("The role reads contacts with certain \(words) only, and this one has none of them.")
        }
        guard answer["may"]?["read"] == true else { return sentences }
        sentences.append("The role “\(role)” reads this contact.")
        for right in ["change", "delete"] where answer["may"]?[right] == false {
            sentences.append("The role does not let this person \(right) it.")
        }
        let hidden = answer["hidden"]?.array?.compactMap(\.string) ?? []
        if !hidden.isEmpty { sentences.append("Hidden: \(hidden.joined(separator: ", ")).") }
        let masked = answer["masked"]?.array?.compactMap(\.string) ?? []
        if !masked.isEmpty { sentences.append("Masked: \(masked.joined(separator: ", ")).") }
        return sentences
    }

    private var role: String { answer["role"]?.string ?? "" }
}
