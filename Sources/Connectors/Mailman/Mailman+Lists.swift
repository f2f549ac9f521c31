import ConnectorKit
import Cryptography
import Hub

extension Mailman {
    /// Makes sure of a list whose name is made of the key, so that a repeated attempt finds the same list, and
    /// whose display name is the group's. Lists made here greet nobody and say good-bye to nobody.
    public func ensureGroup(id: String?, key: String, name: String) async throws -> String {
        if let id, let list = try await api.find("lists/\(URLText.escape(id))") {
            try await rename(list, id: id, to: name)
            return id
        }
        let local = Self.localPart(key)
        let made = "\(local).\(domain)"
        if try await api.find("lists/\(URLText.escape(made))") == nil {
            try await create("\(local)@\(domain)", id: made)
        }
        // Also for a list that is there: an earlier attempt may have ended between the two calls.
        try await configure(made, [("display_name", name), ("send_welcome_message", "False")])
        // Removing a member would write to him otherwise. Older versions do not have the setting.
        _ = try await api.send(
            "PUT", "lists/\(URLText.escape(made))/config/send_goodbye_message",
            form: [("send_goodbye_message", "False")], passing: [400, 404])
        return made
    }

    /// 400 also says that somebody made the list meanwhile: then it is there to be changed.
    private func create(_ address: String, id: String) async throws(RemoteError) {
        let response = try await api.send("POST", "lists", form: [("fqdn_listname", address)], passing: [400])
        guard response.status == 400, try await api.find("lists/\(URLText.escape(id))") == nil else { return }
        throw .refused(code: "http_400", message: MailmanAPI.words(of: response))
    }

    private func rename(_ list: JSON, id: String, to name: String) async throws(RemoteError) {
        guard list["display_name"]?.string != name else { return }
        try await configure(id, [("display_name", name)])
    }

    private func configure(_ id: String, _ form: [(String, String)]) async throws(RemoteError) {
        _ = try await api.send("PATCH", "lists/\(URLText.escape(id))/config", form: form)
    }

    /// The local part of a list's address: the key's letters and digits, and when anything else is in it or it
    /// is long, the beginning of its digest too, so that two keys never share a list.
    static func localPart(_ key: String) -> String {
        let letters = key.lowercased().utf8.map { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) ? byte : UInt8(ascii: "-")
        }
        let plain = String(decoding: letters, as: UTF8.self)
        if plain == key, key.utf8.count <= 48, key.utf8.first != UInt8(ascii: "-"), !key.isEmpty { return key }
        let start = String(decoding: letters.filter { $0 != UInt8(ascii: "-") }.prefix(24), as: UTF8.self)
        return "k" + start + "-" + Crypto.hex(Crypto.sha256(key.utf8).prefix(8))
    }

    /// Addresses of all members, by pages of the roster.
    public func members(of group: String) async throws -> Set<String> {
        var members: Set<String> = []
        for page in 1...100_000 {
            let answer = try await api.get("lists/\(URLText.escape(group))/roster/member?count=500&page=\(page)")
            let entries = answer["entries"]?.array ?? []
            members.formUnion(entries.compactMap { $0["email"]?.string?.lowercased() })
            // The last page may be short because somebody left meanwhile; an empty one is the end.
            if entries.count < 500 { break }
        }
        return members
    }
}
