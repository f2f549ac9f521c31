public import ConnectorKit
import Hub

extension Mailman {
    /// Subscribes members without asking them: consent is the hub's matter. One who is subscribed already is done.
    public func add(_ members: [GroupMember], to group: String) async throws -> [PushOutcome] {
        try await Outcomes.oneByOne(members) { member throws(RemoteError) in try await subscribe(member, to: group) }
    }

    private func subscribe(_ member: GroupMember, to group: String) async throws(RemoteError) -> PushOutcome {
        let form = [
            ("list_id", group), ("subscriber", member.email), ("display_name", member.name), ("pre_verified", "True"),
            ("pre_confirmed", "True"), ("pre_approved", "True"), ("send_welcome_message", "False"),
        ]
        _ = try await api.send("POST", "members", form: form, passing: [409])
        return .done(RemoteRecord(id: member.email.lowercased()))
    }

    /// Unsubscribes members, many in one call. One who is no member is done. Mailman looks for them in lower case
    /// only, however they were subscribed.
    public func remove(_ emails: [String], from group: String) async throws -> [PushOutcome] {
        var outcomes = Outcomes(count: emails.count)
        for start in stride(from: 0, to: emails.count, by: 100) {
            let part = start..<min(start + 100, emails.count)
            do {
                let response = try await api.send(
                    "DELETE", "lists/\(URLText.escape(group))/roster/member",
                    form: part.map { ("emails", emails[$0].lowercased()) },
                    passing: [404])
                for index in part {
                    let isGone = response.status == 404
                    outcomes[index] =
                        isGone ? .gone : .done(RemoteRecord(id: emails[index].lowercased(), isDeleted: true))
                }
            } catch {
                outcomes.fail(part, error)
                guard let rest = error.forUnsent else { continue }
                outcomes.fail(part.upperBound..<emails.count, rest)
                break
            }
        }
        return try outcomes.settled()
    }
}
