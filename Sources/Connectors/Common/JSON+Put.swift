import Hub

extension JSON {
    /// Sets a member, and takes it away when the value is null. (In `a ? nil : b` the compiler may read nil as
    /// JSON's null, hence no such expression here.)
    mutating func put(_ value: JSON, as name: String) {
        if value.isNull { self[name] = nil } else { self[name] = value }
    }
}
