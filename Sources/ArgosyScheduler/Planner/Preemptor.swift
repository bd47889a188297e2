// Preemption: a job that cannot start takes the place of running jobs of lower partitions or QOS.
//
// After the pass, for each waiting job in order: victims are added, lowest first, until the job would fit now; then those
// it can do without are taken off the list again, highest first. Where no number of victims makes it fit nothing is
// preempted. The plan only names the victims; the job starts in a later pass, when they are gone, and until then its place
// is taken in the profile, so that the victims' room is not given away twice.
import ArgosyDomain

struct Preemptor {
    private let snapshot: PlanningSnapshot
    private let settings: SchedulerSettings
    /// Positions in `running`, the first to go first.
    private let order: [Int]
    private var taken: Set<Int> = []
    private(set) var preemptions: [Preemption] = []

    /// Waiting jobs that are tried in a pass at most: each costs a search for each of its victims.
    private static let tries = 100

    init(_ snapshot: PlanningSnapshot) {
        self.snapshot = snapshot
        settings = snapshot.settings
        order = snapshot.running.indices.sorted {
            Self.goesBefore(snapshot.running[$0], snapshot.running[$1], snapshot)
        }
    }

    /// Lower tier, then lower priority, then the younger one; the id makes it total.
    private static func goesBefore(
        _ a: PlanningSnapshot.Running, _ b: PlanningSnapshot.Running, _ snapshot: PlanningSnapshot
    ) -> Bool {
        let (x, y) = (snapshot.partitions[a.partition].tier, snapshot.partitions[b.partition].tier)
        if x != y { return x < y }
        if a.priority != b.priority { return a.priority < b.priority }
        return a.start != b.start ? a.start > b.start : a.job > b.job
    }

    /// Names victims for the jobs of the pass that did not start; gives each such job its hold.
    mutating func run(_ pass: inout PlanningPass) {
        guard settings.preemption != .none, !snapshot.running.isEmpty else { return }
        var left = Self.tries
        var failed = Set<FailedKey>()
        for position in snapshot.queue.indices where left > 0 {
            guard let number = pass.preemptingNumber(position) else { continue }
            let job = snapshot.queue[position]
            let key = FailedKey(planClass: pass.classOfJob[position], qos: job.qos)
            if failed.contains(key) { continue }
            left -= 1
            if !preempt(for: job, number, &pass) { failed.insert(key) }
        }
    }

    private struct FailedKey: Hashable {
        var planClass: Int32
        var qos: Int32
    }

    private mutating func preempt(for job: PlanningSnapshot.Job, _ number: Int32, _ pass: inout PlanningPass) -> Bool {
        let victims = order.filter { !taken.contains($0) && mayPreempt(job, snapshot.running[$0]) }
        guard !victims.isEmpty else { return false }
        pass.releaseHold(of: number)
        var gone: [Int] = []
        var fits = pass.machine.fitsNow(pass.table.demands[Int(number)], pass.table.durations[Int(number)])
        for victim in victims where !fits {
            guard pass.machine.remove(snapshot.running[victim], helps: pass.table.demands[Int(number)]) else {
                continue
            }
            gone.append(victim)
            fits = pass.machine.fitsNow(pass.table.demands[Int(number)], pass.table.durations[Int(number)])
        }
        guard fits else {
            for victim in gone.reversed() { pass.machine.putBack(snapshot.running[victim]) }
            pass.restoreHold(of: number)
            return false
        }
        for victim in gone.reversed() {
            pass.machine.putBack(snapshot.running[victim])
            if pass.machine.fitsNow(pass.table.demands[Int(number)], pass.table.durations[Int(number)]) {
                gone.removeAll { $0 == victim }
            } else {
                _ = pass.machine.remove(snapshot.running[victim], helps: pass.table.demands[Int(number)])
            }
        }
        var longest = 0
        for victim in gone {
            taken.insert(victim)
            let running = snapshot.running[victim]
            let grace = grace(running)
            longest = max(longest, grace)
            preemptions.append(
                Preemption(victim: running.job, mode: mode(running), grace: grace, beneficiary: job.id))
        }
        pass.holdNow(number, after: Int64(longest))
        return true
    }

    // MARK: - Who may preempt whom

    private func mayPreempt(_ job: PlanningSnapshot.Job, _ running: PlanningSnapshot.Running) -> Bool {
        guard !running.isEnding, !running.isSuspended, mode(running) != .off else { return false }
        let exempt = exemptTime(running)
        if exempt > 0, running.start.adding(.seconds(exempt)) > snapshot.now { return false }
        switch settings.preemption {
        case .none: return false
        case .partitionPriority:
            let shape = snapshot.shapes[Int(job.shape)]
            let tier = shape.partitions.map { snapshot.partitions[$0].tier }.max() ?? 0
            return tier > snapshot.partitions[running.partition].tier
        case .qos:
            guard let book = snapshot.book, job.qos >= 0, running.qos >= 0 else { return false }
            return book.records.qos[Int(job.qos)].preempt.contains(book.records.qos[Int(running.qos)].id)
        }
    }

    private func qos(_ running: PlanningSnapshot.Running) -> QOS? {
        guard settings.preemption == .qos, let book = snapshot.book, running.qos >= 0 else { return nil }
        return book.records.qos[Int(running.qos)]
    }

    private func exemptTime(_ running: PlanningSnapshot.Running) -> Int64 {
        qos(running)?.preemptExemptTime.map { Int64($0) } ?? settings.preemptExemptTime
    }

    private func grace(_ running: PlanningSnapshot.Running) -> Int {
        if let qos = qos(running) { return Int(qos.graceTime) }
        return snapshot.partitions[running.partition].graceTime
    }

    private func mode(_ running: PlanningSnapshot.Running) -> PreemptMode {
        let mode = qos(running)?.preemptMode ?? snapshot.partitions[running.partition].preemptMode
        return mode == .off && settings.preemption == .qos ? settings.preemptMode : mode
    }
}

extension NodeMachine {
    mutating func fitsNow(_ demand: Int32, _ duration: Int64) -> Bool {
        let planClass = classes[Int(demand)]
        guard planClass.begin <= now else { return false }
        return search(planClass, from: now, duration: duration, only: true)?.time == now
    }

    /// Takes a running job out of the profile; false: it holds no node that the class could use.
    mutating func remove(_ running: PlanningSnapshot.Running, helps demand: Int32) -> Bool {
        let parts = cluster.parts(of: running)
        let planClass = classes[Int(demand)]
        guard parts.contains(where: { planClass.use(of: $0.pool) != nil }) else { return false }
        version += 1
        releases += 1
        for part in parts {
            let pool = cluster.pools[part.pool]
            if let bin = pool.bin(on: part.position, at: now) {
                pool.give(part.amount, in: bin, from: now, to: part.end)
            } else {
                pool.giveWhole(1, from: now, to: part.end)
            }
        }
        giveLicenses(running, sign: 1)
        return true
    }

    mutating func putBack(_ running: PlanningSnapshot.Running) {
        version += 1
        for part in cluster.parts(of: running) {
            let pool = cluster.pools[part.pool]
            if cluster.wholeJobs[part.position] != nil {
                pool.takeWhole(1, from: now, to: part.end)
            } else {
                let bin = pool.bin(on: part.position, at: now) ?? -1
                _ = pool.take(part.amount, in: bin, from: now, to: part.end, node: part.position)
            }
        }
        giveLicenses(running, sign: -1)
    }

    private mutating func giveLicenses(_ running: PlanningSnapshot.Running, sign: Int32) {
        let end = cluster.planned(end: running.expectedEnd)
        for license in running.licenses where running.reservation < 0 {
            cluster.licenses[license.license].add(sign * Int32(clamping: license.count), from: now, to: end)
        }
    }
}

extension Pool {
    /// The bin that `node` is at `time`.
    func bin(on node: Int32, at time: Int64) -> Int32? {
        bins.firstIndex { $0.node == node && $0.contains(time) }.map { Int32($0) }
    }
}

extension Cluster {
    /// What a running job holds of nodes that are planned on.
    func parts(of running: PlanningSnapshot.Running) -> [(pool: Int, position: Int32, amount: Amount, end: Int64)] {
        let end = planned(end: running.expectedEnd)
        return running.allocation.nodes.compactMap { part in
            guard let position = positions[part.index], poolOfNode[position] >= 0 else { return nil }
            let pool = Int(poolOfNode[position])
            return (pool, Int32(position), Amount(models[pools[pool].kind].counts(of: part)), end)
        }
    }
}

extension PlanningPass {
    /// The engine's number of the first element of a job that may start but found no room.
    func preemptingNumber(_ position: Int) -> Int32? {
        let (number, outcome) = waitingNumber(position)
        switch outcome {
        case .reserved(let start): return start > machine.now ? number : nil
        case .waits: return number
        case nil, .notLooked, .started, .planned, .notAdmitted, .never: return nil
        }
    }

    mutating func releaseHold(of number: Int32) {
        if let hold = machine.holds[Int(number)] { machine.release(hold, from: hold.start) }
    }

    mutating func restoreHold(of number: Int32) {
        guard let hold = machine.holds[Int(number)] else { return }
        let length = table.durations[Int(number)]
        let made = machine.reserve(table.demands[Int(number)], from: hold.start, duration: length)
        machine.holds.set(made, for: Int(number))
    }

    /// The victims' place is the job's from now on; it starts when they had their grace.
    mutating func holdNow(_ number: Int32, after grace: Int64) {
        machine.isForecast = true
        let hold = machine.reserve(
            table.demands[Int(number)], from: machine.now, duration: table.durations[Int(number)])
        machine.holds.set(hold, for: Int(number))
        machine.isForecast = false
        setOutcome(number, .reserved(machine.now + max(grace, 1)))
    }
}
