import Foundation
import HTTPTypes
import Hub
import Store

/// Pages of who hosts Kontor: tenants, what they use and owe, and how they are. Nothing of what is in them.
extension Operations {
    static let operatorPages: [Operation] = [
        openPage("console.operatorDoor", "/operator/sign-in") { try operatorDoor($0) },
        openAction("console.operatorSignIn", "/operator/sign-in") { desk, form in
            let shown = form.raw("token").trimmingCharacters(in: .whitespacesAndNewlines)
            guard let token = APIToken(presented: shown),
                let grant = try await desk.call.services.node.open(token: token),
                grant.tenant == nil, grant.scopes.contains(Scope.operator.rawValue)
            else {
                return try operatorDoor(
                    desk, Failure(.unauthenticated, "operator.token", "This is no operator's token."))
            }
            return desk.go("/operator").adding(
                .setCookie, ConsoleSession.field(shown, isSecure: desk.call.services.isSecure, isOperator: true))
        },
        operatorAction("console.operatorSignOut", "/operator/sign-out") { desk, _ in
            desk.go("/operator/sign-in").adding(
                .setCookie, ConsoleSession.field(nil, isSecure: desk.call.services.isSecure, isOperator: true))
        },
        operatorPage("console.operator", "/operator", query: operatorQuery) { try await tenantsPage($0) },
        operatorPage("console.operatorNew", "/operator/new") { try newPage($0) },
        operatorAction("console.operatorCreate", "/operator/new") { desk, form in
            do {
                try await desk.call.ask(
                    "createTenant",
                    body: [
                        "name": .string(form["name"]), "title": .string(form["title"]),
                        "country": .string(form["country"].uppercased()),
                    ])
                return desk.go("/operator/tenants/\(form["name"])", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try newPage(desk, failure, form)
            }
        },
        operatorPage("console.operatorTenant", "/operator/tenants/{name}", query: operatorQuery) {
            try await tenantPage($0)
        },
        operatorAction("console.operatorChange", "/operator/tenants/{name}") { desk, form in
            do {
                return try await change(desk, form)
            } catch let failure as Failure where failure.kind != .broken {
                return try await tenantPage(desk, failure)
            }
        },
        operatorPage("console.operatorExport", "/operator/tenants/{name}/export") { desk in
            try await desk.call.answer("exportTenant", desk.call.path).with(
                .contentDisposition, "attachment; filename=\"\(desk.call.path["name"] ?? "tenant").jsonl\"")
        },
        operatorPage("console.operatorArchive", "/operator/restore") { try restorePage($0) },
        Operation(
            id: "console.operatorRestore", method: .post, path: "/operator/restore",
            summary: "A form of the operator's.", access: .operators, body: .stream(mediaType: "multipart/form-data"),
            responses: [303: nil], isDocumented: false, isPage: true,
            handle: { call in
                let desk = try Desk.outside(call)
                var typed: [String: String] = [:]
                do {
                    let form = try await MultipartBody(call.stream, contentType: call.headers[.contentType])
                    try demandOwn(call, mark: form.fields["mark"] ?? "")
                    typed = form.fields.mapValues { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
                    let (name, title) = (typed["name"] ?? "", typed["title"] ?? "")
                    _ = try await TenantTransfer(call.services).restore(
                        as: name, title: title.isEmpty ? name : String(title.prefix(200)), from: form)
                    return desk.go("/operator/tenants/\(name)", notice: "tenant_restored")
                } catch let fault as RequestFault {
                    return try restorePage(desk, fault.failure, typed)
                } catch let failure as Failure where failure.kind != .broken {
                    return try restorePage(desk, failure, typed)
                }
            }),
        operatorPage("console.operatorTariffs", "/operator/tariffs") { try await tariffsPage($0) },
        operatorAction("console.operatorTariff", "/operator/tariffs") { desk, form in
            do {
                try await desk.call.ask("saveTariff", ["name": form["name"]], body: try tariff(form))
                return desk.go("/operator/tariffs", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await tariffsPage(desk, failure, form)
            }
        },
    ]

    private static let operatorQuery: [Parameter] = [
        .query("month", Schema.text(0, 20), "Such as 2026-11."), .query("q", Schema.text(0, 100), "Part of a name."),
        .query("cursor", Schema.text(1, 200), "Where to go on."),
    ]

    private static func operatorPage(
        _ id: String, _ path: String, query: [Parameter] = [],
        _ show: @escaping @Sendable (Desk) async throws -> Answer
    ) -> Operation {
        Operation(
            id: id, method: .get, path: path, summary: "A page of the operator's.", access: .operators,
            parameters: query + places(path), responses: [200: Schema.string], answerType: "text/html",
            isDocumented: false, isPage: true, handle: { try await show(try Desk.outside($0)) })
    }

    private static func operatorAction(
        _ id: String, _ path: String, _ act: @escaping @Sendable (Desk, FormBody) async throws -> Answer
    ) -> Operation {
        Operation(
            id: id, method: .post, path: path, summary: "A form of the operator's.", access: .operators,
            parameters: places(path), body: .bytes(limit: 20_000), responses: [303: nil], isDocumented: false,
            isPage: true,
            handle: { call in
                let form = FormBody(call.bytes)
                try demandOwn(call, mark: form.raw("mark"))
                return try await act(try Desk.outside(call), form)
            })
    }

    private static func operatorDoor(_ desk: Desk, _ failure: Failure? = nil) throws -> Answer {
        try desk.page("operator-door", title: desk.texts["operator_title"], failure: failure, [:])
    }

    private static func restorePage(_ desk: Desk, _ failure: Failure? = nil, _ typed: [String: String] = [:]) throws
        -> Answer
    {
        try desk.operatorPage(
            "operator-restore", title: desk.texts["tenant_restore"], place: "/operator", failure: failure,
            ["shop": .string(typed["title"] ?? ""), "name": .string(typed["name"] ?? "")])
    }

    private static func newPage(_ desk: Desk, _ failure: Failure? = nil, _ form: FormBody? = nil) throws -> Answer {
        try desk.operatorPage(
            "operator-new", title: desk.texts["tenant_add"], place: "/operator", failure: failure,
            [
                "name": .string(form?["name"] ?? ""), "shop": .string(form?["title"] ?? ""),
                "country": .string(form?["country"] ?? "PL"),
            ])
    }

    private static func tenantsPage(_ desk: Desk) async throws -> Answer {
        var query: [String: JSON] = ["limit": 50]
        for key in ["q", "cursor"] where desk.call.text(key)?.isEmpty == false { query[key] = desk.call.query[key] }
        query["month"] = month(desk).map(JSON.string)
        let list = try await desk.call.ask("listUsage", query: query)
        let items = list["items"]?.array ?? []
        var model: JSON = [
            "q": .string(desk.call.text("q") ?? ""), "month": .string(month(desk) ?? thisMonth(items)),
            "tenants": .array(items.map { tenant(desk, $0) }), "is_empty": .bool(items.isEmpty),
        ]
        if let next = list["next"]?.string {
            let parts = [("q", desk.call.text("q") ?? ""), ("month", month(desk) ?? ""), ("cursor", next)].filter {
                !$0.1.isEmpty
            }
            model["next"] = .string(
                "/operator?" + parts.map { "\($0)=\(PercentText.encode($1))" }.joined(separator: "&"))
        }
        return try desk.operatorPage(
            "operator", title: desk.texts["operator_tenants"], place: "/operator", model)
    }

    /// A tenant's row: what it used in the month, and what is wrong with it.
    private static func tenant(_ desk: Desk, _ usage: JSON) -> JSON {
        let texts = desk.texts
        func number(_ key: String) -> JSON { .string(usage[key]?.scalarText ?? "0") }
        let isOpen = usage["state"] == "open"
        var troubles: [String] = []
        // some changes always wait for a moment
        for (key, words, most) in [
            ("waiting", "count_waiting", 1000), ("dead", "count_dead", 0), ("stopped", "count_stopped", 0),
        ] {
            if let count = usage[key]?.int, count > most { troubles.append(texts.count(words, Int(count))) }
        }
        for limit in usage["reached"]?.array ?? [] { troubles.append(texts["limit_reached_\(limit.string ?? "")"]) }
        return [
            "name": usage["name"] ?? .null, "shop": usage["title"] ?? .null,
            "href": .string("/operator/tenants/\(usage["name"]?.string ?? "")"),
            "state": .string(texts["tenant_\(usage["state"]?.string ?? "")"]),
            "badge": .string(isOpen ? "good" : "wait"),
            "orders": number("orders"), "contacts": number("contacts"), "deliveries": number("deliveries"),
            "calls": number("calls"), "storage": .string(megabytes(usage["storage"]?.int ?? 0)),
            "tariff": usage["tariff"] ?? .null, "trouble": .string(troubles.joined(separator: "; ")),
            "has_trouble": .bool(!troubles.isEmpty),
        ]
    }

    private static func megabytes(_ bytes: Int64) -> String { "\((bytes + 500_000) / 1_000_000) MB" }

    /// The month that was asked for, where it is one; browsers without a field for months let anything through.
    private static func month(_ desk: Desk) -> String? {
        desk.call.text("month").flatMap { $0.wholeMatch(of: /[0-9]{4}-(0[1-9]|1[0-2])/) == nil ? nil : $0 }
    }

    private static func thisMonth(_ items: [JSON]) -> String { String(items.first?["month"]?.string?.prefix(7) ?? "") }

    private static func tenantPage(
        _ desk: Desk, _ failure: Failure? = nil, more: JSON = [:]
    ) async throws -> Answer {
        let name = desk.call.path["name"] ?? ""
        var query: [String: JSON] = ["name": .string(name)]
        query["month"] = month(desk).map(JSON.string)
        let found = try await desk.call.ask("listUsage", query: query)["items"]?.array ?? []
        guard let usage = found.first else { throw Failure.notFound("tenant") }
        let month = month(desk) ?? thisMonth([usage])
        let tariffs = try await desk.call.ask("listTariffs")["items"]?.array ?? []
        var model = tenant(desk, usage)
        for (key, value) in more.object ?? [:] { model[key] = value }
        model["month"] = .string(month)
        model["is_suspended"] = .bool(usage["state"] == "suspended")
        model["limits"] = .array(
            ["contacts", "staff", "storage", "calls"].map { key in
                [
                    "key": .string(key), "label": .string(desk.texts["limit_\(key)"]),
                    "value": .string(usage["limits"]?[key]?.scalarText ?? ""),
                ]
            })
        model["tariffs"] = .array(
            tariffs.map { ["name": $0["name"] ?? .null, "is_chosen": .bool($0["name"] == usage["tariff"])] })
        if usage["tariff"]?.string != nil {
            model["invoice"] = try await desk.call.ask(
                "getInvoice", ["name": name], query: ["month": .string(month)])
        }
        return try desk.operatorPage(
            "operator-tenant", title: usage["title"]?.string ?? name, place: "/operator", failure: failure, model)
    }

    private static func change(_ desk: Desk, _ form: FormBody) async throws -> Answer {
        let (call, path) = (desk.call, desk.call.path)
        let name = path["name"] ?? ""
        switch form["do"] {
        case "suspend": try await call.ask("suspendTenant", path)
        case "resume": try await call.ask("resumeTenant", path)
        case "limits":
            var limits: JSON = [:]
            for key in ["contacts", "staff", "storage", "calls"] where !form[key].isEmpty {
                limits[key] = Int64(form[key]).map { .int($0) } ?? .string(form[key])
            }
            try await call.ask("setLimits", path, body: limits)
        case "tariff":
            try await call.ask(
                "setTariff", path, body: ["tariff": form["tariff"].isEmpty ? .null : .string(form["tariff"])])
        case "owner":
            let made = try await call.ask(
                "inviteOwner", path, body: ["email": .string(form["email"]), "language": .string(desk.texts.language)])
            if let token = made["token"]?.string {
                return try await tenantPage(desk, more: ["link": .string("/invitations/\(token)")])
            }
            return desk.go("/operator/tenants/\(name)", notice: "invited")
        case "drop":
            guard form["confirm"] == name else {
                throw Failure(.invalid, "tenant.confirm", "Type the tenant's name to drop it.")
            }
            try await call.ask("dropTenant", path)
            return desk.go("/operator", notice: "gone")
        default: throw Failure.notFound("action")
        }
        return desk.go("/operator/tenants/\(name)", notice: "saved")
    }

    private static func tariffsPage(_ desk: Desk, _ failure: Failure? = nil, _ form: FormBody? = nil) async throws
        -> Answer
    {
        let tariffs = try await desk.call.ask("listTariffs")["items"]?.array ?? []
        let model: JSON = [
            "tariffs": .array(
                tariffs.map { tariff in
                    let steps = (tariff["steps"]?.array ?? []).map { step in
                        let upto = step["upto"]?.scalarText
                        let bounds =
                            upto.map { desk.texts.filled("tariff_upto", ["n": $0]) } ?? desk.texts["tariff_beyond"]
                        return "\(bounds) \(step["price"]?.scalarText ?? "")"
                    }
                    return [
                        "name": tariff["name"] ?? .null, "currency": tariff["currency"] ?? .null,
                        "base": .string(tariff["base"]?.scalarText ?? ""),
                        "steps": .array(steps.map(JSON.string)),
                    ]
                }),
            "rows": .array(
                (1...5).map { row in
                    [
                        "n": .int(Int64(row)), "upto": .string(form?["upto.\(row)"] ?? ""),
                        "price": .string(form?["price.\(row)"] ?? ""),
                    ]
                }),
            "name": .string(form?["name"] ?? ""), "currency": .string(form?["currency"] ?? "EUR"),
            "base": .string(form?["base"] ?? ""),
        ]
        return try desk.operatorPage(
            "operator-tariffs", title: desk.texts["operator_tariffs"], place: "/operator/tariffs", failure: failure,
            model)
    }

    /// A tariff as the form has it; rows without a price are none.
    private static func tariff(_ form: FormBody) throws -> JSON {
        func price(_ key: String) throws -> JSON {
            guard let value = Double(form[key].replacing(",", with: ".")) else {
                throw Failure(.invalid, "tariff.invalid", "A price is a number, such as 19.90.")
            }
            return .double(value)
        }
        var steps: [JSON] = []
        for row in 1...5 where !form["price.\(row)"].isEmpty {
            var step: JSON = ["price": try price("price.\(row)")]
            if !form["upto.\(row)"].isEmpty {
                step["upto"] = Int64(form["upto.\(row)"]).map { .int($0) } ?? .string(form["upto.\(row)"])
            }
            steps.append(step)
        }
        return [
            "currency": .string(form["currency"].uppercased()), "base": try price("base"), "steps": .array(steps),
        ]
    }
}

extension Desk {
    /// A page in the operator's frame.
    func operatorPage(
        _ template: String, title: String, place: String, failure: Failure? = nil, _ data: JSON
    ) throws -> Answer {
        var model = data
        model["menu"] = .array(
            [
                ("/operator", "building", "operator_tenants"), ("/operator/tariffs", "receipt", "operator_tariffs"),
            ].map { href, icon, key in
                [
                    "href": .string(href), "icon": .string(icon), "text": .string(texts[key]),
                    "current": .bool(href == place),
                ]
            })
        return try page(template, title: title, place: place, failure: failure, model)
    }
}
