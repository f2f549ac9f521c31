import ConnectorKit
import Hub
import Logging
import Store

/// Does the runs that wait: polls, imports, checks, undoing, segment pushes.
struct IntakeWorker {
    let tenant: TenantDatabase
    let links: Links
    let log: Logger
    /// Seconds a run is held between renewals.
    let lease: Double
    private static let triesPerPage = 5

    func slice() async throws -> LaneNext {
        _ = try await tenant.queueDuePolls()
        _ = try await tenant.queueDueSegmentPushes()
        _ = try await tenant.queueDueRetention()
        await watch()
        guard let run = try await tenant.claimRun(lease: lease) else { return .idle }
        do {
            try await perform(run)
        } catch is RunLost {
            return .again
        } catch let tooMany as TooManyChanges {
            try await tenant.end(
                run, state: "awaiting_approval",
                message: "It would change \(tooMany.total) contacts by now, more than it may without approval.")
        } catch let tooMany as TooManyEnd {
            try await tenant.hold(run, tooMany)
        } catch let error as RemoteError {
            if case .locked(_, let message) = error, let connector = run.connector {
                try await tenant.lock(connector: connector, reason: message)
            }
            try await tenant.end(run, state: "failed", message: Self.words(error))
        } catch let error as Failure {
            try await tenant.end(run, state: "failed", message: error.description)
        } catch let error as ConnectorError {
            try await tenant.end(run, state: "failed", message: "The settings do not work: \(error)")
        } catch  where tenant.isLasting(error) || tenant.limit(error) != nil {
            try await tenant.end(run, state: "failed", message: tenant.limit(error)?.description ?? "\(error)")
        } catch  where tenant.isRace(error) {
            try await tenant.end(run, state: "queued")
            return .after(0.2)
        }
        return .again
    }

    /// Work goes on whether the watch can look or not.
    private func watch() async {
        do { try await tenant.watch() } catch is CancellationError {
            // the service ends
        } catch {
            log.error("the watch could not look", metadata: ["tenant": "\(tenant.tenant.id)", "error": "\(error)"])
        }
    }

    private func perform(_ run: ClaimedRun) async throws {
        switch run.kind {
        case "poll": try await poll(run)
        case "check": try await check(run)
        case "try": try await tryMapping(run)
        case "csv", "batch", "edit": try await merge(run)
        case "undo":
            let counts = try await tenant.undo(run: run.params["run"]?.int ?? 0, under: run)
            try await tenant.end(run, state: "done", counts: counts)
        case "segment": try await pushSegment(run)
        case "retention":
            try await tenant.applyRetention(run, lease: lease)
            try await tenant.end(run, state: "done")
        default: throw Failure(.invalid, "run.kind", "This program knows no run of the kind “\(run.kind)”.")
        }
    }

    private func source(of plugin: PullPlugin) throws -> any RecordSource {
        let link = try links.link(
            kind: plugin.connectorKind, connector: plugin.connector, settings: plugin.settings, of: tenant)
        guard let source = link as? any RecordSource else {
            throw Failure(.invalid, "connector.no_pull", "The connector lists no records.")
        }
        return source
    }

    private func poll(_ run: ClaimedRun) async throws {
        guard let plugin = try await tenant.pullPlugin(run.plugin ?? 0) else { throw Failure.notFound("plugin") }
        let source = try source(of: plugin)
        if run.isDry { return try await preview(run, plugin, source) }
        let most = run.params["max_changes"]?.int.map { Int($0) } ?? plugin.maxChanges
        let maxChanges = run.params["approved"] == true ? nil : most
        var cursor = plugin.cursor.map { Cursor($0) }
        // a run that goes on may have refused rows of its own already
        var line = try await tenant.nextLine(ofRun: run.id)
        var listed: Int64 = 0
        let wasOn = try await tenant.connector(plugin.connector)?.state == "on"
        while true {
            let reading = try await tenant.reading()
            let page: ConnectorKit.Page
            do {
                page = try await read(source, plugin, cursor)
            } catch RemoteError.cursorExpired where cursor != nil {
                cursor = nil
                continue
            }
            let records = page.records.map(IncomingRecord.init)
            let next = page.next?.text ?? cursor?.text
            let part = ListingPart(isFirst: page.isFirst || cursor == nil, isLast: page.isComplete)
            switch plugin.entity {
            case .contact:
                let rows = try await tenant.stagedRows(records, plugin: plugin, firstLine: line)
                _ = try await tenant.takePage(
                    rows, plugin: plugin, run: run.id, fence: run.fence, reading: reading, cursor: next, part: part,
                    maxChanges: maxChanges)
            case .product: try await tenant.takeProducts(records, plugin: plugin, cursor: next)
            case .order: try await tenant.takeOrders(records, plugin: plugin, cursor: next)
            }
            line += Int64(records.count)
            listed += Int64(records.count)
            cursor = page.next ?? cursor
            if page.isLast { break }
            guard try await tenant.renew(run, lease: lease) else { return }
            try Task.checkCancellation()
            let isOn = try await tenant.connector(plugin.connector)?.state == "on"
            guard isOn || !wasOn else {
                // what was read so far has been taken; the next poll goes on from there
                throw Failure(.conflict, "connector.paused", "The connection was paused in the middle.")
            }
        }
        if plugin.entity == .contact { _ = try await tenant.linkWaitingSales(connector: plugin.connector) }
        try await tenant.end(run, state: "done", counts: ["listed": .int(listed)])
    }

    /// Reads all that a poll would read now, and tells what it would do.
    private func preview(_ run: ClaimedRun, _ plugin: PullPlugin, _ source: any RecordSource) async throws {
        var cursor = plugin.cursor.map { Cursor($0) }
        var line: Int64 = 1
        var (sawFirst, isWhole) = (false, false)
        try await tenant.clearStaged(run: run.id)
        while true {
            let page: ConnectorKit.Page
            do {
                page = try await read(source, plugin, cursor)
            } catch RemoteError.cursorExpired where cursor != nil {
                (cursor, line) = (nil, 1)
                try await tenant.clearStaged(run: run.id)
                continue
            }
            sawFirst = sawFirst || page.isFirst || cursor == nil
            isWhole = isWhole || sawFirst && page.isComplete
            let rows = try await tenant.stagedRows(
                page.records.map(IncomingRecord.init), plugin: plugin, firstLine: line)
            try await tenant.stage(rows, run: run.id, as: .intake(plugin.connector))
            line += Int64(rows.count)
            if page.isLast { break }
            cursor = page.next ?? cursor
            guard try await tenant.renew(run, lease: lease) else { return }
            try Task.checkCancellation()
        }
        try await holding(run) { try await tenant.previewPoll(run, plugin: plugin, isComplete: isWhole) }
        try await tenant.end(run, state: "done", counts: ["listed": .int(line - 1)])
    }

    /// One page; tried again a few times when the remote is busy, no sooner than it asks for.
    private func read(_ source: any RecordSource, _ plugin: PullPlugin, _ cursor: Cursor?) async throws
        -> ConnectorKit.Page
    {
        var attempt = 0
        while true {
            let budget = try await tenant.takeBudget(connector: plugin.connector, wanted: 1)
            guard budget.granted > 0 else {
                try await Task.sleep(for: .seconds(min(budget.wait, 30)))
                continue
            }
            attempt += 1
            do {
                let page = try await source.page(of: plugin.entity, after: cursor, since: plugin.since)
                try await tenant.noteRemote(connector: plugin.connector, closedFor: nil)
                return page
            } catch let error as RemoteError {
                if case .later(_, _, let seconds?) = error, error.isHeldBack {
                    attempt -= 1
                    try await Task.sleep(for: .seconds(min(seconds, 30)))
                    continue
                }
                guard attempt < Self.triesPerPage else { throw error }
                switch error {
                case .later(_, _, let retryAfter):
                    let pause = max(retryAfter ?? 0, 0.5 * Double(1 << attempt))
                    try await tenant.noteRemote(
                        connector: plugin.connector, closedFor: pause, isAsked: retryAfter != nil)
                    try await Task.sleep(for: .seconds(min(pause, 30)))
                case .unsure: try await Task.sleep(for: .seconds(0.5 * Double(1 << attempt)))
                default: throw error
                }
            }
        }
    }

    /// Keeps the run while one long statement after the other is waited for.
    private func holding<T: Sendable>(_ run: ClaimedRun, _ body: () async throws -> T) async throws -> T {
        let (tenant, lease) = (tenant, lease)
        let renewing = Task {
            while true {
                try await Task.sleep(for: .seconds(lease / 3))
                guard try await tenant.renew(run, lease: lease) else { return }
            }
        }
        defer { renewing.cancel() }
        return try await body()
    }

    /// Maps a few records as they are now: those of the remote inward, or the hub's outward.
    private func tryMapping(_ run: ClaimedRun) async throws {
        let mapping = try Mapping(run.params["mapping"] ?? [:])
        let records = Int(run.params["records"]?.int ?? 10)
        var samples: [JSON]
        if let plugin = try await tenant.pullPlugin(run.plugin ?? 0) {
            let page = try await read(source(of: plugin), plugin, nil)
            samples = try await tenant.inwardSamples(
                page.records.prefix(records).map(IncomingRecord.init), mapping, closed: plugin.closedFields)
        } else {
            samples = try await tenant.outwardSamples(records, mapping, connector: run.connector ?? 0)
        }
        try await tenant.keep(samples: samples, of: run)
        try await tenant.end(run, state: "done", counts: ["samples": .int(Int64(samples.count))])
    }

    private func check(_ run: ClaimedRun) async throws {
        guard let connector = run.connector, let known = try await tenant.connector(connector) else {
            throw Failure.notFound("connector")
        }
        let link = try links.link(kind: known.kind, connector: connector, settings: known.settings, of: tenant)
        try await tenant.end(run, state: "done", message: try await link.check())
    }

    /// Merges staged rows: looks first when it is only to look, or when there is a limit to what it may change.
    private func merge(_ run: ClaimedRun) async throws {
        let limit = run.params["max_changes"]?.int
        if run.isDry || limit != nil && run.params["approved"] != true {
            let counts: MergeCounts
            do {
                counts = try await holding(run) { try await tenant.mergeRun(run, isDry: true) { true } }
            } catch  where tenant.isTooLong(error) {
                // it would be again
                throw Failure(
                    .invalid, "run.too_large",
                    "What it would do takes longer than ten minutes to find out: make it of parts.")
            }
            if run.isDry { return try await tenant.end(run, state: "done") }
            if let limit, counts.effective > limit {
                return try await tenant.end(
                    run, state: "awaiting_approval",
                    message: "It would change \(counts.effective) contacts, more than \(limit).")
            }
        }
        _ = try await tenant.mergeRun(run, isDry: false) { try await tenant.renew(run, lease: lease) }
        try await tenant.end(run, state: "done")
    }

    private func pushSegment(_ run: ClaimedRun) async throws {
        guard let push = try await tenant.segmentPush(run.params["push"]?.int ?? 0) else {
            throw Failure.notFound("segment push")
        }
        let link = try links.link(
            kind: push.connectorKind, connector: push.connector, settings: push.settings, of: tenant)
        guard let sink = link as? any GroupSink else {
            throw Failure(.invalid, "connector.no_groups", "The connector keeps no groups.")
        }
        let group = try await sink.ensureGroup(
            id: push.remoteID, key: "kontor-\(tenant.tenant.id)-\(push.id)", name: push.groupName)
        try await tenant.save(remoteID: group, ofSegmentPush: push.id, run: run.id)
        let present = try await sink.members(of: group)
        let left = try await tenant.noteLeft(push, present: present, isNew: group != push.remoteID)
        let wanted = try await tenant.recipients(of: push)
        let addresses = Set(wanted.map(\.email))
        let missing = wanted.filter { !present.contains($0.email) }
        try await tenant.noteAdding(missing, to: push)
        let added = try await sink.add(missing.map { GroupMember(email: $0.email, name: $0.name) }, to: group)
        // before it is tried: who is taken out has not left, also when this ends midway
        try await tenant.noteRemoving(allBut: wanted, from: push)
        let removed = try await sink.remove(present.subtracting(addresses).sorted(), from: group)
        let refused = Set(zip(missing, added).compactMap { if case .failed = $1 { $0.email } else { nil } })
        try await tenant.noteMembers(wanted.filter { !refused.contains($0.email) }, of: push)
        let failures = (added + removed).compactMap { outcome -> RemoteError? in
            if case .failed(let error) = outcome { error } else { nil }
        }
        try await tenant.end(
            run, state: failures.isEmpty ? "done" : "failed",
            counts: [
                "members": .int(Int64(wanted.count)), "added": .int(Int64(added.count)),
                "removed": .int(Int64(removed.count)), "left": .int(left),
                "failed": .int(Int64(failures.count)),
            ], message: failures.first.map(Self.words))
    }

    static func words(_ error: RemoteError) -> String {
        switch error {
        case .later(let code, let message, _), .unsure(let code, let message), .refused(let code, let message),
            .locked(let code, let message):
            "\(code): \(message)"
        case .stale: "stale: the remote has a newer version"
        case .cursorExpired: "cursor_expired: the remote no longer knows where the listing stood"
        }
    }
}

extension IncomingRecord {
    init(_ record: RemoteRecord) {
        self.init(
            id: record.id, version: record.version, changedAt: record.changedAt, isDeleted: record.isDeleted,
            key: record.key, values: record.values)
    }
}
