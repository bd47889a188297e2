/// Files: small whole ones, and files opened with somebody else's rights.
public enum Files {
    /// Opens `path` as `credentials` would: a short-lived child with all its groups does it, so that links, permissions
    /// and quota are judged for the user and never for root.
    ///
    /// - Parameters:
    ///   - directory: entered first, so that a relative `path` starts there (also as the user).
    ///   - flags: of open(2); O_CLOEXEC is added.
    ///   - umask: of a new file.
    ///   - timeout: gives up with ETIMEDOUT (a dead NFS server, the user's own FUSE).
    /// - Throws: `SystemError`, stage "chdir" or "open".
    public static func openAs(
        _ credentials: Credentials, _ path: String, flags: Int32, mode: UInt32 = 0o666, umask: UInt32 = 0o022,
        directory: String? = nil, timeout: Duration = .seconds(30)
    ) throws(SystemError) -> Descriptor {
        throw SystemError("open", path, code: 38)
    }
}
