import Hub
import Testing

@Suite struct CSVTests {
    /// Rows as texts and faults as their messages, in order; fed in pieces of `size` bytes.
    private func read(
        _ bytes: [UInt8], _ delimiter: Character = ",", by size: Int = .max, limits: CSVLimits = CSVLimits(),
        checksWidth: Bool = true
    ) -> [String] {
        var parser = CSVParser(delimiter: delimiter.asciiValue ?? 0, limits: limits, checksWidth: checksWidth)
        var seen: [String] = []
        let note = { (event: CSVParser.Event) in
            switch event {
            case .row(let row): seen.append("\(row.line):" + row.texts.joined(separator: "|"))
            case .fault(let fault): seen.append("! \(fault)")
            }
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            parser.feed(Array(rest.prefix(size)), note)
            rest = rest.dropFirst(size)
        }
        parser.finish(note)
        return seen
    }

    private func check(_ text: String, _ expected: [String], checksWidth: Bool = true) {
        for size in [1, 2, 3, 7, Int.max] {
            #expect(read(Array(text.utf8), by: size, checksWidth: checksWidth) == expected, "in pieces of \(size)")
        }
    }

    @Test func rows() {
        check("a,b\n1,2\n", ["1:a|b", "2:1|2"])
        check("a,b\r\n1,2\r\n3,4", ["1:a|b", "2:1|2", "3:3|4"])
        check("a,b\r1,2\r", ["1:a|b", "2:1|2"])
        check("a,\n,\n", ["1:a|", "2:|"])
        check("a,b\n\n\r\n1,2\n", ["1:a|b", "4:1|2"])
        check("a,b,", ["1:a|b|"])
        check("", [])
    }

    @Test func quotes() {
        check("\"a,1\",\"b\"\"c\"\n\"d\r\ne\",\"\"\nf,g", ["1:a,1|b\"c", "2:d\r\ne|", "4:f|g"])
        check("\"a\" ,b\n", ["1:a|b"])
        check("5\" pipe,b\n", ["1:5\" pipe|b"])
        check("\"\"\"\"\n", ["1:\""])
        check("\"\"\n", ["1:"])
    }

    @Test func faultsAreToldAndParsingGoesOn() {
        check(
            "a,b\n\"x\"y,2\n3,4\n",
            ["1:a|b", "! line 2: text between a closing quotation mark and the next delimiter", "3:3|4"])
        check("a,b\n1\n3,4\n", ["1:a|b", "! line 2: 1 cells, but the first row has 2", "3:3|4"])
        check("a,b\n\"x,2\n3,4\n5,6", ["1:a|b", "! line 2: a quotation mark that is never closed", "3:3|4", "4:5|6"])
        check("a,b\n\"x", ["1:a|b", "! line 2: a quotation mark that is never closed"])
    }

    @Test func limits() {
        let limits = CSVLimits(columns: 3, cell: 10, row: 25)
        for size in [1, 4, Int.max] {
            let read = { (text: String) in self.read(Array(text.utf8), by: size, limits: limits, checksWidth: false) }
            #expect(read("1,2,3,4\na\n") == ["! line 1: more than 3 columns", "2:a"])
            #expect(read("aaaaaaaaaaa\nb\n").last == "2:b")
            #expect(read("aaaaaaaaaaa\nb\n").count == 2)
            #expect(
                read("\"aaaa\nbbbbbbbbbb\",x\nc\n").first?.hasPrefix("! line 1: a cell of more than 10 bytes") == true)
            #expect(read("\"aaaa\nbbbbbbbbbb\",x\nc\n").last == "3:c")
            #expect(
                read("aaaaaaaaa,bbbbbbbbb,cccccccc\nd\n") == [
                    "! line 1: a row of more than 25 bytes; a quotation mark may be missing", "2:d",
                ])
        }
    }

    @Test func writtenAndReadAgain() {
        var random = SplitMix(seed: 4)
        let pieces = ["a", ",", "\"", "\n", "\r\n", "\r", " ", "ł", "😀", ";", "'"]
        for _ in 0..<200 {
            let table = (0..<4).map { row in
                (0..<3).map { column in
                    "x" + (0..<5).map { _ in pieces.randomElement(using: &random) ?? "" }.joined() + "\(row)\(column)"
                }
            }
            var writer = CSVWriter()
            for row in table { writer.row(row) }
            for size in [1, 5, Int.max] {
                let rows = read(writer.bytes, by: size).map { $0.drop { $0 != ":" }.dropFirst() }
                #expect(rows.map { Array($0.utf8) } == table.map { Array($0.joined(separator: "|").utf8) })
            }
        }
    }

    @Test func formulasAreGuarded() {
        var writer = CSVWriter()
        writer.row(["=1+1", "+48", "-1", "@x", "\t", "\r\n", "\u{0}", "a=1", nil, " "])
        let expected = "\"'=1+1\",\"'+48\",\"'-1\",\"'@x\",\"'\t\",\"'\r\n\",\"'\u{0}\",a=1,,\" \"\r\n"
        #expect(writer.bytes == Array(expected.utf8))
        // with a mark above it the sign is another letter to Swift, and to a spreadsheet a formula all the same
        writer.bytes = []
        writer.row(["=\u{301}1+1"])
        #expect(writer.bytes == Array("\"'=\u{301}1+1\"\r\n".utf8))
    }

    @Test func dialects() {
        #expect(CSVDialect.detect(Array("a;b;c\n1,5;2;3\n".utf8)).delimiter == UInt8(ascii: ";"))
        #expect(CSVDialect.detect(Array("a\tb\n1\t2\n".utf8)).delimiter == 0x09)
        #expect(CSVDialect.detect(Array("a|b\n1|2\n".utf8)).delimiter == UInt8(ascii: "|"))
        #expect(CSVDialect.detect(Array("\"a;b\",c\n\"1;2\",3\n".utf8)).delimiter == UInt8(ascii: ","))
        #expect(CSVDialect.detect(Array("alone\n".utf8)).delimiter == UInt8(ascii: ","))
        let excel = CSVDialect.detect(Array("\u{FEFF}sep=;\r\na;b\r\n".utf8))
        #expect(excel.hasSeparatorLine && excel.markLength == 3 && excel.delimiter == UInt8(ascii: ";"))
    }

    @Test(
        arguments: [
            ([0x67, 0xEA, 0x9C, 0x6C, 0xB9, 0x20, 0xB3, 0xF3, 0x64, 0x9F], CSVEncoding.windows1250, "gęślą łódź"),
            ([0x67, 0xEA, 0xB6, 0x6C, 0xB1, 0x20, 0xB3, 0xF3, 0x64, 0xBC], .latin2, "gęślą łódź"),
            (
                [0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72, 0x20, 0x53, 0x74, 0x72, 0x61, 0xDF, 0x65], .windows1252,
                "Müller Straße"
            ),
            ([0x42, 0x6C, 0xE5, 0x62, 0xE6, 0x72, 0x20, 0x73, 0xF8, 0x74], .windows1252, "Blåbær søt"),
            ([0xF0, 0x69, 0x72, 0x64, 0x69, 0x73, 0x20, 0xFE, 0x6F, 0x64, 0xEB], .windows1257, "širdis žodė"),
            (Array("zażółć".utf8), .utf8, "zażółć"), ([0xFF, 0xFE, 0x61, 0x00, 0x42, 0x01], .utf16LittleEndian, "ał"),
            ([0xFE, 0xFF, 0xD8, 0x3D, 0xDE, 0x00], .utf16BigEndian, "😀"),
        ] as [([UInt8], CSVEncoding, String)])
    func encodings(_ bytes: [UInt8], _ encoding: CSVEncoding, _ text: String) {
        let found = CSVEncoding.detect(bytes)
        #expect(found.encoding == encoding)
        var decoder = CSVDecoder(encoding)
        let decoded = bytes.dropFirst(found.markLength).reduce(into: [UInt8]()) { $0 += decoder.decode([$1]) }
        #expect(String(decoding: decoded + decoder.finish(), as: UTF8.self) == text)
    }

    @Test func aSampleMayEndWithinALetter() {
        let bytes = Array("zażółć".utf8)
        for length in 4..<bytes.count { #expect(CSVEncoding.detect(Array(bytes.prefix(length))).encoding == .utf8) }
    }

    @Test(
        arguments: [
            (
                ["First Name", "Last name", "E-mail", "Phone 1 - Value", "Organization Name"],
                ["given_name", "family_name", "emails[0].value", "phones[0].value", "company"]
            ),
            (
                ["Imię", "Nazwisko", "E-mail służbowy", "Adres e-mail", "Telefon komórkowy", "Miasto", "Kod pocztowy"],
                [
                    "given_name", "family_name", nil, "emails[0].value", "phones[0].value", "addresses[0].city",
                    "addresses[0].postal_code",
                ]
            ),
            (
                ["Vorname", "Nachname", "E-Mail-Adresse", "Straße", "PLZ", "Ort", "Geburtsdatum"],
                [
                    "given_name", "family_name", "emails[0].value", "addresses[0].street", "addresses[0].postal_code",
                    "addresses[0].city", "birthday",
                ]
            ),
            (
                ["Fornavn", "Etternavn", "E-post", "Tlf", "Fødselsdato"],
                ["given_name", "family_name", "emails[0].value", "phones[0].value", "birthday"]
            ),
            (
                ["Vardas", "Pavardė", "El. paštas", "Telefonas", "Įmonė"],
                ["given_name", "family_name", "emails[0].value", "phones[0].value", "company"]
            ),
            (
                ["Nome", "Cognome", "Posta elettronica", "Cellulare", "Città"],
                ["given_name", "family_name", "emails[0].value", "phones[0].value", "addresses[0].city"]
            ),
            (["E-mail 1", "E-mail 2", "Name", "name"], ["emails[0].value", "emails[1].value", "name", nil]),
        ] as [([String], [String?])])
    func headers(_ headers: [String], _ fields: [String?]) {
        #expect(HeaderGuess.guess(headers).map(\.hub) == fields)
    }

    @Test func guessedMappingWorks() throws {
        let headers = ["Imię", "Data urodzenia", "Tagi", "E-mail \"1\"", "Branża"]
        let catalogue = FieldCatalogue(custom: [.init(key: "industry", label: "Branża", type: .text)])
        let row = ["Ana", "31.12.1980", "a;b", "a@b.pl", "szkło"]
        let mapping = try Mapping(HeaderGuess.mapping(headers, samples: [row], catalogue: catalogue))
        try mapping.validate(against: catalogue)
        let remote = JSON.object(Dictionary(uniqueKeysWithValues: zip(headers, row.map(JSON.string))))
        #expect(
            mapping.inward(remote).document == [
                "given_name": "Ana", "birthday": "1980-12-31", "tags": ["a", "b"], "emails": [["value": "a@b.pl"]],
                "industry": "szkło",
            ])
    }
}
