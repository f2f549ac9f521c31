import HTTPTypes
import Hub

/// Which columns a reader's list of contacts has, besides who each is: kept by the browser, as it is about its window.
struct ContactColumns: Sendable {
    enum Column: Sendable, Equatable {
        case emails, phones, tags, changed
        case field(String)

        init(_ key: String) {
            switch key {
            case "emails": self = .emails
            case "phones": self = .phones
            case "tags": self = .tags
            case "changed": self = .changed
            default: self = .field(key)
            }
        }
    }
    private static let usual = ["emails", "phones", "tags", "changed"]
    private static let most = 8
    private static let cookie = "kontor-columns"
    /// Fields that stand in the first column.
    private static let within = ["name", "kind", "given_name", "family_name"]

    private let keys: [String]
    let columns: [Column]
    var isUsual: Bool { keys == Self.usual }
    /// Fields of a contact that its line is made of.
    var fields: [String] { ["company"] + keys }

    private init(_ keys: [String]) {
        self.keys = keys
        columns = keys.map(Column.init)
    }

    /// As the browser has them.
    init(_ headers: HTTPFields) {
        let kept = (ConsoleSession.cookie(Self.cookie, headers) ?? "").split(separator: ".").map(String.init)
        let good = kept.filter { $0.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x5F } }
        self.init(good.isEmpty ? Self.usual : Array(good.prefix(Self.most)))
    }

    /// As they were chosen, in the order in which they are offered.
    init(_ form: FormBody, fields: [JSON]) {
        let chosen = Set(form.all("column"))
        let keys = Self.offered(fields).filter(chosen.contains)
        self.init(keys.isEmpty ? Self.usual : Array(keys.prefix(Self.most)))
    }

    /// The field that has the browser keep them for a year, or forget them.
    var cookie: String {
        "\(Self.cookie)=\(isUsual ? "" : keys.joined(separator: ".")); Path=/contacts; HttpOnly; SameSite=Lax; "
            + "Max-Age=\(isUsual ? 0 : 31_536_000)"
    }

    private static func offered(_ fields: [JSON]) -> [String] {
        let keys = fields.compactMap { $0["key"]?.string }.filter { !within.contains($0) }
        // the usual ones stand where they always do
        return usual.dropLast() + keys.filter { !usual.contains($0) } + ["changed"]
    }

    /// Writes the cells of the table's head.
    func writeTitles(to page: inout Markup, _ texts: ConsoleTexts, _ fields: [JSON]) {
        for key in keys {
            page.tags("<th scope=\"col\">")
            page.text(Self.title(key, texts, fields))
            page.tags("</th>")
        }
    }

    /// What there is to choose from.
    func choices(_ texts: ConsoleTexts, _ fields: [JSON]) -> JSON {
        .array(
            Self.offered(fields).map { key in
                [
                    "value": .string(key), "text": .string(Self.title(key, texts, fields)),
                    "is_chosen": .bool(keys.contains(key)),
                ]
            })
    }

    private static func title(_ key: String, _ texts: ConsoleTexts, _ fields: [JSON]) -> String {
        key == "changed" ? texts["changed"] : texts.label(key, fields)
    }
}
