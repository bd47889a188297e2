// The order of waiting: FIFO, or the sum of factors. Priorities are worked out at submission, on release, and for everybody
// each PriorityCalcPeriod; a restart works them out again, so that ages do not have to be stored.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    /// Of a job that waits for its turn; a held one has 0.
    mutating func basePriority(of id: JobID) -> UInt64 {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else { return 1 }
        if let fixed = spec.fields.priority, fixed > 0 { return UInt64(fixed) }
        guard configuration.priority.kind == .multifactor else { return Self.fifo(id, nice: spec.fields.nice) }
        guard let inputs = tables.priorityInputs(record) else { return 1 }
        return max(1, UInt64(multifactor().priority(of: inputs, at: now)))
    }

    /// Slurm's FIFO: every job a little below the one before it.
    static func fifo(_ id: JobID, nice: Int32) -> UInt64 {
        UInt64(max(1, 4_294_901_760 - Int64(id.rawValue) - Int64(nice)))
    }

    private mutating func multifactor() -> MultifactorPriority {
        if let priorities { return priorities }
        let made = tables.multifactor()
        priorities = made
        return made
    }

    // MARK: Each PriorityCalcPeriod

    mutating func watchPriorities() {
        guard configuration.priority.kind == .multifactor else { return }
        deadlines.add(now.adding(configuration.priority.calcPeriod), .priorities, 0)
    }

    /// Usage has decayed, jobs have aged: everybody's place anew. Not written: a restart does the same.
    mutating func recalculatePriorities() {
        guard configuration.priority.kind == .multifactor else { return }
        priorities = nil
        var changed = false
        for key in queue.keys where isQueued(key) {
            guard let record = record(key.job), !record.isHeld else { continue }
            let priority = basePriority(of: key.job)
            if priority == record.priority { continue }
            tables.jobs.update(key.job.rawValue) { $0.priority = priority }
            changed = true
        }
        guard changed else { return }
        var keys: [PendingQueue.Key] = []
        tables.jobs.forEach { _, record in if record.state == .pending { keys.append(PendingQueue.Key(record)) } }
        queue = PendingQueue(keys)
        wantPlan()
    }
}
