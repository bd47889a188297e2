internal import Glibc

/// Who is at the other end of a unix socket, by the kernel's word.
public struct PeerCredentials: Hashable, Sendable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32

    /// Of the process that connected (or listened). Throws `.io` for other sockets.
    public static func of(_ descriptor: Int32) throws(TransportError) -> PeerCredentials {
        var words: (Int32, UInt32, UInt32) = (0, 0, 0)  // struct ucred
        var size = socklen_t(12)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &size) == 0, size == 12 else {
            throw TransportError(.io, "SO_PEERCRED: \(errorText(errno))", code: errno)
        }
        return PeerCredentials(pid: words.0, uid: words.1, gid: words.2)
    }

    /// A descriptor that stands for the peer process even when its pid is used again; nil on kernels without it.
    /// The caller closes it.
    public static func pidfd(of descriptor: Int32) -> Int32? {
        let peerPidfd: Int32 = 77  // SO_PEERPIDFD, Linux 6.5
        var result: Int32 = -1
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, peerPidfd, &result, &size) == 0 else { return nil }
        return result
    }
}
