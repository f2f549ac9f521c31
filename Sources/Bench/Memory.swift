import Foundation

/// Memory of processes, from /proc.
enum Memory {
    /// A line of /proc/PID/status in MB: VmHWM (peak), VmRSS, RssAnon (own, not shared). Nil for a process that is gone.
    static func megabytes(_ line: String, of process: Int32) -> Double? {
        guard let status = FileManager.default.contents(atPath: "/proc/\(process)/status") else { return nil }
        return String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(line + ":") }
            .flatMap { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first }.flatMap { Double($0) }
            .map { $0 / 1024 }
    }

    /// Makes the peak of this process start again from what it holds now (proc(5), clear_refs).
    static func resetPeak() {
        FileHandle(forWritingAtPath: "/proc/self/clear_refs")?.write(Data("5\n".utf8))
    }
}
