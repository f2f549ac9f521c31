/// What a role allows, as data; docs/roles.md describes it. What is not named is not allowed.
public struct RoleRights: Sendable, Hashable {
    /// The rights as they are stored.
    public let json: JSON

    /// Whose contacts: of everybody and nobody, one's own, also one's teams', also those of people below one, none.
    public static let scopes = ["all", "own", "team", "subordinates", "none"]
    public static let orderScopes = ["all", "contacts", "none"]
    /// What a role may use besides records.
    public static let functions = [
        "audit", "connectors", "export", "mass_change", "runs", "segments", "settings", "sql", "staff", "tokens",
    ]
    /// Functions that show or touch any contact, order and product, so that only a role without limits can have them.
    public static let unlimitedFunctions = ["audit", "connectors", "mass_change", "runs", "tokens"]
    /// By which contacts can be limited besides their owner.
    public static let conditions = ["tag", "source", "country", "consent"]

    /// - Parameter catalogue: the fields that can be hidden or masked.
    /// - Throws: `Failure` `role.invalid` with one detail per mistake.
    public init(_ json: JSON, catalogue: FieldCatalogue) throws {
        var mistakes: [JSON] = []
        func mistake(_ place: String, _ message: String) {
            mistakes.append(["field": .string(place), "code": "role.invalid", "message": .string(message)])
        }
        func choice(_ value: JSON?, _ place: String, _ allowed: [String]) {
            guard let value else { return }
            if !allowed.contains(value.string ?? "") {
                mistake(place, "It is one of \(allowed.joined(separator: ", ")).")
            }
        }
        func texts(_ value: JSON?, _ place: String) -> [String] {
            guard let value else { return [] }
            guard let items = value.array, items.count <= 300, items.allSatisfy({ 1...100 ~= $0.string?.count ?? 0 })
            else {
                mistake(place, "It is a list of at most 300 texts.")
                return []
            }
            return items.compactMap(\.string)
        }
        func members(_ value: JSON?, _ place: String, _ allowed: [String]) {
            guard let value else { return }
            guard let object = value.object else { return mistake(place, "It is an object.") }
            for key in object.keys.sorted() where !allowed.contains(key) {
                mistake(place.isEmpty ? key : "\(place).\(key)", "Rights have no such part.")
            }
        }
        members(json, "", ["contact", "order", "product", "functions"])
        let contact = json["contact"]
        members(contact, "contact", ["read", "create", "change", "delete", "only", "hidden", "masked"])
        for right in ["read", "change", "delete"] { choice(contact?[right], "contact.\(right)", Self.scopes) }
        if let create = contact?["create"], create.bool == nil { mistake("contact.create", "It is true or false.") }
        members(contact?["only"], "contact.only", Self.conditions)
        for condition in Self.conditions {
            let values = texts(contact?["only"]?[condition], "contact.only.\(condition)")
            if contact?["only"]?[condition] != nil, values.isEmpty {
                mistake("contact.only.\(condition)", "Name at least one, or leave it out.")
            }
        }
        let purposes = contact?["only"]?["consent"]?.array?.compactMap(\.string) ?? []
        for purpose in purposes where purpose.wholeMatch(of: /[a-z][a-z0-9_]{0,39}/) == nil {
            mistake("contact.only.consent", "A purpose is up to 40 small letters, digits and underscores.")
        }
        if !purposes.isEmpty, contact?["create"] == true {
            mistake(
                "contact.create", "A new contact has agreed to nothing: who reads only those who did cannot make any.")
        }
        let hidden = texts(contact?["hidden"], "contact.hidden")
        let masked = texts(contact?["masked"], "contact.masked")
        for field in hidden + masked where catalogue[field] == nil {
            mistake("contact", "There is no field “\(field)”.")
        }
        for field in Set(hidden).intersection(masked).sorted() {
            mistake("contact.masked", "“\(field)” is hidden already.")
        }
        members(json["order"], "order", ["read"])
        choice(json["order"]?["read"], "order.read", Self.orderScopes)
        members(json["product"], "product", ["read"])
        choice(json["product"]?["read"], "product.read", ["all", "none"])
        let functions = texts(json["functions"], "functions")
        for function in functions where !Self.functions.contains(function) {
            mistake("functions", "There is no function “\(function)”: \(Self.functions.joined(separator: ", ")).")
        }
        self.json = json
        if !isUnlimited {
            for function in functions where Self.unlimitedFunctions.contains(function) {
                mistake(
                    "functions",
                    "“\(function)” reaches every contact, order and product: the role must read all of them, with no condition and no hidden or masked field."
                )
            }
        }
        guard mistakes.isEmpty else {
            throw Failure(.invalid, "role.invalid", "The role's rights cannot be taken as they are.", details: mistakes)
        }
    }

    /// Whether it reads every contact, order and product, and everything of them.
    private var isUnlimited: Bool {
        let contact = json["contact"]
        let isPlain = ["hidden", "masked"].allSatisfy { contact?[$0]?.array?.isEmpty ?? true }
        let isAnyContact = contact?["only"]?.object?.isEmpty ?? true
        return contact?["read"] == "all" && isAnyContact && isPlain && json["order"]?["read"] == "all"
            && json["product"]?["read"] == "all"
    }
}
