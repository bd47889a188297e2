public import ArgosyDomain
public import ArgosySystem

/// A mount a user asked for.
public struct MountRequest: Hashable, Sendable {
    public var source: String
    public var target: String
    public var readOnly: Bool
    /// Left out when the source is not there.
    public var optional: Bool
    public init(source: String, target: String, readOnly: Bool = false, optional: Bool = false) {
        self.source = source
        self.target = target
        self.readOnly = readOnly
        self.optional = optional
    }
    /// `SRC:DST[:ro|rw]`, or `SRC` alone for the same place inside. Throws with what is wrong.
    public static func parse(_ text: String) throws(HolderFailure) -> MountRequest {
        throw HolderFailure("", userFault: true)
    }
}

public struct HolderFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// A mount or the image was at fault, not the node.
    public let isUserFault: Bool
    public init(_ description: String, userFault: Bool) {
        self.description = description
        isUserFault = userFault
    }
}

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
    /// Sizes of the private /tmp and /dev/shm and of a writable root's changes; 0: half the memory.
    public var tmpBytes: UInt64 = 0
    public var shmBytes: UInt64 = 0
    public var rootBytes: UInt64 = 0
    /// Runs `HolderMain`: argosystepd's path and "holder"; the descriptor's number is appended.
    public var helper: [String]
    public var timeout: Duration = .seconds(60)

    public init(
        image: LayerStack, identity: Identity, hostName: String, stagingDirectory: String, helper: [String]
    ) {
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
    public static func start(_ spec: HolderSpec) throws(HolderFailure) -> Holder {
        throw HolderFailure("", userFault: false)
    }

    /// A holder of an earlier daemon; nil when it is gone.
    public static func find(pid: Int32, startTime: UInt64) -> Holder? { nil }
}

/// The other end of `Holder.start`: the mode `argosystepd holder FD`. Runs as pid 1 of the new namespaces, single-threaded.
public enum HolderMain {
    /// Never returns normally.
    public static func run(planFD: Int32) -> Never { fatalError("not built yet") }
}

/// The mode `argosystepd convert`: an unprivileged process that turns one OCI layer (stdin) into a squashfs.
public enum ConvertMain {
    /// - Parameter arguments: those after "convert".
    public static func run(arguments: [String]) -> Never { fatalError("not built yet") }
}
