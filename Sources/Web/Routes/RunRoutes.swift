import HTTPTypes
import Hub
import Store

extension Operations {
    private static let runID = id("id", "The run's number.")

    static let runs: [Operation] = [
        Operation(
            id: "listRuns", method: .get, path: "\(prefix)/runs", summary: "Runs, newest first.",
            access: .tenant(.runs),
            parameters: [
                .query("kind", Schema.choice(Schemas.runKinds), "Of this kind only."),
                .query("state", Schema.choice(Schemas.runStates), "In this state only."), limit, cursor,
            ], responses: [200: Schema.page(Schema.ref("RunSummary"))],
            handle: { call in
                let page = try await call.tenant.runs(
                    kind: call.text("kind"), state: call.text("state"), before: call.cursor(), limit: call.limit,
                    as: call.actor)
                return .page(page.json, next: page.next)
            }),
        Operation(
            id: "getRun", method: .get, path: "\(prefix)/runs/{id}", summary: "One run.", access: .tenant(.runs),
            parameters: [runID], responses: [200: Schema.ref("Run")],
            handle: { call in Answer(json: try await call.tenant.runJSON(call.id(), as: call.actor)) }),
        Operation(
            id: "listRunRows", method: .get, path: "\(prefix)/runs/{id}/rows",
            summary: "The rows of a run and what became of each.", access: .tenant(.runs),
            parameters: [
                runID, .query("verdict", Schema.text(1, 40), "With this verdict only, such as “refused”."),
                .query("faulty", Schema.flag, "Only refused ones, and those with a value that could not be taken."),
                limit,
                cursor,
            ], responses: [200: Schema.page(Schema.ref("RunRow"))],
            handle: { call in
                let page = try await call.tenant.stagedPage(
                    call.id(), verdict: call.text("verdict"), isFaulty: call.flag("faulty"),
                    after: call.cursor() ?? Int64.min, limit: call.limit,
                    as: call.actor)
                return .page(page.json, next: page.next)
            }),
        Operation(
            id: "approveRun", method: .post, path: "\(prefix)/runs/{id}/approve",
            summary: "Lets a run that waits for approval go on.", access: .tenant(.runs), parameters: [runID],
            responses: [202: Schema.ref("Run")], errors: [409],
            handle: { call in
                let id = try call.id()
                _ = try await call.tenant.runJSON(id, as: call.actor)
                try await call.tenant.approve(id, as: call.actor)
                return try await accepted(id, call)
            }),
        Operation(
            id: "cancelRun", method: .post, path: "\(prefix)/runs/{id}/cancel",
            summary: "Gives up a run that has not begun, or that waits for approval.", access: .tenant(.runs),
            parameters: [runID], responses: [200: Schema.ref("Run")], errors: [409],
            handle: { call in
                let id = try call.id()
                _ = try await call.tenant.runJSON(id, as: call.actor)
                try await call.tenant.cancelRun(id, as: call.actor)
                return Answer(json: try await call.tenant.runJSON(id, as: call.actor))
            }),
        Operation(
            id: "undoRun", method: .post, path: "\(prefix)/runs/{id}/undo",
            summary: "Takes back what a run changed, where nobody changed it since.", access: .tenant(.runs),
            parameters: [runID], responses: [202: Schema.ref("Run")], errors: [409],
            handle: { call in try await accepted(call.tenant.undoRun(call.id(), as: call.actor), call) }),
        Operation(
            id: "replay", method: .post, path: "\(prefix)/replay",
            summary: "What other rules would have decided for past changes, without any effect.",
            access: .tenant(.config),
            body: .json(Schema.ref("Replay")), responses: [200: Schema.ref("ReplayResult")],
            handle: { call in
                Answer(
                    try await call.tenant.replay(
                        rules: call.body["rules"] ?? [:], since: call.body["since"]?.string ?? "", as: call.actor))
            }),
    ]

    static let deliveries: [Operation] = [
        Operation(
            id: "getFigures", method: .get, path: "\(prefix)/figures",
            summary:
                "Key figures by day, the oldest first: contacts there were, and how many contacts and orders came, changed or went. None for a role that does not see every contact.",
            access: .tenant(.contactsRead),
            parameters: [.query("days", Schema.whole(1, 400), "How many days back, today among them; 14 unless told.")],
            responses: [200: Schema.page(Schema.ref("Figures"))],
            handle: { call in
                .items(try await call.tenant.figures(days: Int(call.query["days"]?.int ?? 14), as: call.actor))
            }),
        Operation(
            id: "monitoring", method: .get, path: "\(prefix)/monitoring",
            summary:
                "How each connector does: what waits, and hour by hour what was delivered and failed, and how quickly.",
            access: .tenant(.runs),
            parameters: [.query("hours", Schema.whole(1, 168), "How many hours back; 24 unless told.")],
            responses: [200: Schema.ref("Monitoring")],
            handle: { call in
                Answer(
                    try await call.tenant.monitoring(hours: Int(call.query["hours"]?.int ?? 24), as: call.actor))
            }),
        Operation(
            id: "listDeliveries", method: .get, path: "\(prefix)/deliveries",
            summary: "How deliveries stand, by contact and plugin.", access: .tenant(.runs),
            parameters: [
                .query("state", Schema.choice(["due", "leased", "done", "dead"]), "In this state only."),
                .query("connector", Schema.id, "Of this connector only."), limit, cursor,
            ], responses: [200: Schema.page(Schema.ref("Delivery"))],
            handle: { call in
                let (record, plugin) = try call.cursorPair()
                let page = try await call.tenant.deliveries(
                    state: call.text("state"), connector: call.query["connector"]?.int,
                    after: (record: record, plugin: plugin),
                    limit: call.limit, as: call.actor)
                return .page(page.json, next: page.next)
            }),
        Operation(
            id: "retryDeliveries", method: .post, path: "\(prefix)/deliveries/retry",
            summary:
                "Tries again at once what failed, dead letters and what waits for its next attempt: all, of a connector, with a code, of a contact.",
            access: .tenant(.runs), body: .json(Schema.ref("Retry")), responses: [200: Schema.ref("Retried")],
            handle: { call in
                let count = try await call.tenant.retryDeliveries(
                    connector: call.body["connector"]?.int, code: call.body["code"]?.string,
                    record: call.body["record"]?.int,
                    as: call.actor)
                return Answer(["retried": .int(Int64(count))])
            }),
    ]

    static let changes: [Operation] = [
        Operation(
            id: "changeFeed", method: .get, path: "\(prefix)/changes",
            summary: "The change feed: every change in order, none missed by who goes on from “next”.",
            access: .tenant(.feed),
            parameters: [
                .query(
                    "after", ["type": "string", "pattern": "^[0-9]{1,20}[.][0-9]{1,19}$"], "“next” of the page before."),
                .query("limit", Schema.whole(1, 1000), "Changes on a page; 50 unless told."),
            ], responses: [200: Schema.ref("Feed")],
            handle: { call in
                let parts = (call.text("after") ?? "0.0").split(separator: ".")
                guard let transaction = UInt64(parts[0]), let id = Int64(parts[1]) else {
                    throw RequestFault.query("query.invalid", "There is no such place in the feed.", "after")
                }
                let page = try await call.tenant.changeFeed(after: (transaction, id), limit: call.limit, as: call.actor)
                return Answer(
                    json: Array(#"{"items":"#.utf8) + page.json + Array(#","next":"\#(page.next)"}"#.utf8))
            })
    ]
}
