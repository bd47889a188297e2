// The cluster's nodes as the machine the backfill engine plans on.
//
// A demand is the number of a class (PlanClass). Where and when a class fits is found pool by pool: on wholly free nodes
// by their count over time, beside other jobs by the pool's bins. Room only shrinks while a pass makes reservations, so a
// search goes on from where the class's last one ended; giving a reservation back (conservative mode) starts it anew.
//
// What starts now is placed down to cores and devices at once (NodeMachine+Start); what is planned ahead stays counts.
import ArgosyDomain

struct NodeMachine: Machine {
    typealias Demand = Int32
    typealias Hold = NodeHold

    let cluster: Cluster
    let now: Int64
    var classes: [PlanClass]
    /// Grows whenever anything is taken or given back; and when something was given back.
    var version = 0
    var releases = 0
    /// What was started in this pass.
    var starts: [Start] = []
    /// All that was taken and not given back, for telling nodes.
    var holds = HoldTable()
    /// Searches do not look beyond this.
    var horizon = Int64.max
    /// Nothing may start any more: plans only, and none before the one that was planned last (mode `none`).
    var isForecast = false
    var forecastFloor = Int64.min
    /// Backfill `none`: the first job of a partition that does not start holds back all others there.
    var holdsPartitionsBack = false
    private var heldBack: Set<Int> = []
    /// Steps of searching so far, and how many a pass may take.
    var effort = 0
    var effortLimit = Int.max
    var marks = Marks()
    /// Limits of accounts and users.
    var limits: LimitGate

    struct Start {
        var planClass: Int32
        var partition: Int
        var reservation: Int
        var licenses: [Shape.LicenseDemand]
        var end: Int64
        var grants: [Grant]
    }

    init(cluster: Cluster, classes: [PlanClass], limits: LimitGate) {
        self.cluster = cluster
        self.classes = classes
        self.limits = limits
        now = cluster.now
        let settings = cluster.snapshot.settings
        if settings.window > 0 { horizon = now.plus(settings.window) }
        if settings.passBudget > 0 { effortLimit = Int(clamping: settings.passBudget) * Self.stepsPerMicrosecond }
    }

    /// The planner has no clock: a budget in microseconds is kept as steps, of which a slow processor does so many.
    static let stepsPerMicrosecond = 20

    // MARK: - Machine

    mutating func earliestStart(of demand: Int32, from: Int64, duration: Int64) -> Int64? {
        let planClass = classes[Int(demand)]
        if !planClass.components.isEmpty {
            return earliestTogether(planClass, from: max(from, isForecast ? forecastFloor : from, planClass.floor))
        }
        let floor = max(from, planClass.begin, planClass.floor, isForecast ? forecastFloor : from)
        guard let answer = search(planClass, from: floor, duration: duration) else {
            planClass.isNever = true
            return nil
        }
        return answer.time < horizon ? answer.time : nil
    }

    mutating func reserve(_ demand: Int32, from: Int64, duration: Int64) -> NodeHold {
        let planClass = classes[Int(demand)]
        let known = planClass.answer.flatMap { $0.version == version && $0.time == from ? $0 : nil }
        if isForecast, holdsPartitionsBack { forecastFloor = max(forecastFloor, from) }
        if !planClass.components.isEmpty {
            return joined(takeTogether(planClass, at: from) ?? [], demand, from)
        }
        if let known { return settle(known, demand, from, from.plus(duration)) }
        return adopt(demand, at: from, duration: duration)
            // The caller asked for what does not fit: it gets a hold on nothing.
            ?? NodeHold(planClass: demand, option: 0, start: from, end: from.plus(duration), parts: [])
    }

    /// Takes a place at `start` that an earlier plan has found, if it is still there.
    mutating func adopt(_ demand: Int32, at start: Int64, duration: Int64) -> NodeHold? {
        let planClass = classes[Int(demand)]
        if !planClass.components.isEmpty {
            return takeTogether(planClass, at: start).map { joined($0, demand, start) }
        }
        defer { planClass.restart() }
        planClass.restart()
        guard let answer = search(planClass, from: start, duration: duration, only: true), answer.time == start else {
            return nil
        }
        return settle(answer, demand, start, start.plus(duration))
    }

    /// Takes a place; one that begins now is a start, down to cores and devices.
    private mutating func settle(_ answer: PlanClass.Answer, _ demand: Int32, _ from: Int64, _ end: Int64) -> NodeHold {
        if from == now, !isForecast, let started = place(answer, demand, from, end) { return started }
        return take(answer, demand, from, end)
    }

    mutating func take(_ answer: PlanClass.Answer, _ demand: Int32, _ from: Int64, _ end: Int64) -> NodeHold {
        let planClass = classes[Int(demand)]
        version += 1
        var hold = NodeHold(planClass: demand, option: Int32(answer.option), start: from, end: end, parts: answer.parts)
        for index in hold.parts.indices { occupy(&hold.parts[index], planClass, from, end) }
        charge(planClass.options[answer.option], from, end, sign: -1)
        return hold
    }

    private func occupy(_ part: inout HoldPart, _ planClass: PlanClass, _ from: Int64, _ end: Int64) {
        let pool = cluster.pools[Int(part.pool)]
        if part.isWhole {
            pool.takeWhole(part.count, from: from, to: end)
        } else {
            let owner = planClass.company.isExclusive ? planClass.company.uid : nil
            part.bin = pool.take(part.need, in: part.bin, from: from, to: end, user: owner)
        }
    }

    private func charge(_ option: PlanOption, _ from: Int64, _ end: Int64, sign: Int32) {
        for license in option.licenses {
            let count = sign * Int32(clamping: license.count)
            if option.reservation >= 0, cluster.reservedLicenses[option.reservation][license.license] != nil {
                cluster.reservedLicenses[option.reservation][license.license]?.add(count, from: from, to: end)
            } else {
                cluster.licenses[license.license].add(count, from: from, to: end)
            }
        }
    }

    mutating func release(_ hold: NodeHold, from: Int64) {
        for component in hold.components { release(component, from: from) }
        guard from < hold.end, !hold.parts.isEmpty else { return }
        version += 1
        releases += 1
        for part in hold.parts {
            let pool = cluster.pools[Int(part.pool)]
            if part.isWhole {
                pool.giveWhole(part.count, from: from, to: hold.end)
            } else {
                pool.give(part.need, in: part.bin, from: from, to: hold.end)
            }
        }
        charge(classes[Int(hold.planClass)].options[Int(hold.option)], from, hold.end, sign: 1)
    }

    /// A reservation stays where it is unless there is an earlier place; that is looked for beside its own.
    mutating func improve(
        _ hold: inout NodeHold, of demand: Int32, start: Int64, duration: Int64, from now: Int64, before bound: Int64
    ) -> Int64 {
        guard !hold.parts.isEmpty, min(start, bound) > now else { return start }
        release(hold, from: start)
        let planClass = classes[Int(demand)]
        let floor = max(now, planClass.begin)
        if let answer = search(planClass, from: floor, duration: duration), answer.time < start {
            hold = settle(answer, demand, answer.time, answer.time.plus(duration))
            return answer.time
        }
        let parts = hold.parts
        version += 1
        for index in parts.indices {
            // Its own place: into the bin that is there now, or a new one.
            hold.parts[index].bin = home(of: parts[index], start, start.plus(duration), planClass)
            occupy(&hold.parts[index], planClass, start, start.plus(duration))
        }
        charge(planClass.options[Int(hold.option)], start, start.plus(duration), sign: -1)
        return start
    }

    private func home(of part: HoldPart, _ start: Int64, _ end: Int64, _ planClass: PlanClass) -> Int32 {
        if part.isWhole { return -1 }
        let pool = cluster.pools[Int(part.pool)]
        if pool.whole.minimum(from: start, to: end) >= 1 { return -1 }
        for bin in pool.bins.indices
        where pool.fits(part.need, in: bin, at: start, until: end, user: planClass.company) { return Int32(bin) }
        let later = pool.laterBin(for: part.need, at: start, until: end, blocked: end, user: planClass.company)
        return Int32(later ?? Int(part.bin))
    }

    mutating func admits(_ job: Int32, at now: Int64) -> Bool { isForecast || limits.admits(job) }

    /// Mode `none`: whether a job of the class may start, all its partitions being free of those that wait.
    func isHeldBack(_ planClass: PlanClass) -> Bool {
        holdsPartitionsBack
            && !cluster.snapshot.shapes[planClass.shape].partitions.allSatisfy { !heldBack.contains($0) }
    }

    mutating func holdBack(_ planClass: PlanClass) {
        if holdsPartitionsBack { heldBack.formUnion(cluster.snapshot.shapes[planClass.shape].partitions) }
    }
    mutating func didStart(_ job: Int32, at now: Int64) { limits.didStart(job) }
    mutating func mayContinue(after looked: Int) -> Bool { effort < effortLimit }
}
