import ConnectorKit
import Foundation
import Hub
import Synchronization
import Testing

// MARK: Records

extension ContractSuite {
    func createUpdateDelete(_ bench: Bench) async throws {
        var person = ContractPerson()
        let key = UUID().uuidString
        let created = try done(await send(push(person, key: key), bench))
        #expect(!created.id.isEmpty)
        #expect(try await subject.look(created.id)?.contains(person.family) == true)
        let before = person.family
        person.family = "Tal\(person.token)"
        let updated = try done(await send(update(created, person, key: key), bench))
        #expect(updated.id == created.id)
        let text = try await subject.look(created.id) ?? ""
        #expect(text.contains(person.family) && !text.contains(before))
        var push = update(updated, person, key: key)
        push.action = .delete
        switch try await send(push, bench) {
        case .done, .gone: break
        case let other: Issue.record("deleting came out as \(other)")
        }
        #expect(try await subject.look(created.id) == nil)
    }

    /// The second push does not know that the first succeeded.
    func sameKeyTwiceIsOneRecord(_ bench: Bench) async throws {
        let person = ContractPerson()
        var push = push(person)
        let first = try done(await send(push, bench))
        if type(of: bench.link).manifest.limits.takesKey {
            #expect(try done(await send(push, bench)).id == first.id)
        }
        push.isUnsure = true
        #expect(try done(await send(push, bench)).id == first.id)
        #expect(try await count(person, bench) == 1)
    }

    /// A create that happens and is not answered.
    private func unansweredCreate(_ person: ContractPerson, _ bench: Bench) async throws -> Push {
        let push = push(person)
        try await failWriting(.cutAfter, bench)
        guard case .failed(.unsure) = try await send(push, bench) else {
            Issue.record("a lost answer to a create is not said to be unsure")
            throw ContractFailure.notDone
        }
        return push
    }

    func lostAnswerIsOneRecord(_ bench: Bench) async throws {
        let person = ContractPerson()
        var push = try await unansweredCreate(person, bench)
        push.isUnsure = true
        _ = try done(await send(push, bench))
        #expect(try await count(person, bench) == 1)
    }

    func listsChanges(_ bench: Bench) async throws {
        let (kept, changed, removed) = (ContractPerson(), ContractPerson(), ContractPerson())
        let untouched = try await create(kept, bench)
        let toChange = try await create(changed, bench)
        let toRemove = try await create(removed, bench)
        let (all, next) = try await list(after: nil, bench)
        let cursor: Cursor = try #require(next)
        #expect(Set([untouched.id, toChange.id, toRemove.id]).isSubset(of: all.map(\.id)))
        // Remotes that count time in seconds must not mix the two listings up.
        try await Task.sleep(for: .milliseconds(1100))
        var edited = changed
        edited.family = "Tal\(changed.token)"
        _ = try done(await send(update(toChange, edited), bench))
        let added = try await create(ContractPerson(), bench)
        var removal = update(toRemove, removed)
        removal.action = .delete
        _ = try await send(removal, bench)
        let changes = try await list(after: cursor, bench).records
        #expect(changes.contains { $0.id == added.id && !$0.isDeleted })
        #expect(changes.contains { $0.id == toChange.id && $0.values.text.contains(edited.family) })
        #expect(!changes.contains { $0.id == toRemove.id && !$0.isDeleted })
        if subject.seesDeletes { #expect(changes.contains { $0.id == toRemove.id && $0.isDeleted }) }
    }

    func unknownFieldSurvives(_ bench: Bench) async throws {
        let plant = try #require(subject.plant)
        var person = ContractPerson()
        let created = try await create(person, bench)
        let planted = try await plant(created.id)
        #expect(try await subject.look(created.id)?.contains(planted) == true)
        person.family = "Tal\(person.token)"
        var push = update(created, person)
        let current = try await list(after: nil, bench).records.first { $0.id == created.id }
        push.version = try #require(current).version
        _ = try done(await send(push, bench))
        let text = try await subject.look(created.id) ?? ""
        #expect(text.contains(person.family) && text.contains(planted))
    }

    func goneIsSaid(_ bench: Bench) async throws {
        var person = ContractPerson()
        let created = try await create(person, bench)
        var removal = update(created, person)
        removal.action = .delete
        _ = try await send(removal, bench)
        person.family = "Tal\(person.token)"
        guard case .gone = try await send(update(created, person), bench) else {
            Issue.record("updating a deleted record does not say that it is gone")
            return
        }
        switch try await send(removal, bench) {
        case .done, .gone: break
        case let other: Issue.record("deleting twice came out as \(other)")
        }
    }

    /// What somebody changed there is asked about before it is written over.
    func othersEditIsKept(_ bench: Bench) async throws {
        var person = ContractPerson()
        let before = person.family
        let created = try await create(person, bench)
        person.family = "Tal\(person.token)"
        var push = update(created, person)
        let seen = Mutex<[JSON]>([])
        push.mayReplace = { record in
            seen.withLock { $0.append(record) }
            return false
        }
        guard case .differs(let record) = try await send(push, bench) else {
            Issue.record("the record was not asked about, or written all the same")
            return
        }
        #expect(record.id == created.id && record.values.text.contains(before))
        #expect(seen.withLock { $0 } == [record.values])
        #expect(try await subject.look(created.id)?.contains(before) == true)
        push.mayReplace = { _ in true }
        _ = try done(await send(push, bench))
        #expect(try await subject.look(created.id)?.contains(person.family) == true)
    }

    /// A contact that is deleted while nobody knows whether it was made there.
    func unknownCreateIsDeleted(_ bench: Bench) async throws {
        let person = ContractPerson()
        var push = try await unansweredCreate(person, bench)
        #expect(try await count(person, bench) == 1)
        (push.action, push.isUnsure, push.values) = (.delete, true, [:])
        for _ in 0..<2 {
            switch try await send(push, bench) {
            case .done, .gone: break
            case let other: Issue.record("the deletion came out as \(other)")
            }
            #expect(try await count(person, bench) == 0)
        }
    }

    func othersRecordIsNotDeleted(_ bench: Bench) async throws {
        let person = ContractPerson()
        let created = try await create(person, bench)
        var push = push(person)
        (push.action, push.isUnsure, push.values, push.mayReplace) = (.delete, true, [:], { _ in false })
        switch try await send(push, bench) {
        case .gone, .failed(.refused): break
        case let other: Issue.record("deleting somebody else's record came out as \(other)")
        }
        #expect(try await subject.look(created.id) != nil)
    }
}
