import Hub
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\u0000""#,
        "01", "-", "+1", "1.", ".5", "1e", "1e+", "1.e5", "1-2", "1e400", "-1e400", "0x10", "NaN", "[1,]", "{\"a\":1,}",
        "{a:1}", "'a'", "", " ", "[", "{", "tru", "truex", "1 2", "\"\u{1}\"", "\"abc", #""\x""#, #""\u12g4""#,
        #""\u+123""#,
        "\u{FEFF}1", "[1 2]", "{\"a\" 1}", "{1:2}",
    ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSON(text: text) }
    }

    @Test func makesOnlyTheMembersThatAreAskedFor() throws {
        let text = #"""
            {"gone": 1, "items": [{"gone": {"a": ["}", "\"]\\", 2.5e3]}, "stays": {"gone": "kept"}}, {"stays": 1, "gone": null},
            {"gone":"x,y"},{"stay":3,"stays\"":4,"a":[{"gone":true,"b":{}}] , "gone" : [[],{}] }], "next": "7"}
            """#
        let kept = [2: ["stays", "a"], 4: ["b"]]
        #expect(
            try JSON(parsing: Array(text.utf8), keeping: kept) == [
                "gone": 1, "next": "7",
                "items": [["stays": ["gone": "kept"]], ["stays": 1], [:], ["a": [["b": [:]]]]],
            ])
        for cut in 0..<text.utf8.count {
            #expect(throws: JSONError.self) { try JSON(parsing: Array(text.utf8.prefix(cut)), keeping: kept) }
        }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] {
            #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
        }
    }

    @Test func depthHasALimit() throws {
        let nested = { (levels: Int) in String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
        #expect(throws: JSONError.self) { try JSON(text: nested(100_000)) }
        #expect(throws: JSONError.self) { try JSON(text: nested(66)) }
        _ = try JSON(text: nested(64))
    }

    @Test func readsNumbers() throws {
        #expect(try JSON(text: "9223372036854775807") == .int(.max))
        #expect(try JSON(text: "-9223372036854775808") == .int(.min))
        #expect(try JSON(text: "9223372036854775808") == .double(9_223_372_036_854_775_808))
        #expect(try JSON(text: "1.5e+3") == .double(1500))
        #expect(try JSON(text: "0") == .int(0))
        #expect(try JSON(text: "-0.5") == .double(-0.5))
    }

    @Test func readsEscapes() throws {
        #expect(try JSON(text: #""\ud83d\ude00\u00e9\n\/""#) == .string("😀é\n/"))
    }

    @Test func writingAndReadingGivesTheSame() throws {
        var random = SplitMix(seed: 7)
        for _ in 0..<500 {
            let value = Self.value(depth: 0, &random)
            #expect(try JSON(parsing: value.bytes) == value)
        }
    }

    private static func value(depth: Int, _ random: inout SplitMix) -> JSON {
        switch Int.random(in: 0...(depth < 5 ? 6 : 4), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .int(.random(in: .min ... .max, using: &random))
        case 3: return .double(.random(in: -1e9...1e9, using: &random) + 0.5)
        case 4: return .string(text(&random))
        case 5: return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth: depth + 1, &random) })
        default:
            let count = Int.random(in: 0...4, using: &random)
            let members = (0..<count).map { ("\($0)" + text(&random), value(depth: depth + 1, &random)) }
            return .object(Dictionary(uniqueKeysWithValues: members))
        }
    }

    private static func text(_ random: inout SplitMix) -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "\"", "\\", "\n", "\r", "\t", "\u{1}", "é", "😀", "\u{301}", "\u{7F}", "/",
        ]
        var view = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            view.append(alphabet.randomElement(using: &random) ?? "a")
        }
        return String(view)
    }
}
