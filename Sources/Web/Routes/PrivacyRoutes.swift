import HTTPTypes
import Hub
import Store

extension Operations {
    private static let purposeKey = name("key", Schema.text(1, 40), "The purpose's key.")

    static let privacy: [Operation] = [
        Operation(
            id: "listPurposes", method: .get, path: "\(prefix)/purposes",
            summary: "What people are asked to consent to.",
            access: .tenant(.contactsRead), responses: [200: Schema.page(Schema.ref("Purpose"))],
            handle: { call in .items(try await call.tenant.purposes(as: call.actor)) }),
        Operation(
            id: "savePurpose", method: .put, path: "\(prefix)/purposes/{key}",
            summary: "Makes a purpose, or changes it.",
            access: .tenant(.config), parameters: [purposeKey], body: .json(Schema.ref("PurposeEdit"), limit: 20_000),
            responses: [204: nil],
            handle: { call in
                try await call.tenant.savePurpose(
                    call.path["key"] ?? "", title: call.body["title"] ?? [:],
                    channel: call.body["channel"]?.string ?? "email",
                    as: call.actor)
                return .empty
            }),
        Operation(
            id: "listWordings", method: .get, path: "\(prefix)/wordings",
            summary: "Every version of the privacy policy, or of what the consent to a purpose says.",
            access: .tenant(.contactsRead),
            parameters: [.query("purpose", Schema.text(1, 40), "A purpose's key; without it the privacy policy.")],
            responses: [200: Schema.page(Schema.ref("Wording"))],
            handle: { call in .items(try await call.tenant.wordings(of: call.text("purpose") ?? "", as: call.actor)) }),
        Operation(
            id: "publishWording", method: .post, path: "\(prefix)/wordings",
            summary: "Publishes a new version; those before stay on record.", access: .tenant(.config),
            body: .json(Schema.ref("NewWording"), limit: 500_000), responses: [201: Schema.ref("PublishedWording")],
            errors: [409],
            handle: { call in
                let made = try await call.tenant.publish(
                    purpose: call.body["purpose"]?.string ?? "", language: call.body["language"]?.string ?? "",
                    body: call.body["body"]?.string ?? "", as: call.actor)
                return Answer(201, ["id": .int(made.id), "version": .int(made.version)])
            }),
        Operation(
            id: "listConsents", method: .get, path: "\(prefix)/contacts/{id}/consents",
            summary: "The ledger of a contact's consents; for who sees every contact.", access: .tenant(.contactsRead),
            parameters: [contactID], responses: [200: Schema.page(Schema.ref("Consent"))],
            handle: { call in .items(try await call.tenant.consents(of: call.id(), as: call.actor)) }),
        Operation(
            id: "preferenceLink", method: .get, path: "\(prefix)/contacts/{id}/preference-link",
            summary: "The path of the page on which this person says what they consent to; for the mails sent to them.",
            access: .tenant(.contactsWrite), parameters: [contactID], responses: [200: Schema.ref("PreferenceLink")],
            handle: { call in
                let path = try await call.tenant.preferencePath(of: call.id(), as: call.actor)
                return Answer(["path": .string("/preferences/\(path)")])
            }),
        Operation(
            id: "exportSubject", method: .get, path: "\(prefix)/contacts/{id}/subject-export",
            summary: "Everything held about a person, for the person. It is in the audit log.", access: .tenant(.feed),
            parameters: [contactID], responses: [200: Schema.ref("SubjectExport")],
            handle: { call in Answer(try await call.tenant.subjectExport(of: call.id(), as: call.actor)) }),
        Operation(
            id: "exportSubjectPage", method: .get, path: "\(prefix)/contacts/{id}/subject-export.html",
            summary: "The same as a page to read.", access: .tenant(.feed), parameters: [contactID],
            responses: [200: Schema.string], answerType: "text/html",
            handle: { call in SubjectPage.answer(try await call.tenant.subjectExport(of: call.id(), as: call.actor)) }),
        Operation(
            id: "getErasure", method: .get, path: "\(prefix)/contacts/{id}/erasure",
            summary: "The certificate of an erasure, and how far each system is that had the contact.",
            access: .tenant(.contactsRead), parameters: [contactID], responses: [200: Schema.ref("ErasureCertificate")],
            handle: { call in Answer(try await call.tenant.erasure(of: call.id(), as: call.actor)) }),
    ]

    /// Pages for people who have no account.
    static let pages: [Operation] = [
        Operation(
            id: "preferencePage", method: .get, path: "/preferences/{path}", summary: "A person's consents.",
            access: .open,
            parameters: [link, language], responses: [200: Schema.string], answerType: "text/html", isDocumented: false,
            handle: { call in
                let language = PreferencePage.language(call)
                guard let (tenant, contact) = try await call.services.node.preferenceTarget(call.path["path"] ?? "")
                else {
                    return PreferencePage.gone(language)
                }
                return PreferencePage.shown(
                    try await tenant.preferences(of: contact, language: language), isSaved: false, language: language)
            }),
        Operation(
            id: "savePreferences", method: .post, path: "/preferences/{path}", summary: "Takes what a person chose.",
            access: .open, parameters: [link, language], body: .bytes(limit: 10_000), responses: [200: Schema.string],
            answerType: "text/html", isDocumented: false,
            handle: { call in
                let language = PreferencePage.language(call)
                guard let (tenant, contact) = try await call.services.node.preferenceTarget(call.path["path"] ?? "")
                else {
                    return PreferencePage.gone(language)
                }
                let (purposes, wordings) = PreferencePage.chosen(call.bytes)
                try await tenant.setPreferences(
                    purposes, wordings: wordings, of: contact, language: language, source: "preference page")
                return PreferencePage.shown(
                    try await tenant.preferences(of: contact, language: language), isSaved: true, language: language)
            }),
        Operation(
            id: "policyPage", method: .get, path: "/privacy/{name}", summary: "A shop's privacy policy.", access: .open,
            parameters: [name("name", Schema.text(1, 40), "The shop's name."), language],
            responses: [200: Schema.string], answerType: "text/html", isDocumented: false,
            handle: { call in
                let language = PreferencePage.language(call)
                let title = PreferencePage.words[language]!.policy
                guard let tenant = try await call.services.provisioner.open(named: call.path["name"] ?? ""),
                    let policy = try await call.services.node.tenant(tenant).policy(language: language)
                else { return PreferencePage.gone(language) }
                return HTMLPage.answer(
                    title: title, language: language,
                    HTMLPage.paragraphs(policy.body) + "<p class=\"soft\">\(policy.version) · \(policy.publishedAt)</p>"
                )
            }),
    ]

    private static let link = name("path", Schema.text(1, 200), "As in the link the person was sent.")
    private static let language = Parameter.query("lang", Schema.text(2, 8), "en, it, lt, nb or pl.")
}
