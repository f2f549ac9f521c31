import HTTPTypes

/// Finds the operation for a path and method. Literal parts go before named ones.
struct RouteTree: Sendable {
    enum Found {
        case operation(Int, path: [String: String])
        /// The path is there, the method is not.
        case methods([String])
        case nothing
    }

    private struct Place: Sendable {
        var literals: [Substring: Int] = [:]
        var named: Int?
        var operations: [String: Int] = [:]
    }
    private var places = [Place()]
    private let names: [[(depth: Int, name: String)]]

    init(_ operations: [Operation]) {
        names = operations.map { operation in
            Self.parts(operation.path).enumerated().compactMap { depth, part in
                part.hasPrefix("{") ? (depth, String(part.dropFirst().dropLast())) : nil
            }
        }
        for (number, operation) in operations.enumerated() {
            var place = 0
            for part in Self.parts(operation.path) { place = child(of: place, part) }
            places[place].operations[operation.method.rawValue] = number
        }
    }

    private static func parts(_ path: String) -> [Substring] {
        path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Substring.init)
    }

    private mutating func child(of place: Int, _ part: Substring) -> Int {
        let isNamed = part.hasPrefix("{")
        if let known = isNamed ? places[place].named : places[place].literals[part] { return known }
        places.append(Place())
        if isNamed { places[place].named = places.count - 1 } else { places[place].literals[part] = places.count - 1 }
        return places.count - 1
    }

    /// - Parameter path: percent-encoded, without the query.
    func find(_ path: String, _ method: HTTPRequest.Method) -> Found {
        guard path.hasPrefix("/") else { return .nothing }
        let parts = Self.parts(path)
        var place = 0
        for part in parts {
            guard let next = places[place].literals[part] ?? (part.isEmpty ? nil : places[place].named) else {
                return .nothing
            }
            place = next
        }
        let operations = places[place].operations
        if operations.isEmpty { return .nothing }
        // HEAD is GET without the body (RFC 9110, 9.3.2)
        let name = method == .head ? HTTPRequest.Method.get.rawValue : method.rawValue
        guard let number = operations[name] else {
            let methods = operations.keys.sorted()
            return .methods(operations[HTTPRequest.Method.get.rawValue] == nil ? methods : methods + ["HEAD"])
        }
        var values: [String: String] = [:]
        for (depth, name) in names[number] {
            guard let value = PercentText.decode(parts[depth]) else { return .nothing }
            values[name] = value
        }
        return .operation(number, path: values)
    }
}
