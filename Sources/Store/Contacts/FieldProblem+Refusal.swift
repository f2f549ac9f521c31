internal import Hub

extension FieldProblem {
    /// False for what is only doubtful: such a value stays.
    var isRefusal: Bool { !code.hasPrefix("doubtful_") }

    var json: JSON { ["field": .string(field), "code": .string(code), "message": .string(message)] }
}
