/// Look-ups of several tasks under one Sync. While the server is busy with what was sent before, look-ups wait in
/// libpq's buffer; the next answer sends them on together. They are one implicit transaction then, which costs the
/// server and the wire a good deal less than one each. Guarded by the connection's lock.
///
/// Each begins with a context of its own. When one fails, the server skips those after it, which are then sent
/// again alone; those before it have read what they wanted, and writing is not for look-ups.
struct LookUpGroup {
    /// Answers leave the server with the Sync: a group must not grow long.
    private static let limit = 16

    private var count = 0
    private var hasPrelude = false
    /// Syncs that were sent and not answered yet.
    private var awaited = 0

    /// Look-ups were sent without their Sync.
    var isOpen: Bool { count > 0 }
    /// An answer will come that sends on what waits.
    var mayWait: Bool { awaited > 0 }
    /// Look-ups wait and no answer is to come any more.
    var isDue: Bool { isOpen && awaited == 0 }

    /// Whether one more may join. Without a prelude it would run under the context of the one before it.
    func takes(hasPrelude: Bool) -> Bool { count < Self.limit && hasPrelude == self.hasPrelude }

    mutating func add(hasPrelude: Bool) {
        count += 1
        self.hasPrelude = hasPrelude
    }

    mutating func sentSync() {
        count = 0
        awaited += 1
    }

    mutating func synced() { awaited -= 1 }
}
