import Foundation
import Hub
import Store
import TestKit
import Testing

@testable import Web

/// Texts whose keys are made of a value: each value there is has one.
@Suite struct ValueTextTests {
    /// The values by the beginnings of their keys; those of constraints of the database as they stand there.
    private static let values: [String: [String]] = [
        "change": ["new", "edited", "deleted", "merged"],
        "condition": SegmentForm.kinds + SegmentForm.kindsOfChanges,
        "counted": MergeCounts.verdicts,
        "delivery": ["due", "done", "dead", "none"],
        "erasure": ["waiting", "removed", "failed"],
        "figure": ["contacts", "edited", "orders"],
        "flag": ["true", "false"],
        "function": RoleRights.functions,
        "grant": Scope.ofTenants.map { $0.rawValue.replacing(":", with: "_") },
        "limit": ["contacts", "staff", "storage", "calls"],
        "limit_reached": ["contacts", "storage"],
        "mail": ["waiting", "sent", "failed"],
        "may": ["read", "change", "delete"],
        "notice": ["saved"],
        "outcome": DeliveryResult.Outcome.allCases.map(\.rawValue) + ["open"],
        "part": ContactForm.addressParts + ["label"],
        "presence": Schemas.presences,
        "refusal": ["value_missing", "value_too_long", "value_invalid", "duplicate", "other"],
        "retention": Operations.retentionKinds,
        "role_only": RoleRights.conditions,
        "row": ["new", "changed", "unchanged", "refused", "deleted_here"],
        "run": Schemas.runKinds,
        "sight": ["seen", "masked", "hidden"],
        "sql_state": SQLServer.State.allCases.map(\.rawValue),
        "state": Schemas.runStates + ["on", "off", "paused", "locked"],
        "tenant": ["open", "suspended"],
        "type": FieldType.custom.map(\.rawValue),
        "value": [
            "bad_amount", "bad_birthday", "bad_choice", "bad_date", "bad_email", "bad_flag", "bad_link", "bad_month",
            "bad_number", "not_address", "not_text", "too_long", "too_many",
        ],
        "way": SegmentForm.ways + MappingForm.ways,
    ]
    /// Names of roles, fields and settings: those that are not Kontor's own are shown as they are.
    private static let open: Set = ["role", "field", "setting"]

    @Test func everyValueHasItsText() throws {
        let console = try Console(folder: WebTestServer.console)
        let known = console.texts("en").keys
        for (beginning, values) in Self.values {
            for value in values { #expect(known.contains("\(beginning)_\(value)"), "\(beginning)_\(value)") }
        }
        let sources = URL(filePath: WebTestServer.console).deletingLastPathComponent()
            .appending(path: "Sources/Web/Console").path
        var found = Set<String>()
        for name in try FileManager.default.contentsOfDirectory(atPath: sources) {
            let source = try String(contentsOfFile: "\(sources)/\(name)", encoding: .utf8)
            for match in source.matches(of: /"([a-z_]+)_\\\(/) where source.contains("texts[\"\(match.1)_\\(") {
                found.insert(String(match.1))
            }
        }
        #expect(found.count > 25)
        #expect(found.subtracting(Self.values.keys).subtracting(Self.open) == [], "made of values that are not tried")
    }

    /// A template prints a text as it is: one with a name in braces needs a page that fills it.
    @Test func noTemplatePrintsANameInBraces() throws {
        let texts = try Console(folder: WebTestServer.console).texts("en")
        let folder = WebTestServer.console + "/templates"
        var tried = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let template = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            // scripts fill what stands in data
            for match in template.replacing(/data-[a-z-]+="[^"]*"/, with: "").matches(of: /\{\{t\.([a-z_0-9]+)\}\}/) {
                tried += 1
                #expect(!texts[String(match.1)].contains(/\{[a-z]+\}/), "\(name) \(match.1)")
            }
        }
        #expect(tried > 300)
    }
}
