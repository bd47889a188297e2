// Counting what became of jobs.
import ArgosyDomain
import ArgosyScheduler

extension JobTally {
    mutating func count(_ end: JobState) {
        switch end {
        case .completed: completed += 1
        case .cancelled: cancelled += 1
        case .failed, .timeout, .nodeFail, .bootFail, .deadline, .outOfMemory, .preempted: failed += 1
        case .pending, .running, .suspended, .completing: break
        }
    }
}

extension ControllerCore {
    /// A plan's starts are backfill from the first job on that it leaves waiting for want of free nodes.
    mutating func countBackfilled(_ plan: Plan, started: UInt64) {
        let depth = UInt64(plan.placements.count + plan.explanations.count)
        tables.tally.lastDepth = depth
        tables.tally.totalDepth += depth
        guard started > 0 else { return }
        let blocked = plan.explanations.compactMap { explanation -> PendingQueue.Key? in
            guard let record = record(explanation.job), record.state == .pending, !record.isHeld,
                record.reason == .resources || explanation.reason == .resources
            else { return nil }
            return PendingQueue.Key(record)
        }.min()
        guard let blocked else { return }
        for placement in plan.placements {
            guard let record = record(placement.job), record.state != .pending, blocked < PendingQueue.Key(record)
            else { continue }
            tables.tally.backfilled += 1
            if record.hetLeader != 0 { tables.tally.backfilledComponents += 1 }
        }
    }
}
