/// What the engine knows of the jobs it plans: columns, indexed by the caller's numbers for them.
///
/// Queues are then lists of `Int32`, which are cheap to keep sorted, and one table may serve a whole simulation.
public struct JobTable<Demand> {
    public var demands: [Demand]
    /// Seconds each is planned to run: the limit, or a prediction. The kill time is nobody's business here.
    public var durations: [Int64]
    /// Jobs of one shape ask for the same and may go to the same places: where one does not fit now, none that is
    /// planned as long or longer does. Dense from 0; -1: unlike any other. Empty: all unlike.
    public var shapes: [Int32]
    /// One more than the highest shape.
    public var shapeCount: Int

    public init(demands: [Demand], durations: [Int64], shapes: [Int32] = [], shapeCount: Int = 0) {
        precondition(demands.count == durations.count && (shapes.isEmpty || shapes.count == demands.count))
        self.demands = demands
        self.durations = durations
        self.shapes = shapes
        self.shapeCount = shapeCount
    }

    @inlinable public var count: Int { demands.count }
}

/// What is done for jobs that cannot start at once.
public enum BackfillMode: Sendable, Equatable {
    /// Nothing: the first job that does not fit stops the pass.
    case none
    /// The first so many jobs that do not fit hold a reservation at their earliest start, made anew in each whole
    /// pass; the others start if they fit beside all of those. 1 is EASY, `Int.max` plans everybody.
    case reservations(Int)
    /// Every job holds a reservation from the pass it is first seen in until it starts; later ones move none, and
    /// reservations only ever move forward, in the order in which they were made, when something was freed.
    case conservative
}

/// The jobs of one pass.
public struct PassQueue {
    /// Jobs to look at, first come first served; in conservative mode those that have no reservation yet.
    public var jobs: [Int32]
    /// Once all reservations are given away, the jobs to try instead of the rest of `jobs`, in this order; those that
    /// have started or hold a reservation are passed over. Nil: the rest of `jobs`.
    public var candidates: [Int32]?
    public var scope: Scope

    public enum Scope: Sendable {
        /// Everything anew: something was freed (a job ended, a reservation was taken out, a node came), the order
        /// changed, or a job was withdrawn. In conservative mode: reservations may move forward.
        case whole
        /// On from where the last pass ended, with its reservations: nothing was freed since, and `jobs` are either
        /// what it left (`BackfillEngine.unlooked`) or new and behind all that hold a reservation.
        case continued
    }

    public init(jobs: [Int32], candidates: [Int32]? = nil, scope: Scope = .whole) {
        self.jobs = jobs
        self.candidates = candidates
        self.scope = scope
    }
}

/// What a pass says of a job.
public enum Verdict: Equatable, Sendable {
    /// The pass did not come to it: its budget was spent, or an earlier job stopped it.
    case notLooked
    case started
    /// Holds a reservation from this time on.
    case reserved(Int64)
    /// Would start then as things are, but holds nothing.
    case planned(Int64)
    /// Does not fit now; nobody asked when it would.
    case waits
    /// `Machine.admits` refused it.
    case notAdmitted
    /// Does not fit even the empty machine.
    case never
}
