// A trace as jobs, by the rules of the reference mode: what of a log is a job, how many processors it takes, how long it
// runs and how long it was thought to run.

/// One job of a trace; times in seconds, from the trace's own zero.
public struct TraceJob: Sendable, Equatable {
    /// The trace's own number for it.
    public var id: Int64
    public var submit: Int64
    /// After a kill at the limit.
    public var run: Int64
    /// Asked for; at least `run`.
    public var request: Int64
    public var processors: Int32
    /// -1: not known.
    public var user: Int32
    public var group: Int32
    public var queue: Int32
    /// It ran longer than it had asked for.
    public var isKilled: Bool
}

/// The jobs of a trace and the machine they were run on.
public struct Workload: Sendable {
    /// Processors of the machine.
    public var processors: Int32
    /// In the order (submission, id).
    public var jobs: [TraceJob] = []
    /// Lines that are no usable job, and jobs wider than the machine.
    public var dropped = 0

    public init(processors: Int32) { self.processors = processors }

    public var firstSubmit: Int64 { jobs.first?.submit ?? 0 }
    public var killed: Int { jobs.count(where: \.isKilled) }

    /// What a plan is made from.
    public enum Estimate: String, Sendable, CaseIterable {
        /// What the user asked for.
        case request
        /// How long it really runs.
        case actual
    }

    /// The jobs in order, at most `limit` of them, with the estimates asked for.
    public mutating func prepare(limit: Int?, estimate: Estimate) {
        let isSorted = jobs.indices.dropFirst().allSatisfy { !Self.isBefore(jobs[$0], jobs[$0 - 1]) }
        if !isSorted {
            // Equal ones stay as they came: the sort of the standard library is stable, but does not promise it.
            jobs = jobs.enumerated().sorted {
                Self.isBefore($0.element, $1.element)
                    || (!Self.isBefore($1.element, $0.element) && $0.offset < $1.offset)
            }.map(\.element)
        }
        if let limit, limit < jobs.count { jobs.removeLast(jobs.count - limit) }
        if estimate == .actual { for index in jobs.indices { jobs[index].request = jobs[index].run } }
    }

    private static func isBefore(_ one: TraceJob, _ other: TraceJob) -> Bool {
        one.submit != other.submit ? one.submit < other.submit : one.id < other.id
    }
}

/// The fields of a log's line that matter, -1 where not known.
struct LogLine {
    var id: Int64
    var submit: Int64
    var run: Int64
    var allocated: Int64
    var asked: Int64
    var request: Int64
    var user: Int64
    var group: Int64
    var queue: Int64
}

extension Workload {
    mutating func append(_ line: LogLine) {
        let width = line.asked > 0 ? line.asked : line.allocated
        guard line.submit >= 0, line.run > 0, width > 0, width <= Int64(processors) else {
            dropped += 1
            return
        }
        let request = line.request > 0 ? line.request : line.run
        jobs.append(
            TraceJob(
                id: line.id, submit: line.submit, run: min(line.run, request), request: request,
                processors: Int32(truncatingIfNeeded: width), user: Int32(clamping: line.user),
                group: Int32(clamping: line.group), queue: Int32(clamping: line.queue), isKilled: line.run > request))
    }
}
