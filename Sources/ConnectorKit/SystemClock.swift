#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The machine's clock. Only signatures and token lifetimes ask it; what is due when is decided by the
/// database's clock.
public enum SystemClock {
    /// Seconds since 1970.
    @Sendable public static func seconds() -> Int64 { Int64(time(nil)) }
}
