// Reference mode: textbook policies on identical processors, with the engine that plans for real nodes.
//
// At each instant all completions, then all arrivals, then one pass. A pass that could start nothing is left out: when
// no processor is free (unless arrivals must get reservations), or when nothing was freed and nothing arrived. Where
// nothing was freed and no arrival came in ahead of the reserved head, the last pass is continued with the arrivals
// alone, which gives the same schedule (see BackfillEngine).
public import ArgosyScheduler

/// Start times of a workload's jobs, in its order.
public struct Schedule: Sendable {
    public var starts: [Int64]
    /// Jobs started while an earlier one of the queue waited (not counted in conservative mode).
    public var backfilled: Int
}

/// Runs one workload under one policy.
public struct ReferenceSimulation {
    private let workload: Workload
    private let jobs: JobTable<Int32>
    private let isConservative: Bool
    private let order: QueueOrder
    private var engine: BackfillEngine<CountMachine>
    private var machine: CountMachine
    private var running = CompletionHeap()
    private var queue: SortedQueue
    private var candidates: SortedQueue?
    /// The order of the queue under the default policy, which is made anew in each pass.
    private var learned: LearnedOrder?
    private var starts: [Int64]
    private var backfilled = 0
    /// Since the last pass.
    private var arrivals: [Int32] = []
    /// The next pass has to be a whole one.
    private var needsWhole = false

    /// `workload` must be prepared (`Workload.prepare`).
    public init(_ workload: Workload, policy: ReferencePolicy) {
        self.workload = workload
        jobs = JobTable(demands: workload.jobs.map(\.processors), durations: workload.jobs.map(\.request))
        order = policy.order
        isConservative = policy.mode == .conservative
        engine = BackfillEngine(mode: policy.mode)
        machine = CountMachine(processors: workload.processors)
        queue = SortedQueue(policy.order, workload)
        candidates = policy.candidateOrder.map { SortedQueue($0, workload) }
        learned = policy.isLearned ? LearnedOrder(workload) : nil
        starts = Array(repeating: -1, count: workload.jobs.count)
    }

    /// The schedule; `progress` is told now and then how many jobs have arrived.
    public consuming func run(progress: ((Int) -> Void)? = nil) -> Schedule {
        var next = 0
        let count = workload.jobs.count
        while true {
            var now = running.nextEnd
            if next < count { now = min(now, workload.jobs[next].submit) }
            if isConservative { now = min(now, engine.nextReservedStart) }
            if now == .max { break }
            machine.advance(to: now)
            complete(now)
            while next < count, workload.jobs[next].submit == now {
                arrive(Int32(truncatingIfNeeded: next))
                next += 1
                if next & 8191 == 0 { progress?(next) }
            }
            if isConservative { conserve(now) } else { pass(now) }
        }
        return Schedule(starts: starts, backfilled: backfilled)
    }

    private mutating func complete(_ now: Int64) {
        var ends: [Int32] = []
        while running.nextEnd == now {
            let ended = running.pop()
            machine.release(ended.hold, from: now)
            if learned != nil { ends.append(ended.job) }
            // A job that ends as planned frees nothing that a reservation had not counted on.
            if isConservative, ended.hold.end == now { continue }
            engine.freed(until: ended.hold.end)
            needsWhole = true
        }
        // Those of one instant in the order of their numbers: the heap promises none.
        for job in ends.sorted() { learned?.ended(job, at: now) }
    }

    private mutating func arrive(_ job: Int32) {
        arrivals.append(job)
        guard !isConservative else { return }
        // In front of all others it comes before the reserved head, or stops the queue in its place.
        if queue.insert(job) == 0, queue.jobs.count > 1 { needsWhole = true }
        if candidates != nil { _ = candidates?.insert(job) }
    }

    private mutating func pass(_ now: Int64) {
        if order.changesWithTime || learned != nil { needsWhole = true }
        if learned != nil, !arrivals.isEmpty { learned?.arrived(queue.jobs, at: now) }
        guard !queue.jobs.isEmpty, needsWhole || !arrivals.isEmpty else { return }
        // What is full for the others may be so because a reservation begins now.
        if machine.isFull, engine.nextReservedStart > now {
            needsWhole = true
            arrivals.removeAll(keepingCapacity: true)
            return
        }
        queue.refresh(at: now)
        if needsWhole {
            let ordered = learned?.order(queue.jobs, at: now) ?? queue.jobs
            engine.pass(PassQueue(jobs: ordered, candidates: candidates?.jobs), of: jobs, on: &machine, at: now)
        } else {
            engine.pass(continuation(), of: jobs, on: &machine, at: now)
        }
        needsWhole = false
        arrivals.removeAll(keepingCapacity: true)
        guard !engine.started.isEmpty else { return }
        begin(now)
        let started = engine.started.lazy.map(\.job)
        queue.remove(started) { starts[Int($0)] >= 0 }
        if candidates != nil { candidates?.remove(started) { starts[Int($0)] >= 0 } }
    }

    private func continuation() -> PassQueue {
        guard arrivals.count > 1 else { return PassQueue(jobs: arrivals, scope: .continued) }
        return PassQueue(
            jobs: arrivals.sorted(by: queue.isBefore), candidates: candidates.map { arrivals.sorted(by: $0.isBefore) },
            scope: .continued)
    }

    private mutating func conserve(_ now: Int64) {
        guard needsWhole || !arrivals.isEmpty || engine.nextReservedStart <= now else { return }
        engine.pass(
            PassQueue(jobs: arrivals, scope: needsWhole ? .whole : .continued), of: jobs, on: &machine, at: now)
        needsWhole = false
        arrivals.removeAll(keepingCapacity: true)
        begin(now)
    }

    private mutating func begin(_ now: Int64) {
        for one in engine.started {
            let job = Int(one.job)
            starts[job] = now
            running.push(.init(end: now + workload.jobs[job].run, hold: one.hold, job: one.job))
            if learned != nil { learned?.began(one.job, at: now) }
            if one.isBackfilled { backfilled += 1 }
        }
    }
}
