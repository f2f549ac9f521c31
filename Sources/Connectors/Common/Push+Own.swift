import ConnectorKit

extension Push {
    /// Whether a record found for a deletion is the one that an earlier attempt made: it carries the push's key, or no
    /// key and just what was sent.
    func isOwn(_ record: RemoteRecord) -> Bool { record.key.map { $0 == key } ?? mayReplace(record.values) }
}

extension RemoteError {
    /// A record that may have been there before Kontor is not deleted unasked.
    static func notSurelyOurs(_ id: String) -> RemoteError {
        .refused(
            code: "not_surely_ours",
            message:
                "record \(id) has the address of the deleted contact, and who made it is not certain: delete it there")
    }
}
