public import Hub
internal import Postgres

/// Two contacts that are one person, made one.
extension TenantDatabase {
    /// What a merge would do, field by field: both values, which is taken, and the result.
    /// - Parameters:
    ///   - kept: the contact that stays, and `other` the one that goes into it.
    ///   - choices: field to `keep`, `other` or, for lists and notes, `both`; what is not named is chosen as
    ///     `hub.choose` (sql/instance/014_merge.sql) says.
    /// - Returns: a JSON array of {"field", "keep", "other", "choice", "result"}, and connectors where both have a record.
    /// - Throws: `Failure` `not_found` when one of them is not there, or deleted; `merge.same`, `merge.choice`.
    public func mergePreview(_ kept: Int64, with other: Int64, choices: JSON = [:], as actor: Actor) async throws
        -> JSON
    {
        guard kept != other else { throw Self.same }
        let results = try await run(
            as: actor,
            """
            SELECT x.field, x.keep, x.other, x.choice, x.result, x.is_allowed FROM \(contacts) a, \(contacts) b,
                hub.choose(a.data, b.data, \(choices.text)::jsonb) x
            WHERE a.id = \(kept) AND a.deleted_at IS NULL AND b.id = \(other) AND b.deleted_at IS NULL ORDER BY x.field
            """,
            """
            SELECT k.name FROM \(seen("binding")) a JOIN \(seen("binding")) b USING (connector, entity)
            JOIN \(seen("connector")) k ON k.id = connector
            WHERE entity = 'contact' AND a.record = \(kept) AND b.record = \(other) AND a.gone_at IS NULL AND b.gone_at IS NULL
            ORDER BY k.name
            """,
            "SELECT FROM \(contacts) c WHERE c.id IN (\(kept), \(other)) AND c.deleted_at IS NULL")
        guard results[2].count == 2 else { throw Failure.notFound("contact") }
        guard try results[0].allSatisfy({ try $0.get("is_allowed") }) else { throw Self.badChoice }
        let fields = try results[0].map { row -> JSON in
            func value(_ column: String) throws -> JSON {
                try row.get(column, as: String?.self).map { try JSON(text: $0) } ?? .null
            }
            return [
                "field": .string(try row.get("field")), "keep": try value("keep"), "other": try value("other"),
                "choice": .string(try row.get("choice")), "result": try value("result"),
            ]
        }
        return ["fields": .array(fields), "twins": .array(try results[1].map { .string(try $0.get("name")) })]
    }

    /// Makes one contact of two.
    /// - Parameters:
    ///   - versions: of both, as the caller saw them; nil for whatever is there.
    ///   - choices: as for `mergePreview`.
    ///   - dropsTwins: where both have a record in one system, whether the other's is deleted there; else it is left alone.
    /// - Returns: the number of the merge, by which it can be undone.
    /// - Throws: `Failure` `not_found`, `merge.same`, `merge.choice`, `merge.busy`, `contact.stale`, `right.missing`, `right.field`.
    public func mergeContacts(
        _ kept: Int64, with other: Int64, versions: (kept: Int64?, other: Int64?), choices: JSON, dropsTwins: Bool,
        as actor: Actor
    ) async throws -> Int64 {
        guard kept != other else { throw Self.same }
        let row = try await run(
            as: actor,
            """
            SELECT m.outcome, m.number FROM \(table("merge_contacts"))(\(kept), \(other), \(versions.kept), \(versions.other),
                \(choices.text)::jsonb, \(dropsTwins)) m
            """)[0][0]
        let outcome: String = try row.get("outcome")
        switch outcome {
        case "choice": throw Self.badChoice
        case "busy": throw Self.busy
        case "stale":
            throw Failure(
                .stale, "contact.stale",
                "One of the two contacts was changed meanwhile: look at them again, and choose anew.")
        default: try Self.judge(outcome)
        }
        ring()
        return try row.get("number")
    }

    /// Takes a merge back: both live again. What was changed since the merge stays as it is.
    /// - Throws: `Failure` `not_found`, `merge.undone`, `merge.nested`, `merge.busy`, `right.missing`, `right.field`.
    public func undoMerge(_ id: Int64, as actor: Actor) async throws {
        let outcome: String = try await run(as: actor, "SELECT \(table("undo_merge"))(\(id)) AS outcome")[0][0].get(
            "outcome")
        switch outcome {
        case "missing": throw Failure.notFound("merge")
        case "unchanged": throw Failure(.conflict, "merge.undone", "The merge was undone before.")
        case "busy": throw Self.busy
        case "nested":
            throw Failure(
                .conflict, "merge.nested",
                "The contact that stayed was deleted or merged since, or another into it: restore it, or undo the later merge first."
            )
        default: try Self.judge(outcome)
        }
        ring()
    }

    /// Merges that a contact stayed or went in, newest first; for who sees every contact.
    /// - Parameter before: the last one of the page before.
    public func merges(of contact: Int64, before: Int64?, limit: Int, as actor: Actor) async throws -> Page {
        _ = try await self.contact(contact, as: actor)
        let rows = try await run(
            as: actor,
            """
            SELECT m.id, m.kept, m.lost, c.name AS lost_name, m.at, m.actor, m.undone_at, m.undone_by
            FROM \(table("merge")) m LEFT JOIN \(contacts) c ON c.id = m.lost
            WHERE (m.kept = \(contact) OR m.lost = \(contact)) AND (\(before)::bigint IS NULL OR m.id < \(before))
            ORDER BY m.id DESC LIMIT \(limit)
            """)[0]
        return try Page(rows, limit: limit, by: "id")
    }

    /// Notes that a listed pair are two people all the same.
    /// - Throws: `Failure` `not_found`, `right.missing`.
    public func setDifferent(_ one: Int64, _ other: Int64, as actor: Actor) async throws {
        let outcome: String = try await run(
            as: actor, "SELECT \(table("set_different"))(\(one), \(other)) AS outcome")[0][0].get("outcome")
        if outcome == "missing" { throw Failure.notFound("pair of duplicates") }
        try Self.judge(outcome)
    }

    private static let busy = Failure(
        .conflict, "merge.busy",
        "Something of this contact is on its way to a system just now: try again in a moment, or look at its deliveries."
    )
    private static let same = Failure(.invalid, "merge.same", "A contact cannot be merged with itself.")
    private static let badChoice = Failure(
        .invalid, "merge.choice",
        "A choice is “keep”, “other” or, for lists and notes alone, “both”: see GET /contacts/{id}/merge.")
}
