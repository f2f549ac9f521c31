/// What was asked for on the command line.
struct Options {
    struct Wrong: Error, CustomStringConvertible {
        let description: String
    }

    var names: [String] = []
    var jsonFile: String?
    var isSmall = false
    var folder = ""
    var sql = ""
    var cache = ""
    var python = "python3"
    var helpers = ""
    var kontor: String?

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments).makeIterator()
        func value(of option: String) throws -> String {
            guard let value = rest.next() else { throw Wrong(description: "\(option) needs a value") }
            return value
        }
        while let argument = rest.next() {
            switch argument {
            case "--json": jsonFile = try value(of: argument)
            case "--small": isSmall = true
            case "--folder": folder = try value(of: argument)
            case "--sql": sql = try value(of: argument)
            case "--cache": cache = try value(of: argument)
            case "--python": python = try value(of: argument)
            case "--helpers": helpers = try value(of: argument)
            case "--kontor": kontor = try value(of: argument)
            default:
                guard !argument.hasPrefix("-") else { throw Wrong(description: "there is no option \(argument)") }
                names.append(argument)
            }
        }
        guard !folder.isEmpty, !sql.isEmpty, !cache.isEmpty, !helpers.isEmpty else {
            throw Wrong(description: "start it by scripts/bench")
        }
    }
}
