internal import ArgosyContainer
internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyTransport
internal import ArgosyWire

/// What stays the same for a life of argosyd.
struct NodeContext: Sendable {
    var cluster: String
    var node: String
    var spool: SpoolLayout
    var killWait: Duration
    /// Where the I/O port listens; empty: on all addresses.
    var ioAddress: String
    var ioPort: UInt16
    var munge: Munge
    /// OS numbers of this machine's PUs in logical order.
    var processors: [UInt32]
    /// NUMA nodes memory may come from.
    var hardware: WireHardware
    /// Path of argosystepd.
    var stepDaemon: String
    var layout: CgroupLayout
    var images: ImageStore?
    /// Why there is no image store; empty when there is one.
    var imagesUnusable = ""
    var incarnation: Incarnation
    var daemonStart: Int64
    var hooks = NodeHooks()
    var devices = NodeDevices()
    var configurationFile = ""

    static let version = "0.1.0"

    var cgroup: Cgroup { layout.cgroup("argosy/\(cluster)/\(node)") }
    /// Step daemons live here: outside every job, and outside the service that argosyd belongs to.
    var daemonsCgroup: Cgroup { cgroup.child("daemons") }
    func cgroup(_ key: AttemptID) -> Cgroup { cgroup.child("job_\(key.job).\(key.attempt.rawValue)") }
    func paths(_ key: AttemptID) -> AttemptPaths { spool.job(key.job, key.attempt) }
}

/// One start of one job.
struct AttemptID: Hashable, Sendable, CustomStringConvertible {
    var job: JobID
    var attempt: Attempt
    init(_ job: JobID, _ attempt: Attempt) {
        self.job = job
        self.attempt = attempt
    }
    init(_ job: UInt32, _ attempt: UInt32) { self.init(JobID(job), Attempt(attempt)) }
    var description: String { "\(job).\(attempt.rawValue)" }
}
