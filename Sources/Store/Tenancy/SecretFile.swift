import Glibc

/// A file that only its owner reads.
enum SecretFile {
    /// Puts a file in place of another: after a crash there is the one or the other, whole.
    static func replace(_ path: String, with text: String) -> Bool {
        let half = path + ".new"
        unlink(half)
        let file = open(half, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        let bytes = Array(text.utf8)
        let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        close(file)
        guard isWritten, rename(half, path) == 0 else { return false }
        // the name, too, is to be on the disk
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let folder = open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return fsync(folder) == 0
    }
}
