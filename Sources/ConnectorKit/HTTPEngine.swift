import CCurl
import CLibcurl
import Foundation
import Hub
import Synchronization

/// Runs HTTP calls on libcurl's multi interface: one thread drives all transfers, tasks only wait.
/// Connections are kept and, with HTTP/2, shared.
public final class HTTPEngine: Sendable {
    /// The program's engine.
    public static let shared = HTTPEngine()

    private struct Inbox {
        var starts: [HTTPTransfer] = []
        var hasCancels = false
        var isStopped = false
    }

    private let inbox = Mutex(Inbox())
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// - Parameters:
    ///   - perHost: connections to one host at most; further calls wait for one.
    ///   - total: connections altogether.
    public init(perHost: Int = 16, total: Int = 256) {
        guard Self.isReady, let multi = curl_multi_init() else { preconditionFailure("libcurl cannot start") }
        self.multi = multi
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, perHost)
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, total)
        // Left to itself libcurl keeps only four times as many as there are calls at the moment.
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, total)
        let thread = Thread { [self] in drive() }
        thread.name = "http"
        thread.start()
    }

    /// Ends the thread; transfers under way fail as cancelled. For engines other than `shared`.
    public func stop() {
        inbox.withLock { $0.isStopped = true }
        curl_multi_wakeup(multi)
    }

    func run(
        _ request: HTTPRequest, guard addressGuard: AddressGuard, caFile: String?
    ) async throws(RemoteError) -> HTTPResponse {
        let ticket = HTTPTransfer.Ticket()
        let result: Result<HTTPResponse, RemoteError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                start(
                    HTTPTransfer(request, ticket, guard: addressGuard, caFile: caFile) {
                        continuation.resume(returning: $0)
                    })
            }
        } onCancel: {
            ticket.isCancelled.store(true, ordering: .releasing)
            inbox.withLock { $0.hasCancels = true }
            curl_multi_wakeup(multi)
        }
        return try result.get()
    }

    private func start(_ transfer: HTTPTransfer) {
        let isStopped = inbox.withLock {
            if !$0.isStopped { $0.starts.append(transfer) }
            return $0.isStopped
        }
        if isStopped { return transfer.finish(CURLE_ABORTED_BY_CALLBACK, isCancelled: true) }
        curl_multi_wakeup(multi)
    }

    /// The thread's life: takes orders, moves bytes, hands out results.
    private func drive() {
        blockBrokenPipe()
        var active: [UnsafeMutableRawPointer: HTTPTransfer] = [:]
        while true {
            let orders = inbox.withLock {
                let taken = $0
                $0.starts = []
                $0.hasCancels = false
                return taken
            }
            for transfer in orders.starts { begin(transfer, &active) }
            if orders.hasCancels || orders.isStopped { end(all: orders.isStopped, &active) }
            if orders.isStopped { break }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            collect(&active)
            curl_multi_poll(multi, nil, 0, 1000, nil)
        }
        curl_multi_cleanup(multi)
    }

    private func begin(_ transfer: HTTPTransfer, _ active: inout [UnsafeMutableRawPointer: HTTPTransfer]) {
        // The cancellation may have overtaken the start.
        if transfer.ticket.isCancelled.load(ordering: .acquiring) {
            return transfer.finish(CURLE_ABORTED_BY_CALLBACK, isCancelled: true)
        }
        guard let easy = transfer.prepare() else { return transfer.finish(CURLE_FAILED_INIT) }
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else { return transfer.finish(CURLE_FAILED_INIT) }
        active[easy] = transfer
    }

    /// Ends transfers whose task was cancelled, or all of them.
    private func end(all: Bool, _ active: inout [UnsafeMutableRawPointer: HTTPTransfer]) {
        for (easy, transfer) in active where all || transfer.ticket.isCancelled.load(ordering: .acquiring) {
            active[easy] = nil
            curl_multi_remove_handle(multi, easy)
            transfer.finish(CURLE_ABORTED_BY_CALLBACK, isCancelled: true)
        }
    }

    private func collect(_ active: inout [UnsafeMutableRawPointer: HTTPTransfer]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let transfer = active.removeValue(forKey: easy)
            else { continue }
            let code = message.pointee.data.result
            curl_multi_remove_handle(multi, easy)
            transfer.finish(code)
        }
    }

    /// libcurl leaves SIGPIPE to the program when it may use no signals.
    private func blockBrokenPipe() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
