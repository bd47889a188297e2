public import ArgosyDomain

/// How waiting jobs are planned: SchedulerType, SchedulerParameters, PreemptType and their kin, with their defaults.
public struct SchedulingSettings: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case backfill = "sched/backfill"
        /// In order only.
        case builtin = "sched/builtin"
    }
    /// How many of the jobs that have to wait get a time of their own that later jobs may not delay.
    public enum Reservations: Hashable, Sendable {
        case first(Int)
        case all
    }
    public enum Policy: String, CaseIterable, Hashable, Sendable {
        /// The order of argosy-policy(7) among jobs whose priority nobody set. Not with priority/multifactor.
        case `default`
        /// The order of priorities as they are.
        case priority
    }
    public enum PreemptType: String, CaseIterable, Hashable, Sendable {
        case none = "preempt/none"
        case partition = "preempt/partition_prio"
        case qos = "preempt/qos"
    }
    public var kind = Kind.backfill
    /// `bf_reservations=N|all`, ours; EASY is 1. Nil: 1 with the default policy, else all.
    public var reservations: Reservations?
    /// `bf_conservative`, ours: reservations are kept from pass to pass.
    public var conservative = false
    /// `argosy_policy`, ours.
    public var policy = Policy.default
    /// Seconds: bf_window, given in minutes; 0: however far ahead. A job whose time lies beyond has no reservation, and
    /// could wait for ever while others keep its nodes busy.
    public var window: Int64 = 0
    /// Seconds: bf_resolution.
    public var resolution: Int64 = 1
    /// bf_max_job_test and its kin; 0: no bound.
    public var maxJobsTested = 0
    public var maxJobsPerUser = 0
    public var maxJobsPerPartition = 0
    public var maxJobsPerAssociation = 0
    public var maxJobsStarted = 0
    /// bf_max_time: a pass says so and goes on later when it took longer; zero: no bound.
    public var passBudget: Duration = .zero
    /// `defer`: submissions wait for the next pass; sched_min_interval between passes.
    public var minInterval: Duration = .zero
    public var packsSerialAtEnd = false
    /// Words of SchedulerParameters that mean nothing here.
    public var unknownParameters: [String] = []
    public var preemptType = PreemptType.none
    public var preemptMode = PreemptMode.off
    public var preemptExemptTime: Duration = .zero
    /// `SelectType=select/linear`: whole nodes only.
    public var wholeNodes = false
    /// `CR_CPU`: threads are given one by one.
    public var allocatesThreads = false
    /// `CR_..._Memory`
    public var memoryCounts = true
    public var leastLoaded = false
    public init() {}
}
