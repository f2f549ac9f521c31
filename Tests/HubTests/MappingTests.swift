import Hub
import Testing

@Suite struct MappingTests {
    private func mapping(_ rules: String) throws -> Mapping { try Mapping(JSON(text: #"{"rules":["# + rules + "]}")) }

    /// Carries `remote` in, expects `hub`, carries that out and expects `remote` again.
    private func bothWays(_ rule: String, _ remote: String, _ hub: String) throws {
        let mapping = try mapping(rule)
        let (remote, hub) = (try JSON(text: remote), try JSON(text: hub))
        let inward = mapping.inward(remote)
        #expect(inward.problems == [])
        #expect(inward.document == hub)
        let outward = mapping.outward(hub)
        #expect(outward.problems == [])
        #expect(outward.document == remote)
    }

    @Test func plainAndNested() throws {
        try bothWays(#"{"hub":"company","remote":"org.name"}"#, #"{"org":{"name":"Acme"}}"#, #"{"company":"Acme"}"#)
        try bothWays(
            #"{"hub":"company","remote":"\"odd key\".\"a.b\""}"#, #"{"odd key":{"a.b":"Acme"}}"#, #"{"company":"Acme"}"#
        )
        try bothWays(
            #"{"hub":"industry","remote":"userDefined[?key=industry].value"}"#,
            #"{"userDefined":[{"key":"industry","value":"glass"}]}"#, #"{"industry":"glass"}"#)
        try bothWays(
            #"{"hub":"emails[0].value","remote":"mail"},{"hub":"addresses[0].city","remote":"town"},"#
                + #"{"hub":"addresses[0].country","remote":"country"}"#,
            #"{"mail":"a@b.pl","town":"Oslo","country":"NO"}"#,
            #"{"emails":[{"value":"a@b.pl"}],"addresses":[{"city":"Oslo","country":"NO"}]}"#)
    }

    @Test func splitAndJoin() throws {
        let names = #"{"hub":["given_name","family_name"],"remote":"name","split":" "}"#
        try bothWays(names, #"{"name":"Ana Maria Silva"}"#, #"{"given_name":"Ana","family_name":"Maria Silva"}"#)
        #expect(try mapping(names).inward(["name": " Cher "]).document == ["given_name": "Cher", "family_name": nil])
        #expect(try mapping(names).outward(["given_name": "Cher"]).document == ["name": "Cher"])
        try bothWays(
            #"{"hub":"name","remote":["first","last"],"join":" "}"#, #"{"first":"Ana","last":"Maria Silva"}"#,
            #"{"name":"Ana Maria Silva"}"#)
        try bothWays(
            #"{"hub":["addresses[0].street","addresses[0].city"],"remote":"place","split":", "}"#,
            #"{"place":"Gate 1, Oslo"}"#, #"{"addresses":[{"street":"Gate 1","city":"Oslo"}]}"#)
    }

    @Test func values() throws {
        let rule = #"{"hub":"status","remote":"active","values":{"active":1,"inactive":0}}"#
        try bothWays(rule, #"{"active":1}"#, #"{"status":"active"}"#)
        #expect(try mapping(rule).inward(["active": "0"]).document == ["status": "inactive"])
        let unknown = try mapping(rule).inward(["active": 7])
        #expect(unknown.document == [:])
        #expect(unknown.problems.map(\.field) == ["status"])
        let other =
            #"{"hub":"status","remote":"s","values":{"a":1},"otherwise":{"in":"none","out":9},"default":{"in":"new","out":5}}"#
        #expect(try mapping(other).inward(["s": 3]).document == ["status": "none"])
        #expect(try mapping(other).outward(["status": "z"]).document == ["s": 9])
        #expect(try mapping(other).inward([:]).document == ["status": "new"])
        #expect(try mapping(other).outward(["status": nil]).document == ["s": 5])
        let many = #"{"hub":"status","remote":"s","direction":"in","values":{"a":[1,2],"b":3}}"#
        #expect(try mapping(many).inward(["s": 2]).document == ["status": "a"])
    }

    @Test func constants() throws {
        let mapping = try mapping(
            #"{"hub":"source","constant":"shop","direction":"in"},{"remote":"list.id","constant":7,"direction":"out"}"#)
        #expect(mapping.inward([:]).document == ["source": "shop"])
        #expect(mapping.outward([:]).document == ["list": ["id": 7]])
        #expect(mapping.hubFields(.in) == ["source"])
        #expect(mapping.hubFields(.out) == [])
    }

    @Test func lists() throws {
        try bothWays(
            #"{"hub":"emails","remote":"mails","list":{"value":"address","label":{"remote":"meta.kind","values":{"work":"WORK","home":"HOME"}}}}"#,
            #"{"mails":[{"address":"a@b.pl","meta":{"kind":"WORK"}},{"address":"c@d.pl"}]}"#,
            #"{"emails":[{"value":"a@b.pl","label":"work"},{"value":"c@d.pl"}]}"#)
        try bothWays(#"{"hub":"tags","remote":"labels","each":true}"#, #"{"labels":["a","b"]}"#, #"{"tags":["a","b"]}"#)
        try bothWays(
            #"{"hub":"emails","remote":"mails","each":"value"}"#, #"{"mails":["a@b.pl"]}"#,
            #"{"emails":[{"value":"a@b.pl"}]}"#)
        try bothWays(
            #"{"hub":"tags","remote":"t","each":{"remote":"name"}}"#, #"{"t":[{"name":"a"},{"name":"b"}]}"#,
            #"{"tags":["a","b"]}"#)
        try bothWays(
            #"{"hub":"industry","remote":"i","separator":";","values":{"glass":"G","wood":"W"}}"#, #"{"i":"G;W"}"#,
            #"{"industry":["glass","wood"]}"#)
        let clash = try mapping(#"{"hub":"tags","remote":"t","separator":";"}"#).outward(["tags": ["a;b", "c"]])
        #expect(clash.document == ["t": "c"])
        #expect(clash.problems.map(\.field) == ["tags[0]"])
    }

    @Test(arguments: [
        ("date", #""1980-12-31""#), ("dmy.", #""31.12.1980""#), ("mdy/", #""12/31/1980""#), ("epoch_s", "347068800"),
        ("epoch_ms", "347068800000"), ("datetime_utc", #""1980-12-31T00:00:00Z""#),
    ])
    func dates(_ format: String, _ remote: String) throws {
        try bothWays(
            #"{"hub":"birthday","remote":"b","format":"\#(format)"}"#, #"{"b":\#(remote)}"#,
            #"{"birthday":"1980-12-31"}"#)
        let bad = try mapping(#"{"hub":"birthday","remote":"b","format":"\#(format)"}"#).inward(["b": "soon"])
        #expect(bad.document == [:])
        #expect(bad.problems.map(\.field) == ["birthday"])
    }

    @Test func everyDaySurvivesEveryFormat() throws {
        let formats = ["date", "dmy.", "mdy/", "epoch_s", "epoch_ms", "datetime_utc"]
        for format in formats {
            let mapping = try mapping(#"{"hub":"birthday","remote":"b","format":"\#(format)"}"#)
            for number in stride(from: -40_000, to: 40_000, by: 97) {
                let hub: JSON = ["birthday": .string(try #require(Day(daysSinceEpoch: number)).iso)]
                #expect(mapping.inward(mapping.outward(hub).document).document == hub)
            }
        }
    }

    @Test func dateWithOffset() throws {
        let mapping = try mapping(#"{"hub":"birthday","remote":"b","format":"datetime_utc"}"#)
        #expect(mapping.inward(["b": "1981-01-01T00:30:00+02:00"]).document == ["birthday": "1980-12-31"])
        #expect(mapping.inward(["b": "1980-12-31T23:30:00.123-0100"]).document == ["birthday": "1981-01-01"])
        #expect(mapping.inward(["b": "1980-12-31Tnoon"]).document == [:])
    }

    @Test func birthdayInParts() throws {
        let rule = #"{"hub":"birthday","remote":"b","format":"date_parts"}"#
        try bothWays(
            rule, #"{"b":{"year":1980,"month":2,"day":29}}"#, #"{"birthday":"1980-02-29","birth_month":2}"#)
        let yearless = try mapping(rule).inward(["b": ["month": 9, "day": 3]])
        #expect(yearless.document == ["birthday": nil, "birth_month": 9])
        #expect(yearless.problems == [])
        #expect(try mapping(rule).outward(["birthday": nil, "birth_month": 9]).document == [:])
        #expect(try mapping(rule).inward([:]).document == ["birthday": nil, "birth_month": nil])
        #expect(try mapping(rule).hubFields(.in) == ["birthday", "birth_month"])
    }

    @Test func numbersAndFlags() throws {
        try bothWays(#"{"hub":"size","remote":"s","format":"number_comma"}"#, #"{"s":"1234,5"}"#, #"{"size":1234.5}"#)
        let comma = try mapping(#"{"hub":"size","remote":"s","format":"number_comma"}"#)
        for text in ["1 234,50", "1.234,50", "1\u{A0}234,5", "1234,500"] {
            #expect(comma.inward(["s": .string(text)]).document == ["size": .double(1234.5)])
        }
        for text in ["1,2,3", "1.23,5", "12a", "1,2.3"] { #expect(comma.inward(["s": .string(text)]).document == [:]) }
        try bothWays(#"{"hub":"vip","remote":"v","format":"bool01"}"#, #"{"v":1}"#, #"{"vip":true}"#)
        try bothWays(#"{"hub":"vip","remote":"v","format":"bool_yesno"}"#, #"{"v":"no"}"#, #"{"vip":false}"#)
        try bothWays(#"{"hub":"size","remote":"s","format":"number"}"#, #"{"s":12}"#, #"{"size":12}"#)
    }

    @Test func caseTrimAndPhones() throws {
        let title = try mapping(#"{"hub":"family_name","remote":"n","case":"title","trim":true}"#)
        #expect(title.inward(["n": "  O'NEILL-łęcka \r\n"]).document == ["family_name": "O'neill-Łęcka"])
        let phone = try mapping(#"{"hub":"phones","remote":"p","each":"value","country":"PL"}"#)
        #expect(phone.inward(["p": "22 123 45 67"]).document == ["phones": [["value": "+48221234567"]]])
    }

    @Test func deletionsTravel() throws {
        let mapping = try mapping(
            #"{"hub":"company","remote":"org.name"},{"hub":"tags","remote":"t","each":true},{"hub":"x","remote":"f[?key=x].value"}"#
        )
        #expect(mapping.inward(["org": ["name": " "], "t": []]).document == ["company": nil, "tags": nil, "x": nil])
        #expect(mapping.outward(["company": nil]).document == ["org": ["name": nil]])
        #expect(mapping.outward([:]).document == [:])
    }

    @Test(arguments: [
        (#"{"rules":[{"hub":"name"}]}"#, "$.rules[0].remote: expected a path"),
        (#"{"rules":[{"remote":"x"}]}"#, "$.rules[0].hub: expected a field or a list of fields"),
        (#"{"rule":[]}"#, "$: unknown member \"rule\""),
        (#"{"rules":[{"hub":"name","remote":"a..b"}]}"#, "$.rules[0].remote: cannot read the path \"a..b\""),
        (#"{"rules":[{"hub":"name","remote":"a[100]"}]}"#, "$.rules[0].remote: cannot read the path \"a[100]\""),
        (#"{"rules":[{"hub":"Name","remote":"a"}]}"#, "$.rules[0].hub: \"Name\" is no field name"),
        (
            #"{"rules":[{"hub":"name","remote":"a","direction":"up"}]}"#,
            "$.rules[0].direction: expected \"both\", \"in\" or \"out\""
        ),
        (
            #"{"rules":[{"hub":"name","remote":"a"},{"hub":"name","remote":"b"}]}"#,
            "$.rules[1].hub: \"name\" is already written by another rule"
        ),
        (
            #"{"rules":[{"hub":"emails","remote":"a","each":"value"},{"hub":"emails[0].value","remote":"b"}]}"#,
            "$.rules[1].hub: \"emails[0].value\" is already written by the rule for \"emails\""
        ),
        (
            #"{"rules":[{"hub":"name","remote":"a"},{"hub":"company","remote":"a.b","direction":"out"}]}"#,
            "$.rules[1].remote: \"a.b\" is already written by the rule for \"a\""
        ),
        (
            #"{"rules":[{"hub":"s","remote":"a","values":{"x":1,"y":"1"}}]}"#,
            "$.rules[0].values: \"x\" and \"y\" both stand for \"1\""
        ),
        (
            #"{"rules":[{"hub":"name","constant":1}]}"#,
            "$.rules[0].direction: a constant needs the direction \"in\" or \"out\""
        ),
        (
            #"{"rules":[{"hub":"b","remote":"a","format":"ymd"}]}"#,
            "$.rules[0].format: expected one of date, date_parts, dmy., mdy/, epoch_s, epoch_ms, datetime_utc, number, number_comma, bool01, bool_yesno"
        ),
        (
            #"{"rules":[{"hub":["a","b"],"remote":"c"}]}"#,
            "$.rules[0]: several fields or paths need \"split\" or \"join\""
        ),
    ])
    func refusals(_ text: String, _ message: String) throws {
        let json = try JSON(text: text)
        let error = #expect(throws: MappingError.self) { try Mapping(json) }
        #expect(error?.description == message)
    }

    @Test func oneFieldInAndOut() throws {
        let mapping = try mapping(
            #"{"hub":"name","remote":"a","direction":"in"},{"hub":"name","remote":"b","direction":"out"}"#)
        #expect(mapping.inward(["a": "x", "b": "y"]).document == ["name": "x"])
        #expect(mapping.outward(["name": "z"]).document == ["b": "z"])
        #expect(mapping.remoteFields(.in) == ["a"])
    }

    @Test func validation() throws {
        let catalogue = FieldCatalogue(custom: [.init(key: "industry", label: "Industry", type: .multiChoice)])
        try mapping(#"{"hub":"industry","remote":"i","separator":";"}"#).validate(against: catalogue)
        try mapping(#"{"hub":"emails[0].value","remote":"i"}"#).validate(against: catalogue)
        for rule in [
            #"{"hub":"nothing","remote":"i"}"#, #"{"hub":"emails","remote":"i"}"#,
            #"{"hub":"emails[0].city","remote":"i"}"#,
            #"{"hub":"emails[0]","remote":"i"}"#, #"{"hub":"name[0]","remote":"i"}"#,
            #"{"hub":"name","remote":"i","each":true}"#,
            #"{"hub":"emails","remote":"i","each":true}"#, #"{"hub":"emails","remote":"i","list":{"city":"c"}}"#,
        ] {
            let mapping = try mapping(rule)
            #expect(throws: MappingError.self, "\(rule)") { try mapping.validate(against: catalogue) }
        }
    }

    /// Whatever text a both-ways mapping carries out comes back the same.
    @Test func roundTripOfAnyText() throws {
        let mapping = try mapping(
            #"{"hub":"name","remote":"a.b[2].c"},{"hub":"emails","remote":"m","list":{"value":"v.w","label":"l"}},"#
                + #"{"hub":"tags","remote":"t","each":true},{"hub":"x","remote":"f[?\"k.1\"=\"a]b\"].value"}"#)
        var random = SplitMix(seed: 3)
        for _ in 0..<300 {
            let text = { (random: inout SplitMix) -> JSON in
                let scalars: [String] = ["a", "Ł", "\r\n", "\"", "\\", ".", "[", "😀", "e\u{301}", " "]
                return .string("x" + (0..<6).map { _ in scalars.randomElement(using: &random) ?? "" }.joined())
            }
            let hub: JSON = [
                "name": text(&random), "emails": [["value": text(&random), "label": text(&random)]],
                "tags": [text(&random), text(&random)], "x": text(&random),
            ]
            let there = mapping.outward(hub)
            let back = mapping.inward(try JSON(parsing: there.document.bytes))
            #expect(there.problems == [] && back.problems == [])
            #expect(back.document.bytes == hub.bytes)
        }
    }
}
