internal import Hub

/// One row of the report.
struct Figure: Sendable {
    let name: String
    let value: Double
    let unit: String
    /// What the value is compared with, and how much that was.
    let against: String
    /// Value by what it is compared with; nil when it stands alone.
    let ratio: Double?

    init(_ name: String, _ value: Double, _ unit: String, against: String = "", ratio: Double? = nil) {
        (self.name, self.value, self.unit, self.against, self.ratio) = (name, value, unit, against, ratio)
    }

    var json: JSON {
        [
            "name": .string(name), "value": .double(value), "unit": .string(unit), "against": .string(against),
            "ratio": ratio.map(JSON.double) ?? .null,
        ]
    }

    /// The row as it is printed.
    var line: String {
        let ratio = ratio.map { Figure.short($0) } ?? ""
        return [
            Figure.padded(name, 36), Figure.padded(Figure.short(value), 10, isNumber: true), Figure.padded(unit, 14),
            Figure.padded(ratio, 8, isNumber: true), against,
        ].joined(separator: "  ")
    }

    static let heading = [
        padded("figure", 36), padded("value", 10, isNumber: true), padded("unit", 14),
        padded("ratio", 8, isNumber: true),
        "against",
    ].joined(separator: "  ")

    /// A number with three or more digits that mean something: "0.973", "41,230".
    static func short(_ value: Double) -> String {
        guard abs(value) < 1000 else {
            let digits = Array(String(Int64(value.rounded())))
            return String(
                digits.enumerated().flatMap { index, digit in
                    index > 0 && (digits.count - index) % 3 == 0 && digits[index - 1] != "-" ? [",", digit] : [digit]
                })
        }
        let places = abs(value) >= 100 ? 1.0 : abs(value) >= 10 ? 10.0 : abs(value) >= 1 ? 100.0 : 1000.0
        let rounded = (value * places).rounded() / places
        return rounded == rounded.rounded() ? String(Int64(rounded)) : String(rounded)
    }

    private static func padded(_ text: String, _ width: Int, isNumber: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return isNumber ? blanks + text : text + blanks
    }
}
