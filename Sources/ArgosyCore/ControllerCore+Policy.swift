// What the default policy is told: who ran how long, and what backlogs there were. The rules are its own (DefaultPolicy,
// PolicyOrder); here is only what it needs remembered.
//
// - Users' histories grow when a job has ended, and are made anew from the store's ended jobs at a start.
// - A running job keeps the prediction it started with; after a restart it gets the one it would start with then.
// - Backlogs come with plans (BacklogNote) and are not stored.
//
// Nothing that has not ended tells how long it will run.
import ArgosyDomain
import ArgosyScheduler

/// What is remembered for the default policy.
struct PolicyMemory: Sendable {
    var prediction = RuntimePrediction()
    var backlogs = BacklogBook()
    /// Ended in this turn.
    var ended: [EndedRun] = []
}

extension ControllerCore {
    /// Before jobs are loaded.
    mutating func loadHistories(_ runs: [EndedRun]) {
        policy.ended = runs
        learn()
    }

    mutating func noteEndedRun(_ record: JobRecord) {
        let request = exactLimits[record.id] ?? (record.timeLimit.duration?.microseconds ?? 0) / 1_000_000
        if let run = EndedRun(record, request: request) { policy.ended.append(run) }
    }

    /// At the end of a turn.
    mutating func learn() {
        guard !policy.ended.isEmpty else { return }
        for run in policy.ended.sorted(by: EndedRun.isBefore) {
            policy.prediction.observe(user: Int64(run.uid), request: run.request, run: run.run)
        }
        policy.ended.removeAll(keepingCapacity: true)
    }

    /// How long the job is thought to run, seconds; 0: no limit, no prediction.
    func predictedRun(_ record: JobRecord) -> Int64 {
        let request = request(of: record)
        return request > 0 ? policy.prediction.predict(user: Int64(record.uid), request: request) : 0
    }

    /// When a running job is thought to end; unset: not known.
    func predictedEnd(_ record: JobRecord, _ run: JobRun, at now: Timestamp) -> Timestamp {
        guard run.predicted > 0 else { return .unset }
        let paused = record.suspendedFor + (record.suspendedAt.isSet ? now - record.suspendedAt : .zero)
        let start = record.start.adding(paused).seconds
        let running = DefaultPolicy.Running(
            start: start, request: request(of: record), prediction: run.predicted, processors: 0)
        return Timestamp(seconds: running.predictedEnd(at: now.seconds))
    }

    /// Seconds it may run; 0: without limit.
    func request(of record: JobRecord) -> Int64 {
        if let exact = exactLimit(of: record.id) { return exact }
        return (record.timeLimit.duration?.microseconds ?? 0) / 1_000_000
    }

    func exactLimit(of id: JobID) -> Int64? { exactLimits.isEmpty ? nil : exactLimits[id] }

    /// Whether the policy may place the job among others of its tier: not when somebody gave it a priority of its own.
    func standing(of record: JobRecord) -> Int8 {
        let natural = Self.fifo(record.id, nice: 0)
        guard record.priority != natural, let spec = tables.specs[record.id.rawValue] else { return 0 }
        if let fixed = spec.fields.priority, fixed > 0 { return UInt64(fixed) > natural ? 1 : -1 }
        return Int8(-spec.fields.nice.signum())
    }
}
