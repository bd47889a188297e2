// Jobs that are planned alike: one shape, one duration, one earliest time. What is learnt about one of them (where it does
// not fit, why) holds for all that come later in the pass, as planning only takes room away.
import ArgosyDomain

/// One way to place a class: a partition, a reservation, and for `[a|b]` one of the features.
struct PlanOption {
    var partition: Int
    /// Position in the snapshot's reservations; -1: none.
    var reservation: Int
    /// Licences to be had, from the cluster's or the reservation's.
    var licenses: [Shape.LicenseDemand]
    /// Parts that must fit at the same time; no pool is in two of them.
    var groups: [PlanGroup]
}

/// So many nodes for so many tasks out of certain pools.
final class PlanGroup {
    let minNodes: Int
    let maxNodes: Int
    let tasks: Int
    /// All tasks go to one node.
    let isSingle: Bool
    /// Tasks of each node where all have the same number; 0: as it comes.
    let tasksPerNode: Int
    let uses: [PoolUse]
    /// Wholly free nodes are all that counts here.
    let isWhole: Bool
    /// No earlier start, for a group of several nodes; of the class's own duration.
    @exclusivity(unchecked) var bound: Int64 = .min
    @exclusivity(unchecked) var releases = 0

    init(
        minNodes: Int, maxNodes: Int, tasks: Int, isSingle: Bool, tasksPerNode: Int, uses: [PoolUse], isWhole: Bool
    ) {
        self.minNodes = minNodes
        self.maxNodes = maxNodes
        self.tasks = tasks
        self.isSingle = isSingle
        self.tasksPerNode = tasksPerNode
        self.uses = uses
        self.isWhole = isWhole
    }
}

/// A pool that serves a group, with what is known about it so far.
final class PoolUse {
    let pool: Int32
    let fit: NodeFit
    /// Tasks on a node with nothing else on it, at most what one node may get.
    let capacity: Int
    /// What the tasks of one node take, where that is told beforehand.
    let need: Amount
    /// The job has its nodes to itself, by its wish or because it fills them.
    let isWhole: Bool
    /// Times in which it may not hold these nodes, ascending and apart.
    let forbidden: [Range<Int64>]

    @exclusivity(unchecked) var scan = BinScan()
    /// No earlier start on wholly free nodes.
    @exclusivity(unchecked) var wholeBound: Int64 = .min
    /// The last answer, and of which state of the pool.
    @exclusivity(unchecked) var found: Found?
    @exclusivity(unchecked) var foundVersion = -1
    @exclusivity(unchecked) var releases = 0

    /// Bins that fit one task or more at `candidateTime`, for jobs of several nodes.
    @exclusivity(unchecked) var candidates: [Int32] = []
    @exclusivity(unchecked) var candidateTime = Int64.min
    @exclusivity(unchecked) var candidateVersion = -1
    /// Bins of the pool that were looked at for them.
    @exclusivity(unchecked) var binCount = 0

    /// Forgets what was found: something was given back.
    func restart() {
        scan = BinScan()
        wholeBound = .min
        found = nil
        foundVersion = -1
        candidateTime = .min
        candidates.removeAll(keepingCapacity: true)
    }

    init(
        pool: Int32, fit: NodeFit, capacity: Int, need: Amount, isWhole: Bool, forbidden: [Range<Int64>]
    ) {
        self.pool = pool
        self.fit = fit
        self.capacity = capacity
        self.need = need
        self.isWhole = isWhole
        self.forbidden = forbidden
    }

    struct Found {
        var time: Int64
        /// -1: a wholly free node.
        var bin: Int32
    }
    /// How far the bins of the pool were looked at.
    struct BinScan {
        /// All bins are tried at this time, from `cursor` on; once they are through, cursor is -1 and openings follow.
        var time: Int64 = .min
        var cursor: Int32 = 0
        var key = Openings.Key(time: .min, bin: -1)
    }

    /// The first time, not before `time`, at which the nodes may be held for `duration`.
    @inline(__always) func allowed(from time: Int64, duration: Int64) -> Int64 {
        var time = time
        for range in forbidden where time < range.upperBound && time.plus(duration) > range.lowerBound {
            time = range.upperBound
        }
        return time
    }

    /// The next time after `time` at which a forbidden one ends: bins that had room before are to be tried again.
    func nextAllowedAgain(after time: Int64) -> Int64? {
        for range in forbidden where range.upperBound > time && range.upperBound < .max { return range.upperBound }
        return nil
    }
}

final class PlanClass {
    let shape: Int
    /// Planned length, seconds.
    let duration: Int64
    /// Shorter lengths that would do (`--time-min`), seconds; 0: none.
    let leastDuration: Int64
    /// Not before this.
    let begin: Int64
    let company: Company
    /// Of its jobs, where classes tell them apart.
    var limit = TimeLimit.unlimited
    var uid: UInt32 = 0
    var association: Int32 = -1
    /// The shortest limit it may be given.
    var leastLimit: TimeLimit { leastDuration > 0 ? TimeLimit(minutes: UInt32(clamping: leastDuration / 60)) : limit }
    @exclusivity(unchecked) var options: [PlanOption]
    /// Classes of the components of a heterogeneous job, which start together; empty: an ordinary job.
    var components: [Int32] = []
    /// It fits on no state of the cluster's nodes that are up.
    @exclusivity(unchecked) var isNever = false
    /// It was tried and did not fit.
    var misfits: Bool { misfitReleases >= 0 }
    /// Raised when counts say that it fits now but no cores are found that do.
    @exclusivity(unchecked) var floor: Int64 = .min
    /// Known not to fit now, at so many releases of the machine.
    @exclusivity(unchecked) var misfitReleases = -1
    /// What a search has found for a group of one node.
    struct Single {
        var time: Int64
        var use: Int
        var bin: Int32
        var option: Int
        var group: Int
    }
    @exclusivity(unchecked) var lastSingle: Single?
    /// The same for a group of several nodes.
    struct Several {
        var time: Int64
        var duration: Int64
        var version: Int
        var option: Int
        var group: Int
        var parts: [HoldPart]
    }
    @exclusivity(unchecked) var lastSeveral: Several?

    /// The last search's answer: option, and what to take.
    @exclusivity(unchecked) var answer: Answer?
    struct Answer {
        var time: Int64
        var option: Int
        var version: Int
        var parts: [HoldPart]
    }

    /// Forgets where searches have come to.
    func restart() {
        for option in options.indices {
            for group in options[option].groups.indices {
                options[option].groups[group].bound = .min
                options[option].groups[group].releases = -1
                for use in options[option].groups[group].uses.indices {
                    options[option].groups[group].uses[use].restart()
                }
            }
        }
        answer = nil
    }

    init(shape: Int, duration: Int64, leastDuration: Int64, begin: Int64, company: Company, options: [PlanOption]) {
        self.shape = shape
        self.duration = duration
        self.leastDuration = leastDuration
        self.begin = begin
        self.company = company
        self.options = options
    }
}

/// Nodes of one pool that a job holds or will hold.
struct HoldPart {
    var pool: Int32
    /// -1: `count` wholly free nodes; else one node's part.
    var bin: Int32
    var count: Int32
    var need: Amount
    /// Tasks on each; 0: as they come.
    var tasks: Int32
    /// Taken as a whole; else a bin is opened or joined.
    var isWhole: Bool
    /// The group's pool use it came from, for the exact placement.
    var group: Int16
    var use: Int16
}

/// What a job holds from its (planned) start on.
struct NodeHold {
    var planClass: Int32
    var option: Int32
    var start: Int64
    var end: Int64
    var parts: [HoldPart]
    /// Position in the machine's starts; -1: it has not started.
    var started: Int32 = -1
    /// Of a heterogeneous job.
    var components: [NodeHold] = []
}
