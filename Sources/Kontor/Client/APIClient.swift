import ArgumentParser
import ConnectorKit
import Foundation
import Hub

/// Where the service is, and who asks.
struct ClientOptions: ParsableArguments {
    @Option(help: "Address of the service (KONTOR_URL).")
    var url = ProcessInfo.processInfo.environment["KONTOR_URL"] ?? "http://127.0.0.1:8480"
    @Flag(help: "Print the answer as JSON, on one line.") var json = false

    /// Prints an answer: as JSON, or for people.
    func show(_ answer: JSON) {
        print(json ? answer.text : Plain.text(answer))
    }

    var client: APIClient {
        get throws { try APIClient(url: url) }
    }
}

/// Calls the service's API with the token in KONTOR_TOKEN.
struct APIClient {
    private let base: String
    private let token: String?
    private let http: HTTPClient
    /// Seconds for a call, and for one that sends a file.
    private static let (patience, filePatience) = (60.0, 7200.0)

    /// - Parameter isSigningIn: goes without a token.
    init(url: String, isSigningIn: Bool = false) throws {
        let token = ProcessInfo.processInfo.environment["KONTOR_TOKEN"] ?? ""
        guard isSigningIn || !token.isEmpty else {
            throw Failure(
                .unauthenticated, "token.missing",
                "Set KONTOR_TOKEN to an API token (kontor tenant token NAME) or a session's (kontor sign-in).")
        }
        self.token = isSigningIn ? nil : token
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
        // where the service is, is the user's own choice
        http = HTTPClient(guard: try AddressGuard(allow: ["0.0.0.0/0", "::/0"]), maxTimeout: Self.filePatience)
    }

    /// - Parameters:
    ///   - path: below /api/v1.
    ///   - query: parameters; those without a value are left out.
    ///   - file: path of a file that is sent as the body.
    /// - Throws: `Failure` with the service's own code and message.
    func call(
        _ method: String, _ path: String, query: [(String, String?)] = [], body: JSON? = nil, file: String? = nil,
        contentType: String = "application/json", headers: [(String, String)] = []
    ) async throws -> JSON {
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(Self.escaped($0))" } }
        let url = base + "/api/v1" + path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
        var all = [("Accept", "application/json")] + headers
        if let token { all.append(("Authorization", "Bearer \(token)")) }
        if file != nil || body != nil { all.append(("Content-Type", contentType)) }
        var request = HTTPRequest(
            method, url, headers: all, body: body?.bytes, timeout: file == nil ? Self.patience : Self.filePatience)
        request.bodyFile = file
        let response: HTTPResponse
        do {
            response = try await http.send(request)
        } catch {
            throw Failure(.unavailable, "service.unreachable", "The service at \(base) cannot be reached: \(error)")
        }
        let answer = response.body.isEmpty ? JSON.null : try JSON(parsing: response.body)
        guard (200..<300).contains(response.status) else {
            throw Failure(
                .invalid, answer["code"]?.string ?? "http_\(response.status)",
                answer["detail"]?.string ?? answer["title"]?.string ?? "The service answered \(response.status).",
                details: answer["errors"]?.array ?? [])
        }
        return answer
    }

    /// Waits until a run has ended, with a progress line on a terminal.
    func wait(run id: Int64) async throws -> JSON {
        let isTerminal = isatty(2) == 1
        while true {
            let run = try await call("GET", "/runs/\(id)")
            let state = run["state"]?.string ?? ""
            if isTerminal { Progress.draw(run) }
            if !["staging", "queued", "running"].contains(state) {
                if isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
                return run
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static func escaped(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
    }
}

/// A line that shows how far a run is.
private enum Progress {
    static func draw(_ run: JSON) {
        let done = (run["counts"]?.object ?? [:]).values.compactMap(\.int).reduce(0, +)
        let total = done + (run["waiting"]?.int ?? 0)
        let width = 30
        let filled = total > 0 ? Int(Int64(width) * done / total) : 0
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        FileHandle.standardError.write(Data("\r\(bar) \(done) of \(total) rows, \(run["state"]?.string ?? "")   ".utf8))
    }
}

/// Answers for people: one member a line, lists indented.
enum Plain {
    static func text(_ value: JSON, indent: String = "") -> String {
        switch value {
        case .object(let members):
            members.sorted { $0.key < $1.key }.filter { !$0.value.isNull }.map { key, value in
                switch value {
                case .object(let inner) where !inner.isEmpty: "\(indent)\(key):\n" + text(value, indent: indent + "  ")
                case .array(let items) where !items.isEmpty: "\(indent)\(key):\n" + text(value, indent: indent + "  ")
                default: "\(indent)\(key): \(value.scalarText ?? "none")"
                }
            }.joined(separator: "\n")
        case .array(let items):
            items.map { item in
                if let scalar = item.scalarText { return "\(indent)- \(scalar)" }
                let inner = text(item, indent: indent + "  ")
                return indent + "- " + inner.dropFirst(indent.count + 2)
            }.joined(separator: "\n")
        default: indent + (value.scalarText ?? "none")
        }
    }
}
