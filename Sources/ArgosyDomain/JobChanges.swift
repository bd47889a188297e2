/// What `scontrol update job` changes. Nil: as it was.
public struct JobChanges: Hashable, Sendable {
    public enum LimitChange: Hashable, Sendable {
        case set(TimeLimit)
        /// `TimeLimit=+30`, `TimeLimit=-30`: minutes.
        case longer(UInt32)
        case shorter(UInt32)
    }
    public var timeLimit: LimitChange?
    public var timeMin: TimeLimit?
    /// `.max`: computed again (`Priority=-1`). 0: held.
    public var priority: UInt32?
    public var nice: Int32?
    public var partition: String?
    public var qos: String?
    public var account: String?
    public var constraint: String?
    public var gres: [GRESRequest]?
    public var minNodes: UInt32?
    public var maxNodes: UInt32?
    public var tasks: UInt32?
    public var cpusPerTask: UInt32?
    public var memoryPerNodeMiB: UInt64?
    public var memoryPerCPUMiB: UInt64?
    public var dependency: String?
    public var begin: Timestamp?
    public var deadline: Timestamp?
    public var licenses: [LicenseRequest]?
    public var anyLicense = false
    public var reservation: String?
    public var name: String?
    public var comment: String?
    public var wckey: String?
    public var nodeList: String?
    public var exclude: String?
    public var requeue: Bool?
    /// `ArrayTaskThrottle`; 0: none.
    public var arrayThrottle: UInt32?
    public var adminComment: String?
    /// `NumCPUs`
    public var minCPUs: UInt32?
    public var minCPUsPerNode: UInt32?
    public var minTmpDiskMiB: UInt64?
    public var contiguous: Bool?
    public var sharing: Sharing?
    public var coreSpec: UInt32?
    public var tasksPerNode: UInt32?
    public var prefer: String?
    /// Of a node: sockets, and of each of them cores, and of each of these threads.
    public var sockets: UInt32?
    public var cores: UInt32?
    public var threads: UInt32?
    public var switches: UInt32?
    public var switchWait: UInt32?
    public var workDirectory: String?
    public var stdoutPath: String?
    /// Of a running job: when its limit ends it.
    public var end: Timestamp?
    /// Its age counts from now on.
    public var resetsAccrueTime = false
    public init() {}
}
