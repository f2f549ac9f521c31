import Hub

/// Why a connection or a run stands still: where Kontor said so itself, in the reader's language; another system's words stay as they are.
extension ConsoleTexts {
    /// - Parameter reason: of a connection's state, as the interface gives it.
    func reason(_ reason: JSON?) -> JSON {
        guard let text = reason?.string else { return .null }
        let watch =
            /paused by the watch: ([0-9]+) contacts (edited|deleted) within an hour, where the most before was ([0-9]+)/
        guard let found = text.wholeMatch(of: watch) else { return .string(text) }
        let said = filled("alert_\(found.2)", ["n": String(found.1), "usual": String(found.3)])
        return .string("\(self["alert_paused"]): \(said)")
    }

    /// - Parameter run: as the interface gives it.
    func message(ofRun run: JSON) -> JSON {
        run["state"] == "awaiting_approval" ? .string(self["run_awaits"]) : run["message"] ?? .null
    }
}
