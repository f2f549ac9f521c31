import Hub
import Mustache

/// The members of an object for templates, each made as they take it when it is asked for. What is null is not there. Types of
/// our own, for the templates ask each value what it is, and of those of the standard library that takes long.
struct Members: MustacheParent, @unchecked Sendable {
    private let members: [String: JSON]
    // texts and members, which never change
    private let more: [String: Any]

    init(_ members: [String: JSON], more: [String: Any] = [:]) { (self.members, self.more) = (members, more) }

    func child(named name: String) -> Any? { members[name]?.plain ?? more[name] }
}

/// A text in a template.
struct Words: MustacheCustomRenderable {
    let renderText: String
    var isNull: Bool { false }

    init(_ text: String) { renderText = text }
}

/// Texts in pages, escaped as everywhere: the library's own way looks at each character for itself, which takes most of a page's time.
struct PageContent: MustacheContentType {
    static let name = "PAGE"

    func escapeText(_ text: String) -> String { HTMLPage.escaped(text) }
}

extension JSON {
    /// As templates take values.
    fileprivate var plain: Any? {
        switch self {
        case .null: nil
        case .bool(let value): value
        case .int(let value): Words(String(value))
        case .double(let value): Words(String(value))
        case .string(let value): Words(value)
        case .array(let items): items.compactMap(\.plain)
        case .object(let members): Members(members)
        }
    }
}
