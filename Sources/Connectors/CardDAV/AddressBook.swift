import ConnectorKit

/// Finds the address book and keeps its address (RFC 6764 section 6, RFC 6352 section 7.1).
actor AddressBook {
    struct Place: Sendable {
        /// Absolute, ends with a slash.
        var url: String
        var name: String
    }

    private let client: DAVClient
    private let start: String
    private let wanted: String
    private var found: Place?

    /// - Parameters:
    ///   - start: address of the server, of an account, or of the address book itself.
    ///   - wanted: display name of the address book; empty for the first.
    init(_ client: DAVClient, start: String, wanted: String) {
        self.client = client
        self.start = start
        self.wanted = wanted
    }

    func place() async throws(RemoteError) -> Place {
        if let found { return found }
        let place = try await search()
        found = place
        return place
    }

    private func search() async throws(RemoteError) -> Place {
        let first = try await properties(of: start)
        if let first, let place = Self.book(first.member, at: first.url) { return place }
        var principal = first.flatMap { Self.link("{DAV:}current-user-principal", in: $0.member, at: $0.url) }
        if principal == nil, let wellKnown = URLText.resolve("/.well-known/carddav", against: start),
            let second = try await properties(of: wellKnown)
        {
            principal = Self.link("{DAV:}current-user-principal", in: second.member, at: second.url)
        }
        let home = "{urn:ietf:params:xml:ns:carddav}addressbook-home-set"
        guard let principal, let account = try await properties(of: principal),
            let homeURL = Self.link(home, in: account.member, at: account.url)
        else { throw .refused(code: "no_address_book", message: "the server shows no address book for this account") }
        try sameOrigin(homeURL)
        let answer = try Multistatus(
            await client.ask("PROPFIND", homeURL, depth: "1", xml: Self.propfind))
        let books = answer.members.compactMap { member in
            URLText.resolve(member.href, against: homeURL).flatMap { Self.book(member, at: $0) }
        }
        guard let book = wanted.isEmpty ? books.first : books.first(where: { $0.name == wanted }) else {
            let names = books.map { "“\($0.name)”" }.joined(separator: ", ")
            throw .refused(code: "no_address_book", message: "no such address book; there are: \(names)")
        }
        try sameOrigin(book.url)
        return book
    }

    /// The credentials are for the server that was named, and for no other.
    private func sameOrigin(_ url: String) throws(RemoteError) {
        guard URLText.origin(of: url) == URLText.origin(of: start) else {
            throw .refused(
                code: "other_server", message: "the address book is on \(Redaction.address(url)): give that address")
        }
    }

    /// Properties of one resource; nil when there is none. Follows up to three redirects on the server.
    private func properties(of address: String) async throws(RemoteError) -> (member: Multistatus.Member, url: String)?
    {
        var url = address
        for _ in 0..<4 {
            try sameOrigin(url)
            let response = try await client.ask(
                "PROPFIND", url, depth: "0", xml: Self.propfind, passing: [301, 302, 303, 307, 308, 404, 405])
            if response.isSuccess { return try Multistatus(response).members.first.map { ($0, url) } }
            guard let next = response.headers["location"].flatMap({ URLText.resolve($0, against: url) }) else {
                return nil
            }
            url = next
        }
        return nil
    }

    private static func link(_ property: String, in member: Multistatus.Member, at url: String) -> String? {
        member.property(property)?.first("{DAV:}href").flatMap { URLText.resolve($0.trimmed, against: url) }
    }

    private static func book(_ member: Multistatus.Member, at url: String) -> Place? {
        guard member.isResource("{urn:ietf:params:xml:ns:carddav}addressbook") else { return nil }
        let name = member.property("{DAV:}displayname")?.trimmed ?? ""
        return Place(url: url.hasSuffix("/") ? url : url + "/", name: name)
    }

    private static let propfind = """
        <propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><prop><resourcetype/><displayname/>\
        <current-user-principal/><C:addressbook-home-set/></prop></propfind>
        """
}
