/// Reads PostgreSQL's array output: `{a,"b c",NULL}`, one dimension, with or without bounds (`[0:1]={a,b}`).
enum ArrayLiteral {
    /// Calls `body` with each member (nil for NULL), unescaped; the bytes are valid during the call only.
    /// Returns false when the text is no one-dimensional array or `body` refused a member.
    static func forEach(
        _ bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>?) -> Bool
    ) -> Bool {
        guard var index = opening(bytes), bytes.last == UInt8(ascii: "}") else { return false }
        let end = bytes.count - 1
        index += 1
        if index == end { return true }
        var scratch: [UInt8] = []
        while index <= end {
            if bytes[index] == UInt8(ascii: "\"") {
                guard let next = unquote(bytes, from: index + 1, into: &scratch) else { return false }
                guard scratch.withUnsafeBufferPointer({ body($0) }) else { return false }
                index = next
            } else {
                let start = index
                while index < end, bytes[index] != UInt8(ascii: ",") {
                    if bytes[index] == UInt8(ascii: "{") { return false }
                    index += 1
                }
                let member = UnsafeBufferPointer(rebasing: bytes[start..<index])
                guard !member.isEmpty, body(isNull(member) ? nil : member) else { return false }
            }
            if index == end { return true }
            guard bytes[index] == UInt8(ascii: ",") else { return false }
            index += 1
        }
        return false
    }

    /// The position of the opening brace, behind explicit bounds if there are any.
    private static func opening(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        if bytes.count >= 2, bytes[0] == UInt8(ascii: "{") { return 0 }
        guard bytes.first == UInt8(ascii: "["), let equals = bytes.firstIndex(of: UInt8(ascii: "=")),
            equals + 2 < bytes.count, bytes[equals + 1] == UInt8(ascii: "{")
        else { return nil }
        return equals + 1
    }

    /// Unescapes a quoted member up to its closing quote; returns the position behind that, or nil without one.
    private static func unquote(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, into scratch: inout [UInt8]
    ) -> Int? {
        scratch.removeAll(keepingCapacity: true)
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"):
                index += 1
                guard index < bytes.count else { return nil }
                scratch.append(bytes[index])
            default: scratch.append(bytes[index])
            }
            index += 1
        }
        return nil
    }

    /// PostgreSQL quotes a string that reads NULL, so the bare word is the null value.
    private static func isNull(_ member: UnsafeBufferPointer<UInt8>) -> Bool {
        member.count == 4 && member.elementsEqual("NULL".utf8)
    }
}
