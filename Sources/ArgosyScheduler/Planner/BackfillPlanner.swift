// The production planner: a snapshot in, a plan out. Pure and deterministic.
//
// It turns the snapshot into a machine (NodeMachine) and the queue into classes of equal jobs (ClassTable), and gives both
// to the backfill engine, whose pass decides what starts and what is reserved. What the pass did not reserve is planned
// afterwards beside everything else, so that each job's expected start is a plan and not a guess; it binds nobody.
// Reasons are told by rules (Rules/) on what the pass has left.
import ArgosyDomain

public struct BackfillPlanner: Planner {
    public init() {}

    public func plan(_ snapshot: PlanningSnapshot) -> Plan {
        guard snapshot.settings.usesDefaultPolicy else { return Self.plan(snapshot, backlog: nil) }
        var ordered = snapshot
        let backlog = ordered.orderByPolicy()
        return Self.plan(ordered, backlog: backlog)
    }

    private static func plan(_ snapshot: PlanningSnapshot, backlog: BacklogNote?) -> Plan {
        var pass = PlanningPass(snapshot)
        pass.run()
        var plan = pass.plan()
        plan.backlog = backlog
        return plan
    }
}

/// One pass, from the snapshot to the plan.
struct PlanningPass {
    let snapshot: PlanningSnapshot
    let cluster: Cluster
    /// By position in the queue: the class of each job.
    private(set) var classOfJob: [Int32] = []
    var machine: NodeMachine
    private(set) var engine: BackfillEngine<NodeMachine>
    private(set) var table: JobTable<Int32>
    private(set) var extraClasses: [Int32] = []
    /// By the engine's number: position in the queue.
    private(set) var queuePosition: [Int32] = []
    /// Components of heterogeneous jobs, by their positions in the queue: all of the job, in the order of their ids.
    private(set) var together: [Int: [Int]] = [:]
    private var demandOfLeader: [Int: Int32] = [:]
    /// By position in the queue: the engine's first number of the job; -1: it was not given to the engine.
    private(set) var firstNumber: [Int32]
    /// By the engine's number: what became of it.
    private(set) var outcomes: [Outcome] = []
    private(set) var resumeAt: JobID?
    private(set) var preemptions: [Preemption] = []

    enum Outcome {
        case notLooked, started(Int32), reserved(Int64), planned(Int64), waits, notAdmitted, never
    }

    /// - Parameter extra: jobs that are not in the queue, to be asked about afterwards.
    init(_ snapshot: PlanningSnapshot, extra: [PlanningSnapshot.Job] = []) {
        self.snapshot = snapshot
        cluster = Cluster(snapshot)
        var classes = ClassTable(cluster)
        classOfJob.reserveCapacity(snapshot.queue.count)
        for job in snapshot.queue { classOfJob.append(classes.number(of: job)) }
        together = Self.together(snapshot)
        let single = classOfJob
        for (leader, members) in together.sorted(by: { $0.key < $1.key }) where leader == members[0] {
            demandOfLeader[leader] = classes.number(of: members.map { single[$0] })
        }
        let leaders = demandOfLeader
        for job in extra { extraClasses.append(classes.number(of: job)) }
        let demands = classOfJob
        let made = classes.classes
        let chosen = JobSelection(snapshot, classes.classes, classOfJob, together)
        queuePosition = chosen.positions
        firstNumber = chosen.firstNumber
        table = JobTable(
            demands: chosen.positions.map { leaders[Int($0)] ?? demands[Int($0)] },
            durations: chosen.positions.map { made[Int(demands[Int($0)])].duration })
        let gate = LimitGate(book: snapshot.book, now: snapshot.now, jobs: chosen.limitedJobs)
        machine = NodeMachine(cluster: cluster, classes: classes.classes, limits: gate)
        engine = BackfillEngine(mode: Self.mode(snapshot.settings), keepsVerdicts: true)
        outcomes = Array(repeating: .notLooked, count: queuePosition.count)
    }

    private static func together(_ snapshot: PlanningSnapshot) -> [Int: [Int]] {
        var members: [UInt32: [Int]] = [:]
        for (position, job) in snapshot.queue.enumerated() where job.hetLeader != 0 {
            members[job.hetLeader, default: []].append(position)
        }
        var result: [Int: [Int]] = [:]
        for positions in members.values {
            let order = positions.sorted { snapshot.queue[$0].id < snapshot.queue[$1].id }
            for position in order { result[position] = order }
        }
        return result
    }

    /// Backfill `none` holds back each partition by itself, which is the machine's part.
    private static func mode(_ settings: SchedulerSettings) -> BackfillMode {
        switch settings.backfill {
        case .none: .reservations(0)
        case .reservations(let count): .reservations(count)
        case .conservative: .conservative
        }
    }

    // MARK: - The pass

    mutating func run() {
        machine.holdsPartitionsBack = snapshot.settings.backfill == .none
        let keepsAll = snapshot.settings.backfill == .conservative
        let resume = resumePosition
        var jobs: [Int32] = []
        var kept: [Int32] = []
        for number in queuePosition.indices {
            let position = Int(queuePosition[number])
            let isKept = (keepsAll || position < resume) && snapshot.queue[position].reservedStart.isSet
            if isKept {
                kept.append(Int32(number))
            } else if position >= resume {
                jobs.append(Int32(number))
            }
        }
        jobs = adopt(kept) + jobs
        let isContinued = keepsAll ? !snapshot.freedEarly : resume > 0
        let groups = keepsAll ? [jobs] : byGroup(jobs)
        engine.pass(
            PassQueue(jobs: groups[0], scope: isContinued ? .continued : .whole), of: table, on: &machine,
            at: machine.now)
        take(engine.verdicts)
        for group in groups.dropFirst() { passAgain(group) }
        if let left = engine.unlooked.min() { resumeAt = snapshot.queue[Int(queuePosition[Int(left)])].id }
        for (index, one) in engine.started.enumerated() { outcomes[Int(one.job)] = .started(Int32(index)) }
        for one in engine.reserved { machine.holds.set(one.hold, for: Int(one.job)) }
        var preemptor = Preemptor(snapshot)
        preemptor.run(&self)
        preemptions = preemptor.preemptions
        forecast()
    }

    /// Jobs by the group of partitions they want, the group of the first job first: where few reservations are given, no
    /// job that waits for other nodes may take them all away.
    private func byGroup(_ jobs: [Int32]) -> [[Int32]] {
        guard case .reservations(let count) = snapshot.settings.backfill, count < .max, snapshot.partitions.count > 1
        else { return [jobs] }
        let partitions = PartitionGroups(snapshot)
        var place: [Int: Int] = [:]
        var groups: [[Int32]] = []
        for number in jobs {
            let shape = snapshot.shapes[Int(snapshot.queue[Int(queuePosition[Int(number)])].shape)]
            let group = partitions.group(of: shape)
            if let known = place[group] {
                groups[known].append(number)
            } else {
                place[group] = groups.count
                groups.append([number])
            }
        }
        return groups.isEmpty ? [jobs] : groups
    }

    /// A pass over jobs of other nodes, with reservations of their own, beside what the engine has done so far.
    private mutating func passAgain(_ jobs: [Int32]) {
        var other = BackfillEngine<NodeMachine>(mode: engine.mode, keepsVerdicts: true)
        other.pass(PassQueue(jobs: jobs), of: table, on: &machine, at: machine.now)
        for number in jobs { take(other.verdicts, Int(number)) }
        engine.started += other.started
        engine.reserved += other.reserved
        engine.unlooked += other.unlooked
        engine.looked += other.looked
    }

    /// Where an earlier pass stopped; 0: at the beginning, or nowhere that is still known.
    private var resumePosition: Int {
        guard let job = snapshot.resumeAt else { return 0 }
        return snapshot.queue.firstIndex { $0.id == job } ?? 0
    }

    mutating func setOutcome(_ number: Int32, _ outcome: Outcome) { outcomes[Int(number)] = outcome }

    /// Puts reservations of an earlier plan where they were; returns those that do not fit there any more.
    private mutating func adopt(_ kept: [Int32]) -> [Int32] {
        let order = kept.sorted { a, b in
            snapshot.queue[Int(queuePosition[Int(a)])].id < snapshot.queue[Int(queuePosition[Int(b)])].id
        }
        var lost: [Int32] = []
        for number in order {
            let start = max(snapshot.queue[Int(queuePosition[Int(number)])].reservedStart.seconds, machine.now)
            if snapshot.settings.backfill != .conservative, start == machine.now {
                lost.append(number)
                continue
            }
            let hold = machine.adopt(table.demands[Int(number)], at: start, duration: table.durations[Int(number)])
            if let hold { engine.adopt(number, start: start, hold: hold) } else { lost.append(number) }
        }
        return lost
    }

    private mutating func take(_ verdicts: [Verdict]) {
        for number in outcomes.indices where number < verdicts.count { take(verdicts, number) }
    }

    private mutating func take(_ verdicts: [Verdict], _ number: Int) {
        outcomes[number] =
            switch verdicts[number] {
            case .notLooked: .notLooked
            case .started: .started(-1)
            case .reserved(let start): .reserved(start)
            case .planned(let start): .planned(start)
            case .waits: .waits
            case .notAdmitted: .notAdmitted
            case .never: .never
            }
    }
}
