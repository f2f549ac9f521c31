/// The prepared statements of one connection by text, least recently used first out. Guarded by the connection's lock.
struct StatementCache {
    enum State {
        /// Its Parse was sent and not yet answered. Only the pipeline that sent it may use it: when the Parse fails,
        /// everything after it in that pipeline is skipped, while another pipeline would meet a missing name.
        case sent
        case ready
        /// The Parse failed, or the server lost or outdated it: to be prepared anew under another name.
        case broken
    }

    final class Entry {
        let name: String
        var state = State.sent
        let pipeline: UInt64
        var lastUse: UInt64 = 0
        init(name: String, pipeline: UInt64) {
            self.name = name
            self.pipeline = pipeline
        }
    }

    /// Compared by bytes: canonically equal strings are equal to Swift and different to PostgreSQL.
    private struct Key: Hashable {
        let text: [UInt8]
        func hash(into hasher: inout Hasher) { text.withUnsafeBytes { hasher.combine(bytes: $0) } }
        static func == (left: Key, right: Key) -> Bool { left.text == right.text }
    }

    static let capacity = 256

    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private var named: UInt64 = 0
    private var pipeline: UInt64 = 0
    /// Statements the server still holds and nobody will use again.
    private var garbage: [String] = []

    /// How to run a text now.
    enum Lookup {
        case use(Entry)
        /// Prepare it and then use it.
        case prepare(Entry)
        /// Somebody else's Parse is on its way: run it unprepared this once.
        case unprepared
    }

    /// To be called when a new pipeline is begun.
    mutating func beginPipeline() { pipeline += 1 }

    mutating func lookup(_ text: [UInt8]) -> Lookup {
        guard let entry = entries[Key(text: text)], entry.state != .broken else { return .prepare(insert(text)) }
        guard entry.state == .ready || entry.pipeline == pipeline else { return .unprepared }
        clock += 1
        entry.lastUse = clock
        return .use(entry)
    }

    /// A new entry under a name not used before; a full cache gives up its oldest entry. The statement of a broken
    /// entry is left to the server until the connection is renewed: deallocating one that is gone is an error.
    private mutating func insert(_ text: [UInt8]) -> Entry {
        if entries.count >= Self.capacity { evict() }
        clock += 1
        named += 1
        let entry = Entry(name: "k\(named)", pipeline: pipeline)
        entry.lastUse = clock
        entries[Key(text: text)] = entry
        return entry
    }

    /// Names to deallocate with the next pipeline, handed out once.
    mutating func takeGarbage() -> [String] {
        guard !garbage.isEmpty else { return [] }
        defer { garbage.removeAll() }
        return garbage
    }

    /// Forgets everything: the server has lost its statements (DISCARD ALL).
    mutating func removeAll() {
        entries.removeAll()
        garbage.removeAll()
    }

    /// Entries whose Parse is still unanswered stay, since deallocating one that failed would be an error.
    private mutating func evict() {
        let oldest = entries.filter { $0.value.state != .sent }.min { $0.value.lastUse < $1.value.lastUse }
        guard let oldest else { return }
        entries.removeValue(forKey: oldest.key)
        if oldest.value.state == .ready { garbage.append(oldest.value.name) }
    }
}
