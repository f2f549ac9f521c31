import Glibc

/// The server's settings, tuned for the machine.
struct ServerSettings {
    let own: [String: String]
    let durable: Bool
    let socket: String
    let hostRules: String

    /// Names the socket too, so clients need it even without TCP.
    var port: String { own["port"] ?? "5432" }

    /// Command-line arguments, `-c name=value` each.
    var arguments: [String] {
        var all = [
            "listen_addresses": "", "unix_socket_directories": socket, "unix_socket_permissions": "0700",
            "hba_file": hostRules,
            "port": port, "max_connections": "60", "shared_buffers": "\(Self.sharedBuffers)MB",
            "wal_level": "replica", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
            "max_locks_per_transaction": "256", "jit": "off", "wal_compression": "on",
            "checkpoint_timeout": "15min", "timezone": "UTC", "log_timezone": "UTC", "logging_collector": "off",
            // Statements in the log would hold personal data.
            "log_min_error_statement": "panic", "log_error_verbosity": "terse",
        ]
        if !durable {
            // a standby is sent what was written: without waiting for it at commit, the writer has to be quick
            all.merge([
                "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_writer_delay": "10ms",
            ]) { $1 }
        }
        all.merge(own.filter { $0.key != "KONTOR_PG_BIN" }) { $1 }
        return all.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
    }

    /// An eighth of the memory in MB, from 32 to 512; a container's limit counts as its memory.
    private static var sharedBuffers: Int {
        var memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        if let limit = Files.read("/sys/fs/cgroup/memory.max").flatMap({ Int($0.prefix { $0 != "\n" }) }) {
            memory = min(memory, limit)
        }
        return max(32, min(512, memory / 8 / 1_048_576))
    }
}
