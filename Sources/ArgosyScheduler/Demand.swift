// What a waiting job asks for, resolved against the cluster: names are positions, words are parsed. Jobs that ask for the
// same share one Shape, so that a pass thinks about each shape once, however many jobs have it.
public import ArgosyDomain

/// A demand. Two jobs with equal shapes fit wherever either fits.
public struct Shape: Hashable, Sendable {
    /// Those it may run in, in the order given; at least one.
    public var partitions: [Int]
    public var minNodes = 1
    public var maxNodes = 1
    public var tasks = 1
    public var cpusPerTask = 1
    /// 0: no bound, here and below.
    public var tasksPerNode = 0
    public var tasksPerSocket = 0
    public var tasksPerCore = 0
    public var tasksPerGPU = 0
    /// Threads of a core in use at most; 0: all.
    public var threadsPerCore = 0
    public var minSocketsPerNode = 0
    public var minCoresPerSocket = 0
    public var minCPUsPerNode = 0
    /// 0: no limit asked, takes none.
    public var memoryPerNodeMiB: UInt64 = 0
    public var memoryPerCPUMiB: UInt64 = 0
    public var memoryPerGPUMiB: UInt64 = 0
    public var gres: [GRESRequest] = []
    public var cpusPerGPU = 0
    /// `--constraint`, parsed; nil: none.
    public var constraint: Constraint?
    /// `--prefer`: as `constraint` where that does not delay the job.
    public var prefer: Constraint?
    public var requiredNodes: [NodeIndex] = []
    public var excludedNodes: [NodeIndex] = []
    public var sharing = Sharing.normal
    public var overcommit = false
    public var contiguous = false
    public var spreadJob = false
    public var useMinNodes = false
    /// `--nodes=min-max` was given: as many nodes as it may have. Otherwise the fewest that hold its tasks.
    public var prefersMaxNodes = false
    /// The number of tasks was not given: each node gets `tasksPerNode`, or one, however many nodes there are.
    public var tasksFollowNodes = false
    public var switches = 0
    /// Seconds that it waits for so few switches.
    public var switchWait = 0
    public var distribution = ""
    public var coreSpec = 0
    /// Positions in the snapshot's licenses, with counts.
    public var licenses: [LicenseDemand] = []
    public var anyLicense = false
    /// Positions of the reservations it asks for; any one of them will do.
    public var reservations: [Int] = []
    public init(partitions: [Int]) { self.partitions = partitions }

    public struct LicenseDemand: Hashable, Sendable {
        public var license: Int
        public var count: UInt32
        public init(license: Int, count: UInt32) {
            self.license = license
            self.count = count
        }
    }
}
