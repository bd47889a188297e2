public import ArgosyDomain
public import ArgosyScheduler

/// Names whoever waits for an answer; the shell knows which connection (or relay channel) it is.
public struct ReplyHandle: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Who asks. `isOperator`: root, SlurmUser, or an operator by the accounting records.
public struct Caller: Hashable, Sendable {
    public var uid: UInt32
    public var gid: UInt32
    public var isOperator: Bool
    /// Root or SlurmUser: an administrator of accounting whatever its records say.
    public var isSuperUser: Bool
    /// Set when the request came over a job's relay socket: it may speak only for this attempt of this job.
    public var relayedFor: AttemptKey?
    /// `isSuperUser`: as `isOperator` when not given.
    public init(
        uid: UInt32, gid: UInt32, isOperator: Bool, isSuperUser: Bool? = nil, relayedFor: AttemptKey? = nil
    ) {
        self.isSuperUser = isSuperUser ?? isOperator
        self.uid = uid
        self.gid = gid
        self.isOperator = isOperator
        self.relayedFor = relayedFor
    }
}

public struct AttemptKey: Hashable, Comparable, Sendable {
    public var job: JobID
    public var attempt: Attempt
    public init(_ job: JobID, _ attempt: Attempt) {
        self.job = job
        self.attempt = attempt
    }
    public static func < (a: Self, b: Self) -> Bool { (a.job, a.attempt) < (b.job, b.attempt) }
}

/// Facts, in the past tense. The only way anything enters the core.
public enum Event: Sendable {
    /// `token`: a repeat with the same token gets the same id. `waitForAllocation`: answer when the nodes are ready.
    case jobSubmitted(JobSpec.Fields, token: String, waitForAllocation: Bool, by: Caller, reply: ReplyHandle)
    /// When would it start? Answered with a snapshot that it waits in; no job is made.
    case jobTested(JobSpec.Fields, by: Caller, reply: ReplyHandle)
    case cancelRequested(JobSelection, signal: UInt32, batchOnly: Bool, full: Bool, by: Caller, reply: ReplyHandle)
    case jobUpdateRequested(JobSelection, JobAction, by: Caller, reply: ReplyHandle)
    /// `scontrol update job`.
    case jobChangeRequested(JobSelection, JobChanges, by: Caller, reply: ReplyHandle)
    case nodeUpdateRequested([NodeIndex], NodeAction, by: Caller, reply: ReplyHandle)
    /// For operators; kept over restarts until the configuration's own State changes.
    case partitionUpdateRequested(String, PartitionState, by: Caller, reply: ReplyHandle)
    /// For operators. `names`: what name services know of the users and groups that the request names.
    case reservationRequested(ReservationAction, names: ReservationNames, by: Caller, reply: ReplyHandle)
    /// All operations or none. `actor` is the caller's name; `checkOnly`: say what would be refused, change nothing.
    case accountingChangeRequested(
        [AccountingOperation], checkOnly: Bool, actor: String, by: Caller, reply: ReplyHandle)
    case stepRequested(StepRequest, by: Caller, reply: ReplyHandle)
    case stepSignalRequested(JobID, StepID, signal: UInt32, by: Caller, reply: ReplyHandle)
    /// strigger: a new one gets its number here.
    case triggerSet(Trigger, by: Caller, reply: ReplyHandle)
    /// By number, by job, or all of a user; 0 and nil: not given.
    case triggersCleared(id: UInt32, job: UInt32, uid: UInt32?, by: Caller, reply: ReplyHandle)
    /// A user's crontab takes the place of the old one, jobs and all. `lines`: where in the text each entry stands.
    case crontabSet(Crontab, lines: [UInt32], [JobSpec.Fields], by: Caller, reply: ReplyHandle)
    case waitRequested(JobID, reply: ReplyHandle)
    /// What else scontrol asks for.
    case controlRequested(ControlRequest, by: Caller, reply: ReplyHandle)
    case stepAttachRequested(JobID, StepID, by: Caller, reply: ReplyHandle)
    /// The command that an interactive allocation was made for has ended.
    case interactiveJobFinished(JobID, ExitStatus, by: Caller, reply: ReplyHandle)
    /// The connection behind the handle closed: whatever waits for it is forgotten, an interactive job is ended.
    case clientLost(ReplyHandle)

    case nodeRegistered(NodeIndex, Registration)
    /// The link is gone; after SlurmdTimeout the node is DOWN.
    case nodeDisconnected(NodeIndex, Incarnation)
    case nodeReported(NodeIndex, Report)

    /// PrologSlurmctld of an attempt ended; `failure` is empty when it succeeded.
    case programEnded(AttemptKey, failure: String)

    case planned(Plan)
    /// Nothing but time: deadlines are looked at.
    case timePassed
}

/// Which jobs a request is about. With no ids: all that the filter matches.
public struct JobSelection: Hashable, Sendable {
    public struct Item: Hashable, Sendable {
        public var job: JobID
        /// Of an array; none: all.
        public var indices: [IndexRange]
        public init(job: JobID, indices: [IndexRange] = []) {
            self.job = job
            self.indices = indices
        }
    }
    public var items: [Item] = []
    public var uid: UInt32?
    public var partition: String?
    public var name: String?
    public var account: String?
    public var qos: String?
    public var reservation: String?
    public var wckey: String?
    /// Names: it has one of them at least.
    public var nodes: [String] = []
    /// Empty: any.
    public var states: [JobState] = []
    /// Jobs of crontabs too.
    public var cron = false
    public init(items: [Item] = []) { self.items = items }
}

public enum JobAction: Hashable, Sendable { case hold, userHold, release, requeue, requeueHold, specialExit, suspend, resume }
/// UP: takes and starts jobs. DOWN: takes, starts none. DRAIN: starts, takes none. INACTIVE: neither.
public enum PartitionState: String, CaseIterable, Sendable {
    case up = "UP"
    case down = "DOWN"
    case drain = "DRAIN"
    case inactive = "INACTIVE"
}
public enum NodeAction: Hashable, Sendable { case drain(reason: String), resume, down(reason: String) }

public enum ReservationAction: Hashable, Sendable {
    case create(ReservationRequest)
    case update(ReservationRequest)
    case delete(String)
}

/// What the core cannot find out by itself.
public struct ReservationNames: Hashable, Sendable {
    public var users: [String: UInt32]
    public var groups: [String: UInt32]
    /// Seconds east of UTC, for weekdays.
    public var utcOffset: Int32
    public init(users: [String: UInt32] = [:], groups: [String: UInt32] = [:], utcOffset: Int32 = 0) {
        self.users = users
        self.groups = groups
        self.utcOffset = utcOffset
    }
}

/// What `srun` asks for inside an allocation. 0: not given.
public struct StepRequest: Hashable, Sendable {
    public var job: JobID
    public var name = ""
    public var tasks = 0
    public var nodes = 0
    public var tasksPerNode = 0
    public var cpusPerTask = 0
    public var memoryPerNodeMiB: UInt64 = 0
    public var nodeList = ""
    public var exclude = ""
    public var relative: Int?
    public var overlap = false
    public var exact = false
    public var killOnBadExit = false
    /// More tasks than CPUs are fine.
    public var overcommit = false
    /// Refused, not kept, when it has to wait for other steps.
    public var noWait = false
    public var distribution = StepDistribution.block
    public var timeLimit = TimeLimit.notGiven
    /// A serialized CreateStep, kept as it came for the nodes: what it runs, its environment and stdio.
    public var payload: [UInt8] = []
    public init(job: JobID) { self.job = job }
}

/// How the tasks of a step are given out to its nodes.
public enum StepDistribution: Hashable, Sendable {
    /// Filled node after node.
    case block
    /// One to each node in turn.
    case cyclic
    /// So many to each node in turn.
    case plane(Int)
    /// Each task to its own named node.
    case hosts([String])
}

public struct Registration: Sendable {
    public struct Held: Hashable, Sendable {
        public var key: AttemptKey
        public var prepared: Bool
        public var steps: [StepID]
        public var terminating: Bool
        public init(key: AttemptKey, prepared: Bool, steps: [StepID], terminating: Bool) {
            self.key = key
            self.prepared = prepared
            self.steps = steps
            self.terminating = terminating
        }
    }
    public var incarnation: Incarnation
    public var cpus: Int
    public var memoryMiB: UInt64
    public var sockets: Int
    public var cores: Int
    public var threadsPerCore: Int
    public var arch: String
    public var os: String
    public var version: String
    public var ioPort: UInt16
    public var boot: Timestamp
    public var daemonStart: Timestamp
    /// Cores, NUMA nodes and devices as the node found them; nil where that is not what the configuration says, or where it
    /// is not known.
    public var hardware: NodeHardware?
    /// All attempts the node still has anything of.
    public var held: [Held]
    public init(incarnation: Incarnation, cpus: Int, memoryMiB: UInt64, held: [Held] = []) {
        self.incarnation = incarnation
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.held = held
        sockets = 1
        cores = cpus
        threadsPerCore = 1
        arch = ""
        os = ""
        version = ""
        ioPort = 0
        boot = .unset
        daemonStart = .unset
    }
}

/// A node's word about an attempt that runs on it.
public struct Report: Sendable, Equatable {
    public enum Body: Sendable, Equatable {
        case prepared
        case prepareFailed(message: String, nodeAtFault: Bool)
        case stepStarted(StepID)
        case stepEnded(StepID, StepEnd)
        /// The attempt's cgroup is empty and removed: what it held may be given to others.
        case gone(Usage)
        /// The node should take no more work: an epilog failed, processes do not die.
        case unfit(reason: String)
    }
    public var incarnation: Incarnation
    public var sequence: UInt64
    public var key: AttemptKey
    public var body: Body
    public init(incarnation: Incarnation, sequence: UInt64, key: AttemptKey, body: Body) {
        self.incarnation = incarnation
        self.sequence = sequence
        self.key = key
        self.body = body
    }
}

public struct StepEnd: Sendable, Equatable {
    public var exit: ExitStatus
    public var timedOut: Bool
    public var usage: Usage
    /// Could not start, or was lost: what and why; empty otherwise.
    public var failure: String
    public var end: Timestamp
    public init(
        exit: ExitStatus, timedOut: Bool = false, usage: Usage = Usage(), failure: String = "", end: Timestamp = .unset
    ) {
        self.exit = exit
        self.timedOut = timedOut
        self.usage = usage
        self.failure = failure
        self.end = end
    }
}
