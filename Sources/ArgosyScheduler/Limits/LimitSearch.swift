// One look through the limits of a job's records: what it may find, in the order in which it is to be told.

import ArgosyDomain

struct LimitSearch {
    let job: LimitedJob
    let now: Timestamp
    /// How many jobs want to be counted.
    let count: UInt64
    var stopsAtFirst = false
    /// Only what the job alone breaks, as if it were the only one: DenyOnLimit.
    var alone = false
    private(set) var found: [LimitBlocker] = []

    /// Those it is to get; empty: not known yet.
    private let nodes: [NodeIndex]

    init(job: LimitedJob, now: Timestamp, count: Int, nodes: [NodeIndex] = []) {
        self.nodes = nodes
        self.job = job
        self.now = now
        self.count = UInt64(max(count, 0))
    }

    private var isDone: Bool { stopsAtFirst && !found.isEmpty }

    mutating func run(_ book: AccountingBook, _ limits: CompiledLimits) {
        let order = book.qosOrder(job)
        for phase in limits.phases where !isDone {
            let first = order.first >= 0 ? phase.qos[order.first] : []
            let second = order.second >= 0 ? phase.qos[order.second] : []
            for limit in first where !isDone { weighQOS(limit, book) }
            for limit in second where !isDone && !first.contains(where: { $0.key == limit.key }) {
                weighQOS(limit, book)
            }
            guard job.association >= 0 else { continue }
            for limit in phase.associations[Int(job.association)]
            where !isDone && !Self.answers(first, limit.key) && !Self.answers(second, limit.key) {
                let row = limit.share == .group ? limit.record : Int(job.association)
                weigh(limit, stretched(limit, book), row, book)
            }
        }
    }

    /// For associations it is enough that a QOS sets the like of a limit.
    private static func answers(_ limits: [CompiledLimit], _ key: Int) -> Bool {
        limits.contains { $0.key == key || $0.replacedKey == key }
    }

    private mutating func weighQOS(_ limit: CompiledLimit, _ book: AccountingBook) {
        weigh(limit, limit.limit, book.shareRow(job, qos: limit.record, limit.share), book)
    }

    /// A QOS's LimitFactor multiplies the TRES limits of associations.
    private func stretched(_ limit: CompiledLimit, _ book: AccountingBook) -> UInt64 {
        guard limit.tres != nil, job.qos >= 0, let factor = book.records.qos[Int(job.qos)].limitFactor, factor > 0
        else { return limit.limit }
        return ExactMath.whole(Double(limit.limit) * factor)
    }

    private mutating func weigh(_ rule: CompiledLimit, _ limit: UInt64, _ row: Int?, _ book: AccountingBook) {
        let asked = self.asked(rule, row, book)
        let used = alone ? 0 : self.used(rule, row, book)
        guard breaks(rule, limit: limit, used: used, asked: asked, row, book) else { return }
        found.append(
            LimitBlocker(
                reason: rule.reason, scope: scope(rule), limitName: rule.name.rawValue, tres: rule.tres, limit: limit,
                used: used, asked: asked, isOfTheJobAlone: isHopeless(rule.measure, limit, asked)))
    }

    private func scope(_ rule: CompiledLimit) -> LimitBlocker.Scope {
        switch (rule.isOfQOS, rule.share) {
        case (false, _): .association(rule.record)
        case (true, .user): .userOfQOS(rule.record)
        case (true, .account): .accountOfQOS(rule.record)
        case (true, .group), (true, .own): .qos(rule.record)
        }
    }

    private func isHopeless(_ measure: LimitMeasure, _ limit: UInt64, _ asked: UInt64) -> Bool {
        switch measure {
        case .tres, .tresRunMinutes, .jobs, .submitted, .accruing: asked > limit
        case .tresMinutes, .wall: false
        case .jobTRES, .jobTRESPerNode, .jobTRESMinutes, .jobWall, .jobMinimumTRES: true
        }
    }

    private func breaks(
        _ rule: CompiledLimit, limit: UInt64, used: UInt64, asked: UInt64, _ row: Int?, _ book: AccountingBook
    ) -> Bool {
        switch rule.measure {
        // Counts of jobs never refuse one at the door, whatever DenyOnLimit says.
        case .jobs where alone: false
        // A job that asks for none of a resource is not held because others hold too much of it.
        case .jobs, .submitted, .accruing, .tres, .tresRunMinutes:
            asked > 0 && (asked > limit || used > limit - asked)
        case .tresMinutes: asked > 0 && breaksMinutes(rule, limit: limit, used: used, asked: asked, row, book)
        case .wall: alone ? asked > limit : used >= limit
        case .jobTRES, .jobTRESPerNode, .jobTRESMinutes, .jobWall: asked > limit
        case .jobMinimumTRES: asked < limit
        }
    }

    /// Without `safe`, used up is used up; with it, nothing starts that could not run to its end.
    private func breaksMinutes(
        _ rule: CompiledLimit, limit: UInt64, used: UInt64, asked: UInt64, _ row: Int?, _ book: AccountingBook
    ) -> Bool {
        if !alone && used >= limit { return true }
        guard book.records.enforce.contains(.safe) || alone else { return false }
        let running = alone ? 0 : runMinutes(rule, row, book)
        return saturating(saturating(used, running), asked) > limit
    }

    private func saturating(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}

// What a job asks, and what others have.
extension LimitSearch {
    private func asked(_ rule: CompiledLimit, _ row: Int?, _ book: AccountingBook) -> UInt64 {
        switch rule.measure {
        case .jobs, .submitted, .accruing: count
        case .tres where rule.tres == .node && !alone && row != nil:
            book.nodesAdded(row: row ?? 0, asked: job.tres[.node], nodes)
        case .tres, .jobTRES, .jobMinimumTRES: rule.tres.map { job.tres[$0] } ?? 0
        case .jobTRESPerNode: rule.tres.map { job.tresPerNode[$0] } ?? 0
        case .tresMinutes, .tresRunMinutes, .jobTRESMinutes: minutesAsked(rule, book)
        case .wall, .jobWall: job.limitMinutes
        }
    }

    /// TRES times the time limit; times the QOS's UsageFactor where it has UsageFactorSafe.
    private func minutesAsked(_ rule: CompiledLimit, _ book: AccountingBook) -> UInt64 {
        guard let tres = rule.tres else { return 0 }
        let (product, overflow) = job.tres[tres].multipliedReportingOverflow(by: job.limitMinutes)
        if overflow { return .max }
        guard job.qos >= 0, book.records.qos[Int(job.qos)].flags.contains(.usageFactorSafe) else { return product }
        let factor = book.records.qos[Int(job.qos)].usageFactor
        return factor == 1 ? product : ExactMath.wholeUp(Double(product) * factor)
    }

    private func used(_ rule: CompiledLimit, _ row: Int?, _ book: AccountingBook) -> UInt64 {
        guard let row else { return 0 }
        switch rule.measure {
        case .jobs: return UInt64(max(book.counters.running[row], 0))
        case .submitted: return UInt64(max(book.counters.submitted[row], 0))
        case .accruing: return UInt64(max(book.counters.accruing[row], 0))
        case .tres where rule.tres == .node: return book.nodesHeld(row: row, place: rule.place)
        case .tres: return book.counters.held[row * book.counters.width + rule.place]
        case .tresRunMinutes: return runMinutes(rule, row, book)
        case .tresMinutes: return minutesUsed(rule, book)
        case .wall: return wallMinutes(rule, book)
        case .jobTRES, .jobTRESPerNode, .jobTRESMinutes, .jobWall, .jobMinimumTRES: return 0
        }
    }

    private func runMinutes(_ rule: CompiledLimit, _ row: Int?, _ book: AccountingBook) -> UInt64 {
        row.map { book.runSeconds(row: $0, place: rule.place, now) / 60 } ?? 0
    }

    private func minutesUsed(_ rule: CompiledLimit, _ book: AccountingBook) -> UInt64 {
        guard let tres = rule.tres else { return 0 }
        let seconds =
            rule.isOfQOS
            ? book.usage.tresSeconds(qos: rule.record, tres, at: now)
            : book.usage.tresSeconds(association: rule.record, tres, at: now)
        return ExactMath.whole(seconds / 60)
    }

    private func wallMinutes(_ rule: CompiledLimit, _ book: AccountingBook) -> UInt64 {
        let seconds =
            rule.isOfQOS
            ? book.usage.wallSeconds(qos: rule.record, at: now)
            : book.usage.wallSeconds(association: rule.record, at: now)
        return ExactMath.whole(seconds / 60)
    }
}
