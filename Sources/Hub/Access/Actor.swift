/// Who acts: every change and every read of tenant data is made by one.
public enum Actor: Sendable, Hashable, CustomStringConvertible {
    /// Kontor's own loops.
    case system
    case staff(Int64)
    /// A program of the shop, by the number of its token.
    case token(Int64)
    /// A program whose token has a role: sees and may what a person of that role does.
    case agent(Int64)
    /// A connector's worker reading and delivering: sees what its policy allows.
    case connector(Int64)
    /// Records coming in from a connector: matched against all contacts, recorded as coming from it.
    case intake(Int64)

    public var description: String {
        switch self {
        case .system: "system"
        case .staff(let id): "staff:\(id)"
        case .token(let id): "token:\(id)"
        case .agent(let id): "agent:\(id)"
        case .connector(let id): "connector:\(id)"
        case .intake(let id): "intake:\(id)"
        }
    }
}

extension Actor {
    /// The actor that `description` is of.
    public init?(text: String) {
        if text == "system" {
            self = .system
            return
        }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let id = Int64(parts[1]) else { return nil }
        switch parts[0] {
        case "staff": self = .staff(id)
        case "token": self = .token(id)
        case "agent": self = .agent(id)
        case "connector": self = .connector(id)
        case "intake": self = .intake(id)
        default: return nil
        }
    }
}
