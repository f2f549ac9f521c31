import HTTPTypes
import Hub
import Store

extension Operations {
    private static let memberID = id("id", "The person's number.")

    static let staff: [Operation] = [
        Operation(
            id: "listStaff", method: .get, path: "\(prefix)/staff", summary: "Everybody who works here.",
            access: .staff, responses: [200: Schema.page(Schema.ref("Member"))],
            handle: { call in .items(try await call.tenant.staff(as: call.actor)) }),
        Operation(
            id: "inviteStaff", method: .post, path: "\(prefix)/staff",
            summary:
                "Makes an account. A link to set its password within two days goes by mail, or its token is shown, only now.",
            access: .tenant(.staff), body: .json(Schema.ref("NewMember"), limit: 10_000),
            responses: [201: Schema.ref("Invitation")], errors: [409],
            handle: { call in
                let made = try await call.tenant.invite(
                    as: call.actor, email: call.body["email"]?.string ?? "",
                    byMail: call.body["mail"]?.bool ?? true, edit(call.body))
                return Answer(201, invitation(made.id, made.link)).with(
                    .location, "\(prefix)/staff/\(made.id)")
            }),
        Operation(
            id: "getMember", method: .get, path: "\(prefix)/staff/{id}", summary: "One person.", access: .staff,
            parameters: [memberID], responses: [200: Schema.ref("Member")],
            handle: { call in Answer(200, json: try await call.tenant.member(call.id(), as: call.actor)) }),
        Operation(
            id: "editStaff", method: .patch, path: "\(prefix)/staff/{id}",
            summary:
                "Changes role, teams, superior or name, disables or enables. A disabled person is signed out at once.",
            access: .tenant(.staff), parameters: [memberID], body: .json(Schema.ref("MemberEdit"), limit: 10_000),
            responses: [200: Schema.ref("Member")], errors: [409],
            handle: { call in
                try await call.tenant.editStaff(call.id(), as: call.actor, edit(call.body))
                return Answer(200, json: try await call.tenant.member(call.id(), as: call.actor))
            }),
        Operation(
            id: "renewInvitation", method: .post, path: "\(prefix)/staff/{id}/invitation",
            summary: "A new token to set the password by, for who has not come yet or lost it; older ones end.",
            access: .tenant(.staff),
            parameters: [
                memberID,
                .query("mail", Schema.flag, "Whether Kontor sends it; true unless told, where it has a mail server."),
            ], responses: [201: Schema.ref("Invitation")],
            handle: { call in
                let link = try await call.tenant.renewInvitation(
                    of: call.id(), byMail: call.query["mail"]?.bool ?? true, as: call.actor)
                return Answer(201, invitation(try call.id(), link))
            }),
        Operation(
            id: "removeMembersFactor", method: .delete, path: "\(prefix)/staff/{id}/second-factor",
            summary: "Takes a person's second factor away, who lost device and recovery codes.",
            access: .tenant(.staff), parameters: [memberID], responses: [204: nil],
            handle: { call in
                // one's own needs the password
                guard try call.actor != .staff(call.id()) else { throw Failure.notFound("second factor") }
                try await call.tenant.removeFactor(of: call.id(), as: call.actor)
                return .empty
            }),
        Operation(
            id: "handOver", method: .post, path: "\(prefix)/staff/{id}/hand-over",
            summary: "Makes all contacts of this person another's.", access: .tenant(.staff), parameters: [memberID],
            body: .json(Schema.ref("HandOver")), responses: [200: Schema.ref("HandedOver")],
            handle: { call in
                let moved = try await call.tenant.handOver(
                    from: call.id(), to: call.body["to"]?.int ?? 0, as: call.actor)
                return Answer(["contacts": .int(moved)])
            }),
        Operation(
            id: "removeStaff", method: .delete, path: "\(prefix)/staff/{id}",
            summary: "Removes a person whose contacts were handed over, and their account.", access: .tenant(.staff),
            parameters: [memberID], responses: [204: nil], errors: [409],
            handle: { call in
                try await call.tenant.removeStaff(call.id(), as: call.actor)
                return .empty
            }),
        Operation(
            id: "getRights", method: .get, path: "\(prefix)/staff/{id}/rights",
            summary: "What a person's role comes down to: one's own, or anybody's for who manages staff.",
            access: .staff,
            parameters: [memberID], responses: [200: Schema.ref("Rights")],
            handle: { call in Answer(200, json: try await call.tenant.rights(of: call.id(), as: call.actor)) }),
        Operation(
            id: "explainRights", method: .get, path: "\(prefix)/staff/{id}/contacts/{contact}",
            summary: "Why a person may or may not see, change and delete a contact.", access: .tenant(.staff),
            parameters: [memberID, id("contact", "The contact's number.")],
            responses: [200: Schema.ref("RightsExplained")],
            handle: { call in
                Answer(
                    try await call.tenant.explainRights(
                        of: call.id(), contact: call.id("contact"), as: call.actor))
            }),
        Operation(
            id: "listMails", method: .get, path: "\(prefix)/mails",
            summary: "The last mails to staff, the newest first.",
            access: .tenant(.staff), responses: [200: Schema.page(Schema.ref("Mail"))],
            handle: { call in .items(try await call.tenant.mails(as: call.actor)) }),
        Operation(
            id: "getPasswordPolicy", method: .get, path: "\(prefix)/password-policy",
            summary: "What the shop demands of passwords.", access: .tenant(.staff),
            responses: [200: Schema.ref("PasswordPolicy")],
            handle: { call in Answer(200, json: try await call.tenant.passwordPolicy(as: call.actor)) }),
        Operation(
            id: "setPasswordPolicy", method: .put, path: "\(prefix)/password-policy",
            summary: "Sets it whole; who lacks a second factor that it demands can do nothing else until it is set.",
            access: .tenant(.staff), body: .json(Schema.ref("PasswordPolicy"), limit: 50_000),
            responses: [200: Schema.ref("PasswordPolicy")],
            handle: { call in
                try await call.tenant.setPasswordPolicy(call.body, as: call.actor)
                return Answer(200, json: try await call.tenant.passwordPolicy(as: call.actor))
            }),
        Operation(
            id: "askPasswordReset", method: .post, path: "\(prefix)/password-resets",
            summary: "Sends a link to set a new password by, if there is such an account; the answer does not tell.",
            access: .open, body: .json(Schema.ref("ResetRequest"), limit: 10_000), responses: [202: nil],
            errors: [409, 429],
            handle: { call in
                try await call.services.node.askReset(
                    tenant: call.body["tenant"]?.string ?? "", email: call.body["email"]?.string ?? "",
                    address: call.address)
                return .accepted
            }),
        Operation(
            id: "acceptInvitation", method: .post, path: "\(prefix)/invitations",
            summary: "Sets the password of an account by the token of an invitation; it works once.", access: .open,
            body: .json(Schema.ref("Acceptance"), limit: 10_000), responses: [204: nil], errors: [404, 429],
            handle: { call in
                try await call.services.node.accept(
                    InvitationLink(text: call.body["token"]?.string ?? ""),
                    password: call.body["password"]?.string ?? "", gate: call.services.passwords)
                return .empty
            }),
    ]

    static func invitation(_ id: Int64, _ link: InvitationLink?) -> JSON {
        ["id": .int(id), "token": link.map { .string($0.text) } ?? .null, "mailed": .bool(link == nil)]
    }

    private static func edit(_ body: JSON) -> StaffEdit {
        var edit = StaffEdit()
        edit.name = body["name"]?.string
        edit.role = body["role"]?.int
        if let superior = body["superior"] { edit.superior = .some(superior.int) }
        edit.language = body["language"]?.string
        edit.teams = body["teams"]?.array?.compactMap(\.int)
        edit.isDisabled = body["disabled"]?.bool
        return edit
    }
}
