import Hub
import Store

/// A run whose rows are on their way in.
struct StagingRun: Sendable {
    let tenant: TenantDatabase
    let actor: Actor
    let run: Int64

    func stage(_ rows: [StagedRow]) async throws { try await tenant.stage(rows, run: run, as: actor) }

    /// Stages what `body` gives and lets the relay take the run up; when it throws, nothing of the run stays but
    /// its end.
    /// - Parameter body: returns counts to be kept with the run.
    func fill(_ body: (StagingRun) async throws -> JSON) async throws {
        do {
            try await tenant.queueStaged(run: run, counts: body(self), as: actor)
        } catch {
            let words = "The rows did not all arrive: \(Failure.logText(error))."
            // the request may be cancelled; the run must end all the same
            let (tenant, run, actor) = (tenant, run, actor)
            try await Task { try await tenant.abandonStaged(run: run, message: words, as: actor) }.value
            throw error
        }
    }
}
