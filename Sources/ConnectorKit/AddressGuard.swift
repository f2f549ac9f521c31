#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Says which network addresses outgoing calls may reach: only public ones, so that nobody can make the
/// service call what stands behind it. Judges the binary address of each connection, after all name
/// look-ups and whatever form the host was written in.
public struct AddressGuard: Sendable, Hashable {
    private let allowed: [AddressRange]

    /// Refuses every address that is not public.
    public init() { allowed = [] }

    /// - Parameter allow: ranges ("10.1.0.0/16", "::1/128") that the operator opens although they are
    ///   not public.
    /// - Throws: `ConnectorError.badSettings` for a text that is no range.
    public init(allow: [String]) throws(ConnectorError) {
        var ranges: [AddressRange] = []
        for text in allow {
            guard let range = AddressRange(text) else {
                throw .badSettings(field: "allow", reason: "“\(text)” is no address range such as 10.0.0.0/8")
            }
            ranges.append(range)
        }
        allowed = ranges
    }

    /// Whether an address in text ("192.0.2.1", "2001:db8::1") may be reached; false for anything else.
    public func permits(_ text: String) -> Bool {
        AddressRange.bytes(of: text).map(permits) ?? false
    }

    /// - Parameter address: 4 or 16 bytes in network order.
    public func permits(_ address: [UInt8]) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        if let inner = Self.mapped(address), allowed.contains(where: { $0.contains(inner) }) { return true }
        switch address.count {
        case 4: return !Self.internalV4.contains { $0.contains(address) }
        case 16: return Self.globalV6.contains(address) && !Self.internalV6.contains { $0.contains(address) }
        default: return false
        }
    }

    /// The IPv4 address inside ::ffff:0:0/96.
    private static func mapped(_ address: [UInt8]) -> [UInt8]? {
        guard address.count == 16, address[..<10].allSatisfy({ $0 == 0 }), address[10] == 255, address[11] == 255
        else { return nil }
        return Array(address[12...])
    }

    /// IANA's IPv4 special-purpose registry: whatever is not globally reachable, and 6to4 relays,
    /// multicast and the reserved last block.
    private static let internalV4: [AddressRange] = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    ])

    /// All that is given out to the public; mapped, NAT64, unique local, link-local, multicast, loopback
    /// and unspecified addresses lie outside.
    private static let globalV6 = ranges(["2000::/3"])[0]

    /// Within it: protocol assignments with Teredo, documentation, 6to4.
    private static let internalV6: [AddressRange] = ranges([
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    ])

    private static func ranges(_ texts: [String]) -> [AddressRange] { texts.compactMap(AddressRange.init) }
}

/// A block of addresses: a prefix and how many of its bits count.
struct AddressRange: Sendable, Hashable {
    private let prefix: [UInt8]
    private let bits: Int

    /// "10.0.0.0/8"; without "/bits" the one address.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let bytes = parts.first.flatMap({ Self.bytes(of: String($0)) }), parts.count <= 2 else { return nil }
        let bits = parts.count == 2 ? Int(parts[1]) : bytes.count * 8
        guard let bits, bits >= 0, bits <= bytes.count * 8 else { return nil }
        self.prefix = bytes
        self.bits = bits
    }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == prefix.count else { return false }
        let (whole, rest) = bits.quotientAndRemainder(dividingBy: 8)
        guard address[..<whole] == prefix[..<whole] else { return false }
        let mask = ~(UInt8(0xFF) >> UInt8(rest))
        return rest == 0 || address[whole] & mask == prefix[whole] & mask
    }

    /// Four or sixteen bytes of an address in its usual text form.
    static func bytes(of text: String) -> [UInt8]? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: &v4) { Array($0) } }
        var v6 = in6_addr()
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: &v6) { Array($0) } }
        return nil
    }
}
