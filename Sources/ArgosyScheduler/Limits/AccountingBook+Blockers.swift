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
    ///
    /// Which nodes it gets matters to limits on nodes only, where nodes it shares with others of its group are not counted
    /// again (see `countsNodes`): without `nodes` the answer is the best case, to be asked again once they are known.
    public func blockers(_ job: LimitedJob, at now: Timestamp, on nodes: [NodeIndex] = []) -> [LimitBlocker] {
        guard records.enforce.contains(.limits) else { return [] }
        var search = LimitSearch(job: job, now: now, count: 1, nodes: nodes)
        search.run(self, records.startLimits)
        return search.found
    }

    /// Whether nothing of this holds the job: cheaper than asking for all reasons.
    public func mayStart(_ job: LimitedJob, at now: Timestamp, on nodes: [NodeIndex] = []) -> Bool {
        guard records.enforce.contains(.limits) else { return true }
        var search = LimitSearch(job: job, now: now, count: 1, nodes: nodes)
        search.stopsAtFirst = true
        search.run(self, records.startLimits)
        return search.found.isEmpty
    }

    /// Whether a start has to be asked for again with its nodes: some limit counts nodes that jobs share.
    public var countsNodes: Bool { records.limitsNodes && records.enforce.contains(.limits) }

    /// Whether one more waiting job's age may count: GrpJobsAccrue, MaxJobsAccrue and those of its QOS.
    public func mayAccrue(_ job: LimitedJob, at now: Timestamp) -> Bool {
        guard records.enforce.contains(.limits) else { return true }
        var search = LimitSearch(job: job, now: now, count: 1)
        search.stopsAtFirst = true
        search.run(self, records.accrualLimits)
        return search.found.isEmpty
    }

    /// MinPrioThresh: a job below this priority gets no reservation of backfill; nil: no such bound.
    public func minimumPriorityToReserve(_ job: LimitedJob) -> UInt32? {
        guard records.enforce.contains(.limits) else { return nil }
        let order = qosOrder(job)
        for qos in [order.first, order.second] where qos >= 0 {
            if let threshold = records.qos[qos].limits.minPrioThresh { return threshold }
        }
        return job.association < 0 ? nil : records.inheritedLimits[Int(job.association)].minPrioThresh
    }

    /// The QOS whose limits count for a job, the one that comes first first; -1: none.
    func qosOrder(_ job: LimitedJob) -> (first: Int, second: Int) {
        let own = Int(job.qos)
        let partition = Int(job.partitionQOS)
        if partition < 0 { return (own, -1) }
        if own < 0 { return (partition, -1) }
        return records.qos[own].flags.contains(.overPartQOS) ? (own, partition) : (partition, own)
    }
}
