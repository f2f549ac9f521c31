import ConnectorKit
import Hub

/// Reads the shop's documents. Customers stay as they are; orders and products get the form in which the
/// hub keeps them.
enum WooRecords {
    /// Under this key Kontor's own key of a customer stands in `meta_data`.
    static let keyName = "kontor_key"

    static func path(of entity: RemoteEntity) -> String {
        switch entity {
        case .contact: "customers"
        case .order: "orders"
        case .product: "products"
        }
    }

    /// - Returns: nil for a document without a number.
    static func record(_ document: JSON, _ entity: RemoteEntity) -> RemoteRecord? {
        guard let id = document["id"]?.scalarText else { return nil }
        let modified = document["date_modified_gmt"]?.string
        return RemoteRecord(
            id: id, version: modified, changedAt: RemoteTime.rfc3339(modified ?? document["date_created_gmt"]?.string),
            values: values(document, entity), key: entity == .contact ? meta(keyName, of: document) : nil)
    }

    private static func values(_ document: JSON, _ entity: RemoteEntity) -> JSON {
        switch entity {
        case .contact:
            var values = document
            values["_links"] = nil
            return values
        case .order: return order(document)
        case .product: return product(document)
        }
    }

    /// {"number", "status", "currency", "total", "placed_at", "customer_remote_id", "email", "lines"}; amounts as
    /// the shop's decimal text, a guest's order without customer.
    private static func order(_ document: JSON) -> JSON {
        let lines = (document["line_items"]?.array ?? []).map { line -> JSON in
            [
                "product_remote_id": reference(line["product_id"]), "name": plain(line["name"]),
                "quantity": line["quantity"] ?? 0, "total": line["total"] ?? .null,
            ]
        }
        let email = document["billing"]?["email"]?.string?.lowercased()
        return [
            "number": document["number"] ?? .null, "status": document["status"] ?? .null,
            "currency": document["currency"] ?? .null, "total": document["total"] ?? .null,
            "placed_at": RemoteTime.rfc3339(document["date_created_gmt"]?.string).map(JSON.string) ?? .null,
            "customer_remote_id": reference(document["customer_id"]),
            "email": email.flatMap { $0.isEmpty ? nil : JSON.string($0) } ?? .null, "lines": .array(lines),
        ]
    }

    /// {"sku", "name", "price", "supplier", "categories"}; the supplier is the first brand, else the meta entry
    /// "supplier".
    private static func product(_ document: JSON) -> JSON {
        let supplier = document["brands"]?[0]?["name"] ?? meta("supplier", of: document).map(JSON.string)
        return [
            "sku": text(document["sku"]), "name": plain(document["name"]), "price": text(document["price"]),
            "supplier": plain(supplier),
            "categories": .array((document["categories"]?.array ?? []).map { plain($0["name"]) }.filter { !$0.isNull }),
        ]
    }

    /// The text of a meta entry.
    static func meta(_ key: String, of document: JSON) -> String? {
        document["meta_data"]?.array?.first { $0["key"]?.string == key }?["value"]?.scalarText
    }

    /// The number of another record as text; 0 means none.
    private static func reference(_ value: JSON?) -> JSON {
        guard let id = value?.scalarText, id != "0", !id.isEmpty else { return .null }
        return .string(id)
    }

    private static func text(_ value: JSON?) -> JSON {
        guard let text = value?.scalarText, !text.isEmpty else { return .null }
        return .string(text)
    }

    /// Names come with HTML's entities: "Nuts &amp; bolts".
    private static func plain(_ value: JSON?) -> JSON {
        guard let text = value?.scalarText, !text.isEmpty else { return .null }
        let pieces = text.split(separator: "&", omittingEmptySubsequences: false)
        return .string(String(pieces[0]) + pieces.dropFirst().map(entity).joined())
    }

    /// What an entity stands for, and the text behind it; `piece` is what follows the "&".
    private static func entity(_ piece: Substring) -> String {
        let named = [
            "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "ndash": "–", "mdash": "—",
        ]
        guard let end = piece.firstIndex(of: ";") else { return "&" + piece }
        let name = String(piece[..<end])
        let rest = String(piece[piece.index(after: end)...])
        if let letter = named[name] { return letter + rest }
        let isHex = name.utf8.starts(with: "#x".utf8)
        guard name.utf8.first == UInt8(ascii: "#"),
            let scalar = UInt32(name.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10).flatMap(Unicode.Scalar.init)
        else { return "&" + piece }
        return String(scalar) + rest
    }
}
