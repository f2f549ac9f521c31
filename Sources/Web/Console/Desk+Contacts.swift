import Hub
import Store

/// Contacts by what people call them.
extension Desk {
    /// The one contact that somebody means, by its number or by part of its name, e-mail address or telephone number.
    /// - Throws: `Failure` `not_found` when the reader sees none, `contact.unclear` when it could be several.
    func meant(_ text: String) async throws -> (id: String, name: String) {
        if Int64(text) ?? 0 > 0, let found = try await call.askIfThere("getContact", ["id": text]) {
            return (text, name(of: found))
        }
        let found = try await call.ask("listContacts", query: ["q": .string(text), "limit": 2])["items"]?.array ?? []
        guard let one = found.first else { throw Failure.notFound("contact") }
        guard found.count == 1 else { throw Failure(.conflict, "contact.unclear", texts["error_contact.unclear"]) }
        return (one["id"]?.scalarText ?? "", name(of: one))
    }

    /// Contacts as links, by their names.
    /// - Parameter ids: numbers, a handful; who may not see one gets its number.
    func links(to ids: [JSON]) async throws -> [JSON] {
        var links: [JSON] = []
        for id in ids {
            let contact = try await call.askIfThere("getContact", ["id": id.scalarText ?? ""])
            links.append([
                "href": .string("/contacts/\(id.scalarText ?? "")"), "name": self.contact(contact?["name"], id),
            ])
        }
        return links
    }

    private func name(of found: JSON) -> String { contact(found["name"], found["id"]).string ?? "" }
}

extension Call {
    /// As `ask`; nil where there is nothing, or not for the caller.
    func askIfThere(_ id: String, _ path: [String: String]) async throws -> JSON? {
        do {
            return try await ask(id, path)
        } catch let failure as Failure where failure.kind == .notFound || failure.kind == .forbidden {
            return nil
        }
    }
}
