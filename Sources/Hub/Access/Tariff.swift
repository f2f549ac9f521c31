/// A price by the number of orders in a month. Amounts are in ten-thousandths of the currency's unit, so that sums are exact.
public struct Tariff: Sendable, Hashable {
    /// Orders at one price.
    public struct Step: Sendable, Hashable {
        /// Up to which order of the month; nil for all that follow.
        public let upto: Int64?
        public let price: Int64
    }
    public let base: Int64
    public let steps: [Step]

    /// A line of an invoice: so many orders at one price.
    public struct Line: Sendable, Hashable {
        public let from: Int64
        public let quantity: Int64
        public let price: Int64
        public var amount: Int64 { quantity * price }
    }

    /// - Parameters:
    ///   - base: in units of the currency.
    ///   - steps: [{"upto": 1000, "price": 0.05}, {"price": 0.02}], the last without `upto`.
    /// - Throws: `Failure` `tariff.invalid`.
    public init(base: Double, steps: JSON) throws {
        func fail(_ message: String) -> Failure { Failure(.invalid, "tariff.invalid", message) }
        func exact(_ value: Double) throws -> Int64 {
            guard value.isFinite, 0...1_000_000 ~= value else { throw fail("A price is from 0 to 1,000,000.") }
            let scaled = (value * 10_000).rounded()
            guard abs(scaled - value * 10_000) < 0.001 else { throw fail("A price has at most four decimals.") }
            return Int64(scaled)
        }
        self.base = try exact(base)
        guard self.base % 100 == 0 else { throw fail("The base has at most two decimals.") }
        var found: [Step] = []
        for step in steps.array ?? [] {
            guard let price = step["price"]?.double ?? step["price"]?.int.map(Double.init) else {
                throw fail("Every step has a price.")
            }
            let upto = step["upto"]?.int
            guard found.last.map({ $0.upto != nil && (upto ?? .max) > $0.upto! }) ?? ((upto ?? 1) > 0) else {
                throw fail("Steps go up, and only the last has no “upto”.")
            }
            found.append(Step(upto: upto, price: try exact(price)))
        }
        guard found.last.map({ $0.upto == nil }) ?? false else {
            throw fail("The last step is for all that follow: no “upto”.")
        }
        self.steps = found
    }

    /// Lines for a number of orders, those of no quantity left out.
    public func lines(orders: Int64) -> [Line] {
        var (done, lines): (Int64, [Line]) = (0, [])
        for step in steps {
            let quantity = min(orders, step.upto ?? orders) - done
            if quantity > 0 { lines.append(Line(from: done + 1, quantity: quantity, price: step.price)) }
            done += max(0, quantity)
        }
        return lines
    }

    /// Base and lines, rounded to hundredths, half up.
    public func total(orders: Int64) -> Int64 {
        (base + lines(orders: orders).map(\.amount).reduce(0, +) + 50) / 100
    }

    /// An amount of ten-thousandths as text, without zeros beyond the second decimal.
    public static func text(_ amount: Int64) -> String {
        let digits = String(amount % 10_000 + 10_000).dropFirst()
        var decimals = String(digits)
        while decimals.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(amount / 10_000).\(decimals)"
    }
}
