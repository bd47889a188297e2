internal import Glibc

/// A blocking stream socket that carries frames; what the commands and the step side use. Closes with its last
/// reference. One thread may send while another receives.
public final class Connection: Sendable {
    public let descriptor: Int32

    /// Takes over an open socket.
    public init(adopting descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Connects to a unix socket. Throws `.connect` with errno when nobody listens.
    public static func connect(unix path: String) throws(TransportError) -> Connection {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw TransportError(.connect, "the socket path \(path) is longer than \(107) bytes", code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TransportError(.connect, "socket: \(errorText(errno))", code: errno) }
        let connection = Connection(adopting: descriptor)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                retrying { Glibc.connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size)) }
            }
        }
        guard result == 0 else {
            throw TransportError(.connect, "cannot connect to \(path): \(errorText(errno))", code: errno)
        }
        return connection
    }

    /// Connects to `host` (name or address), trying each of its addresses. Throws `.connect`.
    public static func connect(host: String, port: UInt16, timeout: Duration = .seconds(10)) throws(TransportError)
        -> Connection
    {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        guard status == 0 else {
            throw TransportError(.connect, "cannot resolve host \(host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        var last: Int32 = ECONNREFUSED
        var next = found
        while let candidate = next {
            let info = candidate.pointee
            if let connection = connect(to: info, timeout: timeout, failure: &last) { return connection }
            next = info.ai_next
        }
        throw TransportError(.connect, "cannot connect to \(host) port \(port): \(errorText(last))", code: last)
    }

    private static func connect(to info: addrinfo, timeout: Duration, failure: inout Int32) -> Connection? {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(info.ai_family, flags, 0)
        guard descriptor >= 0 else {
            failure = errno
            return nil
        }
        let connection = Connection(adopting: descriptor)
        if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else {
                failure = errno
                return nil
            }
            guard connection.wait(for: Int16(POLLOUT), timeout: timeout) else {
                failure = ETIMEDOUT
                return nil
            }
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) == 0, failure == 0 else { return nil }
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        return connection
    }

    /// Sends one frame. Throws `.closed` when the other side is gone (SIGPIPE is never raised).
    public func send(_ body: [UInt8]) throws(TransportError) {
        let frame = Frame.encode(body)
        var sent = 0
        while sent < frame.count {
            let count = frame.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno != EINTR {
                let kind: TransportError.Kind = errno == EPIPE || errno == ECONNRESET ? .closed : .io
                throw TransportError(kind, "send: \(errorText(errno))", code: errno)
            }
        }
    }

    /// Receives one frame's body; nil when the other side closed between frames. Throws `.closed` in the middle of
    /// one, `.timeout` when `timeout` passes without the next bytes, and the errors of `Frame.bodySize`.
    public func receive(limit: Int = Frame.commandLimit, timeout: Duration? = nil) throws(TransportError) -> [UInt8]? {
        guard let header = try read(Frame.headerSize, timeout: timeout, endAllowed: true) else { return nil }
        let size = try Frame.bodySize(header: header, limit: limit)
        return try read(size, timeout: timeout, endAllowed: false)
    }

    private func read(_ size: Int, timeout: Duration?, endAllowed: Bool) throws(TransportError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            if let timeout, !wait(for: Int16(POLLIN), timeout: timeout) {
                throw TransportError(.timeout, "no answer within \(timeout)", code: ETIMEDOUT)
            }
            let count = bytes.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: filled), size - filled, 0)
            }
            if count > 0 {
                filled += count
            } else if count == 0 {
                if endAllowed && filled == 0 { return nil }
                throw TransportError(.closed, "the other side closed the connection in the middle of a message")
            } else if errno != EINTR {
                let kind: TransportError.Kind = errno == ECONNRESET ? .closed : .io
                throw TransportError(kind, "receive: \(errorText(errno))", code: errno)
            }
        }
        return bytes
    }

    /// True when the socket is ready (or in error) before `timeout` passes.
    public func wait(for events: Int16, timeout: Duration) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        let milliseconds = min(max(timeout.milliseconds, 0), Int64(Int32.max))
        return retrying { poll(&entry, 1, Int32(milliseconds)) } > 0
    }

    /// No more will be sent; the other side reads an end.
    public func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both directions, waking whoever is blocked on the socket.
    public func abort() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

/// Calls again while a signal interrupts.
func retrying(_ call: () -> Int32) -> Int32 {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// The text of an errno.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
