import Hub
import Testing

@Suite struct NormaliserTests {
    private let normaliser = Normaliser(
        region: "PL",
        catalogue: FieldCatalogue(custom: [
            .init(key: "industry", label: "Industry", type: .multiChoice, choices: ["carpentry", "Glass"]),
            .init(key: "turnover", label: "Turnover", type: .money), .init(key: "size", label: "Size", type: .number),
            .init(key: "vip", label: "VIP", type: .flag), .init(key: "shop", label: "Shop", type: .link),
            .init(key: "since", label: "Since", type: .date), .init(key: "remark", label: "Remark", type: .text),
            .init(key: "grade", label: "Grade", type: .choice, choices: ["A", "B"]),
        ]),
        today: Day(year: 2026, month: 5, day: 1)!)

    private func partial(_ document: JSON) -> (document: JSON, problems: [FieldProblem]) {
        normaliser.normalise(document, isPartial: true)
    }

    private func codes(_ document: JSON) -> [String] { partial(document).problems.map { "\($0.field) \($0.code)" } }

    @Test func texts() {
        #expect(partial(["given_name": "  Ana\r\n\t Maria\u{0} \u{202E}"]).document == ["given_name": "Ana Maria"])
        let composed = partial(["name": "e\u{301}"]).document["name"]?.string
        #expect(composed.map { Array($0.utf8) } == [0xC3, 0xA9])
        #expect(partial(["notes": " a  b\r\n\r\n\r\nc\rd\n"]).document == ["notes": "a b\n\nc\nd"])
        #expect(partial(["company": " \u{A0}"]).document == ["company": nil])
        #expect(partial(["company": 12]).document == ["company": "12"])
        #expect(codes(["company": ["x"], "nothing": 1]) == ["company not_text", "nothing unknown_field"])
    }

    @Test func limits() {
        let long = String(repeating: "é", count: 20_000)
        let result = partial(["name": .string(long), "notes": .string(long)])
        #expect(result.document["name"]?.string?.unicodeScalars.count == 1000)
        #expect(result.document["notes"]?.string?.unicodeScalars.count == 10_000)
        #expect(result.problems.map(\.code) == ["too_long", "too_long"])
        let many = partial(["tags": .array((0..<150).map { .string("t\($0)") })])
        #expect(many.document["tags"]?.array?.count == 100)
        #expect(many.problems.map(\.code) == ["too_many"])
    }

    @Test func emails() {
        let result = partial([
            "emails": [
                " Ana@Example.COM ", ["value": "ana@example.com", "label": "work"], "Ana <b@c.no>", "mailto:d@e.it",
            ]
        ])
        #expect(
            result.document == [
                "emails": [["value": "ana@example.com", "label": "work"], ["value": "b@c.no"], ["value": "d@e.it"]]
            ])
        for bad in [
            "a", "a@b", "@b.pl", "a@@b.pl", "a b@c.pl", "a@b..pl", "a@-b.pl", ".a@b.pl", "a@1.2.3.4", "a,b@c.pl",
        ] {
            #expect(codes(["emails": [.string(bad)]]) == ["emails[0] bad_email"], "\(bad)")
        }
        #expect(partial(["emails": ["jörg@müller.de"]]).problems == [])
    }

    @Test func phones() {
        let result = partial(["phones": ["22 123 45 67", "+48 22 1234567", "0047 22 22 55 55", "call me", "12"]])
        #expect(
            result.document == [
                "phones": [["value": "+48221234567"], ["value": "+4722225555"], ["value": "call me"], ["value": "12"]]
            ])
        #expect(
            result.problems.map { "\($0.field) \($0.code)" } == [
                "phones[3] doubtful_phone", "phones[4] doubtful_phone",
            ])
        #expect(Phone.read("+39 06 698 12345", region: "") == .number("+390669812345"))
        #expect(Phone.read("+48 123", region: "PL") == .impossible)
        #expect(Phone.read("", region: "PL") == .notANumber)
    }

    @Test func addressesAndCountries() {
        let result = partial([
            "addresses": [
                ["city": " Kraków ", "country": "Polska"], ["city": "Kraków", "country": "PL", "label": "home"],
                ["country": "Atlantis"], ["label": "empty"],
            ]
        ])
        #expect(
            result.document == [
                "addresses": [["city": "Kraków", "country": "PL", "label": "home"], ["country": "Atlantis"]]
            ])
        #expect(result.problems.map(\.code) == ["doubtful_country"])
        for (name, code) in [("norge", "NO"), ("Italia", "IT"), ("LIETUVA", "LT"), ("Österreich", "AT"), ("deu", "DE")]
        {
            #expect(Country.code(name) == code)
        }
        #expect(codes(["addresses": [["town": "x"]]]) == ["addresses[0] unknown_field"])
    }

    @Test func birthdays() {
        #expect(partial(["birthday": "1980-02-29"]).document == ["birthday": "1980-02-29", "birth_month": 2])
        #expect(codes(["birthday": "1981-02-29"]) == ["birthday bad_date"])
        #expect(codes(["birthday": "1899-12-31"]) == ["birthday bad_birthday"])
        #expect(codes(["birthday": "2026-05-02"]) == ["birthday bad_birthday"])
        #expect(codes(["birthday": "2026-05-01"]) == [])
        #expect(codes(["birth_month": 13]) == ["birth_month bad_month"])
    }

    @Test func customFields() {
        let result = partial([
            "industry": ["GLASS", "carpentry", "glass"], "turnover": .double(12.5), "size": "3", "vip": "yes",
            "shop": "acme.pl/x",
            "since": "2020-01-01", "grade": "a", "remark": "a\nb",
        ])
        #expect(
            result.document == [
                "industry": ["Glass", "carpentry"], "turnover": "12.50", "size": 3, "vip": true,
                "shop": "https://acme.pl/x",
                "since": "2020-01-01", "grade": "A", "remark": "a\nb",
            ])
        #expect(
            codes([
                "industry": ["steel"], "turnover": "1,5", "size": "x", "vip": "maybe", "shop": "javascript:alert(1)",
                "since": "now", "grade": "C",
            ]) == [
                "grade bad_choice", "industry[0] bad_choice", "shop bad_link", "since bad_date", "size bad_number",
                "turnover bad_amount", "vip bad_flag",
            ])
        for program in [
            " java\nscript:alert(1)", "java\u{200B}script:alert(1)", "JavaScript:\u{301}alert(1)", "data:text/html,x",
        ] {
            #expect(codes(["profiles": [.string(program)]]) == ["profiles[0] bad_link"], "\(program)")
        }
    }

    @Test func namesAreDerived() {
        #expect(normaliser.normalise(["given_name": "Ana", "family_name": "Silva"]).document["name"] == "Ana Silva")
        #expect(normaliser.normalise(["company": "Acme", "name": ""]).document["name"] == "Acme")
        #expect(normaliser.normalise(["emails": ["a@b.pl"]]).document["name"] == "a@b.pl")
        #expect(partial(["emails": ["a@b.pl"]]).document["name"] == nil)
    }

    @Test func languages() {
        #expect(partial(["language": "PL_pl"]).document == ["language": "pl-PL"])
        #expect(codes(["language": "Polish language"]) == ["language doubtful_language"])
    }

    @Test func normalisingTwiceChangesNothing() {
        var random = SplitMix(seed: 9)
        let pieces = [
            "a", "Ł", "\r\n", "\u{0}", "e\u{301}", " ", "@", ".pl", "+48", "22", "\u{202E}", "\u{200B}", "<", ">", "\t",
            "-",
        ]
        for _ in 0..<500 {
            let text = { (random: inout SplitMix) -> JSON in
                .string((0..<7).map { _ in pieces.randomElement(using: &random) ?? "" }.joined())
            }
            let once = partial([
                "name": text(&random), "notes": text(&random), "emails": [text(&random)], "phones": [text(&random)],
                "tags": [text(&random), text(&random)], "addresses": [["city": text(&random)]], "remark": text(&random),
            ]).document
            let twice = partial(once).document
            #expect(twice.bytes == once.bytes, "\(twice.text) after \(once.text)")
        }
    }

    @Test func matchKeys() {
        let document = normaliser.normalise(["emails": ["A@b.pl", "a@b.pl"], "phones": ["22 123 45 67", "12"]]).document
        #expect(
            MatchKeys.of(document) == [
                .init(kind: .email, value: "a@b.pl"), .init(kind: .phone, value: "+48221234567"),
            ])
    }

    @Test func daysCountRight() {
        #expect(Day(year: 1970, month: 1, day: 1)?.daysSinceEpoch == 0)
        #expect(Day(year: 2000, month: 3, day: 1)?.daysSinceEpoch == 11_017)
        for number in stride(from: -719_162, through: 2_932_896, by: 331) {
            #expect(Day(daysSinceEpoch: number)?.daysSinceEpoch == number)
        }
        for text in [
            "1980-1-01", "1980-01-1", "980-01-01", "1980-00-01", "1980-13-01", "1900-02-29", " 1980-01-01",
            "１980-01-01",
        ] {
            #expect(Day(iso: text) == nil)
        }
    }
}
