/// What became of jobs since the controller started; for `sdiag`.
public struct JobTally: Sendable, Equatable {
    public var submitted: UInt64 = 0
    public var started: UInt64 = 0
    public var completed: UInt64 = 0
    public var cancelled: UInt64 = 0
    public var failed: UInt64 = 0
    /// Started while a job before them in the queue had to wait.
    public var backfilled: UInt64 = 0
    public var backfilledComponents: UInt64 = 0
    /// Waiting jobs that the last plan looked at, and those of all plans.
    public var lastDepth: UInt64 = 0
    public var totalDepth: UInt64 = 0
    public init() {}
}

extension CoreView {
    /// Since the core was loaded.
    public var tally: JobTally { tables.tally }

    /// Waiting and running jobs. An array's elements that did not start count each.
    public var jobCounts: (pending: UInt64, running: UInt64) {
        var (pending, running): (UInt64, UInt64) = (0, 0)
        tables.jobs.forEach { key, record in
            switch record.state {
            case .pending:
                let indices = tables.pendingIndices[key] ?? []
                pending += indices.isEmpty ? 1 : UInt64(IndexRanges.count(indices))
            case .running, .suspended: running += 1
            default: break
            }
        }
        return (pending, running)
    }
}
