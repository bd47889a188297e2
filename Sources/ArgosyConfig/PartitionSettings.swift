public import ArgosyDomain

extension ClusterConfiguration {
    /// Whether jobs share what they hold: `OverSubscribe` of a partition.
    public enum OverSubscribe: Hashable, Sendable {
        case no
        /// Whole nodes for every job.
        case exclusive
        /// Jobs that ask for it share each resource with up to so many.
        case yes(UInt32)
        /// All jobs do.
        case force(UInt32)
        /// As scontrol shows it: `NO`, `EXCLUSIVE`, `YES:4`, `FORCE:2`.
        public var text: String {
            switch self {
            case .no: "NO"
            case .exclusive: "EXCLUSIVE"
            case .yes(let jobs): "YES:\(jobs)"
            case .force(let jobs): "FORCE:\(jobs)"
            }
        }
    }

    /// What a partition's jobs are held to, beside its time and node limits.
    public struct PartitionPolicy: Hashable, Sendable {
        /// Empty: all, here and below. DenyAccounts counts only without AllowAccounts, DenyQos without AllowQos.
        public var denyAccounts: [String] = []
        public var allowQOS: [String] = []
        public var denyQOS: [String] = []
        /// Hosts jobs may be submitted from, as a host list; empty: all.
        public var allocNodes = ""
        /// Partition that takes its jobs while it is DRAIN or INACTIVE; empty: none.
        public var alternate = ""
        /// The partition's QOS; empty: none.
        public var qos = ""
        public var priorityJobFactor: UInt32 = 1
        /// Empty: a job is billed its CPUs.
        public var tresBillingWeights: [TRESWeight] = []
        /// Nil: the cluster's.
        public var preemptMode: PreemptMode?
        public var gang = false
        /// Seconds.
        public var graceTime: UInt32 = 0
        /// 0: no bound.
        public var maxCPUsPerNode: UInt32 = 0
        public var overSubscribe = OverSubscribe.no
        public var exclusiveUser = false
        public var leastLoaded = false
        public var requiresReservation = false
        public var hidden = false
        /// Nil: as the cluster says.
        public var disableRootJobs: Bool?
        /// MiB; 0: the cluster's, here and below.
        public var defMemPerCPUMiB: UInt64 = 0
        public var defMemPerNodeMiB: UInt64 = 0
        public var defMemPerGPUMiB: UInt64 = 0
        public var maxMemPerCPUMiB: UInt64 = 0
        public var maxMemPerNodeMiB: UInt64 = 0
        public var defCPUPerGPU: UInt32 = 0
        public init() {}
    }
}
