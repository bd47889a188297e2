/// Unix sockets of kind SEQPACKET (one send, one message) and descriptors sent through unix sockets.
public enum UnixSocket {
    public struct Message: Sendable {
        public var bytes: [UInt8]
        public var descriptors: [Descriptor]
    }

    /// Listens at `path` (replacing what is there), with `mode`. Close-on-exec, non-blocking.
    public static func listenSequenced(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        throw SystemError("listen", path, code: 38)
    }
    /// The same, SOCK_STREAM.
    public static func listenStream(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        throw SystemError("listen", path, code: 38)
    }
    public static func connectSequenced(_ path: String) throws(SystemError) -> Descriptor {
        throw SystemError("connect", path, code: 38)
    }
    /// Nil when nobody is waiting.
    public static func accept(_ listener: Descriptor) throws(SystemError) -> Descriptor? {
        throw SystemError("accept", code: 38)
    }
    /// A connected pair, SEQPACKET or stream, close-on-exec, blocking.
    public static func pair(sequenced: Bool) throws(SystemError) -> (Descriptor, Descriptor) {
        throw SystemError("socketpair", code: 38)
    }
    /// Sends all of `bytes` (at least one) with up to 16 descriptors, which stay open here. No SIGPIPE.
    public static func send(_ socket: Int32, _ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        throw SystemError("send", code: 38)
    }
    /// One message of at most `max` bytes; nil at the end; throws EAGAIN on a non-blocking socket with nothing there.
    public static func receive(_ socket: Int32, max: Int = 65536) throws(SystemError) -> Message? {
        throw SystemError("receive", code: 38)
    }
}

/// A lock on a file, held until it is closed or the process ends.
public struct FileLock: Sendable {
    public let descriptor: Descriptor
    /// Makes the file if need be; nil when somebody else holds it.
    public static func tryLock(_ path: String) throws(SystemError) -> FileLock? {
        throw SystemError("lock", path, code: 38)
    }
}
