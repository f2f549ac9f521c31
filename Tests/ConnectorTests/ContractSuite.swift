import ConnectorKit
import Foundation
import Hub
import Logging
import Testing

/// What every connector must keep, checked against a real remote. A connector's test file says how to
/// reach its remote in a `ContractSubject` and runs the checks that fit its capabilities:
///
///     @Suite struct AcmeContractTests {
///         @Test(arguments: ContractCheck.records) func contract(_ check: ContractCheck) async throws {
///             try await ContractSuite(AcmeTests.subject()).run(check)
///         }
///     }
///
/// Every check makes records of its own, so they may share one remote and run side by side.
enum ContractCheck: String, Sendable, CaseIterable {
    // Records (RecordSource and RecordSink)
    case createUpdateDelete, sameKeyTwiceIsOneRecord, lostAnswerIsOneRecord, listsChanges, unknownFieldSurvives
    case goneIsSaid, othersEditIsKept, unknownCreateIsDeleted, othersRecordIsNotDeleted
    // Groups (GroupSink)
    case groupsAreKept
    // Every connector that calls a remote
    case checkSaysWho, tooManyRequests, wrongSecretLocks, refusalHasTheRemotesWords, brokenRemoteIsLater
    case readingIsRepeatable, writingIsUnsure, noSecretShows
    // HookReceiver
    case forgedHookIsRefused

    static let answers: [ContractCheck] = [
        .checkSaysWho, .tooManyRequests, .wrongSecretLocks, .refusalHasTheRemotesWords, .brokenRemoteIsLater,
        .readingIsRepeatable, .writingIsUnsure, .noSecretShows,
    ]
    /// For a connector that lists and writes records.
    static let records: [ContractCheck] =
        [
            .createUpdateDelete, .sameKeyTwiceIsOneRecord, .lostAnswerIsOneRecord, .listsChanges,
            .unknownFieldSurvives, .goneIsSaid, .othersEditIsKept, .unknownCreateIsDeleted, .othersRecordIsNotDeleted,
        ] + answers
    /// For a connector that keeps groups.
    static let groups: [ContractCheck] = [.groupsAreKept] + answers
}

/// A person no other check uses.
struct ContractPerson: Sendable {
    let token = UUID().uuidString.prefix(8).lowercased()
    var given: String { "Anna\(token)" }
    var family = "Berg\(UUID().uuidString.prefix(8).lowercased())"
    var email: String { "\(token)@example.org" }
}

/// How the suite reaches a connector's remote.
struct ContractSubject: Sendable {
    /// Base address of the running remote, without a slash at the end.
    var remote: String
    var make: @Sendable (ConnectorEnvironment) throws -> any Connector
    /// Settings when the remote's base address is the given one (the suite's proxy).
    var settings: @Sendable (_ base: String) -> JSON
    var secrets: [String: String]
    /// Secrets the remote does not take. Nil for a remote without sign-in: then an answer 401 is made up.
    var wrongSecrets: [String: String]?
    /// The vendor's document for a person.
    var document: @Sendable (ContractPerson) -> JSON = { _ in [:] }
    /// What the remote holds under an id, as text, read without the connector; nil when there is nothing.
    /// The suite looks for the person's names in it.
    var look: @Sendable (_ id: String) async throws -> String? = { _ in nil }
    /// Writes something into a record that no mapping knows, without the connector; gives the text to look for.
    var plant: (@Sendable (_ id: String) async throws -> String)?
    /// Whether listing changes shows deletions.
    var seesDeletes = true
    /// Requests that write: the faults of writing calls hit only these.
    var writingMethods: Set<String> = ["POST", "PUT", "PATCH", "DELETE"]
    /// Part of the path of requests that faults may hit; leaves token requests alone.
    var path = ""
    /// Part of the path of writing requests, when it differs.
    var writingPath: String?
    /// A webhook as the remote would send it, signed with `secrets`.
    var hook: (@Sendable () -> Hook)?
}

struct ContractSuite: Sendable {
    let subject: ContractSubject
    init(_ subject: ContractSubject) { self.subject = subject }

    /// A connector behind a proxy, and all it logs.
    struct Bench: Sendable {
        let proxy: KitFaultProxy
        let link: any Connector
        let log: KitLog

        var source: any RecordSource { get throws { try #require(link as? any RecordSource) } }
        var sink: any RecordSink { get throws { try #require(link as? any RecordSink) } }
        var groups: any GroupSink { get throws { try #require(link as? any GroupSink) } }
    }

    func bench(secrets: [String: String]? = nil) throws -> Bench {
        let proxy = try KitFaultProxy(before: subject.remote)
        let log = KitLog()
        let environment = ConnectorEnvironment(
            settings: subject.settings(proxy.base), secrets: KitSecrets(secrets ?? subject.secrets),
            http: HTTPClient(guard: KitFaultProxy.loopback, maxTimeout: 6), log: log.logger)
        return Bench(proxy: proxy, link: try subject.make(environment), log: log)
    }

    func run(_ check: ContractCheck) async throws {
        let bench = try bench()
        switch check {
        case .createUpdateDelete: try await createUpdateDelete(bench)
        case .sameKeyTwiceIsOneRecord: try await sameKeyTwiceIsOneRecord(bench)
        case .lostAnswerIsOneRecord: try await lostAnswerIsOneRecord(bench)
        case .listsChanges: try await listsChanges(bench)
        case .unknownFieldSurvives: try await unknownFieldSurvives(bench)
        case .goneIsSaid: try await goneIsSaid(bench)
        case .othersEditIsKept: try await othersEditIsKept(bench)
        case .unknownCreateIsDeleted: try await unknownCreateIsDeleted(bench)
        case .othersRecordIsNotDeleted: try await othersRecordIsNotDeleted(bench)
        case .groupsAreKept: try await groupsAreKept(bench)
        case .checkSaysWho: #expect(try await !bench.link.check().isEmpty)
        case .tooManyRequests: try await tooManyRequests(bench)
        case .wrongSecretLocks: try await wrongSecretLocks(bench)
        case .refusalHasTheRemotesWords: try await refusalHasTheRemotesWords(bench)
        case .brokenRemoteIsLater: try await brokenRemoteIsLater(bench)
        case .readingIsRepeatable: try await readingIsRepeatable(bench)
        case .writingIsUnsure: try await writingIsUnsure(bench)
        case .noSecretShows: try await noSecretShows(bench)
        case .forgedHookIsRefused: try await forgedHookIsRefused(bench)
        }
        expectNoSecret(in: bench.log.text)
    }

    // MARK: Pieces

    func push(_ person: ContractPerson, key: String = UUID().uuidString) -> Push {
        Push(
            action: .upsert, key: key, idempotencyKey: "\(key)-1", values: subject.document(person),
            emails: [person.email])
    }

    /// The outcome of one push; an error thrown for the whole call counts as that of the push.
    func send(_ push: Push, _ bench: Bench) async throws -> PushOutcome {
        do {
            let outcomes = try await bench.sink.push([push])
            #expect(outcomes.count == 1)
            let outcome = try #require(outcomes.first)
            if case .failed(let error) = outcome { bench.log.note("\(error)") }
            return outcome
        } catch let error as RemoteError {
            bench.log.note("\(error)")
            return .failed(error)
        }
    }

    func create(_ person: ContractPerson, _ bench: Bench) async throws -> RemoteRecord {
        try done(await send(push(person), bench))
    }

    func done(_ outcome: PushOutcome) throws -> RemoteRecord {
        guard case .done(let record, _) = outcome else {
            Issue.record("the push came out as \(outcome)")
            throw ContractFailure.notDone
        }
        return record
    }

    func update(_ record: RemoteRecord, _ person: ContractPerson, key: String = UUID().uuidString) -> Push {
        var push = push(person, key: key)
        push.remoteID = record.id
        push.version = record.version
        return push
    }

    /// All records from a cursor on, and where to go on.
    func list(after cursor: Cursor?, _ bench: Bench) async throws -> (records: [RemoteRecord], next: Cursor?) {
        var (records, cursor): ([RemoteRecord], Cursor?) = ([], cursor)
        for _ in 0..<1000 {
            let page = try await bench.source.page(of: .contact, after: cursor, since: nil)
            records += page.records
            cursor = page.next ?? cursor
            if page.isLast { return (records, cursor) }
        }
        Issue.record("the listing does not end")
        throw ContractFailure.notDone
    }

    /// How many living records of the remote carry a person's address.
    func count(_ person: ContractPerson, _ bench: Bench) async throws -> Int {
        let records = try await list(after: nil, bench).records
        return Set(records.filter { !$0.isDeleted && $0.values.text.contains(person.email) }.map(\.id)).count
    }

    /// A call that only reads, or `nil` when the connector has none.
    func read(_ bench: Bench) async throws {
        if let source = bench.link as? any RecordSource {
            _ = try await source.page(of: .contact, after: nil, since: nil)
        } else {
            _ = try await bench.link.check()
        }
    }

    /// A call that writes; throws its failure.
    func write(_ bench: Bench) async throws {
        if bench.link is any RecordSink {
            if case .failed(let error) = try await send(push(ContractPerson()), bench) { throw error }
        } else {
            let key = "k" + UUID().uuidString.prefix(8).lowercased()
            _ = try await bench.groups.ensureGroup(id: nil, key: key, name: "Group \(key)")
        }
    }

    func failure(_ call: () async throws -> Void, _ bench: Bench) async throws -> RemoteError? {
        do {
            try await call()
            return nil
        } catch let error as RemoteError {
            bench.log.note("\(error) \(String(reflecting: error))")
            return error
        }
    }

    func expectNoSecret(in text: String) {
        for (name, secret) in subject.secrets where secret.utf8.count >= 4 {
            #expect(!text.contains(secret), "the secret “\(name)” shows in a log or error")
        }
    }
}

enum ContractFailure: Error { case notDone }

// MARK: Groups

extension ContractSuite {
    private func groupsAreKept(_ bench: Bench) async throws {
        let groups = try bench.groups
        let key = "k" + UUID().uuidString.prefix(8).lowercased()
        let id = try await groups.ensureGroup(id: nil, key: key, name: "First \(key)")
        #expect(try await groups.ensureGroup(id: nil, key: key, name: "First \(key)") == id)
        #expect(try await groups.ensureGroup(id: id, key: key, name: "Second \(key)") == id)
        let (one, two) = (ContractPerson(), ContractPerson())
        let members = [one, two].map { GroupMember(email: $0.email, name: $0.given) }
        for _ in 0..<2 {
            for outcome in try await groups.add(members, to: id) { _ = try done(outcome) }
        }
        #expect(try await groups.members(of: id) == [one.email, two.email])
        for _ in 0..<2 {
            for case .failed(let error) in try await groups.remove([one.email], from: id) {
                Issue.record("removing failed: \(error)")
            }
        }
        #expect(try await groups.members(of: id) == [two.email])
    }
}

// MARK: Answers

extension ContractSuite {
    func failWriting(
        _ kind: KitFaultProxy.Kind, status: Int = 0, headers: [String: String] = [:], body: String = "",
        count: Int = 1, _ bench: Bench
    ) async throws {
        try await bench.proxy.fail(
            kind, status: status, headers: headers, body: body, methods: subject.writingMethods,
            path: subject.writingPath ?? subject.path, count: count)
    }

    private func tooManyRequests(_ bench: Bench) async throws {
        try await bench.proxy.fail(.status, status: 429, headers: ["Retry-After": "7"], path: subject.path)
        guard case .later(_, _, retryAfter: 7) = try await failure({ try await read(bench) }, bench) else {
            Issue.record("reading does not honour Retry-After")
            return
        }
        let headers = ["Retry-After": "Sun, 06 Nov 1994 08:49:47 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"]
        try await failWriting(.status, status: 429, headers: headers, bench)
        guard case .later(_, _, retryAfter: 10) = try await failure({ try await write(bench) }, bench) else {
            Issue.record("writing does not honour Retry-After")
            return
        }
    }

    private func wrongSecretLocks(_ bench: Bench) async throws {
        var locked = bench
        if let wrong = subject.wrongSecrets {
            locked = try self.bench(secrets: wrong)
        } else {
            try await bench.proxy.fail(.status, status: 401, path: subject.path, count: 1000)
        }
        for call in [{ _ = try await locked.link.check() }, { try await read(locked) }, { try await write(locked) }] {
            guard case .locked = try await failure(call, locked) else {
                Issue.record("wrong credentials do not lock the connector")
                return
            }
        }
    }

    private func refusalHasTheRemotesWords(_ bench: Bench) async throws {
        let words = "The surname is not to our liking"
        try await failWriting(
            .status, status: 422, headers: ["Content-Type": "application/json"], body: #"{"message":"\#(words)"}"#,
            bench)
        guard case .refused(_, let message) = try await failure({ try await write(bench) }, bench) else {
            Issue.record("a refusal is not said to be one")
            return
        }
        #expect(message.contains(words))
    }

    private func brokenRemoteIsLater(_ bench: Bench) async throws {
        for status in [500, 502, 503, 504] {
            try await bench.proxy.fail(.status, status: status, body: "<h1>Bad Gateway</h1>", path: subject.path)
            guard case .later = try await failure({ try await read(bench) }, bench) else {
                Issue.record("\(status) on reading is not to be tried later")
                return
            }
        }
        try await failWriting(.status, status: 503, headers: ["Retry-After": "3"], bench)
        guard case .later(_, _, retryAfter: 3) = try await failure({ try await write(bench) }, bench) else {
            Issue.record("503 on writing is not to be tried later")
            return
        }
    }

    private func readingIsRepeatable(_ bench: Bench) async throws {
        for kind in [KitFaultProxy.Kind.cut, .torn, .stall] {
            try await bench.proxy.fail(kind, path: subject.path, count: kind == .cut ? 20 : 1)
            guard case .later = try await failure({ try await read(bench) }, bench) else {
                Issue.record("\(kind) on reading is not to be tried later")
                return
            }
            try await bench.proxy.forget()
            try await read(bench)
        }
    }

    private func writingIsUnsure(_ bench: Bench) async throws {
        for kind in [KitFaultProxy.Kind.cutAfter, .torn, .stall] {
            try await failWriting(kind, bench)
            guard case .unsure = try await failure({ try await write(bench) }, bench) else {
                Issue.record("\(kind) on writing is not said to be unsure")
                return
            }
            try await bench.proxy.forget()
        }
    }

    /// The remote repeats in its answer all that it was sent.
    private func noSecretShows(_ bench: Bench) async throws {
        for status in [400, 401, 403, 422, 429, 500] {
            try await bench.proxy.fail(.echo, status: status, path: subject.path, count: 2)
            #expect(try await failure({ try await read(bench) }, bench) != nil)
            try await bench.proxy.forget()
            try await failWriting(.echo, status: status, count: 2, bench)
            #expect(try await failure({ try await write(bench) }, bench) != nil)
            try await bench.proxy.forget()
        }
    }

    private func forgedHookIsRefused(_ bench: Bench) async throws {
        let receiver = try #require(bench.link as? any HookReceiver)
        let makeHook = try #require(subject.hook)
        let genuine = makeHook()
        try await receiver.verify(genuine)
        var altered = genuine
        altered.body[altered.body.count / 2] ^= 1
        await #expect(throws: HookError.self) { try await receiver.verify(altered) }
        var unsigned = genuine
        unsigned.headers = [:]
        await #expect(throws: HookError.self) { try await receiver.verify(unsigned) }
    }
}
