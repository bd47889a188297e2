// What travels on every socket of Argosy: an 8-byte header, then one protobuf message.
//
//     'A' 'r' | version 1 | flags 0 | body length, 32 bits, big-endian
//
// The length is checked against a limit before anything is read or allocated.

public enum Frame {
    public static let headerSize = 8
    public static let version: UInt8 = 1
    /// Body limits in bytes, by kind of socket.
    public static let commandLimit = 16 << 20
    public static let nodeLimit = 64 << 20
    public static let streamLimit = 1 << 20

    /// Header and body in one buffer.
    public static func encode(_ body: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(headerSize + body.count)
        frame += header(bodySize: body.count)
        frame += body
        return frame
    }

    public static func header(bodySize: Int) -> [UInt8] {
        let size = UInt32(bodySize)
        return [
            0x41, 0x72, version, 0, UInt8(size >> 24), UInt8(size >> 16 & 0xff), UInt8(size >> 8 & 0xff),
            UInt8(size & 0xff),
        ]
    }

    /// Size of the body that follows `header` (8 bytes). Throws `TransportError` of kind `.protocol` or `.tooLarge`.
    public static func bodySize(header: some Collection<UInt8>, limit: Int) throws(TransportError) -> Int {
        let bytes = Array(header)
        guard bytes.count == headerSize, bytes[0] == 0x41, bytes[1] == 0x72 else {
            throw TransportError(.protocol, "the other side does not speak Argosy's protocol")
        }
        guard bytes[2] == version else {
            throw TransportError(
                .protocol, "the other side speaks version \(bytes[2]) of the protocol, this one version \(version)")
        }
        let size = bytes[4...].reduce(0) { $0 << 8 | Int($1) }
        guard size <= limit else {
            throw TransportError(.tooLarge, "a message of \(size) bytes is over the limit of \(limit)")
        }
        return size
    }
}

/// What went wrong on a socket. `kind` is for programs, `message` for people.
public struct TransportError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable { case connect, closed, timeout, `protocol`, tooLarge, io, munge }
    public let kind: Kind
    public let message: String
    /// errno where there was one.
    public let code: Int32
    public init(_ kind: Kind, _ message: String, code: Int32 = 0) {
        self.kind = kind
        self.message = message
        self.code = code
    }
    public var description: String { message }
}
