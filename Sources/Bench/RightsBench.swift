import Foundation
import Hub
import Postgres
import Store

/// What rows by role cost: list, search and the reference segment, asked by a person who reads the contacts of their team,
/// against the owner of the shop who asks for the contacts of the same people.
struct RightsBench {
    private let here: Bench.Surroundings
    private static let rounds = 9
    private static let password = "seven kettles on a quiet ferry"
    /// Members of staff, and how many of them are one team.
    private static let people = (all: 20, team: 4)

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        let contacts = here.isSmall ? 100_000 : 1_000_000
        let tenant = try await here.cluster.makeTenant("rights", modules: ["sales"])
        let node = try await here.cluster.node()
        let (boss, people) = try await hire(tenant, node)
        try await SegmentData(
            tenant: tenant, cluster: here.cluster, contacts: contacts, suppliers: 50, owners: people.map(\.id)
        ).make()
        let team = Condition.leaf(.owner(people.prefix(Self.people.team).map(\.id)))
        let member = try await signIn(people[0].email, node)
        let whole = node.tenant(tenant)
        let segment = try Condition.checked(SegmentBench.condition, try await whole.catalogue(as: boss))

        var list = ContactQuery()
        list.after = Int64(contacts / 2)
        var search = ContactQuery()
        search.text = "kowalska1234"
        var figures: [Figure] = []
        for (name, query) in [("rights.list", list), ("rights.search", search)] {
            var filtered = query
            filtered.condition = team
            figures.append(
                try await compare(
                    name, repeated: 20,
                    { try await Self.ids(member.door.contacts(query, as: member.actor).json) },
                    { try await Self.ids(whole.contacts(filtered, as: boss).json) }))
        }
        figures.append(
            try await compare(
                "rights.segment", repeated: 5, { [Int64(try await member.door.count(segment, as: member.actor))] },
                { [Int64(try await whole.count(.all([segment, team]), as: boss))] }))
        await node.database.close()
        return figures
    }

    /// Milliseconds of both, which must find the same.
    private func compare(
        _ name: String, repeated: Int, _ limited: @escaping () async throws -> [Int64],
        _ filtered: @escaping () async throws -> [Int64]
    ) async throws -> Figure {
        let (mine, theirs) = (try await limited(), try await filtered())
        guard mine == theirs, !mine.isEmpty else {
            throw ChildProcess.Failed(description: "\(name): the person finds \(mine), the owner \(theirs)")
        }
        func timed(_ body: () async throws -> [Int64]) async throws -> Double {
            let watch = Stopwatch()
            for _ in 0..<repeated { _ = try await body() }
            return watch.seconds * 1000 / Double(repeated)
        }
        let times = try await Rounds.interleaved(
            Self.rounds, [{ try await timed(limited) }, { try await timed(filtered) }])
        return Figure(
            name, Rounds.median(times[0]), "ms",
            against: "the owner with the same filter: \(Figure.short(Rounds.median(times[1]))) ms",
            ratio: Rounds.ratio(times[0], to: times[1]))
    }

    private static func ids(_ json: [UInt8]) throws -> [Int64] {
        try (JSON(parsing: json).array ?? []).compactMap { $0["id"]?.int }
    }

    /// The owner, and people under a role that reads the team's contacts, the first of them in one team.
    private func hire(_ tenant: Tenant, _ node: Node) async throws -> (boss: Actor, [(id: Int64, email: String)]) {
        try await here.cluster.provisioner.setOwner(of: tenant, email: "boss@bench.example", password: Self.password)
        let door = node.tenant(tenant)
        let boss = try await signIn("boss@bench.example", node).actor
        let role = try await door.createRole(
            as: boss, name: "team", title: "Team",
            rights: ["contact": ["read": "team"], "order": ["read": "contacts"], "product": ["read": "all"]])
        let team = try await door.saveTeam(nil, as: boss, name: "North")
        var people: [(id: Int64, email: String)] = []
        for number in 1...Self.people.all {
            var person = StaffEdit()
            (person.name, person.role) = ("P\(number)", role)
            person.teams = number <= Self.people.team ? [team] : []
            let email = "p\(number)@bench.example"
            let made = try await door.invite(as: boss, email: email, person)
            if number == 1, let link = made.link {
                try await node.accept(link, password: Self.password, gate: PasswordGate(cores: 2))
            }
            people.append((made.id, email))
        }
        return (boss, people)
    }

    private func signIn(_ email: String, _ node: Node) async throws -> (door: TenantDatabase, actor: Actor) {
        let session = try await node.signIn(
            SignIn(tenant: "rights", email: email, password: Self.password, address: "", agent: "bench"),
            gate: PasswordGate(cores: 2))
        guard let grant = try await node.open(session: session.token), let tenant = grant.tenant else {
            throw ChildProcess.Failed(description: "\(email) cannot sign in")
        }
        return (node.tenant(tenant, sight: grant.sight), grant.actor)
    }
}
