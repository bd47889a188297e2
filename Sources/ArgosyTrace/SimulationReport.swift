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
    /// Production mode: jobs refused at submission, and jobs that still waited when nothing could happen any more.
    public var refused = 0
    public var neverStarted = 0
    /// Why jobs were refused, the first few.
    public var notes: [String] = []
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
            ("killed", "\(killed)", false), ("refused", "\(refused)", false),
            ("never_started", "\(neverStarted)", false), ("backfilled", "\(backfilled)", false),
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
    public var table: String { Self.table([self]) }

    /// A name a line, and the value of each report; of two also by how much the second is more or less.
    public static func table(_ reports: [SimulationReport]) -> String {
        guard let first = reports.first else { return "" }
        var lines: [[String]] = first.rows.enumerated().map { index, row in
            [row.name] + reports.map { $0.rows[index].value }
        }
        if reports.count == 2 {
            for index in lines.indices {
                guard let old = Double(lines[index][1]), let new = Double(lines[index][2]), old != 0 else { continue }
                let change = (new - old) / old * 100
                lines[index].append((change > 0 ? "+" : "") + fixed(change, 1) + " %")
            }
        }
        let widths = (0..<3).map { column in (lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0) + 2 }
        let table = lines.map { line in
            line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }.joined() + "\n"
        }
        return table.joined() + reports.flatMap(\.notes).map { "refused: \($0)\n" }.joined()
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
