import HTTPTypes
import Hub

/// What the shop holds about a person, as a page to read or print.
enum SubjectPage {
    static func answer(_ export: JSON) -> Answer {
        let contact = export["contact"]
        var body = "<h2>Fields</h2>" + table(contact?["fields"] ?? .null)
        for (title, part) in [
            ("Consents", "consents"), ("Orders", "orders"), ("Systems that hold it, too", "systems"),
            ("History", "history"),
        ] {
            let items = export[part]?.array ?? []
            guard !items.isEmpty else { continue }
            body += "<h2>\(title)</h2>" + items.map(table).joined()
        }
        let name = contact?["name"]?.string ?? ""
        return HTMLPage.answer(title: name.isEmpty ? "What we hold about you" : name, language: "en", body)
            .with(.contentDisposition, "attachment; filename=\"subject.html\"")
    }

    private static func table(_ value: JSON) -> String {
        let rows = (value.object ?? [:]).sorted { $0.key < $1.key }.filter { !$0.value.isNull }
        return "<table>"
            + rows.map { "<tr><th>\(HTMLPage.escaped($0.key))</th><td>\(cell($0.value))</td></tr>" }.joined()
            + "</table>"
    }

    private static func cell(_ value: JSON) -> String {
        switch value {
        case .array(let items): items.map(cell).joined(separator: "<br>")
        case .object: table(value)
        default: HTMLPage.escaped(value.scalarText ?? "")
        }
    }
}
