import Glibc

/// Processes that a killed owner left behind in a cluster. The folder's lock is held, so no living owner has them.
struct OldServer {
    let data: String

    private static let waitSeconds = 30

    /// Waits for an old server's end, hurrying it, and removes a lock file that no process stands behind.
    /// PostgreSQL would refuse a stale file whose number a process of the same user has got meanwhile.
    /// - Throws: `embedded.in_use` when it does not end.
    func clear() throws {
        for round in 0..<(Self.waitSeconds * 20) {
            let left = processes
            if left.isEmpty { return removeStaleFile() }
            // Fast shutdown by the postmaster; orphans without one are ended after a while.
            if round % 20 == 0 {
                for pid in left where pid == postmaster { kill(pid, SIGINT) }
                if round >= 60 { for pid in left { kill(pid, round >= 200 ? SIGKILL : SIGQUIT) } }
            }
            usleep(50_000)
        }
        throw EmbeddedError(code: "embedded.in_use", "an old server in \(data) does not end")
    }

    private var postmaster: Int32? {
        Files.read(data + "/postmaster.pid")?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// Every server process works in the data folder.
    private var processes: [Int32] {
        (Files.list("/proc") ?? []).compactMap { Int32($0) }.filter { Files.link("/proc/\($0)/cwd") == data }
    }

    private func removeStaleFile() {
        guard let pid = postmaster, kill(pid, 0) == 0 else { return }
        // A postgres whose folder cannot be read may be the old one: then the file stays and PostgreSQL decides.
        if Files.read("/proc/\(pid)/comm")?.hasPrefix("postgres") != true { unlink(data + "/postmaster.pid") }
    }
}
