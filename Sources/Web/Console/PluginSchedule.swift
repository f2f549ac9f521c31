import Hub

/// When a plugin that pulls does so, from which day it takes, and how much it may change unasked.
struct PluginSchedule {
    /// Seconds between polls that are offered.
    private static let offered: [Int64] = [60, 300, 900, 3_600, 21_600, 86_400]
    /// What is set where nothing was chosen before a plugin is switched on.
    private static let usual: Int64 = 300

    private let plugin: JSON
    private let texts: ConsoleTexts

    /// - Parameter plugin: as the interface shows it.
    init(_ plugin: JSON, _ texts: ConsoleTexts) { (self.plugin, self.texts) = (plugin, texts) }

    /// The change that switches a plugin; one that pulls and never did gets a schedule with it.
    static func switched(to state: String, _ plugin: JSON) -> JSON {
        var edit: JSON = ["state": .string(state)]
        if state == "on", plugin["capability"] == "pull", isNew(plugin) { edit["every_seconds"] = .int(usual) }
        return edit
    }

    /// Whether nobody has chosen when it looks.
    private static func isNew(_ plugin: JSON) -> Bool {
        (plugin["every_seconds"] ?? .null).isNull && (plugin["next_at"] ?? .null).isNull
    }

    /// What a form says, as a change of the plugin.
    static func edit(_ form: FormBody) -> JSON {
        func whole(_ name: String) -> JSON {
            form[name].isEmpty ? .null : Int64(form[name]).map { .int($0) } ?? .string(form[name])
        }
        return [
            "every_seconds": whole("every"), "since": form["since"].isEmpty ? .null : .string(form["since"]),
            "max_changes": whole("max"),
        ]
    }

    /// - Parameter form: what was typed, when that was refused.
    func model(_ form: FormBody?) -> JSON {
        let kept = Self.isNew(plugin) ? Self.usual : plugin["every_seconds"]?.int
        let chosen = form.map { Int64($0["every"]) } ?? kept
        let choices = Self.offered + (chosen.map { Self.offered.contains($0) ? [] : [$0] } ?? [])
        return [
            "every": .array(
                choices.sorted().map { seconds in
                    [
                        "value": .int(seconds), "text": .string(spoken(seconds)), "is_chosen": .bool(seconds == chosen),
                    ]
                }),
            "is_asked": .bool(chosen == nil),
            "since": .string(form?["since"] ?? plugin["since"]?.string ?? ""),
            "max": .string(form?["max"] ?? plugin["max_changes"]?.scalarText ?? ""),
        ]
    }

    private func spoken(_ seconds: Int64) -> String {
        let (unit, size) =
            seconds % 86_400 == 0
            ? ("every_days", 86_400)
            : seconds % 3_600 == 0
                ? ("every_hours", 3_600) : seconds % 60 == 0 ? ("every_minutes", 60) : ("every_seconds", 1)
        return texts.count(unit, Int(seconds) / size)
    }
}
