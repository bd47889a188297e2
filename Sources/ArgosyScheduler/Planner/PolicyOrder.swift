// The default policy's order over a snapshot's queue.
//
// The policy (DefaultPolicy) speaks of processors; here these are CPUs. A job needs those of its tasks, or all of its nodes'
// where it takes whole nodes; its drain is the one by counts, in that of its partitions where it is shortest. Backlogs are
// those of partitions that share nodes. Which CPUs of which nodes is the engine's business: the order only says who is asked
// first.
//
// It is an order among equals. Higher tiers stay before lower ones, priorities that somebody gave a job stay what they are
// (`Job.standing`), and jobs that are held or wait for others come last: they are explained, not planned. A job waits from
// the time at which nothing but its turn kept it, as `begin` says.
//
// O(n log n) in the jobs: all that depends on what a job asks for is worked out once for each shape.
import ArgosyDomain

extension PlanningSnapshot {
    /// Puts the queue in order. Returns the backlog, for the core to remember, where jobs have come since one was noted.
    mutating func orderByPolicy() -> BacklogNote? {
        var order = PolicyOrder(self)
        let note = order.noteBacklog()
        let sorted = order.sorted()
        queue = sorted.map { queue[$0] }
        return note
    }

    /// How long a job is thought to run, seconds.
    fileprivate func length(of job: Job) -> Int64 {
        if job.predictedRun > 0 { return job.predictedRun }
        if job.expectedRun > 0 { return job.expectedRun }
        return job.timeLimit.duration.map { max(1, $0.microseconds / 1_000_000) } ?? PolicyOrder.year
    }

    fileprivate func end(of run: Running) -> Int64 {
        let end = run.predictedEnd.isSet ? run.predictedEnd : run.expectedEnd
        return end == .never ? now.seconds + PolicyOrder.year : max(now.seconds + 1, end.seconds)
    }
}

private struct PolicyOrder {
    /// A job without limit counts as so many seconds long.
    static let year: Int64 = 365 * 86_400

    private let snapshot: PlanningSnapshot
    private let groups: PartitionGroups
    private var backlogs: BacklogBook
    /// By partition, once it was asked for.
    private var counts: [PartitionCounts?]
    /// By shape; nil: not known yet.
    private var demands: [ShapeDemand?]

    private struct ShapeDemand {
        var cpus: Int32
        var drain: Int64
        var group: Int
        var tier: UInt32
    }

    init(_ snapshot: PlanningSnapshot) {
        self.snapshot = snapshot
        groups = PartitionGroups(snapshot)
        backlogs = snapshot.backlogs
        counts = Array(repeating: nil, count: snapshot.partitions.count)
        demands = Array(repeating: nil, count: snapshot.shapes.count)
    }

    private var now: Int64 { snapshot.now.seconds }

    // MARK: - Who is ordered

    private func isReady(_ job: PlanningSnapshot.Job) -> Bool {
        job.waits.subtracting(.accrual).isEmpty && !(job.begin.isSet && job.begin > snapshot.now)
    }

    /// Since when only its turn keeps it.
    private static func ready(_ job: PlanningSnapshot.Job) -> Timestamp { max(job.submit, job.begin) }

    // MARK: - Backlog

    /// What the queue and what runs need, by group; nil when it was noted since the last job came.
    mutating func noteBacklog() -> BacklogNote? {
        var work = [Double](repeating: 0, count: snapshot.partitions.count)
        var oldest = [Int64](repeating: now, count: snapshot.partitions.count)
        var hasArrivals = !backlogs.notedAt.isSet
        for job in snapshot.queue where isReady(job) {
            let demand = demand(of: job)
            let since = Self.ready(job)
            // Of this very instant: a pass of it may have come before the job.
            if since > backlogs.notedAt || since == snapshot.now { hasArrivals = true }
            let length = Double(snapshot.length(of: job)) * Double(demand.cpus)
            work[demand.group] += job.copies > 1 ? length * Double(job.copies) : length
            oldest[demand.group] = min(oldest[demand.group], since.seconds)
        }
        guard hasArrivals else { return nil }
        for run in snapshot.running where run.partition < snapshot.partitions.count {
            let cpus = Double(run.isSuspended ? 0 : run.allocation.cpuCount)
            work[groups.group(of: run.partition)] += Double(snapshot.end(of: run) - now) * cpus
        }
        let note = BacklogNote(
            time: snapshot.now,
            entries: groups.members.map { group, partitions in
                let processors = PartitionCounts.processors(of: partitions, snapshot)
                return .init(
                    group: group, backlog: work[group] / Double(max(processors, 1)), oldest: oldest[group])
            })
        backlogs.take(note)
        return note
    }

    // MARK: - Order

    private struct Key {
        var tier: UInt32
        /// The most for those that somebody put first, then those of the policy, those put last, those that cannot start.
        var band: Int8
        var score: Double
        var since: Int64
        var position: Int

        static func goesBefore(_ a: Key, _ b: Key) -> Bool {
            if a.tier != b.tier { return a.tier > b.tier }
            if a.band != b.band { return a.band > b.band }
            if a.score != b.score { return a.score > b.score }
            return a.since != b.since ? a.since < b.since : a.position < b.position
        }
    }

    /// Positions in the queue, who goes first first.
    mutating func sorted() -> [Int] {
        var keys: [Key] = []
        keys.reserveCapacity(snapshot.queue.count)
        for position in snapshot.queue.indices { keys.append(key(position)) }
        keys.sort(by: Key.goesBefore)
        return keys.map(\.position)
    }

    private mutating func key(_ position: Int) -> Key {
        let job = snapshot.queue[position]
        let demand = demand(of: job)
        guard isReady(job) else { return Key(tier: demand.tier, band: -2, score: 0, since: 0, position: position) }
        guard job.standing == 0 else {
            return Key(tier: demand.tier, band: job.standing.signum(), score: 0, since: 0, position: position)
        }
        let since = Self.ready(job).seconds
        return Key(
            tier: demand.tier, band: 0, score: score(job, demand, since: since), since: since, position: position)
    }

    private func score(_ job: PlanningSnapshot.Job, _ demand: ShapeDemand, since: Int64) -> Double {
        let wait = Double(now - since)
        if wait > DefaultPolicy.guardFactor * backlogs.largest(of: demand.group, since: since) { return .infinity }
        return DefaultPolicy.score(wait: wait, prediction: snapshot.length(of: job), drain: demand.drain)
    }

    // MARK: - What jobs ask for

    private mutating func demand(of job: PlanningSnapshot.Job) -> ShapeDemand {
        if let known = demands[Int(job.shape)] { return known }
        let made = make(snapshot.shapes[Int(job.shape)])
        demands[Int(job.shape)] = made
        return made
    }

    private mutating func make(_ shape: Shape) -> ShapeDemand {
        var made = ShapeDemand(cpus: .max, drain: .max, group: groups.group(of: shape), tier: 0)
        for partition in shape.partitions where snapshot.partitions.indices.contains(partition) {
            let counts = counts(of: partition)
            let cpus = counts.cpus(of: shape, snapshot.partitions[partition], snapshot.settings)
            made.cpus = min(made.cpus, cpus)
            made.drain = min(made.drain, counts.releases.drain(for: cpus))
            made.tier = max(made.tier, snapshot.partitions[partition].tier)
        }
        // No partition of it is known any more: it cannot start, wherever it stands.
        if made.cpus == .max { (made.cpus, made.drain) = (1, 0) }
        return made
    }

    private mutating func counts(of partition: Int) -> PartitionCounts {
        if let known = counts[partition] { return known }
        let made = PartitionCounts(partition, snapshot)
        counts[partition] = made
        return made
    }
}

/// A partition's CPUs, free and to come free.
private struct PartitionCounts {
    private let cpusPerNode: Int
    let releases: ReleaseTimes

    init(_ partition: Int, _ snapshot: PlanningSnapshot) {
        let isMember = Self.members(of: [partition], snapshot)
        var (free, all, nodes) = (0, 0, 0)
        for node in snapshot.nodes where isMember[node.index.int] && Self.isUsable(node) {
            if node.availability == .up { free += node.freeCPUs.count }
            all += snapshot.kinds[node.kind].hardware.cpus
            nodes += 1
        }
        cpusPerNode = nodes == 0 ? 1 : max(1, (all + nodes - 1) / nodes)
        var ends: [(time: Int64, processors: Int32)] = []
        for run in snapshot.running where !run.isSuspended {
            var cpus = 0
            for part in run.allocation.nodes where isMember[part.index.int] { cpus += part.cpus.count }
            if cpus > 0 { ends.append((snapshot.end(of: run), Int32(clamping: cpus))) }
        }
        releases = ReleaseTimes(ends, free: Int32(clamping: free), at: snapshot.now.seconds)
    }

    /// What a job of the shape needs here.
    func cpus(
        of shape: Shape, _ partition: PlanningSnapshot.Partition, _ settings: SchedulerSettings
    ) -> Int32 {
        let asked = max(
            shape.overcommit ? shape.minNodes : shape.tasks * shape.cpusPerTask,
            shape.minNodes * max(shape.minCPUsPerNode, 1))
        guard shape.sharing == .exclusive || partition.exclusive || settings.wholeNodes else {
            return Int32(clamping: asked)
        }
        let nodes = max(shape.minNodes, (asked + cpusPerNode - 1) / cpusPerNode)
        return Int32(clamping: nodes * cpusPerNode)
    }

    /// CPUs that run jobs, or soon will.
    static func processors(of partitions: [Int], _ snapshot: PlanningSnapshot) -> Int {
        let isMember = members(of: partitions, snapshot)
        return snapshot.nodes.reduce(0) { sum, node in
            isMember[node.index.int] && isUsable(node) ? sum + snapshot.kinds[node.kind].hardware.cpus : sum
        }
    }

    private static func isUsable(_ node: PlanningSnapshot.Node) -> Bool {
        node.availability == .up || node.availability == .completing
    }

    /// By number of the node.
    private static func members(of partitions: [Int], _ snapshot: PlanningSnapshot) -> [Bool] {
        var isMember = [Bool](repeating: false, count: (snapshot.nodes.map(\.index.int).max() ?? -1) + 1)
        for partition in partitions {
            for node in snapshot.partitions[partition].nodes where node.int < isMember.count {
                isMember[node.int] = true
            }
        }
        return isMember
    }
}
