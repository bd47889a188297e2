// What holds a job: every row of the rule tables asked of every record that applies.
//
// The partition's QOS speaks first, then the job's (the other way round when the job's has OverPartQOS), then the job's
// association and those above it. A limit that an earlier record sets is not looked for in later ones; group limits of
// associations hold on every level.

public import ArgosyDomain

/// A limit that holds a job now. Flat; `AccountingBook.sentence(for:)` puts it in words.
public struct LimitBlocker: Hashable, Sendable {
    public enum Scope: Hashable, Sendable {
        /// Positions in the book's records.
        case association(Int)
        case qos(Int)
        /// Of the job's own user or account in the QOS.
        case userOfQOS(Int)
        case accountOfQOS(Int)
    }
    public var reason: PendingReason
    public var scope: Scope
    /// As sacctmgr calls it: `GrpTRES`, `MaxJobsPerUser`, ...
    public var limitName: String
    /// Which resource; nil for counts of jobs and times.
    public var tres: TRESID?
    /// In the limit's own unit: jobs, units, unit-minutes or minutes.
    public var limit: UInt64
    public var used: UInt64
    public var asked: UInt64
    /// The job alone breaks it: it waits until job or limit is changed.
    public var isOfTheJobAlone: Bool
}

extension AccountingBook {
    /// All limits that hold `job` at `now`, in the order in which Slurm looks: the first is the one squeue shows. Empty
    /// when it may start, and always without AccountingStorageEnforce=limits.
    public func blockers(_ job: LimitedJob, at now: Timestamp) -> [LimitBlocker] {
        guard records.enforce.contains(.limits) else { return [] }
        var search = LimitSearch(book: self, job: job, now: now, count: 1)
        search.run(QOSRules.start, AssociationRules.start)
        return search.found
    }

    /// Whether nothing of this holds the job: cheaper than asking for all reasons.
    public func mayStart(_ job: LimitedJob, at now: Timestamp) -> Bool {
        guard records.enforce.contains(.limits) else { return true }
        var search = LimitSearch(book: self, job: job, now: now, count: 1)
        search.stopsAtFirst = true
        search.run(QOSRules.start, AssociationRules.start)
        return search.found.isEmpty
    }

    /// Whether one more waiting job's age may count: GrpJobsAccrue, MaxJobsAccrue and those of its QOS.
    public func mayAccrue(_ job: LimitedJob, at now: Timestamp) -> Bool {
        guard records.enforce.contains(.limits) else { return true }
        var search = LimitSearch(book: self, job: job, now: now, count: 1)
        search.stopsAtFirst = true
        search.run(QOSRules.accrual, AssociationRules.accrual)
        return search.found.isEmpty
    }

    /// MinPrioThresh: a job below this priority gets no reservation of backfill; nil: no such bound.
    public func minimumPriorityToReserve(_ job: LimitedJob) -> UInt32? {
        guard records.enforce.contains(.limits) else { return nil }
        for qos in qosInOrder(job) {
            if let threshold = records.qos[qos].limits.minPrioThresh { return threshold }
        }
        return job.association < 0 ? nil : records.inheritedLimits[Int(job.association)].minPrioThresh
    }

    /// The QOS whose limits count for a job, the one that comes first first.
    func qosInOrder(_ job: LimitedJob) -> [Int] {
        let own = Int(job.qos)
        let partition = Int(job.partitionQOS)
        let ownFirst = own >= 0 && records.qos[own].flags.contains(.overPartQOS)
        return (ownFirst ? [own, partition] : [partition, own]).filter { $0 >= 0 }
    }
}

/// One look through the tables.
struct LimitSearch {
    let book: AccountingBook
    let job: LimitedJob
    let now: Timestamp
    /// How many jobs want to be counted.
    let count: UInt64
    var stopsAtFirst = false
    /// Only what the job alone breaks, as if it were the only one: DenyOnLimit.
    var alone = false
    private(set) var found: [LimitBlocker] = []
    /// Limits that an earlier record has set.
    private var answered: [Answer] = []

    private struct Answer: Equatable {
        var name: LimitName
        var tres: TRESID?
    }

    init(book: AccountingBook, job: LimitedJob, now: Timestamp, count: Int) {
        self.book = book
        self.job = job
        self.now = now
        self.count = UInt64(max(count, 0))
    }

    private var isDone: Bool { stopsAtFirst && !found.isEmpty }

    /// The tables in phases: each phase is asked of all records before the next.
    mutating func run(_ qosPhases: [[QOSRules.Rule]], _ associationPhases: [[AssociationRules.Rule]]) {
        for (qosRules, associationRules) in zip(qosPhases, associationPhases) where !isDone {
            run(qosRules)
            run(associationRules)
        }
    }

    private mutating func run(_ rules: [QOSRules.Rule]) {
        for qos in book.qosInOrder(job) {
            let limits = book.records.qos[qos].limits
            if limits == Self.noLimits { continue }
            var here: [Answer] = []
            for rule in rules where !isDone { look(rule, limits, qos: qos, &here) }
            answered += here
        }
    }

    private mutating func run(_ rules: [AssociationRules.Rule]) {
        guard job.association >= 0, book.records.isLimited[Int(job.association)] else { return }
        for level in book.records.chains[Int(job.association)] where !isDone {
            for rule in rules where !isDone && (rule.share == .group || level == Int(job.association)) {
                look(rule, level: level)
            }
        }
    }

    private static let noLimits = QOSLimits()

    private mutating func look(_ rule: QOSRules.Rule, _ limits: QOSLimits, qos: Int, _ here: inout [Answer]) {
        let row = book.shareRow(job, qos: qos, rule.share)
        let scope: LimitBlocker.Scope =
            switch rule.share {
            case .user: .userOfQOS(qos)
            case .account: .accountOfQOS(qos)
            case .group, .own: .qos(qos)
            }
        for (tres, limit) in Self.numbers(rule.number, limits) {
            // Of two QOS the first that sets exactly this limit counts; for associations it is enough to set its like.
            if answered.contains(Answer(name: rule.name, tres: tres)) { continue }
            here.append(Answer(name: rule.name, tres: tres))
            if rule.name.replaces != rule.name { here.append(Answer(name: rule.name.replaces, tres: tres)) }
            weigh(rule, tres, limit, row, scope)
        }
    }

    private mutating func look(_ rule: AssociationRules.Rule, level: Int) {
        let records = book.records
        let limits = rule.share == .group ? records.associations[level].limits : records.inheritedLimits[level]
        for (tres, limit) in Self.numbers(rule.number, limits)
        where !answered.contains(Answer(name: rule.name, tres: tres)) {
            weigh(rule, tres, scaled(limit, rule.measure), level, .association(level))
        }
    }

    /// A QOS's LimitFactor multiplies the TRES limits of associations.
    private func scaled(_ limit: UInt64, _ measure: LimitMeasure) -> UInt64 {
        guard job.qos >= 0, let factor = book.records.qos[Int(job.qos)].limitFactor, factor > 0 else { return limit }
        switch measure {
        case .tres, .jobTRES, .jobTRESPerNode, .tresMinutes, .tresRunMinutes, .jobTRESMinutes:
            return UInt64(exactly: (Double(limit) * factor).rounded(.down)) ?? .max
        case .jobs, .submitted, .accruing, .wall, .jobWall, .jobMinimumTRES: return limit
        }
    }

    private static func numbers<Limits>(_ number: LimitNumber<Limits>, _ limits: Limits) -> [(TRESID?, UInt64)] {
        switch number {
        case .count(let get): get(limits).map { [(nil, UInt64($0))] } ?? []
        case .tres(let get): get(limits).entries.map { ($0.id, $0.count) }
        case .time(let get):
            get(limits).flatMap { $0 == .unlimited || $0 == .notGiven ? nil : [(nil, UInt64($0.rawValue))] } ?? []
        }
    }
}

extension LimitSearch {
    private mutating func weigh<Limits>(
        _ rule: LimitRule<Limits>, _ tres: TRESID?, _ limit: UInt64, _ row: Int?, _ scope: LimitBlocker.Scope
    ) {
        if isDone { return }
        let asked = self.asked(rule.measure, tres)
        let used = alone ? 0 : self.used(rule.measure, tres, row, scope)
        guard breaks(rule.measure, limit: limit, used: used, asked: asked, tres, row) else { return }
        found.append(
            LimitBlocker(
                reason: rule.reason(tres.flatMap { book.records.tres[$0] }), scope: scope,
                limitName: rule.name.rawValue, tres: tres, limit: limit, used: used, asked: asked,
                isOfTheJobAlone: rule.measure.isOfTheJobAlone || isHopeless(rule.measure, limit, asked)))
    }

    private func isHopeless(_ measure: LimitMeasure, _ limit: UInt64, _ asked: UInt64) -> Bool {
        switch measure {
        case .tres, .tresRunMinutes, .jobs, .submitted, .accruing: asked > limit
        case .tresMinutes, .wall: false
        case .jobTRES, .jobTRESPerNode, .jobTRESMinutes, .jobWall, .jobMinimumTRES: true
        }
    }

    private func breaks(
        _ measure: LimitMeasure, limit: UInt64, used: UInt64, asked: UInt64, _ tres: TRESID?, _ row: Int?
    ) -> Bool {
        switch measure {
        case .jobs, .submitted, .accruing, .tres, .tresRunMinutes:
            // Counts of jobs never refuse one at the door, whatever DenyOnLimit says.
            if alone && measure == .jobs { return false }
            // A job that asks for none of a resource is not held because others hold too much of it.
            return asked > 0 && (asked > limit || used > limit - asked)
        case .tresMinutes: return asked > 0 && breaksMinutes(limit: limit, used: used, asked: asked, tres, row)
        case .wall: return alone ? asked > limit : used >= limit
        case .jobTRES, .jobTRESPerNode, .jobTRESMinutes, .jobWall: return asked > limit
        case .jobMinimumTRES: return asked < limit
        }
    }

    /// Without `safe`, used up is used up; with it, nothing starts that could not run to its end.
    private func breaksMinutes(limit: UInt64, used: UInt64, asked: UInt64, _ tres: TRESID?, _ row: Int?) -> Bool {
        if !alone && used >= limit { return true }
        guard book.records.enforce.contains(.safe) || alone else { return false }
        let running = alone ? 0 : runMinutes(tres, row)
        return saturating(saturating(used, running), asked) > limit
    }

    private func saturating(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    private func asked(_ measure: LimitMeasure, _ tres: TRESID?) -> UInt64 {
        switch measure {
        case .jobs, .submitted, .accruing: return count
        case .tres, .jobTRES, .jobMinimumTRES: return tres.map { job.tres[$0] } ?? 0
        case .jobTRESPerNode: return tres.map { job.tresPerNode[$0] } ?? 0
        case .tresMinutes, .tresRunMinutes, .jobTRESMinutes: return minutesAsked(tres)
        case .wall, .jobWall: return job.limitMinutes
        }
    }

    /// TRES times the time limit; times the QOS's UsageFactor where it has UsageFactorSafe.
    private func minutesAsked(_ tres: TRESID?) -> UInt64 {
        guard let tres else { return 0 }
        let (product, overflow) = job.tres[tres].multipliedReportingOverflow(by: job.limitMinutes)
        if overflow { return .max }
        guard job.qos >= 0 else { return product }
        let qos = book.records.qos[Int(job.qos)]
        guard qos.flags.contains(.usageFactorSafe), qos.usageFactor != 1 else { return product }
        return UInt64(exactly: (Double(product) * max(qos.usageFactor, 0)).rounded(.up)) ?? .max
    }

    private func used(_ measure: LimitMeasure, _ tres: TRESID?, _ row: Int?, _ scope: LimitBlocker.Scope) -> UInt64 {
        guard let row else { return 0 }
        switch measure {
        case .jobs: return UInt64(max(book.counters.running[row], 0))
        case .submitted: return UInt64(max(book.counters.submitted[row], 0))
        case .accruing: return UInt64(max(book.counters.accruing[row], 0))
        case .tres:
            guard let place = tres.flatMap({ book.records.tres.position(of: $0) }) else { return 0 }
            return book.counters.held[row * book.counters.width + place]
        case .tresRunMinutes: return runMinutes(tres, row)
        case .tresMinutes: return minutesUsed(tres, scope)
        case .wall: return wallMinutes(scope)
        case .jobTRES, .jobTRESPerNode, .jobTRESMinutes, .jobWall, .jobMinimumTRES: return 0
        }
    }

    private func runMinutes(_ tres: TRESID?, _ row: Int?) -> UInt64 {
        guard let row, let place = tres.flatMap({ book.records.tres.position(of: $0) }) else { return 0 }
        return book.runSeconds(row: row, place: place, now) / 60
    }

    private func minutesUsed(_ tres: TRESID?, _ scope: LimitBlocker.Scope) -> UInt64 {
        guard let tres else { return 0 }
        let seconds =
            switch scope {
            case .association(let row): book.usage.tresSeconds(association: row, tres, at: now)
            case .qos(let row), .userOfQOS(let row), .accountOfQOS(let row):
                book.usage.tresSeconds(qos: row, tres, at: now)
            }
        return UInt64(exactly: (seconds / 60).rounded(.down)) ?? .max
    }

    private func wallMinutes(_ scope: LimitBlocker.Scope) -> UInt64 {
        let seconds =
            switch scope {
            case .association(let row): book.usage.wallSeconds(association: row, at: now)
            case .qos(let row), .userOfQOS(let row), .accountOfQOS(let row):
                book.usage.wallSeconds(qos: row, at: now)
            }
        return UInt64(exactly: (seconds / 60).rounded(.down)) ?? .max
    }
}
