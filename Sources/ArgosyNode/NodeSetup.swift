internal import ArgosyConfig
internal import ArgosyContainer
internal import ArgosyDomain
internal import ArgosyHardware
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyTransport
internal import ArgosyWire
internal import Glibc
internal import Logging

/// What keeps a node daemon from starting, in words for the administrator.
public struct NodeSetupFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// From configuration and machine to a `NodeContext`, with the spool directory made and locked.
struct NodeSetup {
    let configuration: ClusterConfiguration
    let node: ClusterConfiguration.Node
    let logger: Logger

    /// - Parameter name: `-N`; nil: by host name.
    init(_ configuration: ClusterConfiguration, name: String?, logger: Logger) throws(NodeSetupFailure) {
        self.configuration = configuration
        self.logger = logger
        let host = Self.hostName
        let found = configuration.nodes.first {
            if let name { $0.name == name } else { $0.name == host || $0.hostname == host }
        }
        guard let found else {
            throw NodeSetupFailure(
                "no NodeName line for \(name ?? host) in the configuration; add one, or name another with -N")
        }
        node = found
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, 255)
        let name = buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "localhost" }
        return String(name.prefix { $0 != "." })
    }

    var spool: SpoolLayout {
        SpoolLayout(pattern: configuration.slurmdSpoolDir, node: node.name, host: node.hostname)
    }

    /// Makes the spool, wipes what an earlier boot left in the run directory, counts this life. Throws
    /// `NodeSetupFailure`.
    func makeContext() throws -> NodeContext {
        let spool = spool
        let bootID = try Machine.bootID()
        do {
            for path in [spool.root, spool.run, spool.cache, spool.bin] { try SpoolFile.makePath(path) }
            try SpoolFile.makeDirectory(spool.run, mode: 0o711)
        } catch {
            throw NodeSetupFailure("cannot make SlurmdSpoolDir \(spool.root): \(error)")
        }
        if text(spool.bootFile) != bootID { try forgetEarlierBoot(spool, bootID) }
        fillPrograms(spool.bin)
        let registration = (UInt64(text(spool.registrationFile)) ?? 0) + 1
        try SpoolFile.write(Array("\(registration)\n".utf8), to: spool.registrationFile)
        let topology = try Topology.discover()
        let program = try Machine.executablePath()
        let stepDaemon = program[..<(program.lastIndex(of: "/") ?? program.endIndex)] + "/argosystepd"
        guard access(String(stepDaemon), X_OK) == 0 else {
            throw NodeSetupFailure("\(stepDaemon) is not there; argosystepd belongs beside argosyd")
        }
        var context = NodeContext(
            cluster: configuration.clusterName, node: node.name, spool: spool, killWait: configuration.killWait,
            ioAddress: configuration.nodesBindTheirAddress ? node.address : "", ioPort: node.port,
            munge: Munge(socket: configuration.mungeSocket),
            processors: topology.cpuOrder.map { UInt32(topology.pus[$0].osIndex) }, hardware: hardware(topology),
            stepDaemon: String(stepDaemon), layout: try CgroupLayout.discover(),
            incarnation: Incarnation(bootID: bootID, registration: registration),
            daemonStart: WallClock.microseconds)
        context.hooks = NodeHooks(configuration)
        context.devices.gres = devices(topology)
        context.configurationFile = configuration.entries.first?.file ?? ""
        do throws(ImageError) {
            context.images = try ImageStore(
                directory: spool.cache, helper: [String(stepDaemon), "convert"], settings: imageSettings)
        } catch {
            logger.warning("no containers on this node", metadata: ["why": "\(error)"])
            context.imagesUnusable = "containers cannot run on node \(node.name): \(error)"
        }
        return context
    }

    private func fillPrograms(_ directory: String) {
        do {
            let program = try Machine.executablePath()
            let beside = String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
            try ProgramDirectory.fill(directory, from: beside + "/argosy")
        } catch {
            logger.warning("jobs in containers will have no srun", metadata: ["why": "\(error)"])
        }
    }

    /// The highest term of any controller this node obeyed.
    var highestTerm: UInt64 { UInt64(text(spool.termFile)) ?? 0 }

    private var imageSettings: ImageSettings {
        var settings = ImageSettings()
        for entry in configuration.entries { settings.apply(key: entry.key, value: entry.value) }
        return settings
    }

    private func forgetEarlierBoot(_ spool: SpoolLayout, _ bootID: String) throws {
        for name in SpoolFile.list(spool.run) where SpoolLayout.attempt(named: name) != nil {
            SpoolFile.removeTree(spool.run + "/" + name)
        }
        try SpoolFile.write(Array("\(bootID)\n".utf8), to: spool.bootFile)
    }

    private func text(_ path: String) -> String {
        let bytes = SpoolFile.read(path) ?? []
        return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
    }

    private func hardware(_ topology: Topology) -> WireHardware {
        let kernel = Machine.kernel()
        var hardware = WireHardware()
        hardware.cpus = UInt32(topology.pus.count)
        hardware.sockets = UInt32(topology.sockets)
        hardware.cores = UInt32(topology.cores)
        hardware.threadsPerCore = UInt32(topology.threadsPerCore)
        hardware.memoryMib = topology.memoryMiB
        hardware.os = kernel.system
        hardware.arch = kernel.architecture
        hardware.topologyXml = .init(topology.xml.utf8)
        hardware.bootUs = (try? Machine.bootTime().microseconds) ?? 0
        hardware.numaNodes = UInt32(topology.numaNodes.count)
        describeParts(topology, &hardware)
        return hardware
    }

    /// As the controller counts them.
    private func devices(_ topology: Topology) -> [NodeHardware.GRES] {
        guard let index = configuration.node(named: node.name) else { return [] }
        let configured = configuration.hardware(of: index)
        return (topology.hardware.agreeing(with: configured) ?? configured).gres
    }

    /// What hwloc found, under the names of the configuration; nothing where the two disagree: then the controller goes by
    /// the configuration.
    private func describeParts(_ topology: Topology, _ hardware: inout WireHardware) {
        guard let index = configuration.node(named: node.name) else { return }
        let configured = configuration.hardware(of: index)
        if let found = topology.hardware.agreeing(with: configured) {
            hardware.parts = WireNodeHardware(found)
        } else {
            logger.notice(
                "placement goes by the configuration: it describes other cores or GPUs than this machine has",
                metadata: [
                    "found": "\(topology.cores) cores, \(topology.pus.count) CPUs, \(topology.gpus.count) GPUs",
                    "configured": "\(configured.cores.count) cores, \(configured.cpus) CPUs, Gres=\(node.gres)",
                ])
        }
    }
}
