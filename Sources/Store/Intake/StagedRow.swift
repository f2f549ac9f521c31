import Cryptography
public import Hub
internal import Postgres

/// One record on its way in, in hub fields.
public struct StagedRow: Sendable {
    /// Number within the run: line of a file, position in a page.
    public var line: Int64
    public var remoteID: String?
    public var remoteVersion: String?
    /// RFC 3339.
    public var remoteAt: String?
    public var isDeleted = false
    /// The contact whose key the remote carries.
    public var contact: Int64?
    /// Hub fields; null for a mapped field that is empty at the source.
    public var data: JSON
    public var problems: [FieldProblem] = []

    public init(
        line: Int64, remoteID: String? = nil, remoteVersion: String? = nil, remoteAt: String? = nil,
        isDeleted: Bool = false, contact: Int64? = nil, data: JSON, problems: [FieldProblem] = []
    ) {
        (self.line, self.remoteID, self.remoteVersion, self.remoteAt) = (line, remoteID, remoteVersion, remoteAt)
        (self.isDeleted, self.contact, self.data, self.problems) = (isDeleted, contact, data, problems)
    }

    var isRefused: Bool { !isDeleted && data.withoutNulls.object?.isEmpty != false }

    /// What an echo is known by: the values, whatever their order.
    public static func hash(_ data: JSON) -> [UInt8] { Crypto.sha256(data.withoutNulls.bytes) }
}

extension [StagedRow] {
    /// The rows as one row source with the columns of `stage` after run, bound as arrays: COPY is not to be had
    /// under row security.
    var source: SQL {
        """
        unnest(\(map(\.line))::bigint[], \(map(\.remoteID))::text[], \(map(\.remoteVersion))::text[],
            \(map(\.remoteAt))::timestamptz[], \(map { $0.isDeleted ? "t" : "f" })::boolean[], \(map(\.data.text))::jsonb[],
            \(map { "\\x" + Crypto.hex(StagedRow.hash($0.data)) })::bytea[],
            \(map { $0.problems.isEmpty ? nil : JSON.array($0.problems.map(\.json)).text })::jsonb[],
            \(map { $0.isRefused ? "refused" : nil })::text[], \(map { $0.contact.map { String($0) } })::bigint[])
        """
    }
}
