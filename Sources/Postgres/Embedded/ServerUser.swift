import Glibc

/// Who runs the server: PostgreSQL refuses to run as root.
struct ServerUser {
    let uid: uid_t
    let gid: gid_t

    /// Gives a file to the server.
    static func owns(_ path: String) -> Bool { chown(path, current.uid, current.gid) == 0 }

    /// The service's own user, or `postgres`, else `nobody`, when the service runs as root.
    static var current: ServerUser {
        guard getuid() == 0 else { return ServerUser(uid: getuid(), gid: getgid()) }
        for name in ["postgres", "nobody"] {
            if let entry = getpwnam(name) { return ServerUser(uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid) }
        }
        return ServerUser(uid: 65_534, gid: 65_534)
    }
}
