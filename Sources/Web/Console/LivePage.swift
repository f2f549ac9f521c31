import HTTPTypes
import Hub
import Hummingbird
import ServiceLifecycle
import Store

extension Operations {
    /// How long a browser is told of changes before it has to ask again, and so to show that its session still stands.
    private static let stay: Duration = .seconds(120)

    /// Server-Sent Events (HTML Living Standard, 9.2): "changed", whenever something did in the shop.
    static let live: [Operation] = [
        Operation(
            id: "live", method: .get, path: "/live", summary: "Tells a page of changes.", access: .staff,
            responses: [200: Schema.string], answerType: "text/event-stream", isDocumented: false, isPage: true,
            handle: { call in
                guard case .staff = call.actor, call.grant.confined == nil else { throw Caller.noSession }
                let events = call.services.live.events(of: try call.tenant.tenant.id)
                return Answer(contentType: "text/event-stream") { writer in
                    let over = ContinuousClock.now + stay
                    try await writer.write(Array("retry: 1000\n\n".utf8))
                    for await event in events.cancelOnGracefulShutdown() {
                        switch event {
                        case .changed: try await writer.write(Array("event: changed\ndata: now\n\n".utf8))
                        case .beat: try await writer.write(Array(":\n\n".utf8))
                        }
                        if ContinuousClock.now > over { return }
                    }
                }
            })
    ]
}
