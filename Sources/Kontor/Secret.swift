import ArgumentParser
import Foundation

/// Words that must not be seen.
enum Secret {
    /// A line typed without being shown, or the next line of standard input.
    static func read(_ prompt: String) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return readLine() ?? "" }
        guard let typed = getpass(prompt) else { throw ValidationError("no password was typed") }
        return String(cString: typed)
    }
}
