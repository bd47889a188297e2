internal import NIOCore

/// Waits for the first byte of a TCP connection: 0x16 begins TLS and so a node link, anything else is a command's. A
/// client that says nothing for a moment is an older command, which waits to be greeted.
final class PortSniffer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    private static let tlsHandshake: UInt8 = 0x16
    private let shared: CommandShared
    private let nodes: NodeLinkServer?
    private var isDecided = false
    private var timer: Scheduled<Void>?

    init(_ shared: CommandShared, nodes: NodeLinkServer?) {
        self.shared = shared
        self.nodes = nodes
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: TimeAmount(shared.configuration.silenceBeforeGreeting)) {
            let (sniffer, context) = bound.value
            if !sniffer.isDecided { sniffer.serveCommands(context, first: nil) }
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard !isDecided, let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else {
            context.fireChannelRead(data)
            return
        }
        if first == Self.tlsHandshake {
            serveNode(context, first: bytes)
        } else {
            serveCommands(context, first: bytes)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        isDecided = true
        context.fireChannelInactive()
    }

    private func serveNode(_ context: ChannelHandlerContext, first: ByteBuffer) {
        guard let nodes else { return context.close(promise: nil) }
        do {
            try nodes.configure(context.channel)
            hand(over: first, context)
        } catch { context.close(promise: nil) }
    }

    private func serveCommands(_ context: ChannelHandlerContext, first: ByteBuffer?) {
        let address = context.remoteAddress?.ipAddress ?? "?"
        do {
            try context.pipeline.syncOperations.addHandlers([
                ByteToMessageHandler(FrameDecoder(limit: shared.configuration.maxRequest)),
                CommandSession(shared, mode: .remote(address: address, nonce: randomNonce())),
            ])
            hand(over: first, context)
        } catch { context.close(promise: nil) }
    }

    /// The handlers behind missed the beginning of the connection: it is told to them again.
    private func hand(over first: ByteBuffer?, _ context: ChannelHandlerContext) {
        isDecided = true
        timer?.cancel()
        if let first { context.fireChannelRead(wrapInboundOut(first)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    typealias InboundOut = ByteBuffer
}
