// The controller's shell: builds the parts, runs their threads, ends them in order.
//
//     requests, node links -> inbox -> decider (core) -> committer (store) -> effect runner -> replies, orders
//                                         ^   planner         |
//                                         +--- views <--------+ -> query threads -> replies
//
// Every arrow is a bounded queue or a value. Nothing is answered or ordered before the commit it rests on is durable.
public import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
public import ArgosyLink
public import ArgosyScheduler
public import ArgosyStore
internal import Glibc
public import Logging
internal import NIOPosix
internal import Synchronization

public struct ControllerOptions: Sendable {
    /// Nil: MUNGE with the configuration's socket.
    public var authenticator: (any Authenticator)?
    /// Nil: skopeo.
    public var images: (any ImageLookup)?
    public var planner: any Planner
    /// False: unix socket only.
    public var listensOnTCP = true
    /// 0 takes any free port; nil the configuration's.
    public var port: UInt16?
    public var host = "0.0.0.0"
    public var heartbeat: Duration = .seconds(10)
    /// The uid a node daemon must have; another than root's in tests only.
    public var nodeUID: UInt32 = 0
    /// Reads the configuration again; nil: it cannot be, as in tests.
    public var readConfiguration: (@Sendable () throws -> ParsedConfiguration)?
    /// What `scontrol setdebug` changes; nil: it is refused.
    public var verbosity: LogVerbosity?
    public init(planner: any Planner = BackfillPlanner()) { self.planner = planner }
}

/// What went wrong at the start, in words for the administrator.
public struct StartFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

public final class Controller: Sendable {
    public static let version = "0.1.0"

    private let configuration: ClusterConfiguration
    private let changes: ConfigurationDesk
    private let inbox: Mailbox<Input>
    private let planner: PlannerThread
    private let desk: NodeDesk
    private let server: CommandServer
    private let pools: [NIOThreadPool]
    private let threads: [WorkerThread]
    private let counters: Counters
    private let logger: Logger
    private let stopped = Atomic<Bool>(false)
    /// The TCP port; 0 without one.
    public let port: UInt16

    /// Starts everything. `onEnd` is called once when the controller cannot or must not go on (shutdown asked for, term
    /// over); the owner then calls `stop`. Throws `StoreError` or `StartFailure`.
    public init(
        _ configuration: ClusterConfiguration, store: any Store, options: ControllerOptions = ControllerOptions(),
        logger: Logger, onEnd: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        self.configuration = configuration
        self.logger = logger
        let slurmUID = try Self.uid(of: configuration.slurmUser)
        let term = try store.beginTerm()
        let stored = try store.load(indexOf: { configuration.node(named: $0) })
        let clock = SharedClock(notBefore: stored.lastTime)
        let started = clock.now
        let live = LiveConfiguration(configuration)
        let inbox = Mailbox<Input>(limit: 8192)
        let commits = Mailbox<StagedTurn>(limit: 4)
        let effects = Mailbox<ReleasedEffects>(limit: 64)
        let replies = ReplyTable(inbox: inbox)
        let board = ViewBoard()
        let ledger = LockedLedger()
        let counters = Counters()
        let planner = PlannerThread()
        let users = Users()
        let administrators = Administrators()
        let desk = NodeDesk(live, term: term, heartbeat: options.heartbeat, inbox: inbox, logger: logger)
        let pools = [2, 4, 4, 4].map { NIOThreadPool(numberOfThreads: $0) }
        for pool in pools { pool.start() }
        let views = ViewReader(board: board, inbox: inbox, pool: pools[0])
        let changes = ConfigurationDesk(
            live: live, read: options.readConfiguration, desk: desk, inbox: inbox, logger: logger)
        self.changes = changes
        let listing = Listing(
            configuration: live, started: started, desk: desk, users: users, clock: clock)
        let explanations = ExplanationDesk(planner: planner, listing: listing, plans: options.planner)
        let router = RequestRouter(
            RequestRouter.Parts(
                configuration: live, slurmUID: slurmUID, term: term, started: started,
                hostname: Self.hostname, store: store, replies: replies, views: views, listing: listing,
                explanations: explanations,
                submissions: SubmissionDesk(
                    users: users, store: store, images: options.images ?? RegistryLookup(configuration),
                    isOperator: { $0 == 0 || $0 == slurmUID || administrators.contains($0) }),
                users: users, desk: desk, changes: changes,
                accounting: AccountingDesk(configuration: live, store: store, users: users, clock: clock),
                administrators: administrators, usage: UsageDesk(desk: desk), clock: clock, counters: counters,
                statistics: StatisticsBase(started), logger: logger, verbosity: options.verbosity, helpers: pools[1],
                fetchers: pools[2], onShutdown: { onEnd("asked to by an operator") }))
        desk.onRelayLost.withLock { $0 = { router.clientLost($0) } }
        desk.onUsage.withLock { $0 = { router.parts.usage.answered($0, by: $1) } }
        server = try Self.server(live, term, options, router, desk, logger)
        var core = ControllerCore(configuration: configuration, stored: stored, term: term, now: started)
        core.timeZone = LocalTimeZone.offsets(around: started)
        let decider = Decider(
            Decider.Shared(
                configuration: live, store: store, term: term, clock: clock, inbox: inbox, commits: commits,
                ledger: ledger, views: board, planner: planner, replies: replies, counters: counters, logger: logger,
                onReload: { desk.dropAll() }))
        let committer = Committer(
            store: store, term: term, commits: commits, inbox: inbox, ledger: ledger, views: board, effects: effects,
            counters: counters, logger: logger, onFenced: { onEnd("\($0)") })
        let runner = EffectRunner(
            effects: effects, replies: replies, desk: desk,
            administrators: administrators,
            orders: OrderWriter(
                store: store, desk: desk, clock: clock, term: term, life: core.life),
            listing: listing, explanations: explanations, views: views,
            programs: SitePrograms(
                life: core.life, cluster: configuration.clusterName,
                configurationFile: configuration.entries.first?.file ?? "", pool: pools[3], inbox: inbox,
                logger: logger),
            triggers: TriggerPrograms(users: users, logger: logger),
            counters: counters, logger: logger)
        threads = [
            WorkerThread("decider") { [core] in decider.run(core) }, WorkerThread("committer") { committer.run() },
            WorkerThread("effects") { runner.run() },
            WorkerThread("planner") { planner.run(options.planner, inbox: inbox, counters: counters) },
        ]
        self.inbox = inbox
        self.planner = planner
        self.desk = desk
        self.pools = pools
        self.counters = counters
        port = try Self.listen(server, configuration, options)
        logger.notice(
            "argosyctld serves",
            metadata: [
                "cluster": "\(configuration.clusterName)", "term": "\(term.rawValue)", "jobs": "\(stored.jobs.count)",
                "socket": "\(configuration.socketPath)", "port": "\(port)",
            ])
    }

    /// Reads the configuration again and goes by it, as `scontrol reconfigure` asks for. Blocks until it is read; what came
    /// of it is logged.
    public func reconfigure() { changes.reconfigure { _ in } }

    /// Takes no more, commits what was decided, sends what that releases, and ends all threads.
    public func stop() {
        guard !stopped.exchange(true, ordering: .relaxed) else { return }
        inbox.close()
        planner.stop()
        for thread in threads { thread.join() }
        server.stop()
        for pool in pools { try? pool.syncShutdownGracefully() }
        // Desk and router know each other; let go, so that the store's lock goes with its owner.
        desk.onRelayLost.withLock { $0 = nil }
        desk.onUsage.withLock { $0 = nil }
        unlink(configuration.socketPath)
    }

    public struct Figures: Sendable {
        public var requests, refused, events, turns, commits, failedCommits, plans, orders: Int
    }
    public var figures: Figures {
        let now = counters.values
        return Figures(
            requests: now.requests, refused: now.refused, events: now.events, turns: now.turns, commits: now.commits,
            failedCommits: now.failedCommits, plans: now.plans, orders: now.orders)
    }

    // MARK: - Parts

    private static func server(
        _ configuration: LiveConfiguration, _ term: Term, _ options: ControllerOptions, _ router: RequestRouter,
        _ desk: NodeDesk, _ logger: Logger
    ) throws -> CommandServer {
        let authenticator = options.authenticator ?? MungeAuthenticator(.init(socket: configuration.mungeSocket))
        let commands = CommandServerConfiguration(
            cluster: configuration.clusterName, term: term.rawValue, authenticator: authenticator)
        var nodes = NodeLinkServerConfiguration(
            cluster: configuration.clusterName, term: term.rawValue, authenticator: authenticator,
            addressOf: { desk.address(of: $0) })
        nodes.heartbeat = options.heartbeat
        nodes.nodeUID = options.nodeUID
        return try CommandServer(commands, service: router, logger: logger, nodes: nodes) { event in
            desk.handle(event) { router.relayed($0, $1, $2) }
        }
    }

    private static func listen(
        _ server: CommandServer, _ configuration: ClusterConfiguration, _ options: ControllerOptions
    ) throws -> UInt16 {
        do { try server.listen(unix: configuration.socketPath) } catch {
            throw StartFailure(
                "cannot listen on \(configuration.socketPath): \(error); does its directory exist and belong to this user?"
            )
        }
        guard options.listensOnTCP else { return 0 }
        let port = options.port ?? configuration.controllerPort
        let own = configuration.controllerBindsItsAddress ? configuration.controllers.first?.address : nil
        let host = own ?? options.host
        do { return try server.listen(host: host, port: port) } catch {
            throw StartFailure(
                "cannot listen on TCP port \(port) of \(host): \(error); stop what uses it, or set another SlurmctldPort"
            )
        }
    }

    private static func uid(of user: String) throws -> UInt32 {
        guard let uid = Users().uid(of: user) else {
            throw StartFailure("SlurmUser \(user) does not exist on this machine; create it or set another SlurmUser")
        }
        return uid
    }

    static var hostname: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, 255)
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
