import ConnectorKit
import Hub
import Logging
import Store

/// Brings a plugin's remote up to date, a batch at a time: claim, read under the connector's policy, map, call
/// outside any transaction, record how it ended.
struct DeliveryWorker {
    let tenant: TenantDatabase
    let links: Links
    let options: Relay.Options
    let log: Logger

    func slice(plugin id: Int64) async throws -> LaneNext {
        guard
            let (plugin, normaliser, granted, wait) = try await tenant.beginDeliveries(
                plugin: id, batching: links.batching)
        else { return .idle }
        guard granted > 0 else { return .after(wait) }
        let link: any Connector
        do {
            link = try links.link(
                kind: plugin.connectorKind, connector: plugin.connector, settings: plugin.settings, of: tenant)
        } catch {
            try await tenant.lock(connector: plugin.connector, reason: "The settings do not work: \(error)")
            return .idle
        }
        guard let sink = link as? any RecordSink else { return .idle }
        let batch = type(of: link).manifest.limits.batch
        let claims = try await tenant.claim(plugin, limit: batch * granted, lease: options.lease)
        let errands = claims.compactMap { errand($0, plugin, normaliser) }
        try await tenant.giveBack(granted - (errands.count + batch - 1) / batch, connector: plugin.connector)
        if claims.isEmpty { return .idle }
        let sent = Set(errands.map(\.claim.record))
        var results = claims.filter { !sent.contains($0.record) }.map(withdrawn)
        let halfLease = ContinuousClock.now + .seconds(options.lease / 2)
        var isOpen = true
        for start in stride(from: 0, to: errands.count, by: batch) {
            let part = Array(errands[start..<min(start + batch, errands.count)])
            guard isOpen, ContinuousClock.now < halfLease else {
                results += part.map { DeliveryResult($0.claim, .unsent) }
                continue
            }
            let answers = try await send(part, plugin, sink)
            results += answers.results
            isOpen = answers.isOpen
        }
        _ = try await tenant.finish(plugin, results, maxAttempts: options.maxAttempts)
        return .again
    }

    /// What to ask of the remote for a claim, and what is expected of it.
    private struct Errand {
        let claim: ClaimedDelivery
        let push: Push
        /// Nil when nothing is taken in from this remote: the hub is right then.
        let expectation: Expectation?
    }

    /// - Returns: nil when there is nothing to ask.
    private func errand(_ claim: ClaimedDelivery, _ plugin: DeliveryPlugin, _ normaliser: Normaliser) -> Errand? {
        let key = tenant.key(ofContact: claim.record)
        let idempotencyKey = "kontor-\(tenant.tenant.id)-\(plugin.id)-\(claim.record)-\(claim.change)"
        if claim.isDeleted, claim.remoteID == nil, !claim.isUnsure { return nil }
        guard var document = claim.isDeleted ? [:] : claim.document else { return nil }
        let expectation = plugin.pull.map { pull in
            Expectation(
                agreed: claim.agreed, sent: claim.sent, wanted: document, written: plugin.mapping.hubFields(.out),
                reading: pull.mapping, normaliser: normaliser, closedFields: pull.closedFields)
        }
        if claim.isDeleted {
            // where a record cannot carry the key, only what was sent tells it from somebody else's
            let push = Push(
                action: .delete, key: key, idempotencyKey: idempotencyKey, remoteID: claim.remoteID,
                version: claim.remoteVersion, emails: claim.formerEmails, isUnsure: claim.isUnsure,
                mayReplace: { expectation?.allows($0) ?? false })
            return Errand(claim: claim, push: push, expectation: expectation)
        }
        // what both sides had and the hub has no longer goes out as empty
        for field in (claim.agreed.object ?? [:]).keys where document[field] == nil { document[field] = .null }
        let mapped = plugin.mapping.outward(document)
        let emails = (document["emails"]?.array ?? []).compactMap { $0["value"]?.string }
        var push = Push(
            action: .upsert, key: key, idempotencyKey: idempotencyKey, remoteID: claim.remoteID,
            version: claim.remoteVersion, values: mapped.document, emails: emails, isUnsure: claim.isUnsure)
        if let expectation { push.mayReplace = { expectation.allows($0) } }
        return Errand(claim: claim, push: push, expectation: expectation)
    }

    /// A record that is deleted and was never there, or that the connector may no longer see.
    private func withdrawn(_ claim: ClaimedDelivery) -> DeliveryResult {
        DeliveryResult(claim, .skipped, code: claim.isDeleted ? "not_there" : "not_permitted")
    }

    /// - Returns: how each went, and whether the remote may be called again at once.
    private func send(
        _ batch: [Errand], _ plugin: DeliveryPlugin, _ sink: any RecordSink
    ) async throws -> (results: [DeliveryResult], isOpen: Bool) {
        var outcomes: [PushOutcome]
        var standing = Standing.open
        do {
            outcomes = try await sink.push(batch.map(\.push))
            if let error = Self.worst(outcomes) {
                standing = try await note(error, plugin)
            } else if plugin.failures > 0 {
                try await tenant.noteRemote(connector: plugin.connector, closedFor: nil)
            }
        } catch let error as RemoteError {
            standing = try await note(error, plugin)
            outcomes = batch.map { _ in .failed(error) }
        } catch {
            // neither the store nor the remote said so: whether it happened is not known
            log.error("connector failed", metadata: ["connector": "\(plugin.connectorName)", "error": "\(error)"])
            outcomes = batch.map { _ in .failed(.unsure(code: "connector_failed", message: "\(type(of: error))")) }
        }
        var results: [DeliveryResult] = []
        for (errand, outcome) in zip(batch, outcomes) {
            var result = try await result(errand, outcome, plugin)
            // an outage makes no dead letters, however long it lasts
            if standing == .down, result.outcome == .retry { (result.outcome, result.delay) = (.unsent, 0) }
            results.append(result)
        }
        return (results, standing == .open)
    }

    /// What single outcomes say of the remote as a whole: that credentials are no good, that it asks for a pause,
    /// or, when no record went through, that it does not work.
    private static func worst(_ outcomes: [PushOutcome]) -> RemoteError? {
        let errors = outcomes.compactMap { if case .failed(let error) = $0 { error } else { nil } }
        if let locked = errors.first(where: { if case .locked = $0 { true } else { false } }) { return locked }
        if let asked = errors.first(where: { if case .later(_, _, _?) = $0 { true } else { false } }) { return asked }
        guard errors.count == outcomes.count else { return nil }
        return errors.first { if case .later = $0 { true } else { false } }
    }

    private func result(_ errand: Errand, _ outcome: PushOutcome, _ plugin: DeliveryPlugin) async throws
        -> DeliveryResult
    {
        let claim = errand.claim
        switch outcome {
        case .gone: return DeliveryResult(claim, .gone, code: "gone")
        case .failed(let error): return failed(claim, error)
        case .differs(let record): return try await takeIn(record, for: claim, plugin)
        case .done(let record, let over):
            if claim.isDeleted { return DeliveryResult(claim, .gone, code: "deleted") }
            var result = DeliveryResult(claim, .done)
            (result.remoteID, result.remoteVersion, result.remoteAt) = (record.id, record.version, record.changedAt)
            if let expectation = errand.expectation, record.values.object?.isEmpty == false {
                let news = expectation.agreed(after: record.values, over: over)
                result.agreed = .object(news)
                result.pushed = StagedRow.hash(
                    .object((expectation.agreed.object ?? [:]).merging(news) { _, new in new }))
            } else {
                let fields = plugin.mapping.hubFields(.out)
                result.agreed = .object(
                    (claim.document?.object ?? [:]).filter { fields.contains($0.key) && $0.key != "name" })
            }
            return result
        }
    }

    /// Somebody changed the record there: what they wrote is merged first, then the delivery begins anew.
    private func takeIn(_ record: RemoteRecord, for claim: ClaimedDelivery, _ plugin: DeliveryPlugin) async throws
        -> DeliveryResult
    {
        var result = DeliveryResult(claim, .stale, code: "changed_there", message: "it was changed there meanwhile")
        result.remoteID = record.id
        guard let side = plugin.pull, !side.isPaused, let pull = try await tenant.pullPlugin(side.plugin) else {
            result.delay = backOff(claim.attempts)
            return result
        }
        let run = try await tenant.createRun(
            as: .intake(plugin.connector), kind: "hook", plugin: pull.id, connector: pull.connector, state: "done")
        var rows = try await tenant.stagedRows([IncomingRecord(record)], plugin: pull, firstLine: 1)
        rows[0].contact = claim.record
        _ = try await tenant.takePage(rows, plugin: pull, run: run, reading: Reading())
        return result
    }

    private func failed(_ claim: ClaimedDelivery, _ error: RemoteError) -> DeliveryResult {
        switch error {
        case .later(_, _, let seconds) where error.isHeldBack:
            DeliveryResult(claim, .unsent, delay: seconds ?? 0)
        case .later(let code, let message, let retryAfter):
            DeliveryResult(
                claim, .retry, code: code, message: message, delay: max(retryAfter ?? 0, backOff(claim.attempts)))
        case .unsure(let code, let message):
            DeliveryResult(claim, .unsure, code: code, message: message, delay: backOff(claim.attempts))
        case .refused(let code, let message): DeliveryResult(claim, .refused, code: code, message: message)
        case .locked(let code, let message): DeliveryResult(claim, .locked, code: code, message: message)
        case .stale:
            DeliveryResult(
                claim, .stale, code: "stale", message: "the remote has a newer version", delay: backOff(claim.attempts))
        case .cursorExpired: DeliveryResult(claim, .retry, code: "cursor_expired", delay: backOff(claim.attempts))
        }
    }

    /// What a failure of the whole call means for the connector.
    private func note(_ error: RemoteError, _ plugin: DeliveryPlugin) async throws -> Standing {
        switch error {
        case .later where error.isHeldBack: return .closed
        case .locked(_, let message):
            try await tenant.lock(connector: plugin.connector, reason: message)
            return .closed
        case .later(_, _, let retryAfter?):
            try await tenant.noteRemote(connector: plugin.connector, closedFor: retryAfter, isAsked: true)
            return .closed
        case .later, .unsure:
            // the breaker: after five failures in a row the remote is left alone, ever longer
            let failures = try await tenant.remoteFailures(connector: plugin.connector) + 1
            let pause =
                failures < 5 ? 0 : min(options.firstDelay * Double(1 << min(failures - 5, 9)), Self.longestPause)
            try await tenant.noteRemote(connector: plugin.connector, closedFor: pause)
            return pause == 0 ? .open : .down
        default: return .open
        }
    }

    /// How a remote stands after a call.
    private enum Standing {
        case open
        /// Not to be called for a while.
        case closed
        /// Out of order for all records: that is no fault of any of them.
        case down
    }

    /// Seconds between two tries of a remote that is out of order.
    private static let longestPause = 60.0

    /// Doubled with each attempt, half of it by chance, an hour at most.
    private func backOff(_ attempts: Int) -> Double {
        let full = min(options.firstDelay * Double(1 << min(attempts - 1, 20)), 3600)
        return full / 2 + Double.random(in: 0...full / 2)
    }
}
