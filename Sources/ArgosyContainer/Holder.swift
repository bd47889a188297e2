public import ArgosyDomain
public import ArgosySystem
import Glibc

// A job's container on a node.
//
// `Holder.start` opens all that is the user's (mount sources, a `dir:` image) with the user's rights, copies those mounts
// off by descriptor, and starts `HolderMain` as pid 1 of new mount, pid, uts and ipc namespaces. That process builds the
// root, enters the job's cgroup last (so that building is not limited by what the job may use), and then only reaps.
// Nothing of it is ever mounted in the host's namespace: whatever happens, it all goes with the process.

/// What a job's container is made of.
public struct HolderSpec: Sendable {
    public var image: LayerStack
    public var identity: Identity
    /// The job's name for this node: its host name inside.
    public var hostName: String
    /// Lines for /etc/hosts: address, name.
    public var hosts: [(address: String, name: String)] = []
    /// The job's cgroup; the holder makes and joins its `system` leaf. Nil (tests): stays in ours.
    public var jobCgroup: Cgroup?
    /// A directory of root's to build on, seen by nobody else (`<run>/job_.../holder`); made if missing, empty afterwards.
    public var stagingDirectory: String
    /// Root's own: program directory, job directory. Their targets are made if need be.
    public var systemMounts: [MountRequest] = []
    /// Opened as the user, in order: home and working directory first.
    public var mounts: [MountRequest] = []
    public var writable = false
    /// Character devices of the host (`/dev/nvidia0`) that the container has too.
    public var devices: [String] = []
    /// Sizes in bytes of the private /tmp and /dev/shm and of the root's changes; 0: half the memory.
    public var tmpBytes: UInt64 = 0
    public var shmBytes: UInt64 = 0
    public var rootBytes: UInt64 = 0
    /// Runs `HolderMain`: argosystepd's path and "holder"; the descriptor's number is appended.
    public var helper: [String]
    public var timeout: Duration = .seconds(60)

    public init(image: LayerStack, identity: Identity, hostName: String, stagingDirectory: String, helper: [String]) {
        self.image = image
        self.identity = identity
        self.hostName = hostName
        self.stagingDirectory = stagingDirectory
        self.helper = helper
    }
}

/// The process that owns a job's namespaces and root on a node: pid 1 inside, it only reaps. Steps enter by
/// `ProcessSpec.holder = holder.process.pidfd`. It outlives the daemon that started it; it ends, and everything in its
/// pid namespace with it, on SIGTERM or SIGKILL from outside (killing the job's cgroup does it).
public struct Holder: Sendable {
    public let process: ChildProcess
    /// With the pid it names the holder for ever: keep both to find it again.
    public let startTime: UInt64

    /// Builds the container; returns when it can be entered.
    ///
    /// Call it on a thread that lives until it returns: the holder dies with that thread until it is ready.
    /// - Throws: `HolderFailure`; nothing is left behind then.
    public static func start(_ spec: HolderSpec) throws(HolderFailure) -> Holder {
        var sources = HolderSources()
        let plan = try sources.makePlan(spec)
        let (ours, theirs) = try explained("start container") { () throws(SystemError) in
            try UnixSocket.pair(sequenced: true)
        }
        sources.keep(theirs, as: .ready)
        let process = try launch(spec, sources, plan)
        theirs.close()
        do {
            try awaitReady(ours, spec.timeout)
            let started = try explained("start container") { () throws(SystemError) in
                try Machine.startTime(pid: process.pid)
            }
            return Holder(process: process, startTime: started)
        } catch {
            _ = try? process.signal(SIGKILL)
            _ = try? process.wait()
            throw error
        }
    }

    /// A holder of an earlier daemon; nil when it is gone.
    public static func find(pid: Int32, startTime: UInt64) -> Holder? {
        guard let process = try? ChildProcess(pid: pid), (try? Machine.startTime(pid: pid)) == startTime,
            // It may have ended between the two questions; then the number may be somebody else's.
            (try? process.signal(0)) == true
        else { return nil }
        return Holder(process: process, startTime: startTime)
    }

    /// Ends it with everything inside. True when it was gone within `timeout`.
    public func stop(timeout: Duration = .seconds(10)) -> Bool {
        _ = try? process.signal(SIGKILL)
        let gone = try? Poll.wait([Poll.Interest(process.pidfd.raw)], timeout: timeout)
        // Only for one that is our own child; one found again is init's to reap.
        _ = try? process.poll()
        return gone?.first?.any ?? false
    }

    private static func launch(
        _ spec: HolderSpec, _ sources: HolderSources, _ plan: HolderPlan
    ) throws(HolderFailure) -> ChildProcess {
        try explained("start container (\(spec.helper.first ?? "no helper"))") { () throws(SystemError) in
            let file = try ThisProcess.memoryFile("holder plan", plan.encoded())
            var process = ProcessSpec(
                path: spec.helper.first ?? "", arguments: spec.helper + ["\(HolderSources.Number.plan.rawValue)"],
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
            process.newNamespaces = [.mount, .pid, .uts, .ipc]
            process.parentDeathSignal = SIGKILL
            process.workingDirectory = "/"
            process.umask = 0o022
            process.keptDescriptors =
                sources.kept + [.init(from: file.raw, to: HolderSources.Number.plan.rawValue)]
            return try Spawn.start(process)
        }
    }

    private static func awaitReady(_ socket: Descriptor, _ timeout: Duration) throws(HolderFailure) {
        let message: UnixSocket.Message?
        do {
            let ready = try Poll.wait([Poll.Interest(socket.raw)], timeout: timeout)
            guard ready.contains(where: \.any) else {
                throw HolderFailure("the container was not ready after \(timeout)", userFault: false)
            }
            message = try UnixSocket.receive(socket.raw)
        } catch let failure as HolderFailure {
            throw failure
        } catch {
            throw HolderFailure("start container: \(error)", userFault: false)
        }
        guard let text = message.map({ String(decoding: $0.bytes, as: UTF8.self) }), let verdict = text.first else {
            throw HolderFailure("the container's first process ended before it was ready", userFault: false)
        }
        if verdict != "+" { throw HolderFailure(String(text.dropFirst()), userFault: verdict == "u") }
    }
}
