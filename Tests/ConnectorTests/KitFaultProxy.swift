import ConnectorKit
import Hub

/// A proxy before a real remote that misbehaves when told to; see Support/fault_proxy.py.
struct KitFaultProxy: Sendable {
    private static let control = HTTPClient(guard: KitFaultProxy.loopback)
    static let loopback: AddressGuard = {
        guard let addressGuard = try? AddressGuard(allow: ["127.0.0.0/8", "::1/128"]) else { fatalError("ranges") }
        return addressGuard
    }()

    private let process: KitServerProcess
    /// Stands for the remote's own address.
    let base: String

    init(before remote: String) throws {
        process = try KitServerProcess("fault_proxy.py", [remote], readsLine: true)
        base = "http://127.0.0.1:\(process.firstLine)"
    }

    enum Kind: String {
        case status, echo, cut, torn, stall
        case cutAfter = "cut_after"
    }

    /// Lets the next requests that fit fail.
    ///
    /// - Parameters:
    ///   - methods: which requests fit; empty for all.
    ///   - path: part of the path of those that fit.
    func fail(
        _ kind: Kind, status: Int = 0, headers: [String: String] = [:], body: String = "", methods: Set<String> = [],
        path: String = "", count: Int = 1
    ) async throws {
        let fault: JSON = [
            "kind": .string(kind.rawValue), "status": .int(Int64(status)), "body": .string(body),
            "headers": .object(headers.mapValues { .string($0) }), "path": .string(path),
            "methods": .array(methods.sorted().map { .string($0) }), "count": .int(Int64(count)),
        ]
        _ = try await Self.control.send(HTTPRequest("POST", "\(base)/_fault", json: fault))
    }

    func forget() async throws { _ = try await Self.control.send(HTTPRequest("DELETE", "\(base)/_fault")) }

    /// "METHOD path status" of each request that reached the remote.
    func log() async throws -> [String] {
        let entries = try await Self.control.send(HTTPRequest("GET", "\(base)/_log")).json().array ?? []
        return entries.map { entry in
            ["method", "path", "status"].map { entry[$0]?.scalarText ?? "" }.joined(separator: " ")
        }
    }
}
