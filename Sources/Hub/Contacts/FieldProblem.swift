/// What is wrong with the value of one field. The rest of its contact is still good.
public struct FieldProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// Field path, such as "birthday" or "emails[1]".
    public let field: String
    /// Stable name of the kind of problem, such as "bad_email".
    public let code: String
    /// For people.
    public let message: String
    public var description: String { "\(field): \(message)" }

    public init(field: String, code: String, message: String) {
        (self.field, self.code, self.message) = (field, code, message)
    }
}
