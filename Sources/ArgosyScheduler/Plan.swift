// The boundary, second half: what a planner answers. The plan names the version it was made from; the core checks each
// placement again when it applies it and drops the ones that no longer hold.
public import ArgosyDomain

/// A proposal to start a job (or one element of an array). Not an allocation until the core agrees.
public struct Placement: Sendable, Equatable {
    public var job: JobID
    public var allocation: Allocation
    /// Position of the partition it runs in.
    public var partition: Int
    /// Shorter than asked for where the job allows it; not given: unchanged.
    public var timeLimit = TimeLimit.notGiven
    /// Which of several licenses was taken, and which reservation it runs in (-1: none).
    public var licenses: [Shape.LicenseDemand] = []
    public var reservation = -1
    public init(job: JobID, allocation: Allocation, partition: Int) {
        self.job = job
        self.allocation = allocation
        self.partition = partition
    }
}

/// A running job that has to make room for another.
public struct Preemption: Sendable, Equatable {
    public var victim: JobID
    public var mode: PreemptMode
    /// Seconds between the warning and the end.
    public var grace: Int
    public var beneficiary: JobID
    public init(victim: JobID, mode: PreemptMode, grace: Int, beneficiary: JobID) {
        self.victim = victim
        self.mode = mode
        self.grace = grace
        self.beneficiary = beneficiary
    }
}

/// Reasons as bits, by their raw values.
public struct ReasonSet: Hashable, Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var top: UInt64 = 0
    private var last: UInt64 = 0
    public init() {}
    public mutating func insert(_ reason: PendingReason) {
        let bit = UInt64(1) << UInt64(reason.rawValue & 63)
        switch reason.rawValue >> 6 {
        case 0: low |= bit
        case 1: high |= bit
        case 2: top |= bit
        default: last |= bit
        }
    }
    public func contains(_ reason: PendingReason) -> Bool {
        let bit = UInt64(1) << UInt64(reason.rawValue & 63)
        switch reason.rawValue >> 6 {
        case 0: return low & bit != 0
        case 1: return high & bit != 0
        case 2: return top & bit != 0
        default: return last & bit != 0
        }
    }
    /// In the order of their raw values.
    public var members: [PendingReason] { PendingReason.allCases.filter(contains) }
}

/// Why a job of the snapshot was not placed, all reasons, and when it will be. Flat: texts and node lists are shared.
public struct Explanation: Sendable, Equatable {
    public var job: JobID
    /// The one that `squeue` shows.
    public var reason: PendingReason
    public var reasons: ReasonSet
    /// Position in the plan's `details`; -1: none.
    public var detail: Int32 = -1
    /// Unset: not known (held, waits for another job, never).
    public var expectedStart = Timestamp.unset
    /// Position in the plan's `nodeLists`; -1: none.
    public var nodes: Int32 = -1
    /// True when `expectedStart` is a reservation that later jobs may not delay.
    public var isReserved = false
    public init(job: JobID, reason: PendingReason) {
        self.job = job
        self.reason = reason
        reasons = ReasonSet()
        reasons.insert(reason)
    }
}

public struct Plan: Sendable {
    public struct Statistics: Sendable, Equatable {
        /// Jobs looked at, and distinct shapes among them.
        public var jobs = 0
        public var shapes = 0
        public var reservations = 0
        /// The time budget ended the pass before the queue did.
        public var hitBudget = false
        public init() {}
    }
    public var version: UInt64
    public var placements: [Placement] = []
    public var preemptions: [Preemption] = []
    public var explanations: [Explanation] = []
    /// Sentences with the numbers.
    public var details: [String] = []
    /// Hostlists.
    public var nodeLists: [String] = []
    public var statistics = Statistics()
    /// What the core is to remember of the backlog (`BacklogBook.take`); nil: nothing new.
    public var backlog: BacklogNote?
    /// The job at which the pass stopped when its budget was spent, for `PlanningSnapshot.resumeAt`. Jobs that were not
    /// looked at have no explanation: what was known of them stays. Nil: all were looked at.
    public var resumeAt: JobID?
    public init(version: UInt64) { self.version = version }

    public func detail(of explanation: Explanation) -> String {
        explanation.detail < 0 ? "" : details[Int(explanation.detail)]
    }
    public func nodeList(of explanation: Explanation) -> String {
        explanation.nodes < 0 ? "" : nodeLists[Int(explanation.nodes)]
    }
}

/// One way to plan. Pure: the same snapshot gives the same plan.
public protocol Planner: Sendable {
    func plan(_ snapshot: PlanningSnapshot) -> Plan
}
