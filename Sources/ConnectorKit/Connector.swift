public import Hub

/// A link to one kind of remote system. Connectors translate and speak: they never see SQL, tenants,
/// retry counters or clocks. Which of the capabilities below a type has, it says by conforming.
public protocol Connector: Sendable {
    /// What this kind of connector is, needs and can do.
    static var manifest: Manifest { get }

    /// - Throws: `ConnectorError.badSettings` when a setting is missing or makes no sense.
    init(_ environment: ConnectorEnvironment) throws

    /// Signs in at the remote and says as whom ("Signed in to shop.example as reader 3").
    /// - Throws: `RemoteError`.
    func check() async throws -> String
}

/// Lists records, all of them at first and then what changed since a cursor.
public protocol RecordSource: Connector {
    /// One page of records of an entity.
    ///
    /// - Parameters:
    ///   - cursor: nil at the very first page; afterwards `Page.next` of the page before, also across
    ///     restarts. Its text is the connector's own and opaque to everyone else.
    ///   - since: on a first import only, records changed before this day ("2026-01-31") may be left out.
    /// - Throws: `RemoteError`; `.cursorExpired` makes the kit begin again without a cursor.
    func page(of entity: RemoteEntity, after cursor: Cursor?, since: String?) async throws -> Page
}

/// Writes contacts to the remote.
public protocol RecordSink: Connector {
    /// Creates, updates or deletes up to `manifest.limits.batch` records: one outcome per push, in order.
    ///
    /// A push with `isUnsure` may already have happened: look the record up (by the key written
    /// there, else by e-mail) before creating it, and before saying that there is nothing to delete. An existing
    /// record is read before it is written: where `mayReplace` says no to it, answer `.differs`; else write
    /// what differs, and only if it is still as it was read (ETag, version) where the remote can tell. Failures of
    /// single records are outcomes; throw only what holds for the whole call.
    /// - Throws: `RemoteError`.
    func push(_ batch: [Push]) async throws -> [PushOutcome]
}

/// Keeps groups of people (newsletter lists) in the remote.
public protocol GroupSink: Connector {
    /// Makes sure that the group exists under this name; creates or renames it.
    /// - Parameter id: the remote's id of the group from an earlier call, nil at the first.
    /// - Returns: the remote's id of the group.
    func ensureGroup(id: String?, key: String, name: String) async throws -> String
    /// The addresses (lower case) of all members.
    func members(of group: String) async throws -> Set<String>
    func add(_ members: [GroupMember], to group: String) async throws -> [PushOutcome]
    func remove(_ emails: [String], from group: String) async throws -> [PushOutcome]
}

/// Receives the remote's webhooks.
public protocol HookReceiver: Connector {
    /// Verifies a webhook's signature over its raw bytes, in constant time.
    /// - Throws: `HookError.forged`, or `.stale` when its time stamp is more than 300 s off.
    func verify(_ hook: Hook) async throws
    /// The records that a verified webhook carries, or asks to be fetched.
    func records(in hook: Hook) async throws -> [HookRecord]
}

/// A place in the remote's stream of changes.
public struct Cursor: Sendable, Hashable {
    public var text: String
    public init(_ text: String) { self.text = text }
}

/// A record as the remote shows it.
public struct RemoteRecord: Sendable, Hashable {
    /// The remote's identifier.
    public var id: String
    /// The remote's version of the record (ETag, modification number), sent back on update.
    public var version: String?
    /// When the remote says it last changed: RFC 3339 text in UTC; nil when it does not say.
    public var changedAt: String?
    /// The vendor's document; what it means is said by the plugin's mapping.
    public var values: JSON
    public var isDeleted: Bool
    /// The key Kontor wrote there when it created the record, if the remote can carry one.
    public var key: String?

    public init(
        id: String, version: String? = nil, changedAt: String? = nil, values: JSON = [:], isDeleted: Bool = false,
        key: String? = nil
    ) {
        self.id = id
        self.version = version
        self.changedAt = changedAt
        self.values = values
        self.isDeleted = isDeleted
        self.key = key
    }
}

public struct Page: Sendable {
    public var records: [RemoteRecord]
    /// Where to go on; nil only when there is nothing to go on from.
    public var next: Cursor?
    /// True when nothing more waits behind `next` at the moment.
    public var isLast: Bool
    /// True on the first page of a listing of everything; a page asked for without a cursor always is one.
    public var isFirst: Bool
    /// True on the last page of a listing of everything: bound records that none of its pages showed are gone.
    public var isComplete: Bool

    public init(
        records: [RemoteRecord], next: Cursor?, isLast: Bool, isFirst: Bool = false, isComplete: Bool = false
    ) {
        self.records = records
        self.next = next
        self.isLast = isLast
        self.isFirst = isFirst
        self.isComplete = isComplete
    }
}

/// One record to be brought up to date in the remote.
public struct Push: Sendable {
    public enum Action: String, Sendable { case upsert, delete }
    public var action: Action
    /// Kontor's own key of the record, unique and stable: written to the remote where it can carry
    /// one, and sent as idempotency key.
    public var key: String
    /// Unique to this state of this record: the same on every repetition of the same push.
    public var idempotencyKey: String
    /// The remote's id, when the record is bound.
    public var remoteID: String?
    /// The remote's version seen last, for remotes that compare it themselves.
    public var version: String?
    /// The vendor's document, made by the plugin's mapping. Only what is mapped: whatever else the
    /// remote holds must survive.
    public var values: JSON
    /// The record's e-mail addresses, lower case: how to find it when the remote carries no key.
    public var emails: [String]
    /// True when an earlier attempt ended without an answer: look before creating.
    public var isUnsure: Bool
    /// Given a record as the remote holds it (`RemoteRecord.values`): false when somebody changed there what this
    /// push would write over.
    public var mayReplace: @Sendable (JSON) -> Bool

    public init(
        action: Action, key: String, idempotencyKey: String, remoteID: String? = nil, version: String? = nil,
        values: JSON = [:], emails: [String] = [], isUnsure: Bool = false,
        mayReplace: @escaping @Sendable (JSON) -> Bool = { _ in true }
    ) {
        self.action = action
        self.key = key
        self.idempotencyKey = idempotencyKey
        self.remoteID = remoteID
        self.version = version
        self.values = values
        self.emails = emails
        self.isUnsure = isUnsure
        self.mayReplace = mayReplace
    }
}

public enum PushOutcome: Sendable {
    /// Done; the record as the remote now holds it (its id and version at least). `over` is its document as it was
    /// read just before, of which only what differs was written: said where somebody could come in between, so that
    /// what they wrote is not taken for Kontor's.
    case done(RemoteRecord, over: JSON? = nil)
    /// Nothing was written: `mayReplace` said no to the record, which is given as it is there.
    case differs(RemoteRecord)
    /// The bound record is gone at the remote.
    case gone
    case failed(RemoteError)
}

public struct GroupMember: Sendable, Hashable {
    public var email: String
    public var name: String
    public init(email: String, name: String) {
        self.email = email
        self.name = name
    }
}

/// A webhook as it came in.
public struct Hook: Sendable {
    /// Lower-case names.
    public var headers: [String: String]
    public var body: [UInt8]
    /// Seconds since 1970 at which Kontor received it.
    public var receivedAt: Int64
    public init(headers: [String: String], body: [UInt8], receivedAt: Int64) {
        self.headers = headers
        self.body = body
        self.receivedAt = receivedAt
    }
}

public enum HookRecord: Sendable {
    /// The hook carries the record itself.
    case record(RemoteEntity, RemoteRecord)
    /// The hook only says that something changed: list changes of this entity.
    case poll(RemoteEntity)
}

public enum HookError: Error, Sendable {
    case forged(String)
    case stale(String)
    case malformed(String)
}

/// Why a call to the remote did not do what it should: the class decides what happens next.
public enum RemoteError: Error, Sendable, Hashable {
    /// The remote is busy, broken or out of reach: try again later.
    /// `retryAfter` in seconds, when the remote said so.
    case later(code: String, message: String, retryAfter: Double? = nil)
    /// The request went out and no answer came back: the effect may or may not have happened.
    case unsure(code: String, message: String)
    /// The remote will not take this record as it is: a person must look. The remote's own words.
    case refused(code: String, message: String)
    /// Credentials are no longer good: the connector stops until somebody mends them.
    case locked(code: String, message: String)
    /// The remote's version differs from the one sent: read, merge, try again.
    case stale
    /// The cursor is no longer known: list everything again.
    case cursorExpired
}

public enum ConnectorError: Error, Sendable {
    case badSettings(field: String, reason: String)
}
