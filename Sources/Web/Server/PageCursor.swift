import Cryptography
import Hub

/// Where a page ended, as clients see it: text without meaning to them.
enum PageCursor {
    static func encode(_ place: String) -> String { Crypto.base64url(place.utf8) }

    /// The numbers of a place.
    /// - Parameter count: how many there must be.
    /// - Throws: `Failure` `cursor.invalid`.
    static func decode(_ text: String, count: Int) throws -> [Int64] {
        let place = Crypto.unbase64url(text).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let numbers = place.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) }
        let good = numbers.compactMap(\.self)
        guard good.count == count, numbers.count == count else {
            throw RequestFault.query(
                "cursor.invalid", "The cursor is none of this list: take it from “next” of the page before.", "cursor")
        }
        return good
    }
}
