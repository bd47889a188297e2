import CArgosyShim
import Glibc

/// Unix sockets of kind SEQPACKET (one send, one message) and descriptors sent through unix sockets.
public enum UnixSocket {
    public struct Message: Sendable {
        public var bytes: [UInt8]
        public var descriptors: [Descriptor]
    }
    static let maxDescriptors = 16

    /// Listens at `path` (replacing what is there), with `mode`. Close-on-exec, non-blocking.
    public static func listenSequenced(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try checkShim(argosy_unix_socket(path, 1, 1, mode), "listen", path))
    }

    /// The same, SOCK_STREAM.
    public static func listenStream(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try checkShim(argosy_unix_socket(path, 0, 1, mode), "listen", path))
    }

    public static func connectSequenced(_ path: String) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try checkShim(argosy_unix_socket(path, 1, 0, 0), "connect", path))
    }

    /// Nil when nobody is waiting. Blocking, close-on-exec.
    public static func accept(_ listener: Descriptor) throws(SystemError) -> Descriptor? {
        let result = argosy_accept(listener.raw)
        if result == -EAGAIN || result == -ECONNABORTED { return nil }
        return Descriptor(adopting: try checkShim(result, "accept"))
    }

    /// A connected pair, SEQPACKET or stream, close-on-exec, blocking.
    public static func pair(sequenced: Bool) throws(SystemError) -> (Descriptor, Descriptor) {
        var pair: [Int32] = [-1, -1]
        try checkShim(argosy_unix_pair(sequenced ? 1 : 0, &pair), "socketpair")
        return (Descriptor(adopting: pair[0]), Descriptor(adopting: pair[1]))
    }

    /// Sends all of `bytes` (at least one) with up to 16 descriptors, which stay open here. No SIGPIPE.
    public static func send(_ socket: Int32, _ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        var sent = 0
        var pending = descriptors
        repeat {
            let count = bytes.withUnsafeBytes { all in
                let rest = UnsafeRawBufferPointer(rebasing: all[sent...])
                return argosy_send_fds(socket, rest.baseAddress, rest.count, pending, pending.count)
            }
            sent += try checkShim(count, "send")
            pending = []
        } while sent < bytes.count
    }

    /// One message of at most `max` bytes; nil at the end; throws EAGAIN on a non-blocking socket with nothing there.
    public static func receive(_ socket: Int32, max: Int = 65536) throws(SystemError) -> Message? {
        var numbers = [Int32](repeating: -1, count: maxDescriptors)
        var count = numbers.count
        var bytes = [UInt8](repeating: 0, count: max)
        let size = try checkShim(argosy_receive_fds(socket, &bytes, max, &numbers, &count), "receive")
        let descriptors = numbers.prefix(count).map { Descriptor(adopting: $0) }
        if size == 0 { return nil }
        bytes.removeSubrange(size...)
        return Message(bytes: bytes, descriptors: descriptors)
    }
}

/// A lock on a file, held until it is closed or the process ends.
public struct FileLock: Sendable {
    public let descriptor: Descriptor

    /// Makes the file if need be; nil when somebody else holds it.
    public static func tryLock(_ path: String) throws(SystemError) -> FileLock? {
        let file = try Files.open(path, flags: O_RDWR | O_CREAT)
        let result = argosy_lock(file.raw)
        if result == -EWOULDBLOCK { return nil }
        try checkShim(result, "lock", path)
        return FileLock(descriptor: file)
    }
}
