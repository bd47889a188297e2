public import ArgosyConfig
internal import ArgosyLink
internal import ArgosyStep
internal import ArgosySystem
internal import Glibc
public import Logging

/// The node daemon as a whole: set up, connected, run until a signal.
public enum NodeService {
    /// Serves as node `name` (nil: the one called like this host) until SIGTERM or SIGINT; jobs go on without it.
    ///
    /// Call it on the main thread before there are others.
    /// - Throws: `NodeSetupFailure` and others whose text tells the administrator what to do.
    public static func run(_ configuration: ClusterConfiguration, name: String?, logger: Logger) throws {
        guard geteuid() == 0 else {
            throw NodeSetupFailure("argosyd needs root: it starts other users' jobs")
        }
        signal(SIGPIPE, SIG_IGN)
        umask(0o022)
        let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        let setup = try NodeSetup(configuration, name: name, logger: logger)
        try SpoolFile.makePath(setup.spool.root)
        guard let lock = try FileLock.tryLock(setup.spool.lockFile) else {
            throw NodeSetupFailure("another argosyd serves \(setup.spool.root)")
        }
        let context = try setup.makeContext()
        let mailbox = Mailbox<NodeEvent>()
        let link = try NodeLinkClient(
            try linkConfiguration(configuration, context), highestTerm: setup.highestTerm, logger: logger
        ) { mailbox.post(.link($0)) }
        let daemon = NodeDaemon(
            context: context, mailbox: mailbox, link: link, highestTerm: setup.highestTerm, logger: logger)
        try IOPort(context: context, mailbox: mailbox, logger: logger).start()
        detachThread { waitForEnd(signals, mailbox) }
        logger.info(
            "serving",
            metadata: ["node": "\(context.node)", "cpus": "\(context.hardware.cpus)", "spool": "\(context.spool.root)"])
        try daemon.run()
        withExtendedLifetime(lock) {}
    }

    private static func waitForEnd(_ signals: SignalDescriptor, _ mailbox: Mailbox<NodeEvent>) {
        while true {
            _ = try? Poll.wait([Poll.Interest(signals.descriptor.raw)])
            // SIGHUP: the configuration is read at start.
            if let number = try? signals.next(), number != SIGHUP { return mailbox.post(.stop) }
        }
    }

    private static func linkConfiguration(_ configuration: ClusterConfiguration, _ context: NodeContext) throws
        -> NodeLinkConfiguration
    {
        guard let user = getpwnam(configuration.slurmUser) else {
            throw NodeSetupFailure("SlurmUser \(configuration.slurmUser) is not known on this machine")
        }
        var link = NodeLinkConfiguration(
            cluster: configuration.clusterName, node: context.node,
            controllers: configuration.controllers.map { .init(host: $0.address, port: configuration.controllerPort) },
            authenticator: MungeAuthenticator(context.munge))
        link.controllerUID = user.pointee.pw_uid
        link.load = { NodeLoad.read() }
        return link
    }
}
