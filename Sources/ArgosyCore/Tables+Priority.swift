// What priorities are made of: jobs and partitions as `MultifactorPriority` wants them. For the core's own numbers and for
// sprio's.
import ArgosyConfig
public import ArgosyDomain
public import ArgosyScheduler

extension Tables {
    func multifactor() -> MultifactorPriority {
        MultifactorPriority(settings: configuration.priority, scale: priorityScale, ledger: book.usage)
    }

    /// As the job is at `now`.
    func priorityInputs(_ record: JobRecord, at now: Timestamp) -> PriorityInputs {
        let fields = specs[record.id.rawValue]?.fields
        var inputs = PriorityInputs(submit: record.submit)
        let mayAge = !record.isHeld && record.dependency == .none && record.eligible <= now
        inputs.accrueStart = mayAge ? record.eligible : .unset
        inputs.association = record.association
        inputs.qos = record.qos
        inputs.partition = Int32(record.partition)
        inputs.timeLimit = record.timeLimit
        inputs.nice = fields?.nice ?? 0
        inputs.isHeld = record.isHeld
        inputs.fixed = fields?.priority.flatMap { $0 > 0 ? $0 : nil }
        inputs.previous = UInt32(clamping: record.priority)
        if let limited = limitedJob(record) {
            inputs.tres = limited.tres
            inputs.cpus = max(1, limited.tres[.cpu])
            inputs.minNodes = max(1, limited.tres[.node])
        }
        return inputs
    }

    /// What a job in the partition is billed.
    func billing(_ partition: UInt16) -> Billing {
        let weights =
            Int(partition) < configuration.partitions.count
            ? configuration.partitions[Int(partition)].policy.tresBillingWeights : []
        return Billing(weights: weights, table: book.records.tres, flags: configuration.priority.flags)
    }
}

/// A waiting job with the terms of its priority.
public struct JobPriority: Sendable {
    public var row: JobRow
    public var terms: PriorityTerms
}

extension CoreView {
    /// Of all jobs that wait and are not held, ascending by id.
    public func priorities(at now: Timestamp) -> [JobPriority] {
        let multifactor = tables.multifactor()
        var found: [JobPriority] = []
        tables.jobs.forEach { key, record in
            guard record.state == .pending, !record.isHeld, let row = tables.row(JobID(key)) else { return }
            let inputs = tables.priorityInputs(record, at: now)
            found.append(JobPriority(row: row, terms: multifactor.terms(of: inputs, at: now)))
        }
        return found
    }

    /// sshare's lines.
    public func shares(at now: Timestamp) -> [ShareLine] {
        let settings = tables.configuration.priority
        let share = FairShare(tables.book.usage, flags: settings.flags, dampening: settings.dampeningFactor)
        return tables.book.shares(share, at: now)
    }
}
