import HTTPTypes
import Hub
import Store

extension Operations {
    private static let month = Parameter(
        name: "month", place: .query, schema: ["type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"],
        summary: "Such as 2026-11, in UTC.")

    static let usage: [Operation] = [
        Operation(
            id: "listUsage", method: .get, path: "\(prefix)/usage",
            summary: "What every tenant uses in a month, and how it is: counts alone.", access: .operators,
            parameters: [
                month, .query("name", Schema.text(1, 40), "This tenant alone."),
                .query("q", Schema.text(0, 100), "Part of a name."),
            ] + [limit, cursor],
            responses: [200: Schema.page(Schema.ref("Usage"))],
            handle: { call in
                let page = try await call.services.provisioner.usage(
                    month: firstDay(call), of: call.text("name"), matching: call.text("q"), after: call.cursor() ?? 0,
                    limit: call.limit)
                return .page(page.items.bytes, next: page.next.map { String($0) })
            }),
        Operation(
            id: "listTariffs", method: .get, path: "\(prefix)/tariffs", summary: "Prices by number of orders.",
            access: .operators, responses: [200: Schema.page(Schema.ref("Tariff"))],
            handle: { call in .items(try await call.services.provisioner.tariffs()) }),
        Operation(
            id: "saveTariff", method: .put, path: "\(prefix)/tariffs/{name}", summary: "Makes a tariff, or changes it.",
            access: .operators, parameters: [name("name", Schema.text(1, 40), "The tariff's name.")],
            body: .json(Schema.ref("TariffEdit"), limit: 20_000), responses: [204: nil], errors: [422],
            handle: { call in
                try await call.services.provisioner.saveTariff(
                    call.path["name"] ?? "", currency: call.body["currency"]?.string ?? "",
                    base: call.body["base"]?.double ?? Double(call.body["base"]?.int ?? 0),
                    steps: call.body["steps"] ?? [])
                return .empty
            }),
        Operation(
            id: "setTariff", method: .put, path: "\(prefix)/tenants/{name}/tariff",
            summary: "Gives a tenant a tariff, or none.",
            access: .operators, parameters: [name("name", Schema.text(1, 40), "The tenant's name.")],
            body: .json(Schema.ref("TariffChoice"), limit: 10_000), responses: [204: nil], errors: [404],
            handle: { call in
                try await call.services.provisioner.setTariff(
                    call.body["tariff"]?.string, of: call.services.provisioner.find(call.path["name"] ?? ""))
                return .empty
            }),
        Operation(
            id: "setLimits", method: .put, path: "\(prefix)/tenants/{name}/limits",
            summary: "Says what a tenant may have at most: all of it anew, and no limit for what is not named.",
            access: .operators, parameters: [name("name", Schema.text(1, 40), "The tenant's name.")],
            body: .json(Schema.ref("Limits"), limit: 10_000), responses: [204: nil], errors: [404],
            handle: { call in
                try await call.services.provisioner.setLimits(
                    call.body, of: call.services.provisioner.find(call.path["name"] ?? ""))
                return .empty
            }),
        Operation(
            id: "getInvoice", method: .get, path: "\(prefix)/tenants/{name}/invoice",
            summary: "What a tenant owes for a month by its tariff.", access: .operators,
            parameters: [name("name", Schema.text(1, 40), "The tenant's name."), month],
            responses: [200: Schema.ref("Invoice")], errors: [404, 409],
            handle: { call in
                guard let month = firstDay(call) else {
                    throw RequestFault.query("query.missing", "Say which month.", "month")
                }
                return Answer(
                    try await call.services.provisioner.invoice(
                        of: call.services.provisioner.find(call.path["name"] ?? ""), month: month))
            }),
    ]

    private static func firstDay(_ call: Call) -> String? { call.text("month").map { $0 + "-01" } }
}
