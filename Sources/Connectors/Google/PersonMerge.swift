import ConnectorKit
import Hub

/// Puts what is mapped over what Google holds. The API replaces a field whole (all e-mail addresses, the
/// whole name), so whatever else stands in it must be sent along.
enum PersonMerge {
    /// Fields whose entries the hub has as a list: an entry it does not have goes. Of all others (names,
    /// organizations ...) entries are told apart by their place, and those behind the last mapped one stay.
    private static let lists: Set = [
        "addresses", "emailAddresses", "events", "imClients", "phoneNumbers", "relations", "sipAddresses", "urls",
    ]
    /// Made by Google out of the others (discovery: read only).
    private static let readOnly: Set = ["formattedType", "canonicalForm", "formattedProtocol"]
    /// Text that repeats structured members; an old one must not stand against the new members.
    private static let derived: [String: Set<String>] = [
        "names": ["displayName", "displayNameLastFirst", "unstructuredName"], "addresses": ["formattedValue"],
        "birthdays": ["text"],
    ]

    /// Checks that every member of a document can be written.
    static func fault(in values: JSON) -> RemoteError? {
        let known = Set(PersonFields.writable + ["groups"]).subtracting(["memberships"])
        guard let stray = values.object?.keys.filter({ !known.contains($0) }).min() else { return nil }
        return .refused(code: "no_such_field", message: "Google has no field \"\(stray)\" that can be written")
    }

    /// The whole field as it is to be sent.
    /// - Parameter current: the field as Google shows it; nil when it is empty.
    static func field(_ name: String, _ wanted: JSON, over current: JSON?) -> JSON {
        let old = (current?.array ?? []).map { writable($0, in: name) }
        guard let new = wanted.array else { return wanted.isNull ? [] : .array(old) }
        if lists.contains(name) { return .array(list(new, over: old, in: name)) }
        if ["clientData", "userDefined", "externalIds"].contains(name) {
            return .array(keyed(new, over: old, in: name))
        }
        let merged = new.enumerated().map { index, entry in
            combine(entry, over: JSON.array(old)[index], in: name)
        }
        return .array((merged + old.dropFirst(new.count)).filter { !isEmpty($0) })
    }

    /// Kontor's key among a person's client data.
    static func clientData(_ key: String, over current: JSON?) -> JSON {
        field("clientData", [["key": .string(Person.keyName), "value": .string(key)]], over: current)
    }

    /// Memberships for these groups: those Google itself made stay as they are.
    static func memberships(_ wanted: [String], of person: JSON, groups: GroupNames) -> JSON {
        let kept = Person.groups(of: person).filter { !groups.isOwn($0) }
        // A contact in no group at all would no more be among the contacts.
        let all = (kept.isEmpty ? [GroupNames.everyone] : kept) + wanted
        return .array(
            Set(all).sorted().map { ["contactGroupMembership": ["contactGroupResourceName": .string($0)]] })
    }

    /// Entries the hub has, each over the old one with the same value, else the same place.
    private static func list(_ new: [JSON], over old: [JSON], in name: String) -> [JSON] {
        let hasValues = new.contains { identity($0) != nil }
        return new.enumerated().map { index, entry in
            let before = hasValues ? old.first { identity($0) == identity(entry) } : JSON.array(old)[index]
            return combine(entry, over: before, in: name)
        }.filter { !isEmpty($0) }
    }

    private static func identity(_ entry: JSON) -> String? {
        (entry["value"] ?? entry["username"] ?? entry["person"])?.string?.lowercased()
    }

    /// Entries with names of their own: the wanted ones over those of the same name, all others stay.
    private static func keyed(_ new: [JSON], over old: [JSON], in name: String) -> [JSON] {
        let member = name == "externalIds" ? "type" : "key"
        var entries = old
        for entry in new {
            guard let at = entries.firstIndex(where: { $0[member] == entry[member] }) else {
                entries.append(combine(entry, over: nil, in: name))
                continue
            }
            entries[at] = combine(entry, over: entries[at], in: name)
        }
        return entries.filter { $0["value"] != nil }
    }

    /// One entry: mapped members over the old ones, null takes a member away.
    private static func combine(_ entry: JSON, over old: JSON?, in name: String) -> JSON {
        guard let members = writable(entry, in: name).object else { return old ?? [:] }
        var merged = old ?? [:]
        for (member, value) in members { merged.put(value, as: member) }
        guard let old, merged != old else { return merged }
        for member in derived[name] ?? [] where members[member] == nil || members[member] == old[member] {
            merged[member] = nil
        }
        return merged
    }

    /// An entry without what only Google writes.
    private static func writable(_ entry: JSON, in name: String) -> JSON {
        guard let members = entry.object else { return entry }
        var kept = members.filter { !readOnly.contains($0.key) }
        let isPrimary = members["metadata"]?["sourcePrimary"]?.bool == true
        kept["metadata"] = nil
        if isPrimary { kept["metadata"] = ["sourcePrimary": true] }
        if name == "names" { for member in ["displayName", "displayNameLastFirst"] { kept[member] = nil } }
        return .object(kept)
    }

    private static func isEmpty(_ entry: JSON) -> Bool {
        entry.object?.allSatisfy { $0.key == "metadata" || $0.key == "type" || $0.value.isNull } ?? true
    }
}
