// What the default policy learns from: how long jobs ran of what they were allowed. It follows from the rows of ended jobs,
// which a store keeps for accounting anyway, so nothing more is written for it.
public import ArgosyDomain
import ArgosyScheduler

/// A job that ran and has ended.
public struct EndedRun: Sendable, Equatable {
    /// How many of a user's last ones count.
    public static let remembered = RuntimePrediction.remembered

    public var job: JobID
    public var uid: UInt32
    public var end: Timestamp
    /// Seconds allowed; 0: without limit.
    public var request: Int64
    /// Seconds, less those it was suspended.
    public var run: Int64

    /// Nil for a job that has not ended or never ran, and where its end tells of the cluster instead of the job.
    public init?(_ row: JobRow) {
        self.init(
            JobRecord(row, partition: 0), request: (row.timeLimit.duration?.microseconds ?? 0) / 1_000_000)
    }

    init?(_ record: JobRecord, request: Int64) {
        switch record.state {
        case .completed, .cancelled, .failed, .timeout, .deadline, .outOfMemory: break
        case .pending, .running, .suspended, .completing, .nodeFail, .preempted, .bootFail: return nil
        }
        guard record.start.isSet, record.end >= record.start, record.reason != .jobLaunchFailure else { return nil }
        job = record.id
        uid = record.uid
        end = record.end
        self.request = request
        run = max(0, (record.end - record.start - record.suspendedFor).microseconds / 1_000_000)
    }

    /// By the time they ended, those of one instant by number.
    static func isBefore(_ one: EndedRun, _ other: EndedRun) -> Bool {
        (one.end, one.job) < (other.end, other.job)
    }
}

extension [EndedRun] {
    /// Adds it to its user's, of which only the last count.
    mutating func keep(_ run: EndedRun) {
        removeAll { $0.job == run.job }
        append(run)
        let own = indices.filter { self[$0].uid == run.uid }
        guard own.count > RuntimePrediction.remembered,
            let first = own.min(by: { EndedRun.isBefore(self[$0], self[$1]) })
        else { return }
        remove(at: first)
    }
}
