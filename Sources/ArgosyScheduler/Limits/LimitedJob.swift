public import ArgosyDomain

/// A job as limits see it. Flat; made once at submission, and again when the job or the records change.
public struct LimitedJob: Hashable, Sendable {
    /// Positions in the book's records; -1: none.
    public var association: Int32
    public var qos: Int32
    /// The QOS of the partition it is to run in; -1: none, or the same as its own.
    public var partitionQOS: Int32
    public var uid: UInt32
    /// What it asks, or holds once it runs: cpu, mem (MiB), node, billing, gres/..., license/...
    public var tres: TRESCounts
    /// The most it asks of any one node.
    public var tresPerNode: TRESCounts
    public var timeLimit: TimeLimit
    public init(
        association: Int = -1, qos: Int = -1, partitionQOS: Int = -1, uid: UInt32 = 0, tres: TRESCounts = [:],
        tresPerNode: TRESCounts = [:], timeLimit: TimeLimit = .unlimited
    ) {
        self.association = Int32(association)
        self.qos = Int32(qos)
        self.partitionQOS = partitionQOS == qos ? -1 : Int32(partitionQOS)
        self.uid = uid
        self.tres = tres
        self.tresPerNode = tresPerNode
        self.timeLimit = timeLimit
    }

    /// A job without limit counts as one of a year, as in Slurm's planning.
    static let yearMinutes: UInt64 = 365 * 24 * 60
    var limitMinutes: UInt64 {
        timeLimit == .unlimited || timeLimit == .notGiven ? Self.yearMinutes : UInt64(timeLimit.rawValue)
    }
}
