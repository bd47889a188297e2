// The boundary between the controller and whatever scheduler plans for it: a snapshot goes in, a plan comes out.
// The plan names the version it was made from; the core checks each placement again when it applies it and drops
// the ones that no longer hold.
public import ArgosyDomain

/// What a planner sees: flat, immutable, independent of the core's own records.
public struct PlanningSnapshot: Sendable {
    public struct Node: Sendable {
        public var index: NodeIndex
        public var name: String
        /// May take new work: up, registered, not drained.
        public var isAvailable: Bool
        public var cpus: Int
        public var threadsPerCore: Int
        public var freeCPUs: CPUSet
        public var memoryMiB: UInt64
        public var freeMemoryMiB: UInt64
        public var weight: UInt32
        public init(
            index: NodeIndex, name: String, isAvailable: Bool, cpus: Int, threadsPerCore: Int, freeCPUs: CPUSet,
            memoryMiB: UInt64, freeMemoryMiB: UInt64, weight: UInt32
        ) {
            self.index = index
            self.name = name
            self.isAvailable = isAvailable
            self.cpus = cpus
            self.threadsPerCore = threadsPerCore
            self.freeCPUs = freeCPUs
            self.memoryMiB = memoryMiB
            self.freeMemoryMiB = freeMemoryMiB
            self.weight = weight
        }
    }
    /// A waiting job, or a waiting array: `copies` elements may start in this pass.
    public struct Job: Sendable {
        public var id: JobID
        public var partition: Int
        public var minNodes: Int
        public var maxNodes: Int
        public var tasks: Int
        /// 0: no bound.
        public var tasksPerNode: Int
        public var cpusPerTask: Int
        /// 0: no limit asked, takes none.
        public var memoryPerNodeMiB: UInt64
        public var memoryPerCPUMiB: UInt64
        public var exclusive: Bool
        public var requiredNodes: [NodeIndex]
        public var excludedNodes: [NodeIndex]
        public var timeLimit: TimeLimit
        public var copies: Int
        public init(id: JobID) {
            self.id = id
            partition = 0
            minNodes = 1
            maxNodes = 1
            tasks = 1
            tasksPerNode = 0
            cpusPerTask = 1
            memoryPerNodeMiB = 0
            memoryPerCPUMiB = 0
            exclusive = false
            requiredNodes = []
            excludedNodes = []
            timeLimit = .unlimited
            copies = 1
        }
    }
    /// State version of the core this was taken from.
    public var version: UInt64
    public var now: Timestamp
    public var nodes: [Node]
    /// Nodes of each partition, ascending.
    public var partitionNodes: [[NodeIndex]]
    /// Eligible jobs, in the order to be tried.
    public var queue: [Job]
    /// When running work is expected to free its nodes: for expected starts.
    public var running: [(end: Timestamp, allocation: Allocation)]
    public init(version: UInt64, now: Timestamp) {
        self.version = version
        self.now = now
        nodes = []
        partitionNodes = []
        queue = []
        running = []
    }
}

/// A proposal to start a job (or one element of an array) on given CPUs. Not an allocation until the core agrees.
public struct Placement: Sendable, Equatable {
    public var job: JobID
    public var allocation: Allocation
    public init(job: JobID, allocation: Allocation) {
        self.job = job
        self.allocation = allocation
    }
}

/// Why a job of the snapshot was not placed.
public struct Explanation: Sendable, Equatable {
    public var job: JobID
    public var reason: PendingReason
    /// A sentence with the numbers.
    public var detail: String
    public var expectedStart: Timestamp
    public init(job: JobID, reason: PendingReason, detail: String, expectedStart: Timestamp = .unset) {
        self.job = job
        self.reason = reason
        self.detail = detail
        self.expectedStart = expectedStart
    }
}

public struct Plan: Sendable {
    public var version: UInt64
    public var placements: [Placement]
    public var explanations: [Explanation]
    public init(version: UInt64, placements: [Placement] = [], explanations: [Explanation] = []) {
        self.version = version
        self.placements = placements
        self.explanations = explanations
    }
}

/// One way to plan. Pure: the same snapshot gives the same plan.
public protocol Planner: Sendable {
    func plan(_ snapshot: PlanningSnapshot) -> Plan
}
