import Hub

/// A contact in one line: what lists show of it.
struct ContactLine {
    let id: String
    let name: String
    let initials: String
    let company: String?
    let email: String?
    let phone: String?
    let tags: [String]
    /// As the interface says it (RFC 3339, in UTC).
    let changed: String
    /// What further columns say, by field.
    let others: [String: String]

    /// - Parameters:
    ///   - contact: as the interface gives it.
    ///   - columns: which columns there are.
    ///   - known: fields as the interface lists them.
    init(_ contact: JSON, _ texts: ConsoleTexts, _ columns: [ContactColumns.Column] = [], _ known: [JSON] = []) {
        let (said, fields) = (contact["name"]?.string ?? "", contact["fields"] ?? [:])
        id = contact["id"]?.scalarText ?? ""
        name = said.isEmpty ? texts["contact_nameless"] : said
        initials = FieldText.initials(said)
        company = fields["company"]?.string
        (email, phone) = (FieldText.first(fields["emails"]), FieldText.first(fields["phones"]))
        tags = (fields["tags"]?.array ?? []).compactMap(\.string)
        changed = contact["updated_at"]?.string ?? ""
        var others: [String: String] = [:]
        for case .field(let key) in columns {
            others[key] = texts.pieces(fields[key] ?? .null, of: key, known).compactMap { $0["text"]?.string }
                .joined(separator: ", ")
        }
        self.others = others
    }

    /// Writes it as a row of the table of contacts.
    /// - Parameter pick: what its box is called, where it may be marked.
    func write(to page: inout Markup, _ columns: [ContactColumns.Column], pick: String?) {
        page.tags("<tr>")
        if let pick {
            page.tags("<td class=\"pick\"><input type=\"checkbox\" name=\"id\" value=\"")
            page.text(id)
            page.tags("\" form=\"many\" aria-label=\"")
            page.text(pick)
            page.tags(" ")
            page.text(name)
            page.tags("\"></td>")
        }
        page.tags("<td><a class=\"who\" href=\"/contacts/")
        page.text(id)
        page.tags("\"><span class=\"face\" aria-hidden=\"true\">")
        page.text(initials)
        page.tags("</span><span><strong>")
        page.text(name)
        page.tags("</strong>")
        if let company {
            page.tags("<small>")
            page.text(company)
            page.tags("</small>")
        }
        page.tags("</span></a></td>")
        for column in columns { write(column, to: &page) }
        page.tags("</tr>")
    }

    private func write(_ column: ContactColumns.Column, to page: inout Markup) {
        switch column {
        case .emails: write(email ?? "", to: &page)
        case .phones: write(phone ?? "", to: &page)
        case .field(let key): write(others[key] ?? "", to: &page)
        case .tags:
            page.tags("<td>")
            for tag in tags {
                page.tags("<a class=\"chip\" href=\"/contacts?tag=")
                page.text(PercentText.encode(tag))
                page.tags("\">")
                page.text(tag)
                page.tags("</a>")
            }
            page.tags("</td>")
        case .changed:
            page.tags("<td class=\"text\"><small><time datetime=\"")
            page.text(changed)
            page.tags("\" data-moment=\"day\">")
            page.text(Desk.readable(changed))
            page.tags("</time></small></td>")
        }
    }

    private func write(_ text: String, to page: inout Markup) {
        page.tags("<td class=\"text\">")
        page.text(text)
        page.tags("</td>")
    }
}
