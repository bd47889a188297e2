// The controller's end of the node links: believes a node, introduces itself, passes frames on.
public import ArgosyWire
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import SwiftProtobuf
internal import Synchronization

public struct NodeLinkServerConfiguration: Sendable {
    public var cluster: String
    public var term: UInt64
    /// The uid a node daemon must have.
    public var nodeUID: UInt32 = 0
    public var authenticator: any Authenticator
    /// NodeAddr of a NodeName; nil for a node that is not configured.
    public var addressOf: @Sendable (String) -> String?
    public var heartbeat: Duration = .seconds(10)
    public init(
        cluster: String, term: UInt64, authenticator: any Authenticator,
        addressOf: @escaping @Sendable (String) -> String?
    ) {
        self.cluster = cluster
        self.term = term
        self.authenticator = authenticator
        self.addressOf = addressOf
    }
}

public enum NodeLinkServerEvent: Sendable {
    /// Believed; its registration comes next.
    case opened(NodeLink)
    /// Anything, heartbeats too.
    case received(NodeLink, WireNodeToController)
    /// After `opened` only.
    case closed(NodeLink, why: String)
    /// Somebody who was not believed.
    case refused(address: String, why: String)
}

/// One believed connection of a node. A node that dials again has a second one before the first is seen to end.
public final class NodeLink: Sendable, Hashable {
    /// Ascending: a later link of a node replaces an earlier one.
    public let serial: UInt64
    public let node: String
    public let peerAddress: String
    private let gauge: OutboundGauge
    private let channel: any Channel

    init(serial: UInt64, node: String, peerAddress: String, channel: any Channel) {
        self.serial = serial
        self.node = node
        self.peerAddress = peerAddress
        self.channel = channel
        gauge = OutboundGauge(channel, limit: LinkLimits.outbound)
    }

    /// Queues a frame. False when the link is closed or fell too far behind, which closes it.
    @discardableResult
    public func send(_ frame: WireControllerToNode) -> Bool {
        guard let body: [UInt8] = try? frame.serializedBytes() else { return false }
        return gauge.send(frame: body)
    }

    /// Tells the node why, and closes.
    public func reject(_ why: String) {
        var frame = WireControllerToNode()
        frame.rejected.why = why
        send(frame)
        channel.close(promise: nil)
    }

    public func close() { channel.close(promise: nil) }

    public static func == (a: NodeLink, b: NodeLink) -> Bool { a.serial == b.serial }
    public func hash(into hasher: inout Hasher) { hasher.combine(serial) }
}

/// What all node links of a controller share.
final class NodeLinkServer: Sendable {
    let configuration: NodeLinkServerConfiguration
    let tls: LinkTLS
    let blocking: NIOThreadPool
    let onEvent: @Sendable (NodeLinkServerEvent) -> Void
    private let serials = Atomic<UInt64>(0)
    private let nonces = Mutex(NonceMemory())

    init(
        _ configuration: NodeLinkServerConfiguration, blocking: NIOThreadPool,
        onEvent: @escaping @Sendable (NodeLinkServerEvent) -> Void
    ) throws {
        self.configuration = configuration
        self.blocking = blocking
        self.onEvent = onEvent
        tls = try LinkTLS(.server)
    }

    func nextSerial() -> UInt64 { serials.add(1, ordering: .relaxed).newValue }
    func useNonce(_ nonce: [UInt8]) -> Bool { nonces.withLock { $0.use(nonce) } }

    /// Adds the handlers of a node link to a connection; on its event loop.
    func configure(_ channel: any Channel) throws {
        let peer = PeerFingerprint()
        try channel.pipeline.syncOperations.addHandlers([
            tls.serverHandler { peer.set($0) }, ByteToMessageHandler(FrameDecoder(limit: LinkLimits.message)),
            NodeLinkServerSession(self, peer: peer),
        ])
    }

    /// Checks a node's introduction and makes this side's. Blocks. Throws `LinkRefusal`, or what MUNGE throws.
    func believe(_ body: [UInt8], fingerprint: [UInt8], peerAddress: String) throws -> (node: String, answer: [UInt8]) {
        let claims = try Introduction.check(
            body,
            Introduction.Expectation(
                role: Introduction.nodeRole, cluster: configuration.cluster, uid: configuration.nodeUID,
                fingerprint: fingerprint),
            by: configuration.authenticator)
        guard useNonce(Array(claims.nonce)) else { throw LinkRefusal("its introduction was used before") }
        guard let address = configuration.addressOf(claims.node) else {
            throw LinkRefusal("node \(claims.node) is not configured; add a NodeName line for it")
        }
        guard Resolver.addresses(of: address).contains(peerAddress) else {
            throw LinkRefusal(
                "node \(claims.node) connects from \(peerAddress), its NodeAddr \(address) is another address")
        }
        var mine = WireIntroductionClaims()
        mine.role = Introduction.controllerRole
        mine.cluster = configuration.cluster
        mine.term = configuration.term
        mine.nonce = .init(randomNonce())
        mine.fingerprint = .init(tls.fingerprint)
        let answer = try Introduction.make(
            mine, readableBy: configuration.nodeUID, by: configuration.authenticator)
        return (claims.node, answer)
    }
}

/// The controller's side of one connection.
final class NodeLinkServerSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private enum Phase { case introducing, checking, established, closed }

    private let server: NodeLinkServer
    private let peer: PeerFingerprint
    private var phase = Phase.introducing
    private var link: NodeLink?
    private var why = "the node closed the connection"
    private var lastHeard = NIODeadline.now()
    private var beat: RepeatedTask?

    init(_ server: NodeLinkServer, peer: PeerFingerprint) {
        self.server = server
        self.peer = peer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let interval = TimeAmount(server.configuration.heartbeat)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        beat = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (session, context) = bound.value
            session.heartbeat(context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = .now()
        let body = unwrapInboundIn(data).remainingBytes
        switch phase {
        case .introducing: check(body, context)
        case .established:
            guard let link, let frame = try? WireNodeToController(serializedBytes: body) else {
                return close(context, "it sent a message that cannot be read")
            }
            server.onEvent(.received(link, frame))
        case .checking: close(context, "it spoke before it was believed")
        case .closed: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context, "\(error)") }

    func channelInactive(context: ChannelHandlerContext) {
        beat?.cancel()
        phase = .closed
        if let link {
            server.onEvent(.closed(link, why: why))
        } else {
            server.onEvent(.refused(address: context.remoteAddress?.ipAddress ?? "?", why: why))
        }
        link = nil
        context.fireChannelInactive()
    }

    private func check(_ body: [UInt8], _ context: ChannelHandlerContext) {
        phase = .checking
        let address = context.remoteAddress?.ipAddress ?? ""
        let fingerprint = peer.current
        server.blocking.runIfActive(eventLoop: context.eventLoop) { [server] in
            try server.believe(body, fingerprint: fingerprint, peerAddress: address)
        }
        .assumeIsolated().whenComplete { [self] result in
            guard phase == .checking else { return }
            switch result {
            case .success(let (node, answer)): establish(node, answer, address, context)
            case .failure(let error): refuse("\(error)", context)
            }
        }
    }

    private func establish(_ node: String, _ answer: [UInt8], _ address: String, _ context: ChannelHandlerContext) {
        phase = .established
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(frame: answer)), promise: nil)
        let link = NodeLink(
            serial: server.nextSerial(), node: node, peerAddress: address, channel: context.channel)
        self.link = link
        server.onEvent(.opened(link))
    }

    private func refuse(_ why: String, _ context: ChannelHandlerContext) {
        var frame = WireControllerToNode()
        frame.rejected.why = why
        if let body: [UInt8] = try? frame.serializedBytes() {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(frame: body)), promise: nil)
        }
        close(context, why)
    }

    private func heartbeat(_ context: ChannelHandlerContext) {
        let silence = NIODeadline.now() - lastHeard
        guard silence < TimeAmount(server.configuration.heartbeat * LinkLimits.silentHeartbeats) else {
            return close(context, "it was silent for \(silence.nanoseconds / 1_000_000_000) s")
        }
        guard let link else { return }
        var frame = WireControllerToNode()
        frame.heartbeat = WireHeartbeat()
        link.send(frame)
    }

    private func close(_ context: ChannelHandlerContext, _ why: String) {
        guard phase != .closed else { return }
        phase = .closed
        self.why = why
        context.close(promise: nil)
    }
}
