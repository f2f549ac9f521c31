import Foundation
import FoundationNetworking
import Testing

@testable import Web

/// A browser that keeps cookies and follows nowhere by itself.
struct Browser {
    let tenant: WebTestTenant
    let session: URLSession
    var cookies: [String: String] = [:]

    init(_ tenant: WebTestTenant) {
        self.tenant = tenant
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        session = URLSession(configuration: configuration, delegate: Stay(), delegateQueue: nil)
    }

    mutating func open(
        _ method: String, _ path: String, _ form: [String: String] = [:], headers: [String: String] = [:]
    ) async throws -> (status: Int, location: String?, text: String) {
        let url = try #require(URL(string: "http://127.0.0.1:\(tenant.server.port)\(path)"))
        // a busy machine answers late
        var request = URLRequest(url: url, timeoutInterval: 300)
        request.httpMethod = method
        if method == "POST" {
            request.httpBody = Data(
                form.map { "\($0.key)=\(WebTestTenant.encode($0.value))" }.joined(separator: "&").utf8)
            request.setValue("http://127.0.0.1:\(tenant.server.port)", forHTTPHeaderField: "Origin")
        }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        request.setValue(
            cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; "), forHTTPHeaderField: "Cookie")
        let (data, response) = try await session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let set = HTTPCookie.cookies(
            withResponseHeaderFields: http.allHeaderFields as? [String: String] ?? [:], for: url)
        for cookie in set { cookies[cookie.name] = cookie.value.isEmpty ? nil : cookie.value }
        return (http.statusCode, http.value(forHTTPHeaderField: "Location"), String(decoding: data, as: UTF8.self))
    }

    mutating func mark() async throws -> String {
        let page = try await open("GET", "/account").text
        return String(try #require(page.firstMatch(of: /name="mark" value="([^"]+)"/)).1)
    }
}

private final class Stay: NSObject, URLSessionTaskDelegate {
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) { completionHandler(nil) }
}
