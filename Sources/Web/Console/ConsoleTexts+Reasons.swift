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

    /// What another system meant by not taking a contact; its own words are told beside it.
    /// - Parameter code: of the delivery, as the interface gives it.
    func refusal(_ code: JSON?, of system: JSON?) -> JSON {
        let key = "refusal_\(code?.string ?? "")"
        return .string(filled(known(key) == nil ? "refusal_other" : key, ["system": system?.string ?? ""]))
    }

    /// What is wrong with a value of a row, by its code; the value itself stands at the end of what the interface says.
    /// - Parameter problem: with `code` and `message`.
    func problem(ofValue problem: JSON) -> JSON {
        guard let said = known("value_\(problem["code"]?.string ?? "")") else {
            return problem["message"] ?? problem["code"] ?? .null
        }
        let halves = (problem["message"]?.string ?? "").split(separator: ": ", maxSplits: 1)
        return .string(halves.count == 2 ? "\(said) (\(halves[1]))" : said)
    }
}
