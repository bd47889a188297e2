// What production mode simulates: requests as users make them, with the run times that only the trace knows.
internal import ArgosyDomain

/// A job of a trace, ready to be submitted.
struct ProductionJob: Sendable {
    /// The trace's own number for it, or its place in it.
    var id: Int64
    /// Seconds from the trace's zero.
    var submit: Int64
    /// Seconds, after a kill at the limit.
    var run: Int64
    /// Seconds asked for.
    var request: Int64
    /// For the bounded slowdown's companions: processors, or CPUs where nodes have more.
    var width: Int64
    var isKilled: Bool
    var fields: JobSpec.Fields
}

/// A trace of any format, and the machine it was taken on where the trace tells it.
struct ProductionTrace: Sendable {
    var name: String
    /// In the order (submission, id).
    var jobs: [ProductionJob] = []
    var dropped = 0
    /// Lines of argosy.conf for the machine; empty: unknown.
    var machine = ""
    /// CPUs of that machine.
    var processors: Int64 = 0

    /// By its name: `.swf`, `.tsv` of university clusters, `openb_pod_list` CSV; all plain or gzip.
    static func read(_ path: String, processors: Int32?, limit: Int?, estimate: Workload.Estimate) throws(TraceError)
        -> ProductionTrace
    {
        let base = path.split(separator: "/").last.map(String.init) ?? path
        let plain = base.hasSuffix(".gz") ? String(base.dropLast(3)) : base
        var trace: ProductionTrace
        if plain.hasSuffix(".tsv") {
            trace = try ClusterTSV.read(path)
        } else if plain.hasPrefix("openb_pod_list") {
            trace = try OpenBTrace.read(path)
        } else {
            trace = try swf(path, processors: processors)
        }
        trace.jobs.sort { ($0.submit, $0.id) < ($1.submit, $1.id) }
        if let limit, limit < trace.jobs.count { trace.jobs.removeLast(trace.jobs.count - limit) }
        if estimate == .actual {
            for index in trace.jobs.indices {
                trace.jobs[index].request = trace.jobs[index].run
                trace.jobs[index].fields.timeLimit = minutes(trace.jobs[index].run)
            }
        }
        guard !trace.jobs.isEmpty else {
            throw TraceError(.unusable, "\(path) has no job to simulate (\(trace.dropped) lines dropped)")
        }
        return trace
    }

    private static func swf(_ path: String, processors: Int32?) throws(TraceError) -> ProductionTrace {
        var workload = try SWFReader.read(path, processors: processors)
        workload.prepare(limit: nil, estimate: .request)
        var trace = ProductionTrace(name: path)
        trace.dropped = workload.dropped
        trace.processors = Int64(workload.processors)
        let names = workload.processors == 1 ? "p0" : "p[0-\(workload.processors - 1)]"
        trace.machine =
            "NodeName=\(names) CPUs=1 RealMemory=1000 State=UNKNOWN\n"
            + "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        trace.jobs = workload.jobs.map { job in
            var fields = JobSpec.Fields(identity: user(job.user, group: job.group))
            fields.tasks = UInt32(job.processors)
            fields.timeLimit = minutes(job.request)
            return ProductionJob(
                id: job.id, submit: job.submit, run: job.run, request: job.request, width: Int64(job.processors),
                isKilled: job.isKilled, fields: fields)
        }
        return trace
    }

    /// Whoever is unknown is one and the same user.
    static func user(_ number: Int32, group: Int32) -> Identity {
        let uid = UInt32(100_000 + max(number, -1) + 1)
        return Identity(
            uid: uid, gid: UInt32(100_000 + max(group, -1) + 1), user: number < 0 ? "unknown" : "user\(number)",
            group: group < 0 ? "unknown" : "group\(group)")
    }

    /// Limits are whole minutes, as Slurm keeps them: rounded up.
    static func minutes(_ seconds: Int64) -> TimeLimit {
        TimeLimit(minutes: UInt32(clamping: max(1, (seconds + 59) / 60)))
    }
}

/// All lines of a text trace, split at `separator`, without the first one, which names the columns.
struct TraceTable {
    var columns: [String]
    var rows: [[Substring]]

    init(_ path: String, separator: Character) throws(TraceError) {
        let input = try TraceInput(path)
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try input.read(into: buffer)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(whereSeparator: \.isNewline)
        guard !lines.isEmpty else { throw TraceError(.unusable, "\(path) is empty") }
        columns = lines.removeFirst().split(separator: separator, omittingEmptySubsequences: false).map(String.init)
        rows = lines.map { $0.split(separator: separator, omittingEmptySubsequences: false) }
        for (index, row) in rows.enumerated() where row.count != columns.count {
            throw TraceError(
                .malformed, "\(path), line \(index + 2): \(row.count) columns, the first line names \(columns.count)")
        }
    }

    /// - Throws: `malformed` when there is no column of that name.
    func column(_ name: String, of path: String) throws(TraceError) -> Int {
        guard let index = columns.firstIndex(of: name) else {
            throw TraceError(.malformed, "\(path) has no column \(name); it has \(columns.joined(separator: ", "))")
        }
        return index
    }
}
