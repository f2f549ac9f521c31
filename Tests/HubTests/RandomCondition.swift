import Hub

/// Conditions made by chance.
enum RandomCondition {
    static func tree(depth: Int, _ random: inout SplitMix) -> Condition {
        switch Int.random(in: 0...(depth < 6 ? 5 : 2), using: &random) {
        case 3: return .all((0..<Int.random(in: 0...3, using: &random)).map { _ in tree(depth: depth + 1, &random) })
        case 4: return .any((0..<Int.random(in: 1...3, using: &random)).map { _ in tree(depth: depth + 1, &random) })
        case 5: return .not(tree(depth: depth + 1, &random))
        default: return .leaf(leaves.randomElement(using: &random) ?? .tag("a"))
        }
    }

    static func tagTree(depth: Int, _ random: inout SplitMix) -> Condition {
        switch Int.random(in: 0...(depth < 3 ? 4 : 1), using: &random) {
        case 2: return .all((0..<Int.random(in: 1...3, using: &random)).map { _ in tagTree(depth: depth + 1, &random) })
        case 3: return .any((0..<Int.random(in: 1...3, using: &random)).map { _ in tagTree(depth: depth + 1, &random) })
        case 4: return .not(tagTree(depth: depth + 1, &random))
        default: return .leaf(.tag(["a", "b", "c", "d", "e", "f"].randomElement(using: &random) ?? "a"))
        }
    }

    static func holds(_ condition: Condition, _ answers: [Leaf: Bool]) -> Bool {
        switch condition {
        case .all(let parts): parts.allSatisfy { holds($0, answers) }
        case .any(let parts): parts.contains { holds($0, answers) }
        case .not(let part): !holds(part, answers)
        case .leaf(let leaf): answers[leaf] ?? false
        }
    }

    private static let leaves: [Leaf] = [
        .tag("supplier"), .field("industry", .contains("carpentry")), .field("size", .atMost(12)),
        .field("size", .below("10.50")), .field("name", .isNot("x")), .field("name", .oneOf(["x", 3, true])),
        .field("name", .startsWith("é")), .field("birthday", .before(.daysAgo(-3))), .field("phones", .exists(true)),
        .consent(purpose: "newsletter"), .origin("staff"), .change([.edited, .deleted]), .changed(fields: ["emails"]),
        .birthMonth(.this), .birthMonth(.month(12)), .owner([]), .owner([3, 5]),
        .bought(Purchase()),
        .bought(Purchase(supplier: "Oak", product: "Door", category: "Wood", withinDays: 3, atLeast: 4)),
        .noOrderInDays(30), .unchangedInDays(400), .orders(.is(3)), .orders(.atLeast(2)), .spent(.atMost("100.00")),
    ]
}
