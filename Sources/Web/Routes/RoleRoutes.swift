import HTTPTypes
import Hub
import Store

extension Operations {
    private static let roleID = id("id", "The role's number.")
    private static let teamID = id("id", "The team's number.")

    static let roles: [Operation] = [
        Operation(
            id: "listRoles", method: .get, path: "\(prefix)/roles", summary: "All roles with their rights.",
            access: .staff, responses: [200: Schema.page(Schema.ref("Role"))],
            handle: { call in .items(try await call.tenant.roles(as: call.actor)) }),
        Operation(
            id: "createRole", method: .post, path: "\(prefix)/roles", summary: "Makes a role (docs/roles.md).",
            access: .tenant(.staff), body: .json(Schema.ref("NewRole"), limit: 100_000),
            responses: [201: Schema.ref("Role")], errors: [409],
            handle: { call in
                let id = try await call.tenant.createRole(
                    as: call.actor, name: call.body["name"]?.string ?? "", title: call.body["title"]?.string ?? "",
                    rights: call.body["rights"] ?? .null)
                return try await role(id, call, 201).with(.location, "\(prefix)/roles/\(id)")
            }),
        Operation(
            id: "getRole", method: .get, path: "\(prefix)/roles/{id}", summary: "One role.", access: .staff,
            parameters: [roleID], responses: [200: Schema.ref("Role")],
            handle: { call in try await role(call.id(), call) }),
        Operation(
            id: "editRole", method: .patch, path: "\(prefix)/roles/{id}",
            summary: "Changes title or rights of a role; it holds from the next request of its people on.",
            access: .tenant(.staff), parameters: [roleID, ifMatch],
            body: .json(Schema.ref("RoleEdit"), limit: 100_000), responses: [200: Schema.ref("Role")],
            errors: [409, 412],
            handle: { call in
                try await call.tenant.editRole(
                    call.id(), as: call.actor, version: call.seenVersion(), title: call.body["title"]?.string,
                    rights: call.body["rights"])
                return try await role(call.id(), call)
            }),
        Operation(
            id: "deleteRole", method: .delete, path: "\(prefix)/roles/{id}", summary: "Removes a role nobody has.",
            access: .tenant(.staff), parameters: [roleID], responses: [204: nil], errors: [409],
            handle: { call in
                try await call.tenant.deleteRole(call.id(), as: call.actor)
                return .empty
            }),
    ]

    static let teams: [Operation] = [
        Operation(
            id: "listTeams", method: .get, path: "\(prefix)/teams", summary: "All teams with their members.",
            access: .staff, responses: [200: Schema.page(Schema.ref("Team"))],
            handle: { call in .items(try await call.tenant.teams(as: call.actor)) }),
        Operation(
            id: "createTeam", method: .post, path: "\(prefix)/teams", summary: "Makes a team.",
            access: .tenant(.staff), body: .json(Schema.ref("TeamName")), responses: [201: Schema.ref("Team")],
            errors: [409],
            handle: { call in try await team(nil, call) }),
        Operation(
            id: "renameTeam", method: .patch, path: "\(prefix)/teams/{id}", summary: "Renames a team.",
            access: .tenant(.staff), parameters: [teamID], body: .json(Schema.ref("TeamName")),
            responses: [200: Schema.ref("Team")], errors: [409],
            handle: { call in try await team(call.id(), call) }),
        Operation(
            id: "deleteTeam", method: .delete, path: "\(prefix)/teams/{id}",
            summary: "Removes a team; its members stay.", access: .tenant(.staff), parameters: [teamID],
            responses: [204: nil],
            handle: { call in
                try await call.tenant.deleteTeam(call.id(), as: call.actor)
                return .empty
            }),
    ]

    private static func role(_ id: Int64, _ call: Call, _ status: Int = 200) async throws -> Answer {
        let role = try await call.tenant.role(id, as: call.actor)
        return Answer(status, json: role.json).with(.eTag, "\"v\(role.version)\"")
    }

    private static func team(_ id: Int64?, _ call: Call) async throws -> Answer {
        let saved = try await call.tenant.saveTeam(id, as: call.actor, name: call.body["name"]?.string ?? "")
        let all = try JSON(parsing: await call.tenant.teams(as: call.actor)).array ?? []
        guard let team = all.first(where: { $0["id"]?.int == saved }) else { throw Failure.notFound("team") }
        return Answer(id == nil ? 201 : 200, team)
    }
}
