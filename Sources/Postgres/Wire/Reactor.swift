import CHost
import Glibc
import Synchronization

/// One thread that watches the sockets of all connections with level-triggered epoll. It reads results and resumes
/// the tasks that wait for them; sending is done by the tasks themselves.
final class Reactor: Sendable {
    /// The process's only reactor; its thread lives as long as the process.
    static let shared = Reactor()

    /// How often deadlines are looked at while there are any.
    private static let tickMilliseconds: Int32 = 10

    private let epoll: Int32
    private let wake: Int32
    private let nextID = Atomic<UInt64>(1)
    private let connections = Guarded<[UInt64: Connection]>([:])
    private let deadlines = Atomic<Int>(0)

    private init() {
        epoll = csystem_epoll_create()
        wake = csystem_eventfd()
        precondition(epoll >= 0 && wake >= 0, "no epoll or eventfd descriptor: errno \(errno)")
        let code = csystem_epoll_set(epoll, Int32(CSYSTEM_ADD), wake, UInt32(CSYSTEM_IN), 0)
        precondition(code == 0, "cannot watch the eventfd: errno \(errno)")
        startThread { [self] in loop() }
    }

    func newID() -> UInt64 { nextID.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// Starts watching. Returns false when the kernel refuses.
    func add(_ connection: Connection) -> Bool {
        connections.withLock { $0[connection.id] = connection }
        return csystem_epoll_set(
            epoll, Int32(CSYSTEM_ADD), connection.descriptor, UInt32(CSYSTEM_IN), connection.id) == 0
    }

    func change(_ connection: Connection, interest: UInt32) {
        _ = csystem_epoll_set(epoll, Int32(CSYSTEM_MODIFY), connection.descriptor, interest, connection.id)
    }

    /// Stops watching; called before the socket is closed, with the connection's lock held.
    func remove(_ connection: Connection) {
        _ = csystem_epoll_set(epoll, Int32(CSYSTEM_REMOVE), connection.descriptor, 0, 0)
        _ = connections.withLock { $0.removeValue(forKey: connection.id) }
    }

    func deadlineAdded() {
        if deadlines.wrappingAdd(1, ordering: .relaxed).oldValue == 0 { csystem_eventfd_wake(wake) }
    }

    func deadlineRemoved() { deadlines.wrappingSubtract(1, ordering: .relaxed) }

    private func loop() {
        let events = UnsafeMutablePointer<csystem_event>.allocate(capacity: 64)
        var ready: [(connection: Connection, events: UInt32)] = []
        var completions = Completions()
        var nextTick: UInt64 = 0
        while true {
            let timed = deadlines.load(ordering: .relaxed) > 0
            let count = Int(csystem_epoll_wait(epoll, events, 64, timed ? Self.tickMilliseconds : -1))
            connections.withLock { table in
                for index in 0..<max(count, 0) {
                    let event = events[index]
                    if event.data == 0 {
                        csystem_eventfd_drain(wake)
                    } else if let connection = table[event.data] {
                        ready.append((connection, event.events))
                    }
                }
            }
            for item in ready { item.connection.handle(events: item.events, &completions) }
            ready.removeAll(keepingCapacity: true)
            if timed, csystem_now_ns() >= nextTick { nextTick = tick(&completions) }
        }
    }

    /// Times out what is overdue; returns when to look again.
    private func tick(_ completions: inout Completions) -> UInt64 {
        let now = csystem_now_ns()
        let all = connections.withLock { Array($0.values) }
        for connection in all { connection.expire(now, &completions) }
        return now + UInt64(Self.tickMilliseconds) * 1_000_000
    }
}
