import Foundation

/// A CSV file of made-up contacts, the same at every call; made once and kept.
struct ContactFile {
    let path: String
    let rows: Int
    static let columns = ["First name", "Last name", "E-mail", "Phone", "Company", "City", "Birthday", "Tags"]

    private static let given = ["Anna", "Jan", "Zofia", "Łukasz", "Maja", "Piotr", "Ewa", "Tomasz", "Iga", "Marek"]
    private static let family = ["Nowak", "Wójcik", "Kamińska", "Zieliński", "Lewandowska", "Szymański", "Dąbrowska"]
    private static let cities = ["Warszawa", "Kraków", "Łódź", "Wrocław", "Poznań", "Gdańsk"]
    private static let tags = ["client", "client;newsletter", "supplier", "client;carpentry", "partner"]

    /// - Parameter folder: where it is kept; made if it is missing.
    init(rows: Int, folder: String) throws {
        self.rows = rows
        path = folder + "/contacts-\(rows).csv"
        if FileManager.default.fileExists(atPath: path) { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let part = path + ".part"
        guard FileManager.default.createFile(atPath: part, contents: nil), let file = FileHandle(forWritingAtPath: part)
        else { throw ChildProcess.Failed(description: "\(part) cannot be written") }
        var text = Self.columns.joined(separator: ",") + "\r\n"
        for row in 1...rows {
            text += Self.line(row) + "\r\n"
            if text.utf8.count > 1_000_000 {
                try file.write(contentsOf: Data(text.utf8))
                text = ""
            }
        }
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
        try FileManager.default.moveItem(atPath: part, toPath: path)
    }

    /// One row in a hundred has the e-mail address of the one before it.
    private static func line(_ row: Int) -> String {
        let person = row % 100 == 0 ? row - 1 : row
        let phone = "\(500 + person % 300) \(100 + person / 300 % 900) \(100 + person / 7 % 900)"
        let company = row % 3 == 0 ? "\"Firma \(row / 3), sp. z o.o.\"" : ""
        let birthday = "\(1950 + row % 55)-\(two(row % 12 + 1))-\(two(row % 28 + 1))"
        return """
            \(given[row % 10]),\(family[row / 10 % 7]) \(row / 70 % 1000),Osoba.\(person)@Example.org,\(phone),\(company),\
            \(cities[row % 6]),\(birthday),\(tags[row % 5])
            """
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
