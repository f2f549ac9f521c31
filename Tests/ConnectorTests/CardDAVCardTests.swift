import Hub
import Testing

@testable import Connectors

/// Cards as text: reading, writing, merging.
@Suite struct CardDAVCardTests {
    private func card(_ lines: String, version: String = "3.0") throws -> VCard {
        try VCardParser.parse(Array("BEGIN:VCARD\r\nVERSION:\(version)\r\n\(lines)\r\nEND:VCARD\r\n".utf8))
    }

    @Test func foldedGroupedQuotedLines() throws {
        let card = try card(
            "item1.TEL;TYPE=\"home,cell\";TYPE=pref:+48\r\n  22\r\nFN:A\r\n\tB\r\nADR;LABEL=\"a;b:c\":;;S\\,t;C;;;")
        #expect(card.properties.map(\.name) == ["TEL", "FN", "ADR"])
        #expect(
            card.properties[0].group == "item1" && card.properties[0].types == ["home", "cell", "pref"]
                || card.properties[0].values("TYPE") == ["home,cell", "pref"])
        #expect(card.properties[0].value == "+48 22" && card.properties[1].value == "AB")
        #expect(card.properties[2].values("LABEL") == ["a;b:c"])
        let again = try VCardParser.parse(VCardWriter.write(card))
        #expect(again == card)
    }

    @Test func linesAreFoldedBetweenLetters() throws {
        let card = try card("FN:" + String(repeating: "żółć😀", count: 40))
        let bytes = VCardWriter.write(card)
        for line in bytes.split(separator: 0x0A) {
            #expect(line.count <= 76 && String(validating: line, as: UTF8.self) != nil)
        }
        #expect(try VCardParser.parse(bytes) == card)
    }

    @Test func otherCharacterSets() throws {
        let latin = Array("BEGIN:VCARD\nVERSION:3.0\nFN:M".utf8) + [0xFC] + Array("ller\nEND:VCARD".utf8)
        #expect(try VCardParser.parse(latin).first("FN")?.value == "Müller")
        let quoted = try card(
            "FN;CHARSET=UTF-8;QUOTED-PRINTABLE:M=C3=BCl=\r\nler=0D=0AX\r\nTEL;HOME;VOICE:1", version: "2.1")
        #expect(VCardText.unescape(quoted.first("FN")?.value ?? "") == "Müller\nX")
        #expect(quoted.first("TEL")?.types == ["home", "voice"])
    }

    @Test func whatIsNoCardIsRefused() {
        for text in ["", "BEGIN:VCARD\nFN:x", "END:VCARD", "hello", "BEGIN:VCALENDAR\nEND:VCALENDAR"] {
            #expect(throws: VCardParser.Failure.self) { try VCardParser.parse(Array(text.utf8)) }
        }
    }

    @Test(arguments: [
        ("BDAY:1985-04-12", "1985-04-12"), ("BDAY:19850412", "1985-04-12"), ("BDAY:1985-04-12T00:00:00Z", "1985-04-12"),
        ("BDAY:--0412", "--0412"), ("BDAY:--04-12", "--0412"), ("BDAY:--04", "--04"), ("BDAY:1985-04", "1985-04"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12", "--0412"), ("BDAY;VALUE=text:circa 1800", nil), ("BDAY:soon", nil),
    ])
    func birthdays(_ line: String, _ expected: String?) throws {
        #expect(VCardDocument.read(try card(line))["bday"]?.string == expected)
    }

    @Test func appleLabels() throws {
        let document = VCardDocument.read(
            try card("item1.EMAIL:a@b\r\nitem1.X-ABLabel:_$!<Other>!$_\r\nitem2.URL:x\r\nitem2.X-ABLabel:Blog"))
        #expect(document["email"]?[0]?["type"] == "other" && document["url"]?[0]?["type"] == "blog")
    }

    /// Only what the document speaks of changes, and nothing else moves.
    @Test func mergingKeepsTheRest() throws {
        let text = """
            UID:u1\r\nFN:Ann Old\r\nN:Old;Ann;Middle;Dr.;\r\nORG:Acme;Sales\r\nitem1.EMAIL;TYPE=WORK,pref:Ann@Old.example\r\n\
            item1.X-ABLabel:Main\r\nitem2.EMAIL:gone@example.org\r\nitem2.X-ABLabel:Gone\r\n\
            TEL;TYPE=CELL:+48 (22) 1\r\nADR;TYPE=HOME:Box 7;Flat 2;Old St 1;Town;;00-001;PL\r\n\
            PHOTO;ENCODING=b:AAAA\r\nX-SKYPE:annie\r\nCATEGORIES:a,b\r\nNOTE:keep
            """
        var card = try card(text)
        let before = card
        VCardMerge.merge(VCardDocument.read(card), into: &card)
        #expect(card == before)
        VCardMerge.merge(
            [
                "n": ["family": "New"], "org": ["Acme Ltd"],
                "email": [["value": "ann@old.example"], ["value": "new@example.org", "type": "Home\r\nX-EVIL:1"]],
                "tel": [["value": "+48221", "type": "cell"]],
                "adr": [
                    ["street": "New St 2", "city": "Town", "postal_code": "00-001", "country": "PL", "type": "home"]
                ],
                "note": nil,
            ], into: &card)
        let written = String(decoding: VCardWriter.write(card), as: UTF8.self)
        #expect(written.contains("N:New;Ann;Middle;Dr.;\r\n"))
        #expect(written.contains("ORG:Acme Ltd;Sales\r\n"))
        #expect(
            written.contains("item1.EMAIL;TYPE=WORK,pref:ann@old.example\r\nEMAIL;TYPE=homex-evil1:new@example.org\r\n")
        )
        #expect(written.contains("item1.X-ABLABEL:Main\r\n") && !written.contains("Gone") && !written.contains("gone@"))
        #expect(written.contains("ADR;TYPE=HOME:Box 7;Flat 2;New St 2;Town;;00-001;PL\r\n"))
        #expect(written.contains("PHOTO;ENCODING=b:AAAA\r\nX-SKYPE:annie\r\nCATEGORIES:a,b\r\n"))
        #expect(!written.contains("NOTE") && !written.contains("\r\nX-EVIL"))
    }

    @Test func aNewCardIsWhole() throws {
        var card = VCard(version: "3.0", properties: [])
        VCardMerge.merge(["email": [["value": "a@example.org"]]], into: &card)
        #expect(card.first("FN")?.value == "a@example.org" && card.first("N")?.value == ";;;;")
        var named = VCard(version: "4.0", properties: [])
        VCardMerge.merge(["n": ["given": "Ann", "family": "Lee"], "bday": "1985-04-12"], into: &named)
        #expect(named.first("FN")?.value == "Ann Lee" && named.first("BDAY")?.value == "19850412")
    }

    @Test func times() throws {
        #expect(VCardStamp.read(try card("REV:20240131T120000Z")) == "2024-01-31T12:00:00Z")
        #expect(VCardStamp.read(try card("REV:2024-01-31T12:00:00.5Z")) == "2024-01-31T12:00:00Z")
        #expect(VCardStamp.read(try card("REV:2024-01-31")) == nil)
    }

    @Test func xmlBombsAreRefused() {
        let bomb = #"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>"#
        #expect(XMLNode.parse(Array(bomb.utf8)) == nil)
        let deep = String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100)
        #expect(XMLNode.parse(Array(deep.utf8)) == nil)
        let file = #"<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"#
        #expect(XMLNode.parse(Array(file.utf8))?.text.contains("root") != true)
        #expect(
            XMLNode.parse(Array("<D:a xmlns:D='DAV:'><D:b>x&amp;y</D:b></D:a>".utf8))?.first("{DAV:}b")?.text == "x&y")
    }
}
