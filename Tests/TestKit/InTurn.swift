public import Testing

/// Eight tests at once, whatever their suites: hundreds that take turns on two cores make each other wait so long
/// for every statement that leases and deadlines meant for minutes run out.
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
