public import ArgosyDomain

/// A cluster as its administrator describes it: what argosy.conf (Slurm's syntax) says, with defaults filled in.
public struct ClusterConfiguration: Sendable, Equatable {
    public struct Node: Sendable, Equatable {
        public var name: String
        /// NodeAddr; the name when not given.
        public var address: String
        public var hostname: String
        public var port: UInt16
        public var cpus: Int
        public var sockets: Int
        public var coresPerSocket: Int
        public var threadsPerCore: Int
        public var memoryMiB: UInt64
        public var weight: UInt32
        public var features: [String]
        public var gres: String
        /// UNKNOWN (default), DOWN, DRAIN, ...
        public var state: String
        public var reason: String
        /// The configuration no longer describes it: it takes nothing new and is not shown.
        public var isRemoved = false
        /// What scontrol says of it while the controller runs. Nil: all its features are active.
        public var activeFeatures: [String]?
        public var comment = ""
        public var extra = ""
        public init(
            name: String, address: String? = nil, port: UInt16 = 6818, cpus: Int = 1, sockets: Int = 1,
            coresPerSocket: Int? = nil, threadsPerCore: Int = 1, memoryMiB: UInt64 = 1
        ) {
            self.name = name
            self.address = address ?? name
            self.hostname = name
            self.port = port
            self.cpus = cpus
            self.sockets = sockets
            self.coresPerSocket = coresPerSocket ?? max(1, cpus / max(1, sockets * threadsPerCore))
            self.threadsPerCore = threadsPerCore
            self.memoryMiB = memoryMiB
            weight = 1
            features = []
            gres = ""
            state = "UNKNOWN"
            reason = ""
        }
    }
    public struct Partition: Sendable, Equatable {
        public var name: String
        public var isDefault = false
        /// UP DOWN DRAIN INACTIVE
        public var state = "UP"
        /// Indices into `nodes`, ascending.
        public var nodes: [NodeIndex] = []
        public var maxTime = TimeLimit.unlimited
        public var defaultTime = TimeLimit.notGiven
        public var maxNodes = UInt32.max
        public var minNodes: UInt32 = 0
        public var priorityTier: UInt32 = 1
        public var rootOnly = false
        public var allowAccounts: [String] = []
        public var allowGroups: [String] = []
        public var policy = PartitionPolicy()
        public init(name: String) { self.name = name }
    }

    /// The file that was read; empty: none.
    public var file = ""
    public var clusterName = "cluster"
    /// SlurmctldHost: name and address, the first is the primary.
    public var controllers: [Host] = []
    public var controllerPort: UInt16 = 6817
    public var slurmUser = "root"
    public var stateSaveLocation = "/var/lib/argosy/ctld"
    /// `%n` and `%h` are the node's name and host.
    public var slurmdSpoolDir = "/var/lib/argosy/d/%n"
    /// The controller's unix socket; ours: `ArgosySocket`.
    public var socketPath = "/run/argosy/argosyctld.sock"
    /// `AuthInfo=socket=PATH`; empty: munged's default.
    public var mungeSocket = ""
    public var nodes: [Node] = []
    public var partitions: [Partition] = []
    public var killWait: Duration = .seconds(30)
    public var slurmdTimeout: Duration = .seconds(300)
    public var minJobAge: Duration = .seconds(300)
    public var inactiveLimit: Duration = .zero
    public var maxJobCount = 10_000
    public var maxArraySize: UInt32 = 1_001
    public var firstJobID: UInt32 = 1
    public var maxJobID: UInt32 = 67_043_328
    /// SlurmdParameters=config_overrides
    public var configOverrides = false
    /// CommunicationParameters=NoCtldInAddrAny, NoInAddrAny: listen on the configured address only.
    public var controllerBindsItsAddress = false
    public var nodesBindTheirAddress = false
    /// DefMemPerNode / DefMemPerCPU, MiB; 0: not set, a job without --mem may use its nodes' memory.
    public var defaultMemoryPerNodeMiB: UInt64 = 0
    public var defaultMemoryPerCPUMiB: UInt64 = 0
    public var defaultMemoryPerGPUMiB: UInt64 = 0
    public var defaultCPUsPerGPU: UInt32 = 0
    /// MaxMemPerNode / MaxMemPerCPU, MiB; 0: no bound.
    public var maxMemoryPerNodeMiB: UInt64 = 0
    public var maxMemoryPerCPUMiB: UInt64 = 0
    public var priority = PrioritySettings()
    public var accounting = AccountingSettings()
    public var scheduling = SchedulingSettings()
    /// What the cluster has of each license.
    public var licenses: [LicenseRequest] = []
    public var returnToService: Int = 0
    public var requeueByDefault = true
    /// Every key that stands for itself, as written, in the order read; those of cgroup.conf too. They reach the nodes.
    public var entries: [Entry] = []

    /// The tree of switches (topology.conf); empty: none.
    public var switches = SwitchTree()
    /// Position in `switches.leaves` by node; see `leaf(of:)`.
    var leafOfNode: [Int] = []
    var gresLines: [GRESLine] = []

    /// GresTypes: names of GRES that nodes may have.
    public var gresTypes: [String] {
        let text = entries.last { $0.key.lowercased() == "grestypes" }?.value ?? ""
        return text.lowercased().split(separator: ",").map(String.init)
    }

    public struct Entry: Sendable, Equatable {
        public var key: String
        public var value: String
        public var file: String
        public var line: Int
        public init(key: String, value: String, file: String, line: Int) {
            self.key = key
            self.value = value
            self.file = file
            self.line = line
        }
    }

    public struct Host: Sendable, Equatable {
        public var name: String
        public var address: String
        public init(name: String, address: String) {
            self.name = name
            self.address = address
        }
    }

    public init() {}

    public static func == (a: Self, b: Self) -> Bool {
        a.clusterName == b.clusterName && a.nodes == b.nodes && a.partitions == b.partitions && a.entries == b.entries
    }

    /// The partition jobs go to that name none: the one marked Default=YES, else none.
    public var defaultPartition: Int? { partitions.firstIndex { $0.isDefault } }

    public func node(named name: String) -> NodeIndex? { nodes.firstIndex { $0.name == name }.map(NodeIndex.init) }
}
