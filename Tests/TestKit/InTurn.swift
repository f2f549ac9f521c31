public import Testing

/// Eight tests at once, whatever their suites: of hundreds that begin at once on two cores each takes minutes, and what it
/// waits for takes seconds more than where they are few.
public struct InTurn: SuiteTrait, TestTrait, TestScoping {
    private static let turns = Gate(8)

    public var isRecursive: Bool { true }

    public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Self.turns.enter()
        do { try await function() } catch {
            await Self.turns.leave()
            throw error
        }
        await Self.turns.leave()
    }
}

extension Trait where Self == InTurn {
    /// With few other tests beside it.
    public static var inTurn: InTurn { InTurn() }
}
