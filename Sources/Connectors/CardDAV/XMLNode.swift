import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// An XML element with its namespace, as far as WebDAV needs it.
final class XMLNode {
    /// "{DAV:}href"
    let name: String
    fileprivate(set) var children: [XMLNode] = []
    fileprivate(set) var text = ""

    fileprivate init(_ name: String) { self.name = name }

    func first(_ name: String) -> XMLNode? { children.first { $0.name == name } }
    func all(_ name: String) -> [XMLNode] { children.filter { $0.name == name } }

    /// The name without its namespace.
    var localName: String { String(name.drop { $0 != "}" }.dropFirst()) }
    var trimmed: String { text.trimmingCharacters(in: .whitespacesAndNewlines) }

    /// Whether an element of this name stands here or anywhere below.
    func holds(_ name: String) -> Bool { self.name == name || children.contains { $0.holds(name) } }

    /// The root of a document; nil for what is no well-formed XML, declares entities of its own, or is
    /// nested deeper than 64 levels.
    static func parse(_ bytes: [UInt8]) -> XMLNode? {
        guard !declaresTypes(bytes) else { return nil }
        let parser = XMLParser(data: Data(bytes))
        let builder = Builder()
        parser.shouldProcessNamespaces = true
        parser.shouldResolveExternalEntities = false
        parser.delegate = builder
        return parser.parse() && builder.open.isEmpty ? builder.root : nil
    }

    /// Whether a document type stands before the root, or the bytes are of an encoding that hides it.
    private static func declaresTypes(_ bytes: [UInt8]) -> Bool {
        for place in bytes.indices.dropLast() {
            if bytes[place] == 0 { return true }
            guard bytes[place] == UInt8(ascii: "<") else { continue }
            switch bytes[place + 1] {
            case UInt8(ascii: "?"): continue
            case UInt8(ascii: "!"):
                let rest = bytes[(place + 2)...]
                guard rest.starts(with: "--".utf8) else { return true }
            default: return false
            }
        }
        return false
    }

    private final class Builder: NSObject, XMLParserDelegate {
        var root: XMLNode?
        var open: [XMLNode] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            let node = XMLNode("{\(namespaceURI ?? "")}\(name)")
            if let parent = open.last { parent.children.append(node) } else { root = node }
            open.append(node)
            if open.count > 64 { parser.abortParsing() }
        }

        func parser(_ parser: XMLParser, didEndElement: String, namespaceURI: String?, qualifiedName: String?) {
            if !open.isEmpty { open.removeLast() }
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) { open.last?.text += text }

        func parser(_ parser: XMLParser, foundCDATA data: Data) {
            open.last?.text += String(decoding: data, as: UTF8.self)
        }
    }
}
