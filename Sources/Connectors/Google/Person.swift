import ConnectorKit
import Hub

/// Reads a person of the People API.
enum Person {
    /// Under this key Kontor's own key of the record stands in `clientData`, where no user sees it.
    static let keyName = "kontor"

    /// - Returns: nil for a person without a name of its own.
    static func record(_ person: JSON, groups: GroupNames) -> RemoteRecord? {
        guard let id = person["resourceName"]?.string else { return nil }
        var values = person
        for member in ["etag", "metadata", "resourceName", "memberships"] { values[member] = nil }
        values["groups"] = .array(groups.own(in: person).map(JSON.string))
        return RemoteRecord(
            id: id, version: version(of: person), changedAt: source(of: person)?["updateTime"]?.string, values: values,
            isDeleted: person["metadata"]?["deleted"]?.bool == true, key: key(of: person))
    }

    /// The etag of the contact source, which an update must name.
    static func version(of person: JSON) -> String? {
        source(of: person)?["etag"]?.string ?? person["etag"]?.string
    }

    static func key(of person: JSON) -> String? {
        person["clientData"]?.array?.first { $0["key"]?.string == keyName }?["value"]?.string
    }

    static func emails(of person: JSON) -> [String] {
        (person["emailAddresses"]?.array ?? []).compactMap { $0["value"]?.string?.lowercased() }
    }

    static func source(of person: JSON) -> JSON? {
        person["metadata"]?["sources"]?.array?.first { $0["type"]?.string == "CONTACT" }
    }

    /// Resource names of the groups a person is in.
    static func groups(of person: JSON) -> [String] {
        (person["memberships"]?.array ?? []).compactMap {
            $0["contactGroupMembership"]?["contactGroupResourceName"]?.string
        }
    }

    static func hasOwnGroup(_ person: JSON) -> Bool { groups(of: person).contains { $0 != GroupNames.everyone } }
}

/// Names of contact groups by resource name.
struct GroupNames {
    /// The group of all contacts: a contact that is in no group becomes an "other contact".
    static let everyone = "contactGroups/myContacts"

    /// Groups made by the user; Google's own ("starred", "friends") are not among them.
    private var names: [String: String] = [:]

    mutating func add(_ group: JSON) {
        guard group["groupType"]?.string == "USER_CONTACT_GROUP", let id = group["resourceName"]?.string,
            let name = group["name"]?.string
        else { return }
        names[id] = name
    }

    func isOwn(_ id: String) -> Bool { names[id] != nil }

    /// The group of a name, whatever the case of its letters: Google holds such names for one.
    func id(of name: String) -> String? {
        let wanted = name.lowercased()
        return names.first { $0.value.lowercased() == wanted }?.key
    }

    /// Names of the user's groups that a person is in, sorted.
    func own(in person: JSON) -> [String] { Person.groups(of: person).compactMap { names[$0] }.sorted() }
}
