import CHost
import Glibc

/// The server's programs at work on one cluster. Everything blocks: for the cluster's own thread only.
struct ClusterServer: Sendable {
    let binaries: String
    let data: String
    let socket: String
    let log: String
    /// Whether it gets only the processor and disk time that nobody else wants.
    var isBackground = false

    private static let startSeconds = 60

    /// Runs initdb. Local connections are trusted because the socket's folder lets nobody else in; by network
    /// nobody is let in.
    /// - Throws: `embedded.initdb` with the end of its output.
    func initialise(_ folder: String, durable: Bool) throws {
        let sync = durable ? [] : ["--no-sync"]
        let child = try spawn(
            "initdb",
            [
                "-D", folder, "-U", "kontor_super", "--auth-local=trust", "--auth-host=reject", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-instructions",
            ] + sync, death: SIGKILL)
        let code = Self.wait(child)
        guard code == 0 else {
            throw EmbeddedError(code: "embedded.initdb", "initdb failed with \(code): \(lastLines)")
        }
    }

    /// Copies a running primary into a folder, which is then a standby's.
    /// - Parameter primary: conninfo of its superuser.
    /// - Throws: `embedded.copy` with the end of its output.
    func copy(_ primary: String, to folder: String, durable: Bool) throws {
        let sync = durable ? [] : ["--no-sync"]
        let child = try spawn(
            "pg_basebackup",
            ["-D", folder, "-d", primary, "--wal-method=stream", "--checkpoint=fast", "--no-password"] + sync,
            death: SIGKILL)
        let code = Self.wait(child)
        let signal = folder + "/standby.signal"
        guard code == 0, Files.write(signal, ""), ServerUser.owns(signal) else {
            throw EmbeddedError(code: "embedded.copy", "pg_basebackup failed with \(code): \(lastLines)")
        }
    }

    /// Who may connect: in this file, so that it follows the program and no file of an older one.
    var hostRules: String { data + ".hba" }

    /// Starts the server and waits until it is ready.
    /// - Parameter rules: lines of its host-based authentication.
    /// - Returns: its pid.
    /// - Throws: `embedded.start` with the end of its log.
    func launch(_ arguments: [String], rules: [String]) throws -> Int32 {
        try OldServer(data: data).clear()
        guard Files.write(hostRules, rules.joined(separator: "\n") + "\n"), ServerUser.owns(hostRules) else {
            throw EmbeddedError(code: "embedded.folder", "cannot write \(hostRules)")
        }
        let child = try spawn("postgres", ["-D", data] + arguments, death: SIGINT)
        for _ in 0..<(Self.startSeconds * 200) {
            if isReady(child) { return child }
            var status: Int32 = 0
            if waitpid(child, &status, WNOHANG) == child {
                throw EmbeddedError(code: "embedded.start", "the server ended at once: \(lastLines)")
            }
            usleep(5000)
        }
        kill(child, SIGQUIT)
        _ = Self.wait(child)
        throw EmbeddedError(code: "embedded.start", "the server was not ready in \(Self.startSeconds) s: \(lastLines)")
    }

    /// Waits for the server's end, as `wait`; of one in the background, the sessions are put there all the while.
    func attend(_ child: Int32) -> Int32 {
        guard isBackground else { return Self.wait(child) }
        var group = BackgroundGroup(of: child)
        defer { group.remove() }
        while true {
            var status: Int32 = 0
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child || (ended < 0 && errno != EINTR) { return Self.code(status) }
            group.take(childrenOf: child)
            usleep(100_000)
        }
    }

    /// Waits for a child's end; its exit code, or 128 and more for a signal.
    static func wait(_ child: Int32) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return code(status)
    }

    private static func code(_ status: Int32) -> Int32 {
        status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + status & 0x7f
    }

    func removePrivateSocket() {
        if !socket.hasPrefix(data.dropLast("/data".count)) { Files.removeTree(socket) }
    }

    /// "ready" on the eighth line of postmaster.pid, and the first line is our child: a stale file may say ready too.
    private func isReady(_ child: Int32) -> Bool {
        guard let lines = Files.read(data + "/postmaster.pid")?.split(separator: "\n", omittingEmptySubsequences: false)
        else { return false }
        return lines.count >= 8 && Int32(lines[0]) == child && lines[7].hasPrefix("ready")
    }

    private func spawn(_ program: String, _ arguments: [String], death: Int32) throws -> Int32 {
        let user = ServerUser.current
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw EmbeddedError(code: "embedded.folder", "cannot write \(log)") }
        defer { close(output) }
        let path = binaries + "/" + program
        let argv = CStrings([path] + arguments)
        let environment = CStrings(["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"])
        let child = argv.withMutable { argv in
            environment.withMutable { environment in
                csystem_spawn_child(
                    path, argv, environment, "/", user.uid, user.gid, death, output, isBackground ? 1 : 0)
            }
        }
        guard child > 0 else { throw EmbeddedError(code: "embedded.start", "cannot fork for \(program)") }
        return child
    }

    private var lastLines: String {
        let lines = (Files.readEnd(log) ?? "").split(separator: "\n").suffix(4)
        return lines.joined(separator: " | ")
    }
}

extension CStrings {
    /// The array as exec wants it; nothing is written to.
    func withMutable<R>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
        pointers.withMemoryRebound(to: UnsafeMutablePointer<CChar>?.self, capacity: count + 1, body)
    }
}
