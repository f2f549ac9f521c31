import Foundation
import Hub

/// Key figures of two weeks, and how they go.
struct Figures {
    private static let days = 14
    /// As the interface gives them, by day.
    private let byDay: [String: JSON]
    /// Days since 1970-01-01.
    private let today: Int

    init(_ items: [JSON], today: Date = Date()) {
        byDay = Dictionary(items.map { ($0["day"]?.string ?? "", $0) }) { one, _ in one }
        self.today = Int(today.timeIntervalSince1970 / 86_400)
    }

    /// Tiles for a page: none where there is nothing to tell, and of orders only where there are any.
    func tiles(_ texts: ConsoleTexts) -> [JSON] {
        guard let contacts = values("contacts").last(where: { $0 != nil }) ?? nil else { return [] }
        var tiles = [tile(texts, "contacts", contacts, of: "new")]
        for what in ["edited", "orders"] where what == "edited" || values(what).contains(where: { $0 ?? 0 > 0 }) {
            tiles.append(tile(texts, what, nil, of: what))
        }
        return tiles
    }

    /// - Parameter value: to be shown; the last week's sum unless told.
    private func tile(_ texts: ConsoleTexts, _ what: String, _ value: Int64?, of flow: String) -> JSON {
        let counted = values(flow)
        let days = counted.map { $0 ?? 0 }
        // a shop that is younger than that had no week before
        let isYoung = counted.prefix(7).allSatisfy { $0 == nil }
        let (before, now) = (days.prefix(7).reduce(0, +), days.suffix(7).reduce(0, +))
        let gone = values("deleted").suffix(7).reduce(0) { $0 + ($1 ?? 0) }
        let key = gone > 0 ? "figure_new_gone" : "figure_new"
        return [
            "title": .string(texts["figure_\(what)"]), "value": .string(texts.grouped(value ?? now)),
            "trend": .string(
                [
                    value == nil ? nil : texts.filled(key, ["n": texts.grouped(now), "gone": texts.grouped(gone)]),
                    isYoung ? nil : texts.filled("figure_before", ["before": texts.grouped(before)]),
                ].compactMap(\.self).joined(separator: "; ")),
            "line": days.contains { $0 > 0 } ? .string(Self.line(days)) : .null,
        ]
    }

    /// Of each day, the oldest first; nil where nothing was counted.
    private func values(_ what: String) -> [Int64?] {
        (0..<Self.days).reversed().map { ago in
            Day(daysSinceEpoch: today - ago).flatMap { byDay[$0.iso]?[what]?.int }
        }
    }

    /// Points of a line in a field of 130 by 32.
    private static func line(_ days: [Int64]) -> String {
        let most = Double(max(days.max() ?? 0, 1))
        return days.enumerated().map { index, count in
            "\(index * 10),\((30 - 28 * Double(count) / most).rounded())"
        }.joined(separator: " ")
    }
}
