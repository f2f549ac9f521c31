import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct ConsentTests {
    @Test func newestEvidenceCountsInWhateverOrderItComes() async throws {
        try await withTenant { tenant in
            var random = SplitMix(seed: 3)
            for _ in 0..<12 {
                let id = try await tenant.createContact(as: .token(1), fields: ["name": "Ada"]).id
                let entries = (0..<6).map { _ in
                    (day: Int.random(in: 1...4, using: &random), yes: Bool.random(using: &random))
                }
                for entry in entries.shuffled(using: &random) {
                    _ = try await tenant.addConsent(
                        id, as: .token(1), purpose: "newsletter", granted: entry.yes,
                        at: "2026-01-0\(entry.day)T00:00:00Z", source: "t", proof: nil)
                }
                let last = entries.map(\.day).max() ?? 0
                let expected = entries.filter { $0.day == last }.allSatisfy(\.yes)
                let found = try JSON(parsing: await tenant.contact(id, as: .token(1)).json)["consents"]
                #expect(found == (expected ? ["consent:newsletter"] : []), "\(entries)")
            }
        }
    }

    @Test func momentsToComeCountAsNow() async throws {
        try await withTenant { tenant in
            let id = try await tenant.createContact(as: .token(1), fields: ["name": "Ada"]).id
            _ = try await tenant.addConsent(
                id, as: .token(1), purpose: "news", granted: true, at: "2999-01-01T00:00:00Z", source: "t", proof: nil)
            let left = try await tenant.addConsent(
                id, as: .token(1), purpose: "news", granted: false, at: nil, source: "t", proof: nil)
            #expect(try JSON(parsing: left.json)["consents"] == [])
        }
    }

    /// Two writers that do not see each other: the later evidence still counts.
    @Test func concurrentEvidenceIsNotOverlooked() async throws {
        try await withTenant { tenant in
            for _ in 0..<25 {
                let id = try await tenant.createContact(as: .token(1), fields: ["name": "Ada"]).id
                async let yes: Void = tenant.transaction(as: .token(1)) { session in
                    _ = try await session.query(Self.insert(tenant, id, true, "2026-01-01"))
                    try await Task.sleep(for: .milliseconds(8))
                }
                async let no: Void = tenant.transaction(as: .token(1)) { session in
                    _ = try await session.query(Self.insert(tenant, id, false, "2026-01-02"))
                    try await Task.sleep(for: .milliseconds(4))
                }
                _ = try await (yes, no)
                #expect(try JSON(parsing: await tenant.contact(id, as: .token(1)).json)["consents"] == [])
            }
        }
    }

    private static func insert(_ tenant: TenantDatabase, _ id: Int64, _ granted: Bool, _ day: String) -> SQL {
        """
        INSERT INTO \(tenant.table("consent")) (contact, purpose, granted, evidence_at, source, actor)
        VALUES (\(id), 'newsletter', \(granted), \(day)::timestamptz, 't', 'token:1')
        """
    }

    @Test func ownFieldNeverPassesForAConsent() async throws {
        try await withTenant { tenant in
            try await tenant.addField(as: .token(1), key: "consent", label: "Consent", type: "text", choices: [])
            try await tenant.addField(as: .token(1), key: "tag", label: "Tag", type: "choice", choices: ["vip"])
            _ = try await tenant.createContact(
                as: .token(1), fields: ["name": "Ada", "consent": "newsletter", "tag": "vip"])
            #expect(try await tenant.count(.leaf(.consent(purpose: "newsletter")), as: .token(1)) == 0)
            #expect(try await tenant.count(.leaf(.tag("vip")), as: .token(1)) == 0)
            #expect(try await tenant.count(.leaf(.field("tag", .is("vip"))), as: .token(1)) == 1)
        }
    }
}
