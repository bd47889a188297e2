// The default policy, `argosy`: EASY backfill (one reservation, for the job at the head) over a queue in an order of its
// own, which is made anew in each pass. Plans and kill times go by the requests, as in EASY; only the order is learned.
//
// A job's score is what it has waited, less what it would hold the machine up, plus a bonus for long waits of short jobs:
//
//     score = wait - stretch * length + bonus * wait / length        largest first, then by submission, then by number
//     length = predicted run time + drainWeight * drain
//
// `drain` is how long the machine would have to be emptied for the job: the seconds until its processors come free beside
// what runs now, by the predicted ends; 0 if it fits at once. The terms, one by one:
//
// - wait - stretch * length. A job is due `stretch` times its length after its submission, and the earliest due goes
//   first. By this term a job is passed only by shorter ones that come at most `stretch` times the difference of their
//   lengths later: short ones pass, nobody starves, and long ones keep the order in which they came.
// - drain. Emptying half the machine for a wide job of a minute costs hours of processors. That is paid when it is due, or
//   not at all, if the machine happens to be empty enough: then the drain is 0 and jobs that are as wide go along. It is
//   why shortest-first orders lose utilization and this one does not.
// - bonus * wait / length. When more is asked for than the machine can do, everything is overdue and the first term turns
//   into first come, first served. Then this one decides: it grows without bound for jobs of seconds, which cost the
//   others nothing, and means nothing to jobs of hours.
//
// Guard: a job that has waited `guardFactor` times as long as the machine would have needed for the largest backlog
// (predicted processor-seconds, waiting and running, by the processors) noted since its submission goes before all that
// have not, by submission. It takes the reservation at the next pass, so that no order of the others can hold it up any
// more: from then on it waits for requests to run out, and for those before it under the same guard.
//
// Prediction (RuntimePrediction): the request by the mean share of the request that the user's last ended jobs used. A
// job that runs past its prediction has it doubled until it lies ahead. Nothing here ever sees how long a job that has
// not ended will run.
//
// All of it needs processors, times, requests and users alone, so it is the same for nodes: processors are then the CPUs
// a job needs of a partition's (a job that takes whole nodes needs all of theirs), the drain is the one by counts, and
// the histories and the backlogs are kept by the controller (see PolicyOrder). Priorities set by an administrator go
// first; this order is the one among equals.
//
// What was tried, with numbers, and how little hangs on each constant: argosy-policy(7).

/// The order of the queue under the default policy, and the state it is made from.
public struct DefaultPolicy: Sendable, Equatable {
    /// A job is due so many times its length after its submission.
    public static let stretch = 5.0
    /// A second of emptying the machine for a job counts as so many of running it.
    public static let drainWeight = 3.0
    /// Seconds: how much of a job's wait by its length counts.
    public static let bonus = 1000.0
    /// Shorter jobs count as so many seconds long, as in the bounded slowdown.
    public static let shortest = 10.0
    /// Waits longer than so many times the largest backlog put a job in front.
    public static let guardFactor = 2.0

    public struct Waiting: Sendable {
        /// Seconds, as in all times here.
        public var submit: Int64
        public var request: Int64
        public var processors: Int32
        /// Negative: not known.
        public var user: Int64

        public init(submit: Int64, request: Int64, processors: Int32, user: Int64) {
            self.submit = submit
            self.request = request
            self.processors = processors
            self.user = user
        }
    }

    public struct Running: Sendable {
        public var start: Int64
        public var request: Int64
        /// As it was when the job started (`RuntimePrediction.predict`).
        public var prediction: Int64
        public var processors: Int32

        public init(start: Int64, request: Int64, prediction: Int64, processors: Int32) {
            self.start = start
            self.request = request
            self.prediction = prediction
            self.processors = processors
        }

        /// When it is thought to end, seen from `now`; always ahead.
        @inlinable public func predictedEnd(at now: Int64) -> Int64 {
            let corrected = RuntimePrediction.correct(prediction, elapsed: now - start, request: request)
            return max(now + 1, start + corrected)
        }
    }

    /// To be told of each job that ends.
    public var prediction = RuntimePrediction()
    public var backlog = BacklogRecord()

    public init() {}

    /// Notes the backlog; call it when jobs have arrived, before the order is asked for. `processors`: of the machine.
    public mutating func note(waiting: [Waiting], running: [Running], processors: Int32, at now: Int64) {
        var work = 0.0
        for job in waiting {
            work += Double(prediction.predict(user: job.user, request: job.request)) * Double(job.processors)
        }
        for job in running { work += Double(job.predictedEnd(at: now) - now) * Double(job.processors) }
        backlog.forget(before: waiting.lazy.map(\.submit).min() ?? now)
        backlog.note(work / Double(processors), at: now)
    }

    /// The indices of `waiting`, who goes first first. `waiting` is in the order of submission; `free` are the processors
    /// that nobody holds at `now`.
    ///
    /// O(n log n) in the jobs.
    public func order(_ waiting: [Waiting], running: [Running], free: Int32, at now: Int64) -> [Int] {
        let releases = ReleaseTimes(running, free: free, at: now)
        let scores = waiting.map { job in
            let wait = Double(now - job.submit)
            if wait > Self.guardFactor * backlog.largest(since: job.submit) { return Double.infinity }
            let run = prediction.predict(user: job.user, request: job.request)
            return Self.score(wait: wait, prediction: run, drain: releases.drain(for: job.processors))
        }
        return waiting.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    }

    /// How much a job is in front; times in seconds.
    public static func score(wait: Double, prediction: Int64, drain: Int64) -> Double {
        let length = drainWeight * Double(drain) + max(Double(prediction), shortest)
        return wait - stretch * length + bonus * wait / length
    }
}

/// When how many processors come free, by the predicted ends of what runs.
public struct ReleaseTimes: Sendable {
    private let free: Int32
    /// Ascending, both.
    private var delays: [Int64] = []
    private var available: [Int64] = []

    public init(_ running: [DefaultPolicy.Running], free: Int32, at now: Int64) {
        self.init(running.map { ($0.predictedEnd(at: now), $0.processors) }, free: free, at: now)
    }

    /// - Parameter ends: of what runs, in any order: when it is thought to end, after `now`, and what it holds.
    public init(_ ends: [(time: Int64, processors: Int32)], free: Int32, at now: Int64) {
        self.free = free
        var sum = Int64(free)
        for end in ends.sorted(by: { $0.time < $1.time }) {
            sum += Int64(end.processors)
            delays.append(end.time - now)
            available.append(sum)
        }
    }

    /// The seconds until so many processors are free at once; for more than the machine has, those until it is empty.
    public func drain(for processors: Int32) -> Int64 {
        guard processors > free, let last = delays.last else { return 0 }
        var low = 0
        var high = available.count
        while low < high {
            let middle = (low + high) >> 1
            if available[middle] < Int64(processors) { low = middle + 1 } else { high = middle }
        }
        return low < delays.count ? delays[low] : last
    }
}
