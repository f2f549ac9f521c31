/// Brings the fields of a contact into the one form they have in the hub, whoever sent them.
public struct Normaliser: Sendable {
    /// ISO 3166 alpha-2 country of phone numbers without a country code.
    public let region: String
    public let catalogue: FieldCatalogue
    /// Latest day a birthday may be.
    public let today: Day

    /// Most scalars of a text, of a name, and most items of a list.
    public static let maxText = 10_000
    public static let maxName = 1000
    public static let maxItems = 100

    public init(region: String, catalogue: FieldCatalogue, today: Day) {
        (self.region, self.catalogue, self.today) = (region, catalogue, today)
    }

    /// Normalises hub fields. Empty values become null; a value that is wrong is left out and told of; one that is
    /// only doubtful (a phone number that does not exist, an unknown country) stays and is told of.
    ///
    /// - Parameters:
    ///   - document: hub fields; absent ones stay absent.
    ///   - isPartial: true when the document has only some of the contact's fields, so that a missing name says
    ///     nothing; else a missing name is made of given and family name, company or e-mail address.
    public func normalise(
        _ document: JSON, isPartial: Bool = false
    ) -> (document: JSON, problems: [FieldProblem]) {
        var fields: [String: JSON] = [:]
        var problems: [FieldProblem] = []
        for (key, value) in (document.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let field = catalogue[key] else {
                problems.append(
                    FieldProblem(field: key, code: "unknown_field", message: "there is no field \"\(key)\""))
                continue
            }
            var one = FieldNormaliser(field: field, region: region, today: today)
            if let normal = one.normalise(value) { fields[key] = normal }
            problems += one.problems
        }
        if let day = fields["birthday"]?.string.flatMap({ Day(iso: $0) }) {
            fields["birth_month"] = .int(Int64(day.month))
        }
        if !isPartial, fields["name"] ?? .null == .null, let name = Normaliser.name(from: fields) {
            fields["name"] = .string(name)
        }
        return (.object(fields), problems)
    }

    private static func name(from fields: [String: JSON]) -> String? {
        let personal = [fields["given_name"]?.string, fields["family_name"]?.string].compactMap(\.self)
        if !personal.isEmpty { return Text.cut(personal.joined(separator: " "), to: maxName) }
        return fields["company"]?.string ?? fields["emails"]?[0]?["value"]?.string
    }
}
