// What priorities are made of: jobs and partitions as `MultifactorPriority` wants them. For the core's own numbers and for
// sprio's.
import ArgosyConfig
public import ArgosyDomain
public import ArgosyScheduler

extension Tables {
    /// What the cluster and its partitions have.
    var priorityScale: PriorityScale {
        PriorityScale(
            cpus: configuration.nodes.reduce(0) { $0 + UInt64($1.cpus) }, nodes: UInt64(configuration.nodes.count),
            partitions: partitions.enumerated().map { index, view in
                let configured = index < configuration.partitions.count ? configuration.partitions[index] : nil
                return .init(
                    jobFactor: configured?.policy.priorityJobFactor ?? 1, tres: everything(of: view.nodes),
                    maxTime: view.maxTime)
            })
    }

    private func everything(of nodes: [NodeIndex]) -> TRESCounts {
        var tres: TRESCounts = [.node: UInt64(nodes.count)]
        for node in nodes {
            tres += [.cpu: UInt64(configuration.nodes[node.int].cpus), .mem: configuration.nodes[node.int].memoryMiB]
        }
        tres.set(.billing, tres[.cpu])
        return tres
    }

    func multifactor() -> MultifactorPriority {
        MultifactorPriority(settings: configuration.priority, scale: priorityScale, ledger: book.usage)
    }

    /// A waiting job's.
    func priorityInputs(_ record: JobRecord) -> PriorityInputs? {
        guard let fields = specs[record.id.rawValue]?.fields else { return nil }
        let mayAge = !record.isHeld && record.dependency == .none
        var inputs = PriorityInputs(submit: record.submit, accrueStart: mayAge ? record.eligible : .unset)
        inputs.association = record.association
        inputs.qos = record.qos
        inputs.partition = Int32(record.partition)
        inputs.tres = Asked(fields, records: book.records).tres
        inputs.tres.set(.billing, billing(record.partition).count(inputs.tres))
        inputs.cpus = inputs.tres[.cpu]
        inputs.minNodes = inputs.tres[.node]
        inputs.timeLimit = record.timeLimit
        inputs.nice = fields.nice
        inputs.isHeld = record.isHeld
        inputs.fixed = fields.priority.flatMap { $0 > 0 ? $0 : nil }
        inputs.previous = UInt32(clamping: record.priority)
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
    /// Of all jobs that wait for resources, ascending by id: not of those held, to begin later or waiting for others.
    public func priorities(at now: Timestamp) -> [JobPriority] {
        let multifactor = tables.multifactor()
        var found: [JobPriority] = []
        tables.jobs.forEach { key, record in
            guard record.state == .pending, !record.isHeld, record.eligible <= now, record.dependency == .none,
                let inputs = tables.priorityInputs(record), let row = tables.row(JobID(key))
            else { return }
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
