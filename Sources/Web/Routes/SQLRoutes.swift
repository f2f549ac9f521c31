import HTTPTypes
import Hub
import Store

extension Operations {
    static let sqlLogins: [Operation] = [
        Operation(
            id: "listSQLLogins", method: .get, path: "\(prefix)/sql-logins",
            summary: "SQL logins: everybody's for who manages staff, else one's own.", access: .staff,
            responses: [200: Schema.page(Schema.ref("SQLLogin"))],
            handle: { call in .items(try await call.tenant.sqlLogins(as: call.actor)) }),
        Operation(
            id: "createSQLLogin", method: .post, path: "\(prefix)/sql-logins",
            summary:
                "Makes a PostgreSQL login that sees what the person sees; the password is shown only now. The first one "
                + "of an instance has the reporting server started, which takes some seconds.",
            access: .staff, body: .json(Schema.ref("NewSQLLogin"), limit: 10_000),
            responses: [201: Schema.ref("MadeSQLLogin")], errors: [404, 409],
            handle: { call in
                guard let server = call.services.sqlServer() else {
                    throw Failure(
                        .conflict, "sql.no_server",
                        "No server for SQL logins is set: the operator names one by --sql-address.")
                }
                // views first: nobody gets a login that can read nothing
                if call.scopes.contains(Scope.sql.rawValue) || call.scopes.contains(Scope.staff.rawValue) {
                    try await call.services.provisioner.ensure(module: "reporting", for: call.tenant.tenant)
                }
                var own: Int64 = 0
                if case .staff(let me) = call.actor { own = me }
                let login = try await call.tenant.addSQLLogin(
                    of: call.body["person"]?.int ?? own, label: call.body["label"]?.string ?? "", as: call.actor)
                return Answer(
                    201,
                    [
                        "name": .string(login.name), "password": .string(login.password),
                        "host": .string(server.host), "port": .int(Int64(server.port)), "database": "kontor",
                    ])
            }),
        Operation(
            id: "removeSQLLogin", method: .delete, path: "\(prefix)/sql-logins/{name}",
            summary: "Ends a login: its sessions see nothing more, and are closed within seconds.", access: .staff,
            parameters: [name("name", Schema.text(1, 40), "The login's name.")], responses: [204: nil], errors: [404],
            handle: { call in
                try await call.tenant.removeSQLLogin(call.path["name"] ?? "", as: call.actor)
                return .empty
            }),
        Operation(
            id: "listSQLViews", method: .get, path: "\(prefix)/sql-views",
            summary: "The views that SQL logins read, with their columns; none before the shop's first login.",
            access: .staff, responses: [200: Schema.page(Schema.ref("SQLView"))],
            handle: { call in .items(try await call.tenant.sqlViews(as: call.actor)) }),
        Operation(
            id: "getSQLServer", method: .get, path: "\(prefix)/sql-server",
            summary: "Where SQL logins connect to, and whether it is there.", access: .staff,
            responses: [200: Schema.ref("SQLServer")], errors: [404],
            handle: { call in
                guard let server = call.services.sqlServer() else { throw Failure.notFound("SQL server") }
                return Answer([
                    "host": .string(server.host), "port": .int(Int64(server.port)), "database": "kontor",
                    "state": .string(server.state.rawValue), "behind_seconds": .double(server.behindSeconds),
                ])
            }),
    ]
}
