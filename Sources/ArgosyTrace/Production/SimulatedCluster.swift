// The controller's own core and planner on a virtual clock. Nodes obey at once: an attempt is ready in the instant it is
// ordered, and gone in the instant it ends, so that all time is the jobs' own. At each instant all completions, then all
// arrivals, then one pass.
import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler

/// What became of a trace on a simulated cluster.
struct ProductionSchedule {
    /// By job of the trace, seconds; nil: it never started.
    var starts: [Int64?]
    var ends: [Int64?]
    /// Refused at submission, with the first few reasons.
    var refused = 0
    var refusals: [String] = []
    /// Started while an earlier submitted job waited.
    var backfilled = 0
    var passes = 0
}

struct SimulatedCluster {
    /// Core time of the trace's second 0: not 0, which stands for "not set".
    static let origin: Int64 = 1_000_000_000

    private var core: ControllerCore
    private let planner: any Planner
    private let jobs: [ProductionJob]
    private var indexOf: [JobID: Int] = [:]
    private var keyOf: [AttemptKey?]
    private var completions = CompletionQueue()
    private var reports: [(node: NodeIndex, key: AttemptKey, body: Report.Body)] = []
    private var sequences: [UInt64]
    private let incarnation = Incarnation(bootID: "simulated", registration: 1)
    private var wantsPlan = false
    /// Something ended before its request since the last plan.
    private var freedEarly = false
    private var now: Int64 = 0
    private var submitting = 0
    private var result: ProductionSchedule

    init(_ configuration: ClusterConfiguration, planner: any Planner, jobs: [ProductionJob]) {
        var configuration = configuration
        // Usage is charged this often, too; nobody looks at ended jobs.
        configuration.minJobAge = configuration.priority.calcPeriod
        // The trace is as long as it is.
        configuration.maxJobCount = max(configuration.maxJobCount, jobs.count + 1)
        self.jobs = jobs
        self.planner = planner
        now = jobs.first?.submit ?? 0
        core = ControllerCore(
            configuration: configuration, stored: StoredState(), term: Term(1), now: Self.time(now))
        keyOf = Array(repeating: nil, count: jobs.count)
        sequences = Array(repeating: 0, count: configuration.nodes.count)
        result = ProductionSchedule(
            starts: Array(repeating: nil, count: jobs.count), ends: Array(repeating: nil, count: jobs.count))
        take(core.start(at: Self.time(now)))
        for (index, node) in configuration.nodes.enumerated() {
            var registration = Registration(incarnation: incarnation, cpus: node.cpus, memoryMiB: node.memoryMiB)
            registration.sockets = node.sockets
            registration.cores = node.sockets * node.coresPerSocket
            registration.threadsPerCore = node.threadsPerCore
            apply(.nodeRegistered(NodeIndex(index), registration))
        }
    }

    private static func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: origin + seconds) }

    /// - Parameter progress: told how many jobs have arrived, and of how many.
    consuming func run(progress: ((Int, Int) -> Void)?) -> ProductionSchedule {
        var next = 0
        while let instant = nextInstant(next) {
            now = instant
            complete()
            while next < jobs.count, jobs[next].submit == now {
                submit(next)
                next += 1
            }
            passTime()
            plan()
            progress?(next, jobs.count)
        }
        return result
    }

    /// Nil once nothing can happen any more: the rest of the jobs would wait for ever.
    private func nextInstant(_ next: Int) -> Int64? {
        var instant = completions.next
        if next < jobs.count { instant = min(instant, jobs[next].submit) }
        let isBusy = next < jobs.count || !completions.isEmpty
        // Recurring duties of the core (decay and the like) do not keep a simulation going.
        if isBusy || core.hasQueue, core.nextDeadline != .never {
            let deadline = max(now + 1, (core.nextDeadline.microseconds + 999_999) / 1_000_000 - Self.origin)
            if isBusy || deadline - now < 40 * 86_400, stalled < 1000 { instant = min(instant, deadline) }
        }
        return instant == .max ? nil : max(instant, now)
    }

    /// Instants in a row in which nothing started, ended or arrived though nothing runs.
    private var stalled = 0

    // MARK: The world

    private mutating func complete() {
        while let index = completions.pop(at: now) {
            guard let key = keyOf[index] else { continue }
            keyOf[index] = nil
            result.ends[index] = now
            if jobs[index].run < jobs[index].request { freedEarly = true }
            stalled = 0
            let first = core.view.job(key.job)?.allocation?.nodes.first?.index ?? NodeIndex(0)
            reports.append((first, key, .stepEnded(.batch, StepEnd(exit: .success, end: Self.time(now)))))
            deliver()
        }
    }

    private mutating func submit(_ index: Int) {
        var fields = jobs[index].fields
        fields.scriptDigest = "simulated"
        fields.name = "\(jobs[index].id)"
        submitting = index
        stalled = 0
        let caller = Caller(uid: fields.identity.uid, gid: fields.identity.gid, isOperator: false)
        apply(
            .jobSubmitted(
                fields, token: "", waitForAllocation: false, by: caller, reply: ReplyHandle(rawValue: UInt64(index) + 1)
            ))
    }

    private mutating func passTime() {
        if core.nextDeadline <= Self.time(now) { apply(.timePassed) }
    }

    private mutating func apply(_ event: Event) {
        take(core.apply(event, at: Self.time(now)))
        deliver()
    }

    private mutating func deliver() {
        var next = 0
        while next < reports.count {
            let (node, key, body) = reports[next]
            next += 1
            sequences[node.int] += 1
            let report = Report(incarnation: incarnation, sequence: sequences[node.int], key: key, body: body)
            take(core.apply(.nodeReported(node, report), at: Self.time(now)))
        }
        reports.removeAll(keepingCapacity: true)
    }

    private mutating func take(_ turn: Turn) {
        for effect in turn.effects {
            switch effect {
            case .planWanted: wantsPlan = true
            case .order(let node, _, let order): obey(order, on: node)
            case .reply(_, .submitted(let id)):
                indexOf[id] = submitting
                // Requests are whole seconds in traces and whole minutes in limits: plans that trust requests get the
                // seconds.
                core.exactLimits[id] = jobs[submitting].request
            case .reply(_, .refused(let refusal)):
                result.refused += 1
                if result.refusals.count < 5 {
                    result.refusals.append("job \(jobs[submitting].id): \(refusal.message): \(refusal.detail)")
                }
            case .reply, .acknowledge, .nodeRefused, .administratorsChanged, .mail, .runProgram, .triggerFired: break
            }
        }
    }

    private mutating func obey(_ order: Order, on node: NodeIndex) {
        switch order.body {
        case .prepare:
            begin(order.key)
            reports.append((node, order.key, .prepared))
        case .terminate:
            if let index = indexOf[order.key.job], keyOf[index] == order.key { keyOf[index] = nil }
            reports.append((node, order.key, .gone(Usage())))
        default: break
        }
    }

    private mutating func begin(_ key: AttemptKey) {
        guard let index = indexOf[key.job], keyOf[index] != key else { return }
        keyOf[index] = key
        result.starts[index] = now
        stalled = 0
        completions.insert(index, at: now + jobs[index].run)
    }

    // MARK: Planning

    private mutating func plan() {
        guard wantsPlan else { return }
        wantsPlan = false
        stalled += 1
        result.passes += 1
        let plan = planner.plan(snapshot())
        freedEarly = false
        let started = plan.placements.count
        apply(.planned(plan))
        if started > 0, !plan.explanations.isEmpty { countBackfilled(plan) }
    }

    private mutating func countBackfilled(_ plan: Plan) {
        let firstWaiting = plan.explanations.compactMap { indexOf[$0.job] }.min() ?? .max
        result.backfilled += plan.placements.count { (indexOf[$0.job] ?? .max) > firstWaiting }
    }

    /// As the controller takes it.
    private func snapshot() -> PlanningSnapshot {
        var snapshot = core.planningSnapshot(at: Self.time(now))
        snapshot.freedEarly = freedEarly
        return snapshot
    }
}

/// Ends of running jobs by time, then by job.
private struct CompletionQueue {
    private var heap: [(time: Int64, job: Int)] = []
    var next: Int64 { heap.first?.time ?? .max }
    var isEmpty: Bool { heap.isEmpty }

    mutating func insert(_ job: Int, at time: Int64) {
        heap.append((time, job))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop(at time: Int64) -> Int? {
        guard let first = heap.first, first.time <= time else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == parent { return first.job }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
