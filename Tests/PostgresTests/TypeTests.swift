import Postgres
import Testing

@Suite struct TypeTests {
    @Test func scalarsComeBack() async throws {
        try await withDatabase { database in
            let bytes = (0...255).map { UInt8($0) }
            let row = try await database.run(
                """
                SELECT \(Int.min)::bigint AS least, \(Int.max)::bigint AS most, \(Int32(-7))::int AS small,
                    \(true)::bool AS yes, \(false)::bool AS no, \(0.1)::float8 AS tenth,
                    \(-Double.infinity)::float8 AS infinite, \(bytes)::bytea AS bytes, \([UInt8]())::bytea AS nothing,
                    \("NULL")::text AS word, NULL::int AS null
                """)[0][0]
            #expect(try row.get("least") == Int.min)
            #expect(try row.get("most") == Int64.max)
            #expect(try row.get("small") == Int32(-7))
            #expect(try row.get("yes") == true && !row.get("no"))
            #expect(try row.get("tenth") == 0.1)
            #expect(try row.get("infinite") == -Double.infinity)
            #expect(try row.get("bytes") == bytes)
            #expect(try row.get("nothing") == [UInt8]())
            #expect(try row.get("word") == "NULL")
            #expect(try row.get("null", as: Int?.self) == nil)
            #expect(try row.get("small", as: Int?.self) == -7)
            #expect(row.bytes("word") == Array("NULL".utf8) && row.bytes("null") == nil)
        }
    }

    @Test func arraysComeBack() async throws {
        let texts = ["", "NULL", "null", "a,b", "{x}", "\"q\"", "back\\slash", " space ", "\u{E4}\n"]
        try await withDatabase { database in
            let holes: [String?] = ["a", nil, "NULL"]
            let row = try await database.run(
                """
                SELECT \(texts)::text[] AS texts, \([Int64.min, 0, 5])::bigint[] AS numbers, \([String]())::text[] AS none,
                    \(holes)::text[] AS holes, '[0:1]={a,b}'::text[] AS bounds, '{{1,2},{3,4}}'::int[] AS square
                """)[0][0]
            #expect(try row.get("texts") == texts)
            #expect(try row.get("numbers") == [Int64.min, 0, 5])
            #expect(try row.get("none") == [String]())
            #expect(try row.get("holes") == holes)
            #expect(try row.get("bounds") == ["a", "b"])
            #expect(throws: PostgresError.self) { try row.get("holes", as: [String].self) }
            #expect(throws: PostgresError.self) { try row.get("square", as: [Int].self) }
        }
    }

    @Test func misfitsNameTheColumn() async throws {
        try await withDatabase { database in
            let row = try await database.run("SELECT 'secret' AS word, NULL::text AS gap, 3000000000 AS big")[0][0]
            for attempt in [
                { _ = try row.get("word", as: Int.self) }, { _ = try row.get("gap", as: String.self) },
                { _ = try row.get("big", as: Int32.self) }, { _ = try row.get("absent", as: Int.self) },
                { _ = try row.get(9, as: Int.self) },
            ] as [() throws -> Void] {
                let error = try await postgresError { try attempt() }
                #expect(error.kind == .usage)
                #expect(!"\(error)".contains("secret"))
            }
            let error = try await postgresError { _ = try row.get("word", as: Int.self) }
            #expect(error.column == "word")
        }
    }

    @Test func jsonIsWhatConsumersExpect() async throws {
        try await withDatabase { database in
            let rows = try await database.run(
                """
                SELECT 1 AS i, 9007199254740993::bigint AS b, true AS t, NULL::text AS n, 1.50::numeric AS d,
                    0.5::float8 AS f, 'NaN'::float8 AS nan, 'a"b\\c' || chr(10) || chr(1) AS s, '{"k": [1]}'::jsonb AS j,
                    '2026-01-02 03:04:05.6+02'::timestamptz AS z, '2026-01-02 03:04:05'::timestamp AS l,
                    'infinity'::timestamptz AS e, '2026-01-02'::date AS day, ARRAY['x','y "z"',NULL] AS a,
                    ARRAY[1,2]::bigint[] AS ia, '{}'::text[] AS ea, '{{1},{2}}'::int[] AS sq
                """, "SELECT 1 AS x WHERE false", "SELECT g AS x FROM generate_series(1, 3) g")
            let expected =
                #"[{"i":1,"b":9007199254740993,"t":true,"n":null,"d":"1.50","f":0.5,"nan":"NaN","#
                + #""s":"a\"b\\c\n\u0001","j":{"k": [1]},"z":"2026-01-02T01:04:05.6Z","l":"2026-01-02T03:04:05","#
                + #""e":"infinity","day":"2026-01-02","a":["x","y \"z\"",null],"ia":[1,2],"ea":[],"sq":"{{1},{2}}"}]"#
            #expect(String(decoding: rows[0].json(), as: UTF8.self) == expected)
            #expect(String(decoding: rows[1].json(), as: UTF8.self) == "[]")
            #expect(String(decoding: rows[2].json(), as: UTF8.self) == #"[{"x":1},{"x":2},{"x":3}]"#)
            #expect("[" + String(decoding: rows[0].json(row: 0), as: UTF8.self) + "]" == expected)
            #expect(String(decoding: rows[2].json(row: 1), as: UTF8.self) == #"{"x":2}"#)
        }
    }

    @Test func rowsAreACollection() async throws {
        try await withDatabase { database in
            let results = try await database.run(
                "SELECT g AS a, g * 2 AS b FROM generate_series(1, 100) g",
                "CREATE TEMP TABLE w ON COMMIT DROP AS SELECT 1 AS x",
                "INSERT INTO w SELECT * FROM generate_series(1, 7)")
            #expect(results[0].count == 100 && results[0].columns == ["a", "b"])
            // Backwards too, since look-up remembers the order it saw.
            #expect(
                try results[0].reversed().map { try $0.get("b", as: Int.self) - $0.get("a", as: Int.self) }
                    == Array((1...100).reversed()))
            #expect(results[2].affected == 7)
        }
    }
}
