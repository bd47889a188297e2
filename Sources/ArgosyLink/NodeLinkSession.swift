internal import ArgosyWire
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import SwiftProtobuf

/// The node's side of one connection: introduces itself when TLS is up, believes the controller or closes, then passes
/// frames on and keeps the heartbeat.
final class NodeLinkSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Outcome: Sendable {
        case established(controller: String, term: UInt64)
        case received(WireControllerToNode)
        case closed(String)
    }
    private enum Phase { case handshaking, introducing, checking, established, closed }

    private let controller: String
    private let configuration: NodeLinkConfiguration
    private let tls: LinkTLS
    private let peer: PeerFingerprint
    private let blocking: NIOThreadPool
    private let highestTerm: UInt64
    private let events: @Sendable (Outcome) -> Void
    private var phase = Phase.handshaking
    private var why = "the controller closed the connection"
    private var lastHeard = NIODeadline.now()
    private var beat: RepeatedTask?

    init(
        controller: String, configuration: NodeLinkConfiguration, tls: LinkTLS, peer: PeerFingerprint,
        blocking: NIOThreadPool, highestTerm: UInt64, events: @escaping @Sendable (Outcome) -> Void
    ) {
        self.controller = controller
        self.configuration = configuration
        self.tls = tls
        self.peer = peer
        self.blocking = blocking
        self.highestTerm = highestTerm
        self.events = events
    }

    func channelActive(context: ChannelHandlerContext) {
        lastHeard = .now()
        startBeating(context)
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { introduce(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = .now()
        let body = unwrapInboundIn(data)
        switch phase {
        case .introducing: check(body.remainingBytes, context)
        case .established: pass(body, context)
        case .handshaking, .checking: close(context, "the controller spoke out of turn")
        case .closed: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context, "\(error)") }

    func channelInactive(context: ChannelHandlerContext) {
        beat?.cancel()
        phase = .closed
        events(.closed(why))
        context.fireChannelInactive()
    }

    private func introduce(_ context: ChannelHandlerContext) {
        phase = .introducing
        var claims = WireIntroductionClaims()
        claims.role = Introduction.nodeRole
        claims.cluster = configuration.cluster
        claims.node = configuration.node
        claims.term = highestTerm
        claims.nonce = .init(randomNonce())
        claims.fingerprint = .init(tls.fingerprint)
        let authenticator = configuration.authenticator
        let uid = configuration.controllerUID
        blocking.runIfActive(eventLoop: context.eventLoop) { [claims] in
            try Introduction.make(claims, readableBy: uid, by: authenticator)
        }
        .assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let body):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(frame: body)), promise: nil)
            case .failure(let error): close(context, "cannot introduce this node: \(error)")
            }
        }
    }

    private func check(_ body: [UInt8], _ context: ChannelHandlerContext) {
        // A controller that does not want this node says so instead of introducing itself.
        if let frame = try? WireControllerToNode(serializedBytes: body), case .rejected(let rejected)? = frame.body,
            !rejected.why.isEmpty
        {
            return close(context, "the controller refuses this node: \(rejected.why)")
        }
        phase = .checking
        let expected = Introduction.Expectation(
            role: Introduction.controllerRole, cluster: configuration.cluster, uid: configuration.controllerUID,
            fingerprint: peer.current)
        let authenticator = configuration.authenticator
        blocking.runIfActive(eventLoop: context.eventLoop) {
            try Introduction.check(body, expected, by: authenticator)
        }
        .assumeIsolated().whenComplete { [self] result in
            guard phase == .checking else { return }
            switch result {
            case .success(let claims) where claims.term < highestTerm:
                close(context, "this controller's term \(claims.term) is over; this node has seen \(highestTerm)")
            case .success(let claims):
                phase = .established
                events(.established(controller: controller, term: claims.term))
            case .failure(let error): close(context, "the controller is not who it should be: \(error)")
            }
        }
    }

    private func pass(_ body: ByteBuffer, _ context: ChannelHandlerContext) {
        guard let frame = try? WireControllerToNode(serializedBytes: body.remainingBytes) else {
            return close(context, "the controller sent a message that cannot be read")
        }
        switch frame.body {
        case .heartbeat: break
        case .rejected(let rejected): close(context, "the controller refuses this node: \(rejected.why)")
        case .welcome, .order, .ack, .relayed, .usage, .reboot: events(.received(frame))
        case nil: break  // Of a newer release.
        }
    }

    private func startBeating(_ context: ChannelHandlerContext) {
        let interval = TimeAmount(configuration.heartbeat)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        beat = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (session, context) = bound.value
            session.heartbeat(context)
        }
    }

    private func heartbeat(_ context: ChannelHandlerContext) {
        let silence = NIODeadline.now() - lastHeard
        guard silence < TimeAmount(configuration.heartbeat * LinkLimits.silentHeartbeats) else {
            return close(context, "the controller was silent for \(silence.nanoseconds / 1_000_000_000) s")
        }
        guard phase == .established else { return }
        var frame = WireNodeToController()
        frame.heartbeat = configuration.load()
        guard let body: [UInt8] = try? frame.serializedBytes() else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(frame: body)), promise: nil)
    }

    private func close(_ context: ChannelHandlerContext, _ why: String) {
        guard phase != .closed else { return }
        phase = .closed
        self.why = why
        context.close(promise: nil)
    }
}
