/// One entity a remote system holds.
public enum RemoteEntity: String, Sendable, CaseIterable {
    case contact, product, order
}
