internal import ArgosyContainer
internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc
internal import Synchronization

/// Makes a node ready for an attempt: cgroup, public directory, relay socket, image, holder. Blocks (images are
/// fetched); runs on a thread of its own. Safe to run again over what an interrupted run left.
final class Preparation: Sendable {
    struct Outcome: Sendable {
        var relay: Descriptor
        var container: WireLocalContainer?
    }
    struct Failure: Error, Sendable {
        var message: String
        var nodeAtFault: Bool
    }
    private enum Stage { case fetching, building, cancelled }

    private let context: NodeContext
    private let id: AttemptID
    private let order: WirePrepare
    private let stage = Mutex(Stage.fetching)

    init(_ id: AttemptID, _ order: WirePrepare, _ context: NodeContext) {
        self.id = id
        self.order = order
        self.context = context
    }

    /// True when nothing of the attempt will be touched any more: the fetch of its image goes on for the cache's sake.
    func cancel() -> Bool {
        stage.withLock { stage in
            if stage == .fetching { stage = .cancelled }
            return stage == .cancelled
        }
    }

    func run() throws(Failure) -> Outcome {
        let image = try fetchImage()
        let mayBuild = stage.withLock { stage in
            if stage == .fetching { stage = .building }
            return stage == .building
        }
        guard mayBuild else { throw Failure(message: "cancelled", nodeAtFault: false) }
        do throws(SystemError) {
            try makeCgroup()
        } catch {
            throw Failure(message: "cannot make the job's cgroup: \(error)", nodeAtFault: true)
        }
        let relay = try makeDirectories()
        try runProlog()
        return Outcome(relay: relay, container: try image.map { image throws(Failure) in try startHolder(image) })
    }

    private func fetchImage() throws(Failure) -> LayerStack? {
        guard order.spec.hasContainer else { return nil }
        let container = order.spec.container
        guard let images = context.images else { throw Failure(message: context.imagesUnusable, nodeAtFault: true) }
        do throws(ImageError) {
            let reference = try ImageReference(container.image)
            return try images.ensure(reference, digest: container.digest, as: order.spec.identity.domain)
        } catch {
            throw Failure(message: "image \(container.image): \(error)", nodeAtFault: error.isNodeFault)
        }
    }

    private var here: WireAllocatedNode {
        let nodes = order.allocation.nodes
        return Int(order.nodeIndex) < nodes.count ? nodes[Int(order.nodeIndex)] : WireAllocatedNode()
    }

    private func makeCgroup() throws(SystemError) {
        var limits = CgroupLimits()
        let cpus = CPUAssignment.physical(here.cpuIds, on: context.processors)
        if !cpus.isEmpty { limits.cpus = cpus }
        if here.memoryMib > 0 { limits.memoryBytes = here.memoryMib << 20 }
        limits.devices = devices
        // Room for any sane job of its size, and an end to a fork bomb before the node feels it.
        limits.pids = 2048 + 256 * UInt64(max(cpus.count, here.cpuIds.count))
        let cgroup = context.cgroup(id)
        try cgroup.create(limits: limits)
        // Without handing controllers down: on v2 a holder could not make the job the root of its namespace any more.
        try cgroup.child("system").createForTracking()
    }

    /// As in Slurm a node whose prolog fails takes no more jobs.
    private var grantedFiles: [String] { context.devices.list(here.gres).flatMap(\.files) }

    /// Containers get what a terminal job needs and their own devices; with ConstrainDevices a host job gets all but the
    /// devices of others.
    private var devices: DevicePolicy? {
        let own = grantedFiles
        if order.spec.hasContainer {
            let files = own + NodeDevices.companions(of: own)
            return DevicePolicy(rules: DevicePolicy.container.rules + DevicePolicy.rules(for: files))
        }
        guard context.hooks.constrainsDevices else { return nil }
        let others = context.devices.files.filter { !own.contains($0) }
        return others.isEmpty ? nil : DevicePolicy(rules: DevicePolicy.rules(for: others), denies: true)
    }

    private func runProlog() throws(Failure) {
        let failure = JobHook(kind: .prolog, id: id, order: order, context: context).run()
        if !failure.isEmpty { throw Failure(message: "Prolog error", nodeAtFault: true) }
    }

    private func makeDirectories() throws(Failure) -> Descriptor {
        let paths = context.paths(id)
        do {
            try SpoolFile.makeDirectory(paths.publicDirectory, mode: 0o755)
            try SpoolFile.makeDirectory(paths.relayDirectory, mode: 0o755)
            return try Self.listen(paths, uid: order.spec.identity.uid)
        } catch {
            throw Failure(message: "cannot set up \(paths.directory): \(error)", nodeAtFault: true)
        }
    }

    /// The relay's socket: only the job's user (and root) may connect.
    static func listen(_ paths: AttemptPaths, uid: UInt32) throws -> Descriptor {
        let listener = try UnixSocket.listenStream(paths.relaySocket, mode: 0o600)
        if chown(paths.relaySocket, uid, UInt32.max) != 0 {
            throw SystemError("chown", paths.relaySocket, code: errno)
        }
        return listener
    }

    private func startHolder(_ image: LayerStack) throws(Failure) -> WireLocalContainer {
        let paths = context.paths(id)
        do throws(HolderFailure) {
            let holder = try Holder.start(try holderSpec(image))
            let state = "\(holder.process.pid) \(holder.startTime)"
            do { try SpoolFile.write(Array(state.utf8), to: paths.directory + "/holder.state") } catch {
                throw HolderFailure("\(error)", userFault: false)
            }
        } catch {
            throw Failure(message: "container: \(error)", nodeAtFault: !error.isUserFault)
        }
        var container = WireLocalContainer()
        container.state = paths.directory + "/holder.state"
        container.environment = image.environment
        container.workDir = image.workingDirectory
        do {
            try SpoolFile.write(try container.serializedBytes(), to: paths.directory + "/container.pb")
        } catch {
            throw Failure(message: "container: \(error)", nodeAtFault: true)
        }
        return container
    }

    private func holderSpec(_ image: LayerStack) throws(HolderFailure) -> HolderSpec {
        let paths = context.paths(id)
        let spec = order.spec
        var holder = HolderSpec(
            image: image, identity: spec.identity.domain, hostName: context.node, stagingDirectory: paths.holder,
            helper: [context.stepDaemon, "holder"])
        holder.hosts = order.allocation.nodes.map { ($0.address, $0.name) }
        holder.devices = grantedFiles + NodeDevices.companions(of: grantedFiles)
        holder.jobCgroup = context.cgroup(id)
        holder.systemMounts = [
            MountRequest(source: context.spool.bin, target: AttemptPaths.containerBin, readOnly: true),
            MountRequest(source: paths.publicDirectory, target: AttemptPaths.containerPublic, readOnly: true),
        ]
        if spec.container.mountHome, !spec.identity.home.isEmpty, spec.identity.home != "/" {
            holder.mounts.append(
                MountRequest(source: spec.identity.home, target: spec.identity.home, optional: true))
        }
        if spec.workDir != "/", !spec.workDir.isEmpty {
            holder.mounts.append(MountRequest(source: spec.workDir, target: spec.workDir, optional: true))
        }
        for text in spec.container.mounts { holder.mounts.append(try MountRequest.parse(text)) }
        holder.writable = spec.container.writable
        if here.memoryMib > 0 {
            holder.tmpBytes = here.memoryMib << 20
            holder.shmBytes = here.memoryMib << 20
            holder.rootBytes = here.memoryMib << 20
        }
        return holder
    }
}
