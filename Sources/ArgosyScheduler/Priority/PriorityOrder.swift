public import ArgosyDomain

/// A waiting job's place in the queue: ascending is the order in which jobs are looked at (slurm.conf(5), PriorityType):
/// those that can preempt, those with a reservation, partition tier, priority, submission, id. No two are equal.
public struct PriorityOrder: Hashable, Comparable, Sendable {
    public var canPreempt: Bool
    public var hasReservation: Bool
    public var tier: UInt32
    public var priority: UInt32
    public var submit: Timestamp
    public var job: JobID
    public init(
        job: JobID, submit: Timestamp, priority: UInt32, tier: UInt32 = 1, hasReservation: Bool = false,
        canPreempt: Bool = false
    ) {
        self.job = job
        self.submit = submit
        self.priority = priority
        self.tier = tier
        self.hasReservation = hasReservation
        self.canPreempt = canPreempt
    }

    public static func < (a: PriorityOrder, b: PriorityOrder) -> Bool {
        if a.canPreempt != b.canPreempt { return a.canPreempt }
        if a.hasReservation != b.hasReservation { return a.hasReservation }
        if a.tier != b.tier { return a.tier > b.tier }
        if a.priority != b.priority { return a.priority > b.priority }
        return (a.submit, a.job) < (b.submit, b.job)
    }
}

/// priority/basic: each job gets one less than the last, so that the first stays first.
public struct BasicPriority: Hashable, Sendable {
    /// Slurm's first.
    public static let top: UInt32 = 0xffff_0000
    /// What the next job gets before its nice value.
    public private(set) var next: UInt32
    public init(next: UInt32 = BasicPriority.top) { self.next = next }

    /// The priority of a new job: 0 when held. Stays at 1 when all numbers are used up; the order is then by id.
    public mutating func take(nice: Int32 = 0, isHeld: Bool = false) -> UInt32 {
        let given = next
        next = max(next - 1, 1)
        return isHeld ? 0 : UInt32(min(max(Int64(given) - Int64(nice), 1), 0xffff_fffd))
    }
}
