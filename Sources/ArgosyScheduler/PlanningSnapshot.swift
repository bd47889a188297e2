// The boundary between the controller and the scheduler, first half: what a planner sees. Flat, immutable, independent of
// the core's own records, and the same for the controller and for the simulator's production mode.
public import ArgosyDomain

/// A cluster at one moment, with everything that waits and runs.
public struct PlanningSnapshot: Sendable {
    /// State version of the core this was taken from.
    public var version: UInt64
    public var now: Timestamp
    public var settings = SchedulerSettings()
    /// Distinct kinds of nodes: what seldom changes, shared by equal nodes.
    public var kinds: [NodeKind] = []
    public var nodes: [Node] = []
    /// Empty without topology.conf.
    public var switches = SwitchTree()
    public var partitions: [Partition] = []
    public var licenses: [License] = []
    public var reservations: [Reservation] = []
    /// Distinct demands of the queue.
    public var shapes: [Shape] = []
    /// All waiting jobs, in the order of partition tier, priority, id.
    public var queue: [Job] = []
    public var running: [Running] = []
    /// Limits of associations and QOS, with what counts against them now; nil: none are kept.
    public var book: AccountingBook?
    /// What a job of each shape counts for in the book, parallel to `shapes`; empty where there is no book.
    public var shapeTRES: [ShapeTRES] = []
    /// Where the last plan stopped when its budget was spent: the pass goes on with this job, and takes the reservations
    /// of those before it (`Job.reservedStart`) as they are.
    public var resumeAt: JobID?
    /// What the default policy remembers of backlogs.
    public var backlogs = BacklogBook()
    /// Something ended before the planner expected it since the last plan: conservative reservations may move up.
    public var freedEarly = false
    public init(version: UInt64, now: Timestamp) {
        self.version = version
        self.now = now
    }

    public struct ShapeTRES: Hashable, Sendable {
        public var tres: TRESCounts
        public var tresPerNode: TRESCounts
        public init(tres: TRESCounts, tresPerNode: TRESCounts) {
            self.tres = tres
            self.tresPerNode = tresPerNode
        }
    }

    public struct NodeKind: Hashable, Sendable {
        public var hardware: NodeHardware
        /// Sorted.
        public var features: [String]
        public var weight: UInt32
        /// Leaf switch, by position in the topology tree; -1: no topology.
        public var leaf: Int
        public init(hardware: NodeHardware, features: [String] = [], weight: UInt32 = 1, leaf: Int = -1) {
            self.hardware = hardware
            self.features = features
            self.weight = weight
            self.leaf = leaf
        }
    }

    public struct Node: Sendable {
        public enum Availability: UInt8, Sendable { case up, drained, down, notResponding, unknown, completing }
        public var index: NodeIndex
        public var name: String
        public var kind: Int
        /// Only `up` takes new work.
        public var availability: Availability
        public var freeCPUs: CPUSet
        public var freeMemoryMiB: UInt64
        /// Free units by position in the kind's `hardware.gres`: devices as bits, or a count.
        public var freeGRES: [FreeGRES]
        /// The only user whose jobs may join those on it; nil: no such limit.
        public var onlyUser: UInt32?
        public init(
            index: NodeIndex, name: String, kind: Int, availability: Availability, freeCPUs: CPUSet,
            freeMemoryMiB: UInt64, freeGRES: [FreeGRES] = []
        ) {
            self.index = index
            self.name = name
            self.kind = kind
            self.availability = availability
            self.freeCPUs = freeCPUs
            self.freeMemoryMiB = freeMemoryMiB
            self.freeGRES = freeGRES
        }
    }
    public struct FreeGRES: Hashable, Sendable {
        public var count: UInt64
        /// Empty for a plain count.
        public var devices: CPUSet
        public init(count: UInt64, devices: CPUSet = CPUSet()) {
            self.count = count
            self.devices = devices
        }
    }

    public struct Partition: Sendable {
        public var name: String
        /// Starts jobs: UP or DRAIN.
        public var isUp: Bool
        /// Ascending.
        public var nodes: [NodeIndex]
        public var tier: UInt32
        public var maxTime: TimeLimit
        public var minNodes: Int
        public var maxNodes: Int
        /// 0: no bound.
        public var maxCPUsPerNode: Int
        public var exclusive: Bool
        /// `OverSubscribe=FORCE:n` or `YES:n`: jobs a core takes; 1: none shared.
        public var jobsPerCore: Int
        public var leastLoaded: Bool
        public var preemptMode: PreemptMode
        public var graceTime: Int
        /// Position in the book of the QOS whose limits its jobs obey; -1: none.
        public var qos: Int32 = -1
        public init(name: String, nodes: [NodeIndex]) {
            self.name = name
            self.nodes = nodes
            isUp = true
            tier = 1
            maxTime = .unlimited
            minNodes = 0
            maxNodes = .max
            maxCPUsPerNode = 0
            exclusive = false
            jobsPerCore = 1
            leastLoaded = false
            preemptMode = .off
            graceTime = 0
        }
    }

    public struct License: Hashable, Sendable {
        public var name: String
        public var total: UInt32
        public var free: UInt32
        public init(name: String, total: UInt32, free: UInt32) {
            self.name = name
            self.total = total
            self.free = free
        }
    }

    /// Nodes (or part of them, or licenses) set aside for a time. Recurring ones come as one entry for each occurrence.
    public struct Reservation: Sendable {
        public var name: String
        public var start: Timestamp
        public var end: Timestamp
        /// Whole nodes unless `cpus` says otherwise.
        public var nodes: [NodeIndex]
        /// By position in `nodes`; empty: whole nodes.
        public var cpus: [CPUSet] = []
        public var licenses: [Shape.LicenseDemand] = []
        public var maintenance = false
        public var ignoreJobs = false
        public var flex = false
        /// Jobs of others may use it as long as they end before it is wanted (MAGNETIC: its users need not name it).
        public var magnetic = false
        public var overlap = false
        public init(name: String, start: Timestamp, end: Timestamp, nodes: [NodeIndex]) {
            self.name = name
            self.start = start
            self.end = end
            self.nodes = nodes
        }
        /// Whether a job may use it: decided by the core from its users and accounts.
        public var allowedUsers: [UInt32] = []
        public var allowedAssociations: [Int32] = []
    }

    /// What keeps a job from being started whatever is free. The core knows these; the planner only tells them.
    public struct Waits: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let heldByUser = Waits(rawValue: 1)
        public static let heldByAdmin = Waits(rawValue: 2)
        public static let dependency = Waits(rawValue: 4)
        public static let dependencyNever = Waits(rawValue: 8)
        public static let launchFailed = Waits(rawValue: 16)
        public static let arrayLimit = Waits(rawValue: 32)
        public static let accrual = Waits(rawValue: 64)
    }

    /// A waiting job, or a waiting array: `copies` elements may start in this pass. Flat.
    public struct Job: Sendable {
        public var id: JobID
        public var shape: Int32
        public var uid: UInt32 = 0
        /// Positions in the accounting book; -1: none.
        public var association: Int32 = -1
        public var qos: Int32 = -1
        public var waits: Waits = []
        public var priority: UInt64 = 0
        public var submit = Timestamp.unset
        /// Not before this (`--begin`).
        public var begin = Timestamp.unset
        /// Must have ended by this; unset: none.
        public var deadline = Timestamp.unset
        /// Killed after this.
        public var timeLimit = TimeLimit.unlimited
        /// May be shortened to this; not given: no.
        public var timeMin = TimeLimit.notGiven
        /// How long the plan expects it to run, seconds; 0: as long as its limit.
        public var expectedRun: Int64 = 0
        /// How long the default policy thinks it will run, seconds: for its order only; 0: as long as the plan expects.
        public var predictedRun: Int64 = 0
        /// Where its user or an administrator put it among the jobs that the default policy orders: before them all (more
        /// than 0), behind them all (less), or where the policy likes.
        public var standing: Int8 = 0
        public var copies: Int32 = 1
        /// The leader's id, for components of a heterogeneous job that start together; 0: none.
        public var hetLeader: UInt32 = 0
        /// Where an earlier plan reserved it (conservative); unset: nowhere.
        public var reservedStart = Timestamp.unset
        public init(id: JobID, shape: Int32) {
            self.id = id
            self.shape = shape
        }
    }

    public struct Running: Sendable {
        public var job: JobID
        public var uid: UInt32 = 0
        public var association: Int32 = -1
        public var qos: Int32 = -1
        public var partition: Int
        public var priority: UInt64 = 0
        public var start = Timestamp.unset
        /// Killed then; `.never` without limit.
        public var limit = Timestamp.never
        /// When the plan expects it to end.
        public var expectedEnd = Timestamp.never
        /// When the default policy thinks it will end, always ahead; unset: when the plan expects it.
        public var predictedEnd = Timestamp.unset
        /// What it still holds.
        public var allocation: Allocation
        public var licenses: [Shape.LicenseDemand] = []
        public var reservation: Int = -1
        public var exclusiveUser = false
        /// Was told to go already, or ends: nothing more is to be won by preempting it.
        public var isEnding = false
        /// Holds memory but no CPU time now.
        public var isSuspended = false
        public init(job: JobID, partition: Int, allocation: Allocation) {
            self.job = job
            self.partition = partition
            self.allocation = allocation
        }
    }
}

/// `SchedulerParameters`, `PreemptType` and their kin, as far as planning needs them.
public struct SchedulerSettings: Hashable, Sendable {
    public enum Backfill: Hashable, Sendable {
        /// In order only: the first job of a partition that does not fit ends the pass for it.
        case none
        /// The first `n` jobs that cannot start get a reservation that nobody delays; 1: EASY.
        case reservations(Int)
        /// Every job has one, kept until something moves it up.
        case conservative
    }
    public enum Preemption: UInt32, Sendable { case none, partitionPriority, qos }
    public var backfill = Backfill.reservations(.max)
    /// Jobs of equal standing in the order of `DefaultPolicy`, or all in the plain order of priorities.
    public var usesDefaultPolicy = true
    /// bf_window, seconds: how far ahead reservations are made; 0: however far.
    public var window: Int64 = 0
    /// bf_resolution, seconds: planned times are rounded up to it.
    public var resolution: Int64 = 1
    /// bf_max_job_test and its kin; 0: no bound.
    public var maxJobsTested = 0
    public var maxJobsPerUser = 0
    public var maxJobsPerPartition = 0
    public var maxJobsPerAssociation = 0
    public var maxJobsStarted = 0
    /// A pass stops after so many microseconds and says so; 0: never.
    public var passBudget: Int64 = 0
    public var preemption = Preemption.none
    public var preemptMode = PreemptMode.off
    public var preemptExemptTime: Int64 = 0
    /// CR_CORE (whole cores), CR_CPU (threads), and whether memory counts.
    public var allocatesCores = true
    public var memoryCounts = true
    public var packsSerialAtEnd = false
    /// Whole nodes only (`SelectType=select/linear`).
    public var wholeNodes = false
    public init() {}
}
