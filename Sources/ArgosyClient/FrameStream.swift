// A socket that never blocks its user: frames are cut from what arrives and queued until they can leave.
//
// Bounds: a frame's body at most `Frame.streamLimit`; whoever feeds a stream asks `hasRoom` first, so that what waits to
// leave stays near `roomBytes` whatever the other side does.

public import ArgosyTransport
import Glibc

public final class FrameStream {
    /// Above this, `hasRoom` is false.
    public static let roomBytes = 1 << 20

    public let connection: Connection
    public private(set) var ended = false
    private var incoming: [UInt8] = []
    private var outgoing: [UInt8] = []
    private var outgoingStart = 0

    /// Takes over `connection` and makes it non-blocking.
    public init(_ connection: Connection) {
        self.connection = connection
        let flags = fcntl(connection.descriptor, F_GETFL)
        _ = fcntl(connection.descriptor, F_SETFL, flags | O_NONBLOCK)
    }

    public var descriptor: Int32 { connection.descriptor }
    public var waiting: Int { outgoing.count - outgoingStart }
    public var hasRoom: Bool { waiting < Self.roomBytes }

    /// What to poll for; 0 when there is nothing to wait for.
    public func interest(reading: Bool) -> Int16 {
        ended ? 0 : (reading ? Int16(POLLIN) : 0) | (waiting > 0 ? Int16(POLLOUT) : 0)
    }

    /// Queues one frame and sends what can be sent now.
    ///
    /// - Throws: `TransportError` of kind `.closed` or `.io` when the other side is gone.
    public func send(_ body: [UInt8]) throws(TransportError) {
        outgoing += Frame.encode(body)
        try flush()
    }

    public func flush() throws(TransportError) {
        while waiting > 0 {
            let count = outgoing.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: outgoingStart), waiting, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                outgoingStart += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                throw TransportError(.closed, "send: \(String(cString: strerror(errno)))", code: errno)
            }
        }
        if outgoingStart == outgoing.count || outgoingStart > 1 << 20 {
            outgoing.removeFirst(outgoingStart)
            outgoingStart = 0
        }
    }

    /// The whole frames that have arrived, at most about one buffer's worth; sets `ended` at the other side's end.
    ///
    /// - Throws: `TransportError`: `.closed` when the end came in the middle of a frame, `.protocol`, `.tooLarge`, `.io`.
    public func receive() throws(TransportError) -> [[UInt8]] {
        let start = incoming.count
        incoming += [UInt8](repeating: 0, count: 256 << 10)
        let count = incoming.withUnsafeMutableBytes {
            recv(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start, 0)
        }
        let code = errno
        incoming.removeLast(incoming.count - start - max(0, count))
        if count == 0 { ended = true }
        if count < 0, code != EAGAIN, code != EINTR {
            ended = true
            throw TransportError(.closed, "receive: \(String(cString: strerror(code)))", code: code)
        }
        let frames = try cut()
        if ended, !incoming.isEmpty {
            throw TransportError(.closed, "the other side closed the connection in the middle of a message")
        }
        return frames
    }

    private func cut() throws(TransportError) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var position = 0
        while incoming.count - position >= Frame.headerSize {
            let body = position + Frame.headerSize
            let size = try Frame.bodySize(header: incoming[position..<body], limit: Frame.streamLimit)
            guard incoming.count - body >= size else { break }
            frames.append(Array(incoming[body..<body + size]))
            position = body + size
        }
        incoming.removeFirst(position)
        return frames
    }
}
