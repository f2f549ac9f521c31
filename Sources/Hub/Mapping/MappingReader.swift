/// Reads mappings from JSON.
struct MappingReader {
    private static let maxRules = 500
    private static let converterKeys: Set = ["values", "otherwise", "default", "trim", "case", "format", "country"]
    private static let ruleKeys = converterKeys.union([
        "hub", "remote", "direction", "constant", "split", "join", "list", "each", "separator",
    ])

    /// The rules of {"rules": [..]}, after checking that no two write the same place.
    static func rules(_ json: JSON) throws(MappingError) -> [MappingRule] {
        guard let members = json.object else { throw MappingError("$", "expected an object") }
        if let stray = members.keys.filter({ $0 != "rules" }).min() {
            throw MappingError("$", "unknown member \"\(stray)\"")
        }
        guard let items = members["rules"]?.array, items.count <= maxRules else {
            throw MappingError("$.rules", "expected a list of at most \(maxRules) rules")
        }
        var rules: [MappingRule] = []
        for (index, item) in items.enumerated() { rules.append(try rule(item, "$.rules[\(index)]")) }
        try refuseOverlaps(rules)
        return rules
    }

    private static func refuseOverlaps(_ rules: [MappingRule]) throws(MappingError) {
        var hub: [ValuePath] = []
        var remote: [ValuePath] = []
        for (index, rule) in rules.enumerated() {
            if rule.direction.includes(.in) {
                for path in rule.hubTargets {
                    try refuse(path, among: hub, "$.rules[\(index)].hub")
                    hub.append(path)
                }
            }
            if rule.direction.includes(.out) {
                for path in rule.remote {
                    try refuse(path, among: remote, "$.rules[\(index)].remote")
                    remote.append(path)
                }
            }
        }
    }

    private static func refuse(
        _ path: ValuePath, among taken: [ValuePath], _ place: String
    ) throws(MappingError) {
        guard let other = taken.first(where: path.overlaps) else { return }
        let reason = other.description == path.description ? "another rule" : "the rule for \"\(other)\""
        throw MappingError(place, "\"\(path)\" is already written by \(reason)")
    }

    private static func rule(_ json: JSON, _ path: String) throws(MappingError) -> MappingRule {
        guard let members = json.object else { throw MappingError(path, "expected an object") }
        if let stray = members.keys.filter({ !ruleKeys.contains($0) }).min() {
            throw MappingError(path, "unknown member \"\(stray)\"")
        }
        let direction = try direction(members["direction"], "\(path).direction")
        let hub = try paths(members["hub"], "\(path).hub")
        let remote = try paths(members["remote"], "\(path).remote")
        for hubPath in hub { try checkHub(hubPath, "\(path).hub") }
        if let constant = members["constant"] {
            try checkConstant(constant, members, hub, remote, direction, path)
            return MappingRule(hub: hub, remote: remote, direction: direction, shape: .constant(constant))
        }
        guard !hub.isEmpty else { throw MappingError("\(path).hub", "expected a field or a list of fields") }
        guard !remote.isEmpty else { throw MappingError("\(path).remote", "expected a path") }
        let shape = try shape(members, hub, remote, direction, path)
        return MappingRule(hub: hub, remote: remote, direction: direction, shape: shape)
    }

    private static func shape(
        _ members: [String: JSON], _ hub: [ValuePath], _ remote: [ValuePath], _ direction: MappingDirection,
        _ path: String
    ) throws(MappingError) -> MappingRule.Shape {
        let kinds = [["split", "join"], ["list"], ["each", "separator"]].filter { keys in
            keys.contains { members[$0] != nil }
        }
        guard kinds.count <= 1 else {
            throw MappingError(path, "only one of \"split\"/\"join\", \"list\" and \"each\"/\"separator\" is possible")
        }
        if let list = members["list"] {
            if let stray = members.keys.filter(converterKeys.contains).min() {
                throw MappingError("\(path).\(stray)", "belongs to a member of \"list\"")
            }
            try checkWhole(hub, remote, path)
            return .entries(try entries(list, direction, "\(path).list"))
        }
        let converter = try converter(members, direction, path)
        if members["each"] != nil || members["separator"] != nil {
            try checkWhole(hub, remote, path)
            return .each(try each(members, path), converter)
        }
        if kinds.isEmpty {
            guard hub.count == 1, remote.count == 1 else {
                throw MappingError(path, "several fields or paths need \"split\" or \"join\"")
            }
            return .value(converter)
        }
        guard (hub.count == 1) != (remote.count == 1) else {
            throw MappingError(path, "\"split\" and \"join\" need one path on one side and several on the other")
        }
        let split = try members["split"].map { (json) throws(MappingError) in try text(json, "\(path).split") }
        let join = try members["join"].map { (json) throws(MappingError) in try text(json, "\(path).join") }
        return .parts(split: split ?? join ?? " ", join: join ?? split ?? " ", converter)
    }

    private static func checkConstant(
        _ value: JSON, _ members: [String: JSON], _ hub: [ValuePath], _ remote: [ValuePath],
        _ direction: MappingDirection, _ path: String
    ) throws(MappingError) {
        let own: Set = ["constant", "hub", "remote", "direction"]
        if let stray = members.keys.filter({ !own.contains($0) }).min() {
            throw MappingError("\(path).\(stray)", "has no use beside \"constant\"")
        }
        switch direction {
        case .both: throw MappingError("\(path).direction", "a constant needs the direction \"in\" or \"out\"")
        case .in where hub.count != 1 || !remote.isEmpty:
            throw MappingError(path, "a constant that comes in has one \"hub\" field and no \"remote\" path")
        case .out where remote.count != 1 || !hub.isEmpty:
            throw MappingError(path, "a constant that goes out has one \"remote\" path and no \"hub\" field")
        default: break
        }
        if value.isNull { throw MappingError("\(path).constant", "expected a value") }
    }

    private static func checkWhole(
        _ hub: [ValuePath], _ remote: [ValuePath], _ path: String
    ) throws(MappingError) {
        guard hub.count == 1, hub[0].steps.count == 1 else {
            throw MappingError("\(path).hub", "a list needs one whole hub field")
        }
        guard remote.count == 1 else { throw MappingError("\(path).remote", "a list needs one path") }
    }

    private static func checkHub(_ path: ValuePath, _ place: String) throws(MappingError) {
        guard FieldCatalogue.isStandard(path.root) || FieldCatalogue.isCustomKey(path.root) else {
            throw MappingError(place, "\"\(path.root)\" is no field name")
        }
        switch path.steps.count {
        case 1: return
        case 2, 3:
            if case .index = path.steps[1] {
                if path.steps.count == 2 { return }
                if case .member = path.steps[2] { return }
            }
        default: break
        }
        throw MappingError(place, "expected a field, or one member of an entry such as \"addresses[0].city\"")
    }
}

extension MappingReader {
    private static func text(_ json: JSON, _ path: String) throws(MappingError) -> String {
        guard let text = json.string, !text.isEmpty, text.utf8.count <= 1000 else {
            throw MappingError(path, "expected text")
        }
        return text
    }

    private static func direction(_ json: JSON?, _ path: String) throws(MappingError) -> MappingDirection {
        guard let json else { return .both }
        guard let direction = json.string.flatMap(MappingDirection.init) else {
            throw MappingError(path, "expected \"both\", \"in\" or \"out\"")
        }
        return direction
    }

    private static func paths(_ json: JSON?, _ path: String) throws(MappingError) -> [ValuePath] {
        guard let json else { return [] }
        guard let items = json.array else { return [try ValuePath(try text(json, path), at: path)] }
        guard (2...10).contains(items.count) else { throw MappingError(path, "expected a path or 2 to 10 of them") }
        var paths: [ValuePath] = []
        for (index, item) in items.enumerated() {
            let place = "\(path)[\(index)]"
            paths.append(try ValuePath(try text(item, place), at: place))
        }
        return paths
    }

    private static func entries(
        _ json: JSON, _ direction: MappingDirection, _ path: String
    ) throws(MappingError) -> [MappingRule.Entry] {
        guard let members = json.object, !members.isEmpty else {
            throw MappingError(path, "expected an object of hub member to remote member")
        }
        var entries: [MappingRule.Entry] = []
        for (hub, remote) in members.sorted(by: { $0.key < $1.key }) {
            entries.append(try entry(hub, remote, direction, "\(path).\(hub)"))
        }
        return entries
    }

    private static func entry(
        _ hub: String, _ json: JSON, _ direction: MappingDirection, _ path: String
    ) throws(MappingError) -> MappingRule.Entry {
        guard let members = json.object else {
            let remote = try ValuePath(try text(json, path), at: path)
            return MappingRule.Entry(hub: hub, remote: remote, converter: ValueConverter())
        }
        if let stray = members.keys.filter({ $0 != "remote" && !converterKeys.contains($0) }).min() {
            throw MappingError(path, "unknown member \"\(stray)\"")
        }
        guard let remote = members["remote"] else { throw MappingError("\(path).remote", "expected a path") }
        let place = "\(path).remote"
        return MappingRule.Entry(
            hub: hub, remote: try ValuePath(try text(remote, place), at: place),
            converter: try converter(members, direction, path))
    }

    private static func each(_ members: [String: JSON], _ path: String) throws(MappingError) -> MappingRule.Each {
        var separator: String?
        if let json = members["separator"] { separator = try text(json, "\(path).separator") }
        let place = "\(path).each"
        switch members["each"] {
        case nil, .bool(true): return .init(hub: nil, remote: nil, separator: separator)
        case .string(let member) where !member.isEmpty: return .init(hub: member, remote: nil, separator: separator)
        case .object(let sides):
            if let stray = sides.keys.filter({ $0 != "hub" && $0 != "remote" }).min() {
                throw MappingError(place, "unknown member \"\(stray)\"")
            }
            var hub: String?
            var remote: ValuePath?
            if let json = sides["hub"] { hub = try text(json, "\(place).hub") }
            if let json = sides["remote"] {
                remote = try ValuePath(try text(json, "\(place).remote"), at: "\(place).remote")
                if separator != nil { throw MappingError(place, "values in one text have no members") }
            }
            return .init(hub: hub, remote: remote, separator: separator)
        default: throw MappingError(place, "expected true, a hub member, or {\"hub\": .., \"remote\": ..}")
        }
    }

    private static func converter(
        _ members: [String: JSON], _ direction: MappingDirection, _ path: String
    ) throws(MappingError) -> ValueConverter {
        var converter = ValueConverter()
        if let json = members["trim"] {
            guard let flag = json.bool else { throw MappingError("\(path).trim", "expected true or false") }
            converter.trims = flag
        }
        converter.letterCase = try choice(members["case"], "\(path).case")
        converter.format = try choice(members["format"], "\(path).format")
        if let json = members["values"] {
            if converter.format != nil { throw MappingError(path, "\"values\" and \"format\" exclude one another") }
            converter.values = try ValueMap(json, otherwise: Sided(members["otherwise"]), direction, "\(path).values")
        } else if members["otherwise"] != nil {
            throw MappingError("\(path).otherwise", "has no use without \"values\"")
        }
        if let json = members["country"] {
            guard let code = json.string, let region = Country.code(code) else {
                throw MappingError("\(path).country", "expected an ISO 3166 country code")
            }
            converter.country = region
        }
        converter.fallback = Sided(members["default"])
        return converter
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ json: JSON?, _ path: String
    ) throws(MappingError) -> Choice? {
        guard let json else { return nil }
        guard let choice = json.string.flatMap(Choice.init) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw MappingError(path, "expected one of \(names)")
        }
        return choice
    }
}
