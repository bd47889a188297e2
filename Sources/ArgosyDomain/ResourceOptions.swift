/// Devices a job asks for: `--gres`, `--gpus`, `--gpus-per-node`, ...
public struct GRESRequest: Hashable, Sendable {
    public enum Per: UInt32, Sendable { case node = 0, job = 1, task = 2, socket = 3 }
    public var name: String
    /// Empty: any.
    public var type: String
    public var count: UInt64
    public var per: Per
    public init(name: String, type: String = "", count: UInt64, per: Per = .node) {
        self.name = name
        self.type = type
        self.count = count
        self.per = per
    }
}

/// How a job shares its nodes.
public enum Sharing: UInt32, Sendable {
    /// As the partition says.
    case normal = 0
    /// `--exclusive`: whole nodes.
    case exclusive = 1
    /// `--exclusive=user`: with jobs of the same user only.
    case user = 2
    /// `--oversubscribe`
    case oversubscribe = 3
}

public struct LicenseRequest: Hashable, Sendable {
    public var name: String
    public var count: UInt32
    public init(name: String, count: UInt32) {
        self.name = name
        self.count = count
    }
}

/// What a job asks of its nodes beyond counts of tasks, CPUs and memory, in Slurm's words. Zero and empty: not given.
public struct ResourceOptions: Hashable, Sendable {
    /// `--constraint`, as written.
    public var constraint = ""
    /// `--prefer`, as written.
    public var prefer = ""
    public var tasksPerSocket: UInt32 = 0
    public var tasksPerCore: UInt32 = 0
    public var tasksPerGPU: UInt32 = 0
    /// `-B`: at least that many sockets a node, cores a socket.
    public var socketsPerNode: UInt32 = 0
    public var coresPerSocket: UInt32 = 0
    /// Threads of a core that tasks use at most (`--threads-per-core`, `--hint=nomultithread`).
    public var threadsPerCore: UInt32 = 0
    /// `--mincpus`
    public var minCPUsPerNode: UInt32 = 0
    public var minTmpDiskMiB: UInt64 = 0
    public var memoryPerGPUMiB: UInt64 = 0
    public var gres: [GRESRequest] = []
    public var cpusPerGPU: UInt32 = 0
    public var sharing = Sharing.normal
    public var overcommit = false
    public var contiguous = false
    public var spreadJob = false
    public var useMinNodes = false
    /// `--switches=COUNT[@TIME]`; the wait in seconds.
    public var switches: UInt32 = 0
    public var switchWait: UInt32 = 0
    public var licenses: [LicenseRequest] = []
    /// `--licenses=a|b`: any one of them.
    public var anyLicense = false
    /// Names, comma separated.
    public var reservation = ""
    /// `--distribution`, as written.
    public var distribution = ""
    /// Specialized cores (or threads) a node keeps from the job (`--core-spec`, `--thread-spec`).
    public var coreSpec: UInt32 = 0
    public init() {}
}
