import Logging
import Synchronization

/// What a listener hears.
public enum Notification: Sendable, Equatable {
    /// Listening began, began anew after a loss, or fell behind: anything may have been missed, so look for yourself.
    case reconnected
    case notified(payload: String)
}

/// One LISTEN connection for all listeners, made at first use and anew after every loss.
final class Listener: Sendable {
    private struct State {
        var streams: [UInt64: (channel: String, continuation: AsyncStream<Notification>.Continuation)] = [:]
        var nextID: UInt64 = 0
        var connection: Connection?
        var keeper: Task<Void, Never>?
        var closed = false
    }

    /// A consumer this far behind loses its oldest notifications and is told `.reconnected`.
    private static let bufferSize = 4096

    private let connector: Connector
    private let log: Logger
    private let state = Mutex(State())

    init(_ connector: Connector, log: Logger) {
        self.connector = connector
        self.log = log
    }

    func listen(_ channel: String) -> AsyncStream<Notification> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Notification.self, bufferingPolicy: .bufferingNewest(Self.bufferSize))
        let connection = state.withLock { state -> Connection? in
            guard !state.closed else {
                continuation.finish()
                return nil
            }
            state.nextID += 1
            let id = state.nextID
            state.streams[id] = (channel, continuation)
            continuation.onTermination = { [weak self] _ in self?.remove(id) }
            if state.keeper == nil { state.keeper = Task { await keep() } }
            return state.connection
        }
        if let connection { Task { await begin(channel, on: connection, tell: continuation) } }
        return stream
    }

    func close() {
        let (connection, streams, keeper) = state.withLock { state in
            state.closed = true
            defer { state.streams = [:] }
            return (state.connection, Array(state.streams.values), state.keeper)
        }
        keeper?.cancel()
        connection?.close()
        for stream in streams { stream.continuation.finish() }
    }

    /// The last listener of a channel ends its LISTEN. A failure means that the connection is gone with it.
    private func remove(_ id: UInt64) {
        let ended = state.withLock { state -> (channel: String, connection: Connection)? in
            guard let channel = state.streams.removeValue(forKey: id)?.channel, let connection = state.connection,
                !state.streams.values.contains(where: { $0.channel == channel })
            else { return nil }
            return (channel, connection)
        }
        guard let ended else { return }
        Task {
            try? await Self.send("UNLISTEN", ended.channel, on: ended.connection)
            // Somebody may have come to listen meanwhile.
            let wanted = state.withLock { $0.streams.values.contains { $0.channel == ended.channel } }
            if wanted { try? await Self.send("LISTEN", ended.channel, on: ended.connection) }
        }
    }

    /// Adds a channel to a connection that is up. If it is lost meanwhile, `keep` sees to the channel.
    private func begin(
        _ channel: String, on connection: Connection, tell continuation: AsyncStream<Notification>.Continuation
    ) async {
        do {
            try await Self.send("LISTEN", channel, on: connection)
            continuation.yield(.reconnected)
        } catch {
            log.debug("LISTEN failed", metadata: ["error": "\(error)"])
        }
    }

    private static func send(_ verb: String, _ channel: String, on connection: Connection) async throws {
        let sql: SQL = "\(unsafeRaw: verb) \(identifier: channel)"
        _ = try await connection.pipeline(prelude: nil, [sql])
    }

    // MARK: Keeping the connection

    private func keep() async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                try await serve { pause = .milliseconds(50) }
            } catch {
                log.warning("listening connection failed", metadata: ["error": "\(error)"])
            }
            guard !state.withLock({ $0.closed }) else { return }
            try? await Task.sleep(for: pause * Double.random(in: 0.75...1.25))
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// Connects, listens to all channels, tells everybody, and returns by throwing when the connection is lost.
    private func serve(_ connected: () -> Void) async throws {
        let connection = try await connector.connect(.listening)
        let (losses, loss) = AsyncStream.makeStream(of: PostgresError.self)
        let early = connection.setHooks(
            Connection.Hooks(
                lost: {
                    loss.yield($0)
                    loss.finish()
                },
                notified: { [weak self] in self?.deliver($0, $1) }))
        if let early { throw early }
        defer {
            state.withLock { $0.connection = nil }
            connection.close()
        }
        let channels = state.withLock { state -> Set<String> in
            state.connection = connection
            return Set(state.streams.values.map(\.channel))
        }
        for channel in channels { try await Self.send("LISTEN", channel, on: connection) }
        connected()
        let streams = state.withLock { state in state.streams.values.filter { channels.contains($0.channel) } }
        for stream in streams { stream.continuation.yield(.reconnected) }
        if state.withLock({ $0.closed }) { return }
        for await error in losses { throw error }
    }

    private func deliver(_ channel: String, _ payload: String) {
        let streams = state.withLock { state in state.streams.values.filter { $0.channel == channel } }
        for stream in streams {
            if case .dropped = stream.continuation.yield(.notified(payload: payload)) {
                stream.continuation.yield(.reconnected)
            }
        }
    }
}
