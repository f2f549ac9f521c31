import Hub
import Testing

@Suite struct ConditionTests {
    @Test(arguments: [
        #"{"all":[]}"#, #"{"tag":"supplier"}"#, #"{"field":"industry","contains":"carpentry"}"#,
        #"{"consent":"newsletter"}"#, #"{"origin":"google"}"#, #"{"change":["new","merged"]}"#,
        #"{"changed":["emails","phones"]}"#, #"{"birth_month":9}"#, #"{"birth_month":"this"}"#,
        #"{"bought":{"at_least":2,"supplier":"Oak & Pine","within_days":90}}"#, #"{"bought":{}}"#,
        #"{"no_order_in_days":90}"#, #"{"unchanged_in_days":400}"#, #"{"orders":{"above":3}}"#,
        #"{"spent":{"at_least":"100.00"}}"#,
        #"{"field":"birthday","before":"1990-01-31"}"#, #"{"after":{"days_ago":30},"field":"birthday"}"#,
        #"{"exists":false,"field":"phones"}"#, #"{"field":"type","one_of":["a",1,true]}"#,
        #"{"all":[{"any":[{"tag":"a"},{"tag":"b"}]},{"not":{"tag":"c"}}]}"#,
    ])
    func jsonRoundTrip(_ text: String) throws {
        let json = try JSON(text: text)
        #expect(try Condition(json).json == json)
    }

    @Test func anyTreeSurvivesJSON() throws {
        var random = SplitMix(seed: 11)
        for _ in 0..<300 {
            let condition = RandomCondition.tree(depth: 0, &random)
            #expect(try Condition(JSON(parsing: condition.json.bytes)) == condition)
        }
    }

    @Test(arguments: [
        (#"{}"#, "$: expected a condition, found an empty object"),
        (#"7"#, "$: expected an object"),
        (#"{"tagg":"a"}"#, "$: unknown condition \"tagg\""),
        (#"{"all":[{"tag":"a"},{"field":"x","foo":1}]}"#, "$.all[1].field: unknown comparison \"foo\""),
        (#"{"field":"x"}"#, "$.field: expected a comparison"),
        (#"{"field":"x","is":1,"above":2}"#, "$.field: more than one comparison"),
        (#"{"tag":"a","any":[]}"#, "$: both \"any\" and \"tag\"; put them into \"all\" or \"any\""),
        (#"{"tag":"a","is":1}"#, "$: unexpected \"is\" beside \"tag\""),
        (#"{"tag":""}"#, "$.tag: must not be empty"),
        (#"{"tag":1}"#, "$.tag: expected text"),
        (#"{"owner":5}"#, "$.owner: expected null or a list of 1 to 200 numbers of staff"),
        (#"{"owner":[0]}"#, "$.owner[0]: expected the number of a member of staff"),
        (#"{"any":[]}"#, "$.any: expected at least one condition"),
        (#"{"not":[]}"#, "$.not: expected an object"),
        (#"{"birth_month":13}"#, "$.birth_month: expected \"this\" or a month from 1 to 12"),
        (#"{"change":["born"]}"#, "$.change[0]: unknown change \"born\"; expected new, edited, deleted or merged"),
        (#"{"bought":{"shop":"x"}}"#, "$.bought: unknown member \"shop\""),
        (#"{"no_order_in_days":0}"#, "$.no_order_in_days: expected a whole number from 1 to 36600"),
        (#"{"orders":{"contains":"x"}}"#, "$.orders: numbers cannot be compared with \"contains\""),
        (#"{"spent":{"above":"12,5"}}"#, "$.spent.above: expected a number, or text such as \"100.00\""),
        (#"{"field":"birthday","before":"1990-02-30"}"#, "$.field.before: expected a date YYYY-MM-DD"),
        (#"{"field":"a","is":null}"#, "$.field.is: expected text, a number, true or false"),
    ])
    func refusals(_ text: String, _ message: String) throws {
        let json = try JSON(text: text)
        let error = #expect(throws: ConditionError.self) { try Condition(json) }
        #expect(error?.description == message)
    }

    @Test func limits() throws {
        let leaf: JSON = ["tag": "a"]
        let nested = { (levels: Int) in (1..<levels).reduce(leaf) { inner, _ in ["not": inner] } }
        _ = try Condition(nested(16))
        #expect(throws: ConditionError.self) { try Condition(nested(17)) }
        let wide = { (count: Int) -> JSON in ["all": .array(Array(repeating: leaf, count: count))] }
        _ = try Condition(wide(200))
        #expect(throws: ConditionError.self) { try Condition(wide(201)) }
    }

    @Test(arguments: [
        (#"{"all":[{"tag":"supplier"},{"birth_month":9}]}"#, "has the tag “supplier” and was born in September"),
        (#"{"all":[]}"#, "is any contact"),
        (#"{"not":{"tag":"a"}}"#, "does not have the tag “a”"),
        (#"{"any":[{"owner":[5,7]},{"owner":null}]}"#, "is a client of member of staff 5 or 7 or is nobody's client"),
        (
            #"{"all":[{"consent":"newsletter"},{"any":[{"tag":"a"},{"orders":{"above":3}}]}]}"#,
            "has consented to “newsletter” and (has the tag “a” or has more than 3 orders)"
        ),
        (#"{"not":{"any":[{"tag":"a"},{"tag":"b"}]}}"#, "not (has the tag “a” or has the tag “b”)"),
        (
            #"{"bought":{"supplier":"Oak & Pine","within_days":90,"at_least":2}}"#,
            "has bought something from “Oak & Pine” at least 2 times in the last 90 days"
        ),
        (#"{"field":"job_title","exists":false}"#, "has no job title"),
        (#"{"not":{"orders":{"at_least":3}}}"#, "has fewer than 3 orders"),
        (#"{"not":{"spent":{"is":"1.00"}}}"#, "has not spent just 1.00"),
        (#"{"unchanged_in_days":1}"#, "has neither changed nor ordered in the last day"),
        (#"{"field":"birthday","after":{"days_ago":3}}"#, "has birthday after 3 days ago"),
    ])
    func words(_ text: String, _ words: String) throws {
        #expect(try Condition(JSON(text: text)).words == words)
    }

    @Test func validation() throws {
        let catalogue = FieldCatalogue(custom: [
            .init(key: "industry", label: "Industry", type: .multiChoice, choices: ["carpentry", "glass"]),
            .init(key: "size", label: "Size", type: .number),
        ])
        let good = [
            #"{"field":"industry","is":"glass"}"#, #"{"field":"size","above":3}"#,
            #"{"field":"addresses.city","is":"Oslo"}"#,
            #"{"field":"emails","contains":"@acme"}"#, #"{"field":"birthday","before":{"days_ago":1}}"#,
            #"{"field":"addresses","exists":true}"#, #"{"changed":["industry","emails"]}"#,
        ]
        for text in good { try Condition(JSON(text: text)).validate(against: catalogue) }
        let bad = [
            (#"{"all":[{"not":{"field":"foo","is":"x"}}]}"#, "$.all[0].not.field: unknown field \"foo\""),
            (#"{"field":"size","contains":"x"}"#, "$.contains: \"size\" holds a number, not text"),
            (#"{"field":"size","is":"many"}"#, "$.is: \"size\" holds a number; found \"many\""),
            (#"{"field":"name","above":3}"#, "$.above: \"name\" holds text, which is not compared by size"),
            (#"{"field":"industry","is":"steel"}"#, "$.is: \"industry\" has no choice \"steel\""),
            (#"{"field":"name","before":"2020-01-01"}"#, "$.before: \"name\" holds text, not a date"),
            (#"{"field":"emails.city","is":"x"}"#, "$.field: unknown field \"emails.city\""),
            (#"{"changed":["foo"]}"#, "$.changed[0]: unknown field \"foo\""),
        ]
        for (text, message) in bad {
            let condition = try Condition(JSON(text: text))
            let error = #expect(throws: ConditionError.self) { try condition.validate(against: catalogue) }
            #expect(error?.description == message)
        }
        let addresses = try Condition(JSON(text: #"{"field":"addresses","is":"x"}"#))
        #expect(throws: ConditionError.self) { try addresses.validate(against: catalogue) }
    }
}

@Suite struct VerdictTests {
    private let tags = { (name: String) in Condition.leaf(.tag(name)) }

    @Test func refusedByOneOfAll() {
        let condition = Condition.all([tags("a"), tags("b")])
        let verdict = condition.verdict(leafResults: [true, false])
        #expect(!verdict.result)
        #expect(verdict.decisive == [.tag("b")])
        #expect(verdict.whatWouldChange(in: EnglishPhrases()) == ["add the tag “b”"])
    }

    @Test func alternativesAndPairs() {
        let condition = Condition.any([tags("a"), .all([tags("b"), tags("c")])])
        #expect(
            condition.verdict(leafResults: [false, false, true]).whatWouldChange(in: EnglishPhrases()) == [
                "add the tag “a”", "add the tag “b”",
            ])
        #expect(
            condition.verdict(leafResults: [false, false, false]).whatWouldChange(in: EnglishPhrases()) == [
                "add the tag “a”"
            ])
        #expect(
            condition.verdict(leafResults: [true, true, true]).whatWouldChange(in: EnglishPhrases())
                == ["remove the tag “a” and remove the tag “b”", "remove the tag “a” and remove the tag “c”"])
    }

    @Test func whatCannotChange() {
        let never = Condition.all([tags("a"), .not(tags("a"))])
        #expect(never.verdict(leafResults: [true, true]).whatWouldChange(in: EnglishPhrases()) == [])
        #expect(!never.verdict(leafResults: [true, true]).result)
        #expect(Condition.everything.verdict(leafResults: []).result)
        #expect(Condition.everything.verdict(leafResults: []).whatWouldChange(in: EnglishPhrases()) == [])
    }

    @Test func rejectionCodes() {
        let condition = Condition.all([
            .leaf(.change([.new])), .leaf(.consent(purpose: "newsletter")), tags("a"), .leaf(.origin("api")),
        ])
        #expect(condition.rejectionCode(leafResults: [true, true, true, true]) == nil)
        #expect(condition.rejectionCode(leafResults: [true, true, true, false]) == "filter_not_met")
        #expect(condition.rejectionCode(leafResults: [true, true, false, false]) == "missing_tag")
        #expect(condition.rejectionCode(leafResults: [true, false, false, true]) == "no_consent")
        #expect(condition.rejectionCode(leafResults: [false, false, false, true]) == "not_this_change")
    }

    /// The verdict agrees with plain evaluation, every turn it names turns the result, and none smaller does.
    @Test func turnsAreMinimal() {
        var random = SplitMix(seed: 5)
        for _ in 0..<300 {
            let condition = RandomCondition.tagTree(depth: 0, &random)
            let distinct = Array(Set(condition.leaves)).sorted { "\($0)" < "\($1)" }
            let answers = Dictionary(uniqueKeysWithValues: distinct.map { ($0, Bool.random(using: &random)) })
            let verdict = condition.verdict(leafResults: condition.leaves.map { answers[$0] ?? false })
            #expect(verdict.result == RandomCondition.holds(condition, answers))
            let least = Self.leastTurn(condition, distinct, answers)
            for turn in verdict.whatWouldChange(in: EnglishPhrases()) {
                #expect(turn.split(separator: " and ").count == least)
            }
            if let only = least, only == 1 { #expect(!verdict.whatWouldChange(in: EnglishPhrases()).isEmpty) }
        }
    }

    private static func leastTurn(_ condition: Condition, _ leaves: [Leaf], _ answers: [Leaf: Bool]) -> Int? {
        let before = RandomCondition.holds(condition, answers)
        var least: Int?
        for mask in 1..<(1 << leaves.count) {
            var turned = answers
            for (index, leaf) in leaves.enumerated() where mask >> index & 1 == 1 { turned[leaf]?.toggle() }
            if RandomCondition.holds(condition, turned) != before { least = min(least ?? .max, mask.nonzeroBitCount) }
        }
        return least
    }
}
