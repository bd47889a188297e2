// The node's end of its link to the controller. Dials, proves itself, keeps the link alive, dials again.
//
//     let link = try NodeLinkClient(configuration, logger: logger) { event in ... }
//     link.start()
//     link.send(frame)        // from any thread
//     link.stop()
//
// Events come one at a time, in order, on the link's own thread: hand long work to others. After `.connected` the
// first frame to send is the registration.
public import ArgosyWire
internal import Dispatch
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

public struct NodeLinkConfiguration: Sendable {
    public struct Controller: Sendable, Hashable {
        public var host: String
        public var port: UInt16
        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }
    }
    public var cluster: String
    /// NodeName.
    public var node: String
    /// Tried in turn.
    public var controllers: [Controller]
    /// The uid a controller must have: SlurmUser's.
    public var controllerUID: UInt32 = 0
    /// The uid a node daemon has: root's; another one only in tests.
    public var nodeUID: UInt32 = 0
    public var authenticator: any Authenticator
    /// A link that was silent for three of these is given up.
    public var heartbeat: Duration = .seconds(10)
    /// Waits between attempts grow from the first to the second, each with a random half taken off.
    public var backOff: ClosedRange<Duration> = .milliseconds(200)...(.seconds(10))
    /// What a heartbeat says; called on the link's thread.
    public var load: @Sendable () -> WireHeartbeat = { WireHeartbeat() }

    public init(cluster: String, node: String, controllers: [Controller], authenticator: any Authenticator) {
        self.cluster = cluster
        self.node = node
        self.controllers = controllers
        self.authenticator = authenticator
    }
}

public enum NodeLinkEvent: Sendable {
    /// Both sides are who they say; `term` is the controller's. Register now.
    case connected(controller: String, term: UInt64)
    /// Anything but heartbeats.
    case received(WireControllerToNode)
    /// The link is gone and is being dialled again. Also reports attempts that failed.
    case disconnected(why: String)
}

public final class NodeLinkClient: Sendable {
    private struct State {
        var link: OutboundGauge?
        var channel: (any Channel)?
        var isStopped = false
        var attempt = 0
        var connectedAt: NIODeadline?
        var highestTerm: UInt64 = 0
        /// Said already.
        var complaint = ""
    }
    private let configuration: NodeLinkConfiguration
    private let logger: Logger
    private let onEvent: @Sendable (NodeLinkEvent) -> Void
    private let tls: LinkTLS
    private let group: MultiThreadedEventLoopGroup
    private let blocking: NIOThreadPool
    private let state = Mutex(State())

    /// Throws when no TLS certificate can be made. `highestTerm`: of any controller this node obeyed before.
    public init(
        _ configuration: NodeLinkConfiguration, highestTerm: UInt64 = 0, logger: Logger,
        onEvent: @escaping @Sendable (NodeLinkEvent) -> Void
    ) throws {
        self.configuration = configuration
        self.logger = logger
        self.onEvent = onEvent
        tls = try LinkTLS(.client)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        blocking = NIOThreadPool(numberOfThreads: 1)
        state.withLock { $0.highestTerm = highestTerm }
    }

    public func start() {
        blocking.start()
        dial()
    }

    /// Closes the link and ends its threads; no event comes afterwards. Not from within an event.
    public func stop() {
        let channel = state.withLock { state in
            state.isStopped = true
            return state.channel
        }
        channel?.close(promise: nil)
        let stopped = DispatchSemaphore(value: 0)
        blocking.shutdownGracefully { _ in stopped.signal() }
        stopped.wait()
        group.shutdownGracefully { _ in stopped.signal() }
        stopped.wait()
    }

    /// Queues a frame. False when there is no link, or it fell 64 MiB behind and was closed: the frame is lost, and
    /// belongs among what is sent again after `.connected`.
    @discardableResult
    public func send(_ frame: WireNodeToController) -> Bool {
        guard let link = state.withLock({ $0.link }), let body: [UInt8] = try? frame.serializedBytes() else {
            return false
        }
        return link.send(frame: body)
    }

    public var isConnected: Bool { state.withLock { $0.link != nil } }

    /// Closes the link, if any, and dials again: when the controller's orders show it is not the one to obey.
    public func reconnect() { state.withLock { $0.channel }?.close(promise: nil) }

    // MARK: - Dialling

    private func dial() {
        let attempt = state.withLock { $0.attempt }
        let controllers = configuration.controllers
        guard !controllers.isEmpty else {
            onEvent(.disconnected(why: "no controller is configured; set SlurmctldHost"))
            return
        }
        let target = controllers[attempt % controllers.count]
        let name = "\(target.host):\(target.port)"
        ClientBootstrap(group: group)
            .connectTimeout(.seconds(5))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [self] channel in prepare(channel, name: name) }
            .connect(host: target.host, port: Int(target.port))
            .whenComplete { [self] result in
                switch result {
                case .success(let channel):
                    let isStopped = state.withLock { state in
                        state.channel = channel
                        return state.isStopped
                    }
                    if isStopped { channel.close(promise: nil) }
                case .failure(let error): lost("cannot reach the controller at \(name): \(error)")
                }
            }
    }

    private func prepare(_ channel: any Channel, name: String) -> EventLoopFuture<Void> {
        let peer = PeerFingerprint()
        return channel.eventLoop.makeCompletedFuture {
            let session = NodeLinkSession(
                controller: name, configuration: configuration, tls: tls, peer: peer, blocking: blocking,
                highestTerm: state.withLock { $0.highestTerm }, events: sessionEvents(channel))
            try channel.pipeline.syncOperations.addHandlers([
                try tls.clientHandler { peer.set($0) },
                ByteToMessageHandler(FrameDecoder(limit: LinkLimits.message)), session,
            ])
        }
    }

    private func sessionEvents(_ channel: any Channel) -> @Sendable (NodeLinkSession.Outcome) -> Void {
        { [self] outcome in
            switch outcome {
            case .established(let controller, let term):
                state.withLock { state in
                    state.link = OutboundGauge(channel, limit: LinkLimits.outbound)
                    state.connectedAt = .now()
                    state.highestTerm = max(state.highestTerm, term)
                }
                onEvent(.connected(controller: controller, term: term))
            case .received(let frame): onEvent(.received(frame))
            case .closed(let why): lost(why)
            }
        }
    }

    private func lost(_ why: String) {
        let (delay, isStopped, isNews) = state.withLock { state in
            state.link = nil
            state.channel = nil
            // A link that is closed as soon as it is up is no reason to dial faster.
            if let since = state.connectedAt, NIODeadline.now() - since > TimeAmount(configuration.backOff.upperBound) {
                state.attempt = 0
            }
            state.connectedAt = nil
            let delay = jittered(attempt: state.attempt)
            state.attempt += 1
            defer { state.complaint = why }
            return (delay, state.isStopped, state.complaint != why)
        }
        if isStopped { return }
        logger.log(
            level: isNews ? .notice : .debug, "node link lost",
            metadata: ["why": "\(why)", "retry_ms": "\(delay.nanoseconds / 1_000_000)"])
        onEvent(.disconnected(why: why))
        group.next().scheduleTask(in: delay) { [self] in
            if !state.withLock({ $0.isStopped }) { dial() }
        }
    }

    private func jittered(attempt: Int) -> TimeAmount {
        let least = configuration.backOff.lowerBound
        let most = configuration.backOff.upperBound
        let grown = min(least * (1 << min(attempt, 16)), most)
        return TimeAmount(grown * Double.random(in: 0.5...1))
    }
}
