import Glibc
public import Logging
import Synchronization

/// A private PostgreSQL cluster in a folder of the service, reached by unix socket only and stopped with the service
/// (even by kill -9: the kernel then sends the server its fast-shutdown signal).
///
/// The folder holds `data` (the cluster, with a marker that this program made it), `socket`, `postgres.log` and
/// `lock`, which keeps a second owner out. A server that dies on its own is started again.
public final class EmbeddedPostgres: Sendable {
    private enum Phase {
        case stopped
        case running(pid: Int32)
        case stopping
    }

    private struct State {
        var phase = Phase.stopped
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let folder: ClusterFolder
    private let primary: String?
    private let rules: [String]
    private let settings: [String: String]
    private let durable: Bool
    private let isBackground: Bool
    private let log: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - directory: the folder, made if it is missing.
    ///   - settings: server settings over the built-in ones; `KONTOR_PG_BIN` names the folder of the server's
    ///     programs (as does the environment variable of that name).
    ///   - copyOf: conninfo of the superuser of a cluster this is a hot standby of, which is made by copying it and then
    ///     follows it.
    ///   - rules: lines of pg_hba.conf before the last one, which trusts who may open the private socket.
    ///   - durable: false gives up safety against power loss for speed; for tests.
    ///   - isBackground: it gets only the processor and disk time that nobody else wants.
    public init(
        directory: String, log: Logger, settings: [String: String] = [:], copyOf primary: String? = nil,
        rules: [String] = [], durable: Bool = true, isBackground: Bool = false
    ) {
        folder = ClusterFolder(path: directory)
        self.primary = primary
        self.rules = rules + ["local all,replication all trust"]
        self.settings = settings
        self.durable = durable
        self.isBackground = isBackground
        self.log = log
    }

    /// The postmaster's process, nil while it is not running.
    public var processID: Int32? {
        state.withLock { if case .running(let pid) = $0.phase { pid } else { nil } }
    }

    /// Makes the cluster at first use, starts the server and waits until it takes connections.
    /// - Returns: a conninfo for the superuser `kontor_super`, database `postgres`.
    /// - Throws: `EmbeddedError`.
    public func start() async throws -> String {
        let isStopped = state.withLock { if case .stopped = $0.phase { true } else { false } }
        guard isStopped else {
            throw EmbeddedError(code: "embedded.in_use", "this cluster has been started already")
        }
        return try await withCheckedThrowingContinuation { continuation in
            // This thread lives as long as the server: the death signal follows the thread that forked.
            startThread { [self] in ownCluster { continuation.resume(with: $0) } }
        }
    }

    /// Stops the server (clients are disconnected, a checkpoint is written) and waits for its end.
    public func stop() async {
        await withCheckedContinuation { continuation in
            let idle = state.withLock { state -> Bool in
                if case .stopped = state.phase { return true }
                state.stopWaiters.append(continuation)
                if case .running(let pid) = state.phase { kill(pid, SIGINT) }
                state.phase = .stopping
                return false
            }
            if idle { continuation.resume() }
        }
    }

    /// Removes a stopped standby's copy, so that the next start makes a new one.
    public func discard() {
        guard primary != nil, processID == nil else { return }
        Files.removeTree(folder.path + "/data")
    }

    // MARK: On the cluster's own thread

    private func ownCluster(_ started: (Result<String, any Error>) -> Void) {
        do {
            let lock = try folder.claim()
            defer { close(lock) }
            let server = try folder.prepare(
                binaries: settings["KONTOR_PG_BIN"], durable: durable, copying: primary, isBackground: isBackground,
                log: log)
            var own = settings
            if let primary { own["primary_conninfo"] = primary }
            let configured = ServerSettings(
                own: own, durable: durable, socket: server.socket, hostRules: server.hostRules)
            let arguments = configured.arguments
            let child = try server.launch(arguments, rules: rules)
            state.withLock { $0.phase = .running(pid: child) }
            log.info(
                "embedded PostgreSQL runs",
                metadata: ["pid": "\(child)", "socket": "\(server.socket)"])
            started(
                .success("host='\(server.socket)' port=\(configured.port) user=kontor_super dbname=postgres"))
            watch(child, server, arguments)
            server.removePrivateSocket()
        } catch {
            started(.failure(error))
        }
        let waiters = state.withLock { state in
            state.phase = .stopped
            defer { state.stopWaiters = [] }
            return state.stopWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for the server's end; one that was not asked for is followed by a new start.
    private func watch(_ first: Int32, _ server: ClusterServer, _ arguments: [String]) {
        var child = first
        var pause: UInt32 = 100_000
        while true {
            let code = server.attend(child)
            guard !isStopping else { return }
            log.error("embedded PostgreSQL ended by itself", metadata: ["status": "\(code)"])
            while true {
                do {
                    child = try server.launch(arguments, rules: rules)
                    pause = 100_000
                    break
                } catch {
                    log.error("embedded PostgreSQL does not start", metadata: ["error": "\(error)"])
                    guard !isStopping else { return }
                    usleep(pause)
                    pause = min(pause * 2, 5_000_000)
                }
            }
            let stopping = state.withLock { state -> Bool in
                if case .stopping = state.phase { return true }
                state.phase = .running(pid: child)
                return false
            }
            if stopping { kill(child, SIGINT) }
        }
    }

    private var isStopping: Bool { state.withLock { if case .stopping = $0.phase { true } else { false } } }
}
