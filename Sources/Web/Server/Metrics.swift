import Synchronization

/// Counts of requests, in the text format of Prometheus (exposition format 0.0.4).
final class Metrics: Sendable {
    /// Upper bounds in seconds.
    private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

    private struct Counts {
        var statuses: [Int: Int] = [:]
        var buckets = [Int](repeating: 0, count: Metrics.bounds.count + 1)
        var sum = 0.0
        var count = 0
    }
    private final class Cell: Sendable {
        let name: String
        let counts = Mutex(Counts())
        init(_ name: String) { self.name = name }
    }
    private let cells: [Cell]

    /// - Parameter names: of operations, by number; what belongs to none is counted as "none".
    init(_ names: [String]) { cells = (names + ["none"]).map(Cell.init) }

    /// - Parameter operation: its number; nil for none.
    func note(_ operation: Int?, status: Int, seconds: Double) {
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        cells[operation ?? cells.count - 1].counts.withLock { counts in
            counts.statuses[status, default: 0] += 1
            counts.buckets[bucket] += 1
            counts.sum += seconds
            counts.count += 1
        }
    }

    func text(pools: [(name: String, value: Int)]) -> String {
        var requests = "# TYPE kontor_http_requests_total counter\n"
        var times = "# TYPE kontor_http_request_seconds histogram\n"
        for cell in cells {
            let counts = cell.counts.withLock { $0 }
            guard counts.count > 0 else { continue }
            for (status, count) in counts.statuses.sorted(by: { $0.key < $1.key }) {
                requests += "kontor_http_requests_total{operation=\"\(cell.name)\",status=\"\(status)\"} \(count)\n"
            }
            var total = 0
            for (bucket, count) in counts.buckets.enumerated() {
                total += count
                let bound = bucket < Self.bounds.count ? String(Self.bounds[bucket]) : "+Inf"
                times += "kontor_http_request_seconds_bucket{operation=\"\(cell.name)\",le=\"\(bound)\"} \(total)\n"
            }
            times += "kontor_http_request_seconds_sum{operation=\"\(cell.name)\"} \(counts.sum)\n"
            times += "kontor_http_request_seconds_count{operation=\"\(cell.name)\"} \(counts.count)\n"
        }
        var connections = ""
        for (name, value) in pools {
            connections += "# TYPE kontor_database_\(name) \(name.hasSuffix("_total") ? "counter" : "gauge")\n"
            connections += "kontor_database_\(name) \(value)\n"
        }
        return requests + times + connections
    }
}
