import Glibc

/// Puts a server's sessions in the background, so that they get only the processor time that nobody else wants.
///
/// The idle class that the server runs in (sched(7), SCHED_IDLE) does that by itself within one group of processes. But
/// where Linux groups processes by session (autogroup), each of PostgreSQL's is a group of its own with a full share. A
/// control group that is idle as a whole (cgroups, cpu.idle) settles it; where none can be made, for want of rights, each
/// session's group is at least given the smallest share.
struct BackgroundGroup {
    private let folder: String?
    private var settled = Set<Int32>()

    /// - Parameter server: the postmaster.
    init(of server: Int32) {
        // version 1 of control groups, then version 2
        let places = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"]
        for place in places {
            // of servers whose owner was killed
            for name in Files.list(place) ?? [] where name.hasPrefix("kontor-") {
                if let old = Int32(name.dropFirst(7)), kill(old, 0) != 0 { rmdir("\(place)/\(name)") }
            }
        }
        folder = places.map { "\($0)/kontor-\(server)" }.first {
            guard mkdir($0, 0o755) == 0 else { return false }
            if Files.overwrite($0 + "/cpu.idle", "1") { return true }
            rmdir($0)
            return false
        }
    }

    /// Takes in the sessions that began since it was asked last. What follows the primary keeps its share.
    mutating func take(childrenOf server: Int32) {
        let own = Files.read("/proc/\(server)/task/\(server)/children") ?? ""
        let present = Set(own.split(separator: " ").compactMap { Int32($0) })
        for process in present.subtracting(settled) {
            // it is told by its title, once it has one; a session's names the client's address
            guard let title = Files.read("/proc/\(process)/cmdline"), title.hasPrefix("postgres: ") else { continue }
            if title.contains("("), folder.map({ Files.overwrite($0 + "/cgroup.procs", "\(process)") }) != true {
                // a system without groups needs none of it, and a session may have gone meanwhile
                _ = Files.overwrite("/proc/\(process)/autogroup", "19")
            }
            settled.insert(process)
        }
        settled.formIntersection(present)
    }

    /// Removes the group, once the server has ended.
    func remove() { if let folder { rmdir(folder) } }
}
