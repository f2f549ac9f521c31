/// One way to recognise a contact.
public struct MatchKey: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case email, phone }

    public let kind: Kind
    public let value: String

    public init(kind: Kind, value: String) { (self.kind, self.value) = (kind, value) }
}

/// What recognises a contact among others.
public enum MatchKeys {
    /// The keys of a normalised document, each once: e-mail addresses, then phone numbers in E.164 form. A number
    /// that could not be determined recognises nobody.
    public static func of(_ document: JSON) -> [MatchKey] {
        let emails = values(document["emails"]).filter { Email.normalised($0) == $0 }
        let phones = values(document["phones"]).filter(isE164)
        return (emails.map { MatchKey(kind: .email, value: $0) } + phones.map { MatchKey(kind: .phone, value: $0) })
            .uniqued()
    }

    private static func values(_ list: JSON?) -> [String] { (list?.array ?? []).compactMap { $0["value"]?.string } }

    private static func isE164(_ text: String) -> Bool {
        let bytes = text.utf8
        return bytes.first == UInt8(ascii: "+") && (7...16).contains(bytes.count)
            && bytes.dropFirst().allSatisfy(Digits.range.contains)
    }
}
