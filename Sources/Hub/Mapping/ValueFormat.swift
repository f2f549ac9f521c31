/// How a remote system writes a value that the hub has in one canonical form.
enum ValueFormat: String, Sendable, Hashable, CaseIterable {
    /// "1980-12-31", as in the hub.
    case date
    /// {"year": 1980, "month": 12, "day": 31}; the year may be missing.
    case dateParts = "date_parts"
    /// 31.12.1980
    case dayMonthYear = "dmy."
    /// 12/31/1980
    case monthDayYear = "mdy/"
    /// Seconds since 1970-01-01 UTC.
    case epochSeconds = "epoch_s"
    case epochMilliseconds = "epoch_ms"
    /// "1980-12-31T00:00:00Z"; an offset is reckoned in.
    case dateTimeUTC = "datetime_utc"
    /// A number, also as text with a decimal point.
    case number
    /// Text with a decimal comma: "1 234,50".
    case numberComma = "number_comma"
    /// 1 and 0.
    case bool01
    /// "yes" and "no".
    case boolYesNo = "bool_yesno"

    /// The hub's form of a remote value.
    /// - Throws: `Unfit`.
    func inward(_ value: JSON) throws(Unfit) -> JSON {
        switch self {
        case .number, .numberComma: return try number(value)
        case .bool01, .boolYesNo: return try flag(value)
        default:
            guard let day = day(value) else { throw Unfit("is no date of the form \"\(rawValue)\": \(value.brief)") }
            return .string(day.iso)
        }
    }

    /// The remote form of a hub value.
    /// - Throws: `Unfit`.
    func outward(_ value: JSON) throws(Unfit) -> JSON {
        switch self {
        case .number: return try number(value)
        case .numberComma:
            guard let text = try number(value).scalarText else { throw Unfit("is no number: \(value.brief)") }
            return .string(String(text.unicodeScalars.map { $0 == "." ? "," : Character($0) }))
        case .bool01: return .int(try flag(value) == true ? 1 : 0)
        case .boolYesNo: return .string(try flag(value) == true ? "yes" : "no")
        default:
            guard let day = value.string.flatMap({ Day(iso: $0) }) else { throw Unfit("is no date: \(value.brief)") }
            return written(day)
        }
    }

    private func written(_ day: Day) -> JSON {
        let (year, month, date) = (Digits.padded(day.year, 4), Digits.padded(day.month, 2), Digits.padded(day.day, 2))
        switch self {
        case .dateParts:
            return ["year": .int(Int64(day.year)), "month": .int(Int64(day.month)), "day": .int(Int64(day.day))]
        case .dayMonthYear: return .string("\(date).\(month).\(year)")
        case .monthDayYear: return .string("\(month)/\(date)/\(year)")
        case .epochSeconds: return .int(Int64(day.daysSinceEpoch) * 86_400)
        case .epochMilliseconds: return .int(Int64(day.daysSinceEpoch) * 86_400_000)
        case .dateTimeUTC: return .string("\(day.iso)T00:00:00Z")
        default: return .string(day.iso)
        }
    }

    private func day(_ value: JSON) -> Day? {
        switch self {
        case .dateParts:
            guard let year = value["year"]?.small, let month = value["month"]?.small, let day = value["day"]?.small
            else { return nil }
            return Day(year: year, month: month, day: day)
        case .dayMonthYear: return fields(value, ".").flatMap { Day(year: $0[2], month: $0[1], day: $0[0]) }
        case .monthDayYear: return fields(value, "/").flatMap { Day(year: $0[2], month: $0[0], day: $0[1]) }
        case .epochSeconds: return value.epoch.flatMap { Day(daysSinceEpoch: $0.floored(by: 86_400)) }
        case .epochMilliseconds: return value.epoch.flatMap { Day(daysSinceEpoch: $0.floored(by: 86_400_000)) }
        case .dateTimeUTC: return value.string.flatMap(Self.utcDay)
        default: return value.string.flatMap { Day(iso: $0) }
        }
    }

    private func fields(_ value: JSON, _ separator: Unicode.Scalar) -> [Int]? {
        guard let text = value.string else { return nil }
        let parts = text.unicodeScalars.split(separator: separator, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Digits.number(String($0).utf8) }
        return parts.count == 3 && numbers.count == 3 && parts[2].count == 4 ? numbers : nil
    }

    /// The UTC day of "1980-12-31T23:30:00+02:00"; without an offset the time is UTC already.
    private static func utcDay(_ text: String) -> Day? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 10, let day = Day(iso: String(decoding: bytes[..<10], as: UTF8.self)) else { return nil }
        if bytes.count == 10 { return day }
        guard bytes.count >= 16, bytes[10] == 0x54 || bytes[10] == 0x20, bytes[13] == 0x3A,
            let hour = Digits.number(bytes[11..<13]), let minute = Digits.number(bytes[14..<16]), hour < 24, minute < 60
        else { return nil }
        let rest = bytes[16...].drop { $0 == 0x3A || $0 == 0x2E || Digits.range.contains($0) }
        guard let offset = offsetMinutes(rest) else { return nil }
        return Day(daysSinceEpoch: day.daysSinceEpoch + (hour * 60 + minute - offset).floored(by: 1440))
    }

    private static func offsetMinutes(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let sign = bytes.first else { return 0 }
        if sign == UInt8(ascii: "Z") { return bytes.count == 1 ? 0 : nil }
        let digits = bytes.dropFirst().filter { $0 != 0x3A }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), digits.count == 4,
            let hours = Digits.number(digits[..<2]), let minutes = Digits.number(digits[2...])
        else { return nil }
        return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }
}

extension ValueFormat {
    private func number(_ value: JSON) throws(Unfit) -> JSON {
        switch value {
        case .int, .double: return value
        case .string(let text):
            let plain = self == .numberComma ? Self.withPoint(text) : text
            if Digits.isAmount(plain) {
                if let whole = Int64(plain) { return .int(whole) }
                if let fraction = Double(plain) { return .double(fraction) }
            }
            throw Unfit("is no number: \(value.brief)")
        default: throw Unfit("is no number: \(value.brief)")
        }
    }

    /// "1 234,50" and "1.234,50" as "1234.50"; text that is neither comes back unfit for a number.
    private static func withPoint(_ text: String) -> String {
        let spaces: Set<Unicode.Scalar> = [" ", "\u{A0}", "\u{202F}", "'"]
        let scalars = text.unicodeScalars.filter { !spaces.contains($0) }
        let halves = scalars.split(separator: ",", omittingEmptySubsequences: false)
        guard let whole = halves.first, halves.count <= 2 else { return text }
        if halves.count == 2, halves[1].contains(".") { return text }
        let groups = whole.split(separator: ".", omittingEmptySubsequences: false)
        guard groups.dropFirst().allSatisfy({ $0.count == 3 }) else { return text + "?" }
        let joined = groups.map { String($0) }.joined()
        return halves.count == 2 ? "\(joined).\(String(halves[1]))" : joined
    }

    private func flag(_ value: JSON) throws(Unfit) -> JSON {
        if let flag = value.bool { return .bool(flag) }
        switch value.scalarText?.lowercased() {
        case "true", self == .bool01 ? "1" : "yes": return true
        case "false", self == .bool01 ? "0" : "no": return false
        default: throw Unfit("is neither \(self == .bool01 ? "1 nor 0" : "yes nor no"): \(value.brief)")
        }
    }
}

/// Why one value cannot be carried over.
struct Unfit: Error, Sendable {
    let message: String
    init(_ message: String) { self.message = message }
}

extension JSON {
    /// Start of its text, for messages.
    var brief: String {
        let text = text.unicodeScalars
        return text.count <= 60 ? String(text) : String(text.prefix(60)) + "..."
    }

    fileprivate var small: Int? { int.flatMap { Int(exactly: $0) } }

    /// Seconds or milliseconds, as a number or as text.
    fileprivate var epoch: Int? {
        if let text = string { return Int(text) }
        return double.flatMap { abs($0) < 1e16 ? Int($0.rounded(.down)) : nil }
    }
}

extension Int {
    /// Quotient rounded down, also below zero.
    fileprivate func floored(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
