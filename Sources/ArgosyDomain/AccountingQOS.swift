/// A QOS's number: given once, from 1, which is `normal`.
public struct QOSID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    /// Exists in every cluster; what jobs get that nothing gives another.
    public static let normal = QOSID(1)
    public static func < (a: QOSID, b: QOSID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { String(rawValue) }
}

/// Raw bits are stored: never renumber.
public struct QOSFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let partitionMinNodes = QOSFlags(rawValue: 1 << 0)
    public static let partitionMaxNodes = QOSFlags(rawValue: 1 << 1)
    public static let partitionTimeLimit = QOSFlags(rawValue: 1 << 2)
    public static let enforceUsageThreshold = QOSFlags(rawValue: 1 << 3)
    public static let noReserve = QOSFlags(rawValue: 1 << 4)
    public static let requiresReservation = QOSFlags(rawValue: 1 << 5)
    public static let denyOnLimit = QOSFlags(rawValue: 1 << 6)
    public static let overPartQOS = QOSFlags(rawValue: 1 << 7)
    public static let noDecay = QOSFlags(rawValue: 1 << 8)
    public static let usageFactorSafe = QOSFlags(rawValue: 1 << 9)

    /// In the order sacctmgr prints them.
    public static let names: [(flag: QOSFlags, name: String)] = [
        (.denyOnLimit, "DenyOnLimit"),
        (.enforceUsageThreshold, "EnforceUsageThreshold"),
        (.noReserve, "NoReserve"),
        (.partitionMaxNodes, "PartitionMaxNodes"),
        (.partitionMinNodes, "PartitionMinNodes"),
        (.overPartQOS, "OverPartQOS"),
        (.partitionTimeLimit, "PartitionTimeLimit"),
        (.requiresReservation, "RequiresReservation"),
        (.noDecay, "NoDecay"),
        (.usageFactorSafe, "UsageFactorSafe"),
    ]
    /// `DenyOnLimit,NoReserve`
    public var text: String { Self.names.filter { contains($0.flag) }.map(\.name).joined(separator: ",") }
    /// One name, in any case.
    public init?(name: some StringProtocol) {
        let wanted = name.lowercased()
        guard let found = Self.names.first(where: { $0.name.lowercased() == wanted }) else { return nil }
        self = found.flag
    }
}

/// What becomes of a preempted job. Raw values are stored: never renumber.
public enum PreemptMode: UInt32, CaseIterable, Sendable {
    case off = 0, cancel = 1, requeue = 2, suspend = 3, gang = 4, within = 5
    /// As scontrol and sacctmgr write it; a QOS without one of its own says `cluster`.
    public var name: String {
        switch self {
        case .off: "OFF"
        case .cancel: "CANCEL"
        case .requeue: "REQUEUE"
        case .suspend: "SUSPEND"
        case .gang: "GANG"
        case .within: "WITHIN"
        }
    }
    /// One word, in any case.
    public init?(text: some StringProtocol) {
        let wanted = text.uppercased()
        guard let found = Self.allCases.first(where: { $0.name == wanted }) else { return nil }
        self = found
    }
}

/// The limits of a QOS. Nil, and a TRES that is not named: not limited by it.
public struct QOSLimits: Hashable, Sendable {
    public var grpJobs: UInt32?
    public var grpJobsAccrue: UInt32?
    public var grpSubmitJobs: UInt32?
    public var grpTRES = TRESCounts()
    public var grpTRESMins = TRESCounts()
    public var grpTRESRunMins = TRESCounts()
    /// Minutes.
    public var grpWall: UInt32?
    public var maxTRESPerJob = TRESCounts()
    public var maxTRESPerNode = TRESCounts()
    public var maxTRESMinsPerJob = TRESCounts()
    public var maxWallDurationPerJob: TimeLimit?
    public var maxJobsPerUser: UInt32?
    public var maxJobsAccruePerUser: UInt32?
    public var maxSubmitJobsPerUser: UInt32?
    public var maxTRESPerUser = TRESCounts()
    public var maxTRESRunMinsPerUser = TRESCounts()
    public var maxJobsPerAccount: UInt32?
    public var maxJobsAccruePerAccount: UInt32?
    public var maxSubmitJobsPerAccount: UInt32?
    public var maxTRESPerAccount = TRESCounts()
    public var maxTRESRunMinsPerAccount = TRESCounts()
    public var minTRESPerJob = TRESCounts()
    public var minPrioThresh: UInt32?
    public init() {}
}

/// A quality of service: limits that replace an association's, a priority, and who may preempt whom.
public struct QOS: Hashable, Sendable {
    public var id: QOSID
    public var name: String
    public var description: String
    public var priority: UInt32
    public var flags: QOSFlags
    /// Those whose jobs this one's may preempt, sorted.
    public var preempt: [QOSID]
    /// Nil: the cluster's (`cluster`).
    public var preemptMode: PreemptMode?
    /// Seconds a preempted job gets to end by itself.
    public var graceTime: UInt32
    /// Seconds a job runs before it may be preempted; nil: the cluster's.
    public var preemptExemptTime: UInt32?
    /// What a second of a job counts in usage.
    public var usageFactor: Double
    /// Jobs of associations whose fair share is below this wait (EnforceUsageThreshold) or are refused.
    public var usageThreshold: Double?
    /// Multiplies the association's TRES limits for jobs of this QOS.
    public var limitFactor: Double?
    public var limits: QOSLimits
    public init(id: QOSID, name: String) {
        self.id = id
        self.name = name
        description = name
        priority = 0
        flags = []
        preempt = []
        graceTime = 0
        usageFactor = 1
        limits = QOSLimits()
    }
}
