/// What relay and argosyd say over their inherited stream: frames of opaque bytes, each for a channel.
///
///     u32 bytes that follow | u64 channel | bytes          (big-endian)
///
/// A channel is one connection of the relay's; the relay numbers them. An empty body tells that the channel is closed.
public struct RelayFrames: Sendable {
    public static let maxBody = 16 << 20
    private var buffer: [UInt8] = []
    public init() {}

    public static func encode(channel: UInt64, _ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(12 + body.count)
        withUnsafeBytes(of: UInt32(8 + body.count).bigEndian) { bytes += $0 }
        withUnsafeBytes(of: channel.bigEndian) { bytes += $0 }
        return bytes + body
    }

    public mutating func append(_ bytes: [UInt8]) { buffer += bytes }

    /// The next whole frame, nil until more comes. Throws for a length no honest side sends.
    public mutating func next() throws(Malformed) -> (channel: UInt64, body: [UInt8])? {
        guard buffer.count >= 12 else { return nil }
        let length = buffer[..<4].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 8, length <= Self.maxBody + 8 else { throw Malformed() }
        guard buffer.count >= 4 + length else { return nil }
        let channel = buffer[4..<12].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let body = Array(buffer[12..<4 + length])
        buffer.removeFirst(4 + length)
        return (channel, body)
    }

    public struct Malformed: Error, Sendable {}
}
