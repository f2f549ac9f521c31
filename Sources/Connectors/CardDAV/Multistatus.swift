import ConnectorKit

/// The answer to PROPFIND and REPORT (RFC 4918 section 13, RFC 6578 section 6.4).
struct Multistatus {
    struct Member {
        var href: String
        /// Of the whole resource; nil when its properties have statuses of their own.
        var status: Int?
        /// Properties with status 200.
        var properties: [XMLNode]

        func property(_ name: String) -> XMLNode? { properties.first { $0.name == name } }
        var etag: String? { property("{DAV:}getetag")?.trimmed }
        func isResource(_ type: String) -> Bool { property("{DAV:}resourcetype")?.first(type) != nil }
    }

    var members: [Member]
    var syncToken: String?

    /// - Throws: `RemoteError.later` when the answer is no multistatus.
    init(_ response: HTTPResponse) throws(RemoteError) {
        guard let root = XMLNode.parse(response.body), root.name == "{DAV:}multistatus" else {
            throw .later(code: "bad_answer", message: "the answer is no WebDAV multistatus")
        }
        syncToken = root.first("{DAV:}sync-token")?.trimmed
        members = root.all("{DAV:}response").compactMap { node in
            guard let href = node.first("{DAV:}href")?.trimmed, !href.isEmpty else { return nil }
            let good = node.all("{DAV:}propstat").filter {
                $0.first("{DAV:}status").flatMap { Self.code($0.trimmed) } == 200
            }
            return Member(
                href: href, status: node.first("{DAV:}status").flatMap { Self.code($0.trimmed) },
                properties: good.flatMap { $0.first("{DAV:}prop")?.children ?? [] })
        }
    }

    /// 404 of "HTTP/1.1 404 Not Found".
    private static func code(_ line: String) -> Int? {
        let words = line.split(separator: " ")
        return words.count > 1 ? Int(words[1]) : nil
    }
}
