import ConnectorKit

extension RemoteError {
    /// Whether the remote does not have what was asked for.
    var isMissing: Bool {
        guard case .refused(let code, _) = self else { return false }
        return code == "http_404" || code == "http_410"
    }

    /// What becomes of records that were not sent yet when a call failed like this: nil when they may be
    /// tried, as the failure was about one record only.
    var forUnsent: RemoteError? {
        switch self {
        case .refused, .stale, .cursorExpired: nil
        case .later, .locked: self
        case .unsure(let code, let message): .later(code: code, message: message)
        }
    }
}
