import Glibc
import Logging

/// The folder of an embedded cluster: who may use it, and what has to be made in it.
struct ClusterFolder: Sendable {
    let path: String

    /// Written into a cluster by the program that made it: no other cluster is taken over.
    static let marker = "kontor.cluster"

    /// Makes the folder and locks it for this process.
    /// - Returns: the lock's descriptor; closing it lets go.
    /// - Throws: `embedded.in_use`, `embedded.foreign` when somebody's cluster lies here, `embedded.folder`.
    func claim() throws -> Int32 {
        if Files.exists(path + "/PG_VERSION") { throw Self.foreign(path) }
        try make(path)
        let lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.failure("cannot write in", path) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw EmbeddedError(code: "embedded.in_use", "another process owns the cluster in \(path)")
        }
        return lock
    }

    /// Makes the cluster unless it is there, and sees that no old server still works in it.
    /// - Parameter primary: conninfo of the server it is to be a copy of; nil for a cluster of its own.
    func prepare(
        binaries: String?, durable: Bool, copying primary: String?, isBackground: Bool, log: Logger
    ) throws -> ClusterServer {
        let root = Files.real(path)
        let data = root + "/data"
        if Files.exists(data + "/PG_VERSION"), !Files.exists(data + "/" + Self.marker) { throw Self.foreign(data) }
        let server = ClusterServer(
            binaries: try Binaries.find(binaries), data: data, socket: try socketFolder(root),
            log: root + "/postgres.log", isBackground: isBackground)
        if !Files.exists(data + "/PG_VERSION") {
            log.info("making the embedded cluster", metadata: ["folder": "\(data)"])
            try create(server, durable: durable, copying: primary)
        }
        return server
    }

    /// Under a temporary name first: a cluster that was killed half-way is never mistaken for a whole one.
    private func create(_ server: ClusterServer, durable: Bool, copying primary: String?) throws {
        let half = server.data + ".new"
        Files.removeTree(half)
        try make(half)
        if let primary {
            try server.copy(primary, to: half, durable: durable)
        } else {
            try server.initialise(half, durable: durable)
        }
        guard Files.write(half + "/" + Self.marker, "made by kontor\n"), ServerUser.owns(half + "/" + Self.marker),
            rmdir(server.data) == 0 || errno == ENOENT, rename(half, server.data) == 0
        else { throw Self.failure("cannot finish", server.data) }
        let parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
    }

    /// `socket` in the folder, or a private one when that path is longer than a socket's address may be.
    private func socketFolder(_ root: String) throws -> String {
        let own = root + "/socket"
        guard own.utf8.count > 90 else {
            try make(own)
            return own
        }
        for base in ["/run", "/tmp"] {
            var template = Array("\(base)/kontor-pg-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { continue }
            let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try make(made)
            return made
        }
        throw Self.failure("no private socket folder under", "/run or /tmp")
    }

    /// A folder of the server's user, closed to everybody else. One that holds other things keeps its owner.
    private func make(_ folder: String) throws {
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw Self.failure("cannot make", folder) }
        let user = ServerUser.current
        let mine = Files.list(folder).map { $0.isEmpty || $0.contains("lock") || folder.hasSuffix("/socket") } ?? false
        guard mine, getuid() == 0 || user.uid == getuid() else { return }
        guard chown(folder, user.uid, user.gid) == 0, chmod(folder, 0o700) == 0 else {
            throw Self.failure("cannot own", folder)
        }
    }

    private static func foreign(_ path: String) -> EmbeddedError {
        EmbeddedError(code: "embedded.foreign", "\(path) holds a PostgreSQL cluster that was not made by Kontor")
    }

    private static func failure(_ what: String, _ path: String) -> EmbeddedError {
        EmbeddedError(code: "embedded.folder", "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
