import ConnectorKit
import Hub

/// Where a listing stands. One pass asks the server for all changes since `from` with each page, takes
/// the next members in the order of their addresses, and goes on from the token the first page got.
struct SyncPlace: Equatable {
    /// Sync token the pass began with; empty for a listing of everything.
    var from: String
    /// Sync token the next pass begins with; nil before the first page.
    var token: String?
    /// Address of the last member seen in this pass.
    var after: String = ""

    var cursor: Cursor {
        var value: JSON = ["from": .string(from), "after": .string(after)]
        value["token"] = token.map { .string($0) }
        return Cursor(value.text)
    }

    init(from: String) { self.from = from }

    /// - Throws: `.cursorExpired` for a text that is none of ours.
    init(_ cursor: Cursor?) throws(RemoteError) {
        guard let cursor else {
            self.init(from: "")
            return
        }
        guard let value = try? JSON(text: cursor.text), let from = value["from"]?.string else {
            throw .cursorExpired
        }
        self.init(from: from)
        token = value["token"]?.string
        after = value["after"]?.string ?? ""
    }
}
