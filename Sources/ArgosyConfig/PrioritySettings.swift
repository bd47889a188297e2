/// A TRES and how much a unit of it counts: `Mem=0.25G` is ("mem", 0.25 / 1024), since memory counts in MiB.
public struct TRESWeight: Hashable, Sendable {
    /// The type in small letters, with its name after a slash: `cpu`, `gres/gpu`.
    public var tres: String
    public var weight: Double
    public init(_ tres: String, _ weight: Double) {
        self.tres = tres
        self.weight = weight
    }
}

/// How the order of waiting jobs is found: the Priority... keys of slurm.conf(5), with their defaults.
public struct PrioritySettings: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// First in, first out.
        case basic = "priority/basic"
        case multifactor = "priority/multifactor"
    }
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let accrueAlways = Flags(rawValue: 1 << 0)
        public static let calculateRunning = Flags(rawValue: 1 << 1)
        public static let depthOblivious = Flags(rawValue: 1 << 2)
        public static let noFairTree = Flags(rawValue: 1 << 3)
        public static let incrementOnly = Flags(rawValue: 1 << 4)
        public static let maxTRES = Flags(rawValue: 1 << 5)
        public static let noNormalAssoc = Flags(rawValue: 1 << 6)
        public static let noNormalPart = Flags(rawValue: 1 << 7)
        public static let noNormalQOS = Flags(rawValue: 1 << 8)
        public static let noNormalTRES = Flags(rawValue: 1 << 9)
        public static let smallRelativeToTime = Flags(rawValue: 1 << 10)
        public static let noNormalAll: Flags = [.noNormalAssoc, .noNormalPart, .noNormalQOS, .noNormalTRES]

        /// The words of slurm.conf; FAIR_TREE is what is done without NO_FAIR_TREE.
        static let words: [(word: String, flags: Flags)] = [
            ("ACCRUE_ALWAYS", .accrueAlways), ("CALCULATE_RUNNING", .calculateRunning),
            ("DEPTH_OBLIVIOUS", [.depthOblivious, .noFairTree]), ("FAIR_TREE", []), ("NO_FAIR_TREE", .noFairTree),
            ("INCR_ONLY", .incrementOnly), ("MAX_TRES", .maxTRES), ("NO_NORMAL_ALL", .noNormalAll),
            ("NO_NORMAL_ASSOC", .noNormalAssoc), ("NO_NORMAL_PART", .noNormalPart), ("NO_NORMAL_QOS", .noNormalQOS),
            ("NO_NORMAL_TRES", .noNormalTRES), ("SMALL_RELATIVE_TO_TIME", .smallRelativeToTime),
        ]
    }
    /// When usage is set to 0.
    public enum UsageReset: String, CaseIterable, Hashable, Sendable {
        case none = "NONE"
        case now = "NOW"
        case daily = "DAILY"
        case weekly = "WEEKLY"
        case monthly = "MONTHLY"
        case quarterly = "QUARTERLY"
        case yearly = "YEARLY"
    }
    public struct Weights: Hashable, Sendable {
        public var age: UInt32 = 0
        public var assoc: UInt32 = 0
        public var fairshare: UInt32 = 0
        public var jobSize: UInt32 = 0
        public var partition: UInt32 = 0
        public var qos: UInt32 = 0
        public var tres: [TRESWeight] = []
        public init() {}
    }
    public var kind = Kind.basic
    public var calcPeriod: Duration = .seconds(300)
    /// Zero: usage does not decay.
    public var decayHalfLife: Duration = .seconds(7 * 86_400)
    public var usageReset = UsageReset.none
    public var maxAge: Duration = .seconds(7 * 86_400)
    public var favorSmall = false
    public var flags: Flags = []
    public var weights = Weights()
    /// FairShareDampeningFactor, from 1.
    public var dampeningFactor: UInt16 = 1
    public init() {}
}

/// What accounting records are held to: AccountingStorageEnforce and its kin.
public struct AccountingSettings: Hashable, Sendable {
    public struct Enforce: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let associations = Enforce(rawValue: 1 << 0)
        public static let limits = Enforce(rawValue: 1 << 1)
        public static let wckeys = Enforce(rawValue: 1 << 2)
        public static let qos = Enforce(rawValue: 1 << 3)
        public static let safe = Enforce(rawValue: 1 << 4)
        public static let noJobs = Enforce(rawValue: 1 << 5)
        public static let noSteps = Enforce(rawValue: 1 << 6)

        /// Each word with what it brings along.
        static let words: [(word: String, flags: Enforce)] = [
            ("none", []), ("associations", .associations), ("limits", [.limits, .associations]),
            ("wckeys", [.wckeys, .associations]), ("qos", [.qos, .associations]),
            ("safe", [.safe, .limits, .associations]), ("nojobs", [.noJobs, .noSteps]), ("nosteps", .noSteps),
            ("all", [.associations, .limits, .wckeys, .qos, .safe]),
        ]
    }
    public enum PartitionLimits: String, CaseIterable, Hashable, Sendable {
        case no = "NO"
        case any = "ANY"
        case all = "ALL"
    }
    public var enforce: Enforce = []
    /// AccountingStorageTRES: what is tracked besides what every cluster tracks, as written: `gres/gpu`.
    public var tres: [String] = []
    public var enforcePartLimits = PartitionLimits.no
    public var disableRootJobs = false
    public init() {}
}
