internal import NIOCore
internal import Synchronization

/// A channel that is never waited for: what it has not taken yet is counted, and past the limit it is closed.
final class OutboundGauge: Sendable {
    private let channel: any Channel
    private let limit: Int
    private let pending = Atomic<Int>(0)

    init(_ channel: any Channel, limit: Int) {
        self.channel = channel
        self.limit = limit
    }

    /// Queues a frame from any thread, in order. False when the channel is closed, or falls so far behind that it is
    /// closed now.
    func send(frame body: [UInt8]) -> Bool {
        let size = body.count
        guard channel.isActive else { return false }
        guard pending.add(size, ordering: .relaxed).newValue <= limit else {
            channel.close(promise: nil)
            return false
        }
        channel.writeAndFlush(ByteBuffer(frame: body)).whenComplete { [self] _ in
            pending.subtract(size, ordering: .relaxed)
        }
        return true
    }
}
