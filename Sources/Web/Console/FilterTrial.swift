import Foundation
import Hub
import Store

/// What another filter would have decided of past changes.
struct FilterTrial {
    /// How far back changes are looked at.
    static let days = 30

    private let desk: Desk
    /// Of the connection.
    private let system: String
    private let changes: String
    private let differences: [JSON]

    /// Has the changes of the last days decided anew; nothing is sent, and nothing kept.
    /// - Parameters:
    ///   - filter: as a plugin has it.
    ///   - path: of the plugin.
    init(_ desk: Desk, _ filter: JSON, of path: [String: String]) async throws {
        let plugin = try await desk.call.ask("getPlugin", path)
        let system = try await desk.call.ask("getConnector", desk.call.path)["name"]?.string ?? ""
        let since = Date(timeIntervalSinceNow: -Double(Self.days) * 86_400)
        let rule = "\(system)/\(plugin["name"]?.string ?? "")"
        let found = try await desk.call.ask(
            "replay",
            body: [
                "since": .string(ISO8601DateFormatter().string(from: since)), "rules": [rule: ["filter": filter]],
            ])
        (self.desk, self.system) = (desk, system)
        (changes, differences) = (found["changes"]?.scalarText ?? "0", found["differences"]?.array ?? [])
    }

    private func isSent(_ verdict: JSON?) -> Bool { verdict == "accepted" }

    /// Where a change would have been sent that was not, or the other way round.
    private var turned: [JSON] { differences.filter { isSent($0["from"]) != isSent($0["to"]) } }

    /// Members for the page's template.
    func model() async throws -> JSON {
        let phrases = try await desk.phrases()
        func count(_ isMore: Bool) -> Int {
            turned.filter { isSent($0["to"]) == isMore }.reduce(0) { $0 + Int($1["count"]?.int ?? 0) }
        }
        var said = [(false, "filter_stops"), (true, "filter_adds")].compactMap { isMore, key in
            count(isMore) == 0 ? nil : desk.texts.count(key, count(isMore), ["system": system])
        }
        if said.isEmpty { said = [desk.texts["filter_same"]] }
        return [
            "said": .array(said.map(JSON.string)),
            "looked": .string(desk.texts.filled("filter_looked", ["of": changes, "days": String(Self.days)])),
            "items": .array(try await rows(turned, phrases)),
            "others": .array(try await rows(differences.filter { !turned.contains($0) }, phrases)),
            "has_others": .bool(turned.count < differences.count),
        ]
    }

    private func rows(_ differences: [JSON], _ phrases: ReaderPhrases) async throws -> [JSON] {
        func said(_ verdict: JSON?) -> JSON {
            .string(VerdictWords(verdict?.string ?? "", in: phrases).because(system: system))
        }
        var rows: [JSON] = []
        for one in differences {
            rows.append([
                "count": .string(desk.texts.count("filter_changes", Int(one["count"]?.int ?? 0))),
                "was": said(one["from"]), "is": said(one["to"]),
                "records": .array(try await desk.links(to: Array((one["examples"]?.array ?? []).prefix(5)))),
            ])
        }
        return rows
    }
}
