import Hub

/// Moments as they are written in RFC 3339, section 5.6.
enum RFC3339 {
    static func isMoment(_ text: String) -> Bool {
        guard
            let match = text.wholeMatch(
                of:
                    /([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})/
            ),
            Day(iso: String(match.1)) != nil, let hour = Int(match.2), let minute = Int(match.3),
            let second = Int(match.4)
        else { return false }
        guard hour < 24, minute < 60, second < 60 else { return false }
        guard match.6.count == 6 else { return true }
        let offset = match.6.dropFirst().split(separator: ":").compactMap { Int($0) }
        return offset[0] < 15 && offset[1] < 60
    }
}
