/// Statistics of repeated measurements.
enum Rounds {
    /// Runs every side once per round, the order turned about each time, so that a machine that slows down or
    /// speeds up does so for all of them.
    /// - Returns: for each side its values in the order of the rounds.
    static func interleaved(_ rounds: Int, _ sides: [() async throws -> Double]) async throws -> [[Double]] {
        var values = [[Double]](repeating: [], count: sides.count)
        for round in 0..<rounds {
            let order = round % 2 == 0 ? Array(sides.indices) : sides.indices.reversed()
            for side in order { values[side].append(try await sides[side]()) }
        }
        return values
    }

    static func median(_ values: [Double]) -> Double { percentile(values, 0.5) }

    /// The value below which this part (0 to 1) of all lies, between neighbours in proportion; 0 of none.
    static func percentile(_ values: [Double], _ part: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let place = part * Double(sorted.count - 1)
        let low = Int(place)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
    }

    /// Median of the rounds' own ratios: both sides of each were measured within seconds of each other.
    static func ratio(_ values: [Double], to others: [Double]) -> Double {
        median(zip(values, others).map { $0 / $1 })
    }
}
