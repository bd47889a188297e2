// What `argosy sim` tells of a run, as a table for people and as one JSON object for programs.

/// One simulated run.
public struct SimulationReport: Sendable {
    public var trace: String
    public var policy: String
    public var estimate: Workload.Estimate
    public var processors: Int32
    public var dropped: Int
    public var killed: Int
    public var backfilled: Int
    public var statistics: Statistics
    public var sha: String
    /// Since the start of the run.
    public var wallSeconds = 0.0
    /// Processor time, reading the trace included.
    public var cpuSeconds = 0.0

    public init(
        trace: String, policy: String, estimate: Workload.Estimate, workload: Workload, schedule: Schedule
    ) {
        self.trace = trace
        self.policy = policy
        self.estimate = estimate
        processors = workload.processors
        dropped = workload.dropped
        killed = workload.killed
        backfilled = schedule.backfilled
        statistics = Statistics(of: schedule, workload)
        sha = schedule.digest(of: workload)
    }

    /// Of processor time.
    public var jobsPerSecond: Double { cpuSeconds > 0 ? Double(statistics.jobs) / cpuSeconds : 0 }

    /// Names and values in the order in which they are shown; text values are quoted in JSON.
    private var rows: [(name: String, value: String, isText: Bool)] {
        [
            ("trace", trace, true), ("policy", policy, true), ("estimate", estimate.rawValue, true),
            ("procs", "\(processors)", false), ("jobs", "\(statistics.jobs)", false), ("dropped", "\(dropped)", false),
            ("killed", "\(killed)", false), ("backfilled", "\(backfilled)", false),
            ("total_wait", "\(statistics.totalWait)", false),
            ("avg_wait", fixed(statistics.averageWait, 6), false),
            ("median_wait", "\(statistics.medianWait)", false), ("p99_wait", "\(statistics.p99Wait)", false),
            ("max_wait", "\(statistics.maxWait)", false),
            ("avg_bsld", fixed(statistics.averageBoundedSlowdown, 6), false),
            ("util", fixed(statistics.utilization, 6), false), ("makespan", "\(statistics.makespan)", false),
            ("sha", sha, true), ("wall_seconds", fixed(wallSeconds, 6), false),
            ("cpu_seconds", fixed(cpuSeconds, 6), false), ("jobs_per_second", fixed(jobsPerSecond, 0), false),
        ]
    }

    /// One line of JSON.
    public var json: String {
        "{"
            + rows.map { "\"\($0.name)\": " + ($0.isText ? jsonText($0.value) : $0.value) }.joined(separator: ", ")
            + "}\n"
    }

    /// A name and a value a line.
    public var table: String {
        let width = (rows.map(\.name.count).max() ?? 0) + 2
        return rows.map { row in
            row.name + String(repeating: " ", count: width - row.name.count) + row.value + "\n"
        }.joined()
    }
}

/// `value` with so many digits after the point, rounded half up.
func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let whole = Int64(scaled) / Int64(scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let rest = String(Int64(scaled) % Int64(scale))
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
}

private func jsonText(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case _ where scalar.value < 32:
            let hex = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
