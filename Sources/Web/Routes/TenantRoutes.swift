import HTTPTypes
import Hub
import Store

extension Operations {
    private static let tenantName = name("name", Schema.text(1, 40), "The tenant's name.")

    static let tenants: [Operation] = [
        Operation(
            id: "listTenants", method: .get, path: "\(prefix)/tenants", summary: "All tenants of this instance.",
            access: .operators, responses: [200: Schema.page(Schema.ref("Tenant"))],
            handle: { call in .items(try await call.services.provisioner.list()) }),
        Operation(
            id: "createTenant", method: .post, path: "\(prefix)/tenants", summary: "Makes a tenant.",
            access: .operators,
            body: .json(Schema.ref("NewTenant")), responses: [201: Schema.ref("MadeTenant")], errors: [409],
            handle: { call in
                let name = call.body["name"]?.string ?? ""
                let tenant = try await call.services.provisioner.create(
                    name: name, title: call.body["title"]?.string ?? "", country: call.body["country"]?.string ?? "")
                return Answer(201, ["id": .int(tenant.id), "name": .string(name)])
            }),
        Operation(
            id: "suspendTenant", method: .post, path: "\(prefix)/tenants/{name}/suspend",
            summary: "Closes a tenant to everyone; its data stay.", access: .operators, parameters: [tenantName],
            responses: [204: nil], errors: [409], handle: { try await setSuspended(true, $0) }),
        Operation(
            id: "resumeTenant", method: .post, path: "\(prefix)/tenants/{name}/resume",
            summary: "Opens a suspended tenant again.",
            access: .operators, parameters: [tenantName], responses: [204: nil], errors: [409],
            handle: { try await setSuspended(false, $0) }),
        Operation(
            id: "dropTenant", method: .delete, path: "\(prefix)/tenants/{name}",
            summary: "Drops a tenant and everything it holds. This cannot be undone.", access: .operators,
            parameters: [tenantName], responses: [204: nil],
            handle: { call in
                try await call.services.provisioner.drop(found(call))
                return .empty
            }),
        Operation(
            id: "exportTenant", method: .get, path: "\(prefix)/tenants/{name}/export",
            summary: "All data of a tenant as of now, as JSON lines; complete when the last one holds \"end\".",
            access: .operators, parameters: [tenantName], responses: [200: Schema.string],
            answerType: TenantTransfer.mediaType,
            handle: { call in try await TenantTransfer(call.services).export(found(call)) }),
        Operation(
            id: "restoreTenant", method: .post, path: "\(prefix)/tenants/{name}/restore",
            summary: "Makes a tenant of an export, under any free name. Its connectors are paused.",
            access: .operators,
            parameters: [tenantName, .query("title", Schema.text(1, 200), "The shop's name; else the tenant's.")],
            body: .stream(mediaType: TenantTransfer.mediaType), responses: [201: Schema.ref("MadeTenant")],
            errors: [409],
            handle: { call in
                let name = call.path["name"] ?? ""
                let tenant = try await TenantTransfer(call.services).restore(
                    as: name, title: call.text("title") ?? name, from: call.stream)
                return Answer(201, ["id": .int(tenant.id), "name": .string(name)])
            }),
        Operation(
            id: "inviteOwner", method: .post, path: "\(prefix)/tenants/{name}/owners",
            summary: "Invites somebody to be an owner of a tenant; as inviting staff.", access: .operators,
            parameters: [tenantName], body: .json(Schema.ref("NewOwner"), limit: 10_000),
            responses: [201: Schema.ref("Invitation")], errors: [409],
            handle: { call in
                var owner = StaffEdit()
                (owner.name, owner.role) = (call.body["name"]?.string ?? "", 1)
                owner.language = call.body["language"]?.string
                let made = try await call.services.node.tenant(found(call)).invite(
                    as: .system, email: call.body["email"]?.string ?? "", byMail: call.body["mail"]?.bool ?? true, owner
                )
                return Answer(201, invitation(made.id, made.link))
            }),
        Operation(
            id: "createTenantToken", method: .post, path: "\(prefix)/tenants/{name}/tokens",
            summary: "Makes a token for a tenant, which is shown only now.", access: .operators,
            parameters: [tenantName],
            body: .json(Schema.ref("NewTenantToken")), responses: [201: Schema.ref("MadeTenantToken")],
            handle: { call in
                let token = try await call.services.provisioner.issueToken(
                    for: found(call), label: call.body["label"]?.string ?? "",
                    scopes: call.body["scopes"]?.array?.compactMap(\.string) ?? [])
                return Answer(201, ["token": .string(token)])
            }),
    ]

    private static func found(_ call: Call) async throws -> Tenant {
        try await call.services.provisioner.find(call.path["name"] ?? "")
    }

    private static func setSuspended(_ isSuspended: Bool, _ call: Call) async throws -> Answer {
        try await call.services.provisioner.setSuspended(isSuspended, found(call))
        return .empty
    }
}
