import ConnectorKit
import Hub

/// Reads and merges EspoCRM's contacts.
enum EspoContact {
    /// Lists that are replaced whole when written, and the member that tells their entries apart.
    private static let lists = ["emailAddressData": "emailAddress", "phoneNumberData": "phoneNumber"]

    /// - Returns: nil for a document without id.
    static func record(_ contact: JSON, _ keyField: String?) -> RemoteRecord? {
        guard let id = contact["id"]?.string else { return nil }
        let key = keyField.flatMap { contact[$0]?.string }
        return RemoteRecord(
            id: id, version: version(of: contact), changedAt: RemoteTime.rfc3339(time(of: contact)), values: contact,
            isDeleted: contact["deleted"]?.bool == true, key: key?.isEmpty == true ? nil : key)
    }

    /// The version number where EspoCRM keeps one (optimistic concurrency control), else the time of change.
    static func version(of contact: JSON) -> String? { contact["versionNumber"]?.scalarText ?? time(of: contact) }

    private static func time(of contact: JSON) -> String? {
        contact["modifiedAt"]?.string ?? contact["createdAt"]?.string
    }

    /// Members to be written so that the contact is as wanted; those that are so already are left out.
    static func changes(_ wanted: JSON, over current: JSON?) -> JSON {
        var changes: [String: JSON] = [:]
        for (name, value) in wanted.object ?? [:] {
            let before = current?[name] ?? .null
            let after = lists[name].map { list(value, over: before, by: $0) } ?? value
            let isSame = before == after || isEmpty(before) && isEmpty(after)
            if !isSame { changes[name] = after }
        }
        return .object(changes)
    }

    /// The hub's entries, each with what the contact's own entry of the same address holds besides (whether
    /// it opted out, whether mail came back); one of them is the primary one.
    private static func list(_ wanted: JSON, over current: JSON, by member: String) -> JSON {
        let old = current.array ?? []
        var entries = (wanted.array ?? []).map { entry in
            let same = old.first { $0[member]?.string?.lowercased() == entry[member]?.string?.lowercased() }
            var merged = same ?? [:]
            for (name, value) in entry.object ?? [:] { merged.put(value, as: name) }
            return merged
        }
        if let first = entries.indices.first, !entries.contains(where: { $0["primary"]?.bool == true }) {
            entries[first]["primary"] = true
        }
        return .array(entries)
    }

    private static func isEmpty(_ value: JSON) -> Bool { value.isNull || value == "" || value == [] }
}
