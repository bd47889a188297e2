// Where commands come in: a unix socket for this machine, a TCP port for others. The TCP port serves node links too;
// the first byte tells (0x16 begins a TLS handshake).
public import ArgosyWire
internal import Glibc
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Who asks, by the kernel's word (unix socket) or MUNGE's (TCP).
public struct CommandPeer: Sendable, Hashable {
    public var uid: UInt32
    public var gid: UInt32
    /// For logs: "unix" or an address.
    public var origin: String
    public init(uid: UInt32, gid: UInt32, origin: String) {
        self.uid = uid
        self.gid = gid
        self.origin = origin
    }
}

/// What answers requests. Called on event loops: hand anything that takes time to others.
public protocol CommandService: Sendable {
    func received(_ request: WireRequest, from peer: CommandPeer, reply: ReplySlot)
    /// The connection behind this reply closed while it was waited for, or while it was watched.
    func clientLost(_ reply: ReplySlot)
}

/// The place of one request's reply in its connection. Replies leave in the order of the requests.
public final class ReplySlot: Sendable {
    /// Never the same for two requests of a process.
    public let id: UInt64
    private let watched = Atomic<Bool>(false)
    private let answered = Atomic<Bool>(false)
    private let observer = Mutex<(@Sendable () -> Void)?>(nil)
    private let deliver: @Sendable (WireReply) -> Void
    private let close: @Sendable () -> Void
    private static let ids = Atomic<UInt64>(0)

    /// `deliver` gets the first reply, on whatever thread gives it; `close` ends the connection.
    public init(
        deliver: @escaping @Sendable (WireReply) -> Void, close: @escaping @Sendable () -> Void = {}
    ) {
        id = Self.ids.add(1, ordering: .relaxed).newValue
        self.deliver = deliver
        self.close = close
    }

    /// Gives the answer, from any thread; a second one is dropped.
    public func reply(_ reply: WireReply) {
        guard !answered.exchange(true, ordering: .relaxed) else { return }
        deliver(reply)
        observer.withLock { $0 }?()
    }

    /// Called once, when the answer has been given. Set before the request is passed on.
    public func observe(_ body: @escaping @Sendable () -> Void) { observer.withLock { $0 = body } }

    /// From now on the end of the connection is told even when the reply has been given: for interactive jobs.
    public func watch() { watched.store(true, ordering: .relaxed) }
    public var isWatched: Bool { watched.load(ordering: .relaxed) }
    /// Ends the connection, from any thread, after what was replied: nobody here watches over it any more.
    public func disconnect() { close() }
    public var isAnswered: Bool { answered.load(ordering: .relaxed) }
}

public struct CommandServerConfiguration: Sendable {
    public var cluster: String
    public var term: UInt64
    public var authenticator: any Authenticator
    /// Connections in all, and of one uid or address; root's count in all only.
    public var maxConnections = 4096
    public var maxConnectionsPerPeer = 512
    /// Requests of one connection that may wait for their replies; more are not read meanwhile.
    public var maxInFlight = 256
    public var maxRequest = 16 << 20
    public var maxReply = 64 << 20
    /// A connection that asks nothing for this long, or does not take its replies, is closed.
    public var idle: Duration = .seconds(60)
    public var slow: Duration = .seconds(30)
    /// A TCP client that says nothing for this long is greeted (see `Greeting` in command.proto).
    public var silenceBeforeGreeting: Duration = .milliseconds(200)
    public init(cluster: String, term: UInt64, authenticator: any Authenticator) {
        self.cluster = cluster
        self.term = term
        self.authenticator = authenticator
    }
}

/// Listens, and owns the threads of all connections, node links included.
public final class CommandServer: Sendable {
    private let shared: CommandShared
    private let nodes: NodeLinkServer?
    private let group: MultiThreadedEventLoopGroup
    private let listeners = Mutex<[any Channel]>([])

    /// `nodes`: how node links on the TCP port are believed; without it they are refused. Throws when no TLS
    /// certificate can be made.
    public init(
        _ configuration: CommandServerConfiguration, service: any CommandService, logger: Logger,
        nodes: NodeLinkServerConfiguration? = nil,
        onNodeEvent: @escaping @Sendable (NodeLinkServerEvent) -> Void = { _ in }
    ) throws {
        let blocking = NIOThreadPool(numberOfThreads: 2)
        blocking.start()
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        shared = CommandShared(configuration, service: service, blocking: blocking, logger: logger)
        self.nodes = try nodes.map { try NodeLinkServer($0, blocking: blocking, onEvent: onNodeEvent) }
    }

    /// Listens on a unix socket that everybody may connect to, replacing a stale one. Throws when it cannot.
    public func listen(unix path: String) throws {
        let channel = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { [shared] channel in Self.acceptLocal(channel, shared) }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).wait()
        listeners.withLock { $0.append(channel) }
        guard chmod(path, 0o777) == 0 else { throw ListenFailure("cannot open \(path) to all users", errno) }
    }

    /// Listens on a TCP port of all addresses (or `host`'s). Returns the port. Throws when it cannot.
    @discardableResult
    public func listen(host: String = "0.0.0.0", port: UInt16) throws -> UInt16 {
        let channel = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [shared, nodes] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PortSniffer(shared, nodes: nodes))
                }
            }
            .bind(host: host, port: Int(port)).wait()
        listeners.withLock { $0.append(channel) }
        return UInt16(channel.localAddress?.port ?? 0)
    }

    /// Stops listening, gives what was written a moment to leave, closes all and ends the threads. Not from a callback.
    public func stop() {
        for listener in listeners.withLock({ $0 }) { try? listener.close().wait() }
        try? group.syncShutdownGracefully()
        try? shared.blocking.syncShutdownGracefully()
        shared.letServiceGo()
    }

    public var connectionCount: Int { shared.count.withLock { $0.total } }

    private static func acceptLocal(_ channel: any Channel, _ shared: CommandShared) -> EventLoopFuture<Void> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ListenFailure("no peer credentials", 0))
        }
        let option: EventLoopFuture<UnixCredentials> = provider.unsafeGetSocketOption(
            level: SocketOptionLevel(SOL_SOCKET), name: SocketOptionName(SO_PEERCRED))
        return option.flatMapThrowing { found in
            let peer = CommandPeer(uid: found.uid, gid: found.gid, origin: "unix")
            try channel.pipeline.syncOperations.addHandlers([
                ByteToMessageHandler(FrameDecoder(limit: shared.configuration.maxRequest)),
                CommandSession(shared, mode: .local(peer)),
            ])
        }
    }
}

/// The kernel's struct ucred.
private struct UnixCredentials: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}

public struct ListenFailure: Error, CustomStringConvertible {
    let what: String
    let code: Int32
    init(_ what: String, _ code: Int32) {
        self.what = what
        self.code = code
    }
    public var description: String { code == 0 ? what : "\(what): \(String(cString: strerror(code)))" }
}

/// What all command connections share.
final class CommandShared: Sendable {
    struct Count { var total = 0, perPeer: [String: Int] = [:] }
    let configuration: CommandServerConfiguration
    private let answering: Mutex<(any CommandService)?>
    let blocking: NIOThreadPool
    let logger: Logger
    let count = Mutex(Count())

    init(
        _ configuration: CommandServerConfiguration, service: any CommandService, blocking: NIOThreadPool,
        logger: Logger
    ) {
        self.configuration = configuration
        answering = Mutex(service)
        self.blocking = blocking
        self.logger = logger
    }

    var service: (any CommandService)? { answering.withLock { $0 } }

    /// A connection may outlive the server by a moment; the service, and the store behind it, must not.
    func letServiceGo() {
        let gone = answering.withLock { service in
            defer { service = nil }
            return service
        }
        withExtendedLifetime(gone) {}
    }

    /// Takes a connection in; false when there are too many (of all, or of `key`; nil: unlimited).
    func admit(_ key: String?) -> Bool {
        count.withLock { count in
            guard count.total < configuration.maxConnections else { return false }
            if let key {
                guard count.perPeer[key, default: 0] < configuration.maxConnectionsPerPeer else { return false }
                count.perPeer[key, default: 0] += 1
            }
            count.total += 1
            return true
        }
    }

    func release(_ key: String?) {
        count.withLock { count in
            count.total -= 1
            guard let key, let mine = count.perPeer[key] else { return }
            count.perPeer[key] = mine > 1 ? mine - 1 : nil
        }
    }
}
