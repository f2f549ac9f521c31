import Postgres
import Testing

@Suite struct SQLTests {
    @Test func placeholdersAreNumberedAndSplicedFragmentsRenumbered() {
        let inner: SQL = "b = \(2) AND c = \("x")"
        let outer: SQL = "SELECT * FROM \(table: "t_7", "contact") WHERE a = \(1) AND \(inner) AND d = \(true)"
        #expect(outer.description == #"SELECT * FROM "t_7"."contact" WHERE a = $1 AND b = $2 AND c = $3 AND d = $4"#)
        let twice: SQL = "\(inner) OR \(inner)"
        #expect(twice.description == "b = $1 AND c = $2 OR b = $3 AND c = $4")
        let many = (1...12).map { SQL("\($0)") }.joined(separator: ", ") + " /* \(0) */"
        #expect(many.description == "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 /* $13 */")
        let again: SQL = "x \(many)"
        #expect(again.description == "x " + many.description)
        #expect(SQL(unsafeRaw: "").isEmpty && !inner.isEmpty)
    }

    @Test func splicedValuesArriveInOrder() async throws {
        try await withDatabase { database in
            let list = (1...30).map { SQL("\($0)::int") }.joined(separator: ",")
            let wrapped: SQL = "SELECT \("first")::text AS a, ARRAY[\(list)] AS b, \(nil as Int?)::int AS c"
            let row = try await database.run(wrapped)[0][0]
            #expect(try row.get("a") == "first")
            #expect(try row.get("b") == Array(1...30))
            #expect(try row.get("c", as: Int?.self) == nil)
        }
    }

    @Test func hostileValuesAndNamesStayWhatTheyAre() async throws {
        let hostile = ["'; DROP TABLE x; --", "\\", "\"", "$1", "\u{1F600}\n\t\r", "'' OR 1=1", "\u{E9} e\u{301}", ""]
        try await withDatabase { database in
            for text in hostile {
                let row = try await database.run("SELECT \(text)::text AS same, \([text]) = ARRAY[\(text)] AS listed")[
                    0][0]
                #expect(Array(try row.get("same", as: String.self).utf8) == Array(text.utf8))
                #expect(try row.get("listed") == true)
                guard !text.isEmpty else { continue }
                let named = try await database.run("SELECT 1 AS \(identifier: text)")[0]
                #expect(named.columns == [text])
            }
        }
    }

    @Test func nulBytesAreRefusedBeforeSending() async throws {
        try await withDatabase { database in
            for sql: SQL in ["SELECT \("a\0b")", "SELECT \(["a\0"])::text[]", "SELECT 1 AS \(identifier: "a\0")"] {
                let error = try await postgresError { _ = try await database.run(sql) }
                #expect(error.kind == .usage)
                let inSession = try await postgresError {
                    _ = try await database.transaction { try await $0.query(sql) }
                }
                #expect(inSession.kind == .usage)
            }
            #expect(try await database.run("SELECT 1")[0][0].get(0) == 1)
        }
    }
}
