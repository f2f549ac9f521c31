import ConnectorKit
import Hub
import Store

/// What the remote may hold of a contact, in hub fields, as far as Kontor knows: what both sides agreed on, and what
/// was sent since without a certain end. Whatever else it holds, somebody wrote there.
struct Expectation: Sendable {
    let agreed: JSON
    let sent: [JSON]
    /// The contact as it is to be.
    let wanted: JSON
    /// Fields that the push writes.
    let written: Set<String>
    let reading: Mapping
    let normaliser: Normaliser
    let closedFields: [String]

    private func values(of record: JSON) -> JSON {
        TenantDatabase.read(record, reading, normaliser, without: closedFields).document
    }

    /// Whether a push may write over a record of the remote: of the fields it writes, each holds what is wanted or what
    /// is known.
    func allows(_ record: JSON) -> Bool {
        (values(of: record).object ?? [:]).allSatisfy { field, value in
            !written.contains(field) || Self.same(value, wanted[field]) || Self.same(value, agreed[field])
                || sent.contains { $0[field] != nil && Self.same(value, $0[field]) }
        }
    }

    /// The fields that both sides agree on since a push, null for an empty one. A field that the push did not have to
    /// write and that now holds something else was written by somebody there: that is for the intake to see, so it is
    /// not among them, but what it held before is when that was wanted.
    /// - Parameters: the remote's document after the push, and as it was read before; nil when it was not read, or nobody
    ///   could come in between: then the push had to write what was not agreed on.
    func agreed(after record: JSON, over former: JSON?) -> [String: JSON] {
        let before = former.map { values(of: $0) }
        var result: [String: JSON] = [:]
        for (field, value) in values(of: record).object ?? [:] {
            let known = before ?? agreed
            let isWritten = written.contains(field) && !Self.same(wanted[field], known[field])
            if isWritten || Self.same(value, wanted[field]) {
                result[field] = value
            } else if let before, Self.same(before[field], wanted[field]) {
                result[field] = before[field] ?? .null
            }
        }
        return result
    }

    private static func same(_ one: JSON?, _ other: JSON?) -> Bool { settled(one) == settled(other) }

    private static func settled(_ value: JSON?) -> JSON {
        guard let value, value != [] else { return .null }
        return value
    }
}
