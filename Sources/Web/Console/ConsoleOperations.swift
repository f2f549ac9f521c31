import HTTPTypes
import Hub
import Store

extension Operations {
    static let console =
        door + home + contactListPages + contactPages + mergePages + importPages + runPages + segmentPages
        + connectionPages
        + connectionSettingsPages + signInPages
        + pluginPages
        + problemPages + monitoringPages + decisionPages
        + staffPages + rolePages + personPages + settingsPages + retentionPages + auditPages
        + accountPages + operatorPages + live

    /// A page for somebody who is signed in.
    static func page(
        _ id: String, _ path: String, access: Access = .staff, query: [Parameter] = [], takesMore: Bool = false,
        _ show: @escaping @Sendable (Desk) async throws -> Answer
    ) -> Operation {
        pageOperation(id, path, access: access, query: query, takesMore: takesMore) { call in
            let desk = try await Desk.open(call)
            if let elsewhere = elsewhere(desk, path) { return elsewhere }
            return try await show(desk)
        }
    }

    /// The same.
    /// - Parameter asking: what the page is made of, found while it is asked who sits there.
    static func page<Found: Sendable>(
        _ id: String, _ path: String, access: Access = .staff, query: [Parameter] = [],
        asking: @escaping @Sendable (Call) async throws -> Found,
        _ show: @escaping @Sendable (Desk, Found) async throws -> Answer
    ) -> Operation {
        pageOperation(id, path, access: access, query: query) { call in
            async let found = asking(call)
            let desk = try await Desk.open(call)
            if let elsewhere = elsewhere(desk, path) { return elsewhere }
            return try await show(desk, found)
        }
    }

    /// Whoever still has to change their password or set up a second factor is led to where that is done.
    private static func elsewhere(_ desk: Desk, _ path: String) -> Answer? {
        path == "/account" ? nil : desk.call.grant.confined.map { desk.go("/account", notice: $0) }
    }

    private static func pageOperation(
        _ id: String, _ path: String, access: Access, query: [Parameter], takesMore: Bool = false,
        _ handle: @escaping @Sendable (Call) async throws -> Answer
    ) -> Operation {
        Operation(
            id: id, method: .get, path: path, summary: "A page of the console.", access: access,
            parameters: query + places(path),
            responses: [200: Schema.string], answerType: "text/html", isDocumented: false, isPage: true,
            takesMore: takesMore, handle: handle)
    }

    /// What a form of such a page does.
    static func action(
        _ id: String, _ path: String, access: Access = .staff, limit: Int = 200_000,
        _ act: @escaping @Sendable (Desk, FormBody) async throws -> Answer
    ) -> Operation {
        Operation(
            id: id, method: .post, path: path, summary: "A form of the console.", access: access,
            parameters: places(path), body: .bytes(limit: limit),
            responses: [303: nil], isDocumented: false, isPage: true,
            handle: { call in
                let form = FormBody(call.bytes)
                try demandOwn(call, mark: form.raw("mark"))
                return try await act(try await Desk.open(call), form)
            })
    }

    /// A form for somebody who is not signed in.
    static func openAction(
        _ id: String, _ path: String,
        _ act: @escaping @Sendable (Desk, FormBody) async throws -> Answer
    ) -> Operation {
        Operation(
            id: id, method: .post, path: path, summary: "A form of the console.", access: .open,
            parameters: places(path),
            body: .bytes(limit: 20_000), responses: [303: nil], isDocumented: false, isPage: true,
            handle: { call in
                guard ConsoleSession.isOwn(call.headers, host: call.host) else { throw Self.foreign }
                return try await act(try Desk.outside(call), FormBody(call.bytes))
            })
    }

    /// The named parts of a page's address.
    static func places(_ path: String) -> [Parameter] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            name(String(part.dropFirst().dropLast()), Schema.string, "Part of the address.")
        }
    }

    /// Where there is a session, its forms come from its pages alone.
    /// - Parameter mark: what the form says it is of.
    /// - Throws: `Failure` `form.foreign`.
    static func demandOwn(_ call: Call, mark: String) throws {
        guard let token = call.cookie else { return }
        guard ConsoleSession.isOwn(call.headers, host: call.host), ConsoleSession.isMark(mark, of: token) else {
            throw foreign
        }
    }

    private static let foreign = Failure(
        .forbidden, "form.foreign", "The form did not come from this page: load the page anew, and try again.")
}
