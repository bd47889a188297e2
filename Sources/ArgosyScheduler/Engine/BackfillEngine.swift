// The one scheduling pass of Argosy: reference mode of `argosy sim`, its production mode and the controller's planner all
// call `BackfillEngine.pass`. Policies differ in the order of the queue, which is the caller's, and in the mode.
//
// A whole pass gives all reservations back and walks the queue in order: what fits starts; the first jobs that do not
// fit take a reservation each; once those are given away, the rest (or the candidates) start where they fit beside all
// of it. As nothing started later can push a reservation back, a backfilled job delays no reserved one by the plan's
// own estimates.
//
// A continued pass is the same walk over more jobs. What did not fit before does not fit now either, as long as nothing
// was freed: less is free, and the reservations it would collide with have come nearer. So arrivals cost a look at the
// arrivals, and a pass that ran out of its budget goes on where it stopped.
//
// Conservative mode (BackfillEngine+Conservative) keeps its reservations from pass to pass instead.

/// Plans passes and keeps the reservations between them.
///
/// The machine is the caller's: ended jobs are released there before the pass, and starts are found in `started`.
public struct BackfillEngine<M: Machine> {
    public struct Started {
        public var job: Int32
        public var hold: M.Hold
        /// Started while an earlier job of the queue waited.
        public var isBackfilled: Bool

        @inlinable init(job: Int32, hold: M.Hold, isBackfilled: Bool) {
            self.job = job
            self.hold = hold
            self.isBackfilled = isBackfilled
        }
    }

    public struct Reserved {
        public var job: Int32
        public var start: Int64
        public var hold: M.Hold

        @inlinable public init(job: Int32, start: Int64, hold: M.Hold) {
            self.job = job
            self.start = start
            self.hold = hold
        }
    }

    public let mode: BackfillMode
    /// Whether each pass leaves a verdict on each job it looked at.
    public let keepsVerdicts: Bool
    /// Whether jobs without a reservation are told when they would start. Needs `keepsVerdicts`.
    public let plansAll: Bool

    // What follows is for callers to read (inlinable code can have no private setters).

    /// The jobs the last pass started, in that order.
    public var started: [Started] = []
    /// The reservations the machine holds now: in queue order, in conservative mode in the order they were made.
    public var reserved: [Reserved] = []
    /// By job, once a pass was made; empty unless they are kept.
    public var verdicts: [Verdict] = []
    /// What the last pass left when its budget was spent: to be given to a continued pass, before any arrivals.
    public var unlooked: [Int32] = []
    /// The earliest reservation, when a pass is due even if nothing ends or arrives before; `Int64.max`: none is held.
    public var nextReservedStart = Int64.max
    /// Jobs the last pass looked at.
    public var looked = 0

    /// No later job may start: mode `none` after the first that did not fit.
    @usableFromInline var isBlocked = false
    /// By shape: the shortest duration that did not fit now, and its planned start at a state of the machine.
    @usableFromInline var shapes = ShapeMemory()
    /// Conservative: how far what was freed reaches, by ended jobs since the last whole pass (nil: not told) and by
    /// reservations that moved after others had been tried.
    @usableFromInline var freedEnd: Int64?
    @usableFromInline var movedEnd = Int64.min

    /// - Parameters:
    ///   - keepsVerdicts: for callers who explain; costs a write for each job.
    ///   - plansAll: verdicts `planned` instead of `waits`; costs a search for each shape and duration.
    public init(mode: BackfillMode, keepsVerdicts: Bool = false, plansAll: Bool = false) {
        self.mode = mode
        self.keepsVerdicts = keepsVerdicts || plansAll
        self.plansAll = plansAll
    }

    /// One scheduling pass at `now`: fills `started`, `reserved` and, where kept, `verdicts`.
    ///
    /// Before it the caller has released on `machine` what has ended. The same call serves whole and continued passes;
    /// see `PassQueue.Scope`.
    @inlinable
    public mutating func pass(_ queue: PassQueue, of jobs: JobTable<M.Demand>, on machine: inout M, at now: Int64) {
        machine.advance(to: now)
        begin(queue.scope, jobs)
        switch mode {
        case .conservative: conserve(queue, jobs, &machine, now)
        case .none: walk(queue, jobs, &machine, now, reservations: 0)
        case .reservations(let count): walk(queue, jobs, &machine, now, reservations: count)
        }
    }

    @inlinable mutating func begin(_ scope: PassQueue.Scope, _ jobs: JobTable<M.Demand>) {
        started.removeAll(keepingCapacity: true)
        if !unlooked.isEmpty { unlooked.removeAll(keepingCapacity: true) }
        looked = 0
        guard scope == .whole else {
            if keepsVerdicts, verdicts.count < jobs.count {
                verdicts += repeatElement(.notLooked, count: jobs.count - verdicts.count)
            }
            return
        }
        isBlocked = false
        if !jobs.shapes.isEmpty { shapes.reset(count: jobs.shapeCount) }
        if keepsVerdicts { verdicts = Array(repeating: .notLooked, count: jobs.count) }
    }

    @inlinable mutating func note(_ job: Int32, _ verdict: Verdict) {
        if keepsVerdicts { verdicts[Int(job)] = verdict }
    }

    @inlinable mutating func begin(_ job: Int32, _ hold: M.Hold, _ machine: inout M, _ now: Int64, backfilled: Bool) {
        started.append(Started(job: job, hold: hold, isBackfilled: backfilled))
        machine.didStart(job, at: now)
        shapes.machineChanged()
        note(job, .started)
    }
}
