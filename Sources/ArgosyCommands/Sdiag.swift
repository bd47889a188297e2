// sdiag: what the controller did, in Slurm's layout.

import ArgosyWire

struct SdiagOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var reset = false
    var order = Order.count
    enum Order { case count, number, total, average }
}

enum Sdiag {
    typealias Row = Option<SdiagOptions>

    static let description = CommandDescription(name: "sdiag", synopsis: "[OPTIONS]", options: options)

    static let options: [Row] =
        [
            Row("all", "a", "all statistics") { _, _ in },
            Row("reset", "r", "reset statistics") { o, _ in o.reset = true },
            Row("sort-by-id", "i", "sort requests by their number") { o, _ in o.order = .number },
            Row("sort-by-time", "t", "sort requests by the time they took in all") { o, _ in o.order = .total },
            Row("sort-by-time2", "T", "sort requests by the time one took") { o, _ in o.order = .average },
            .accepted("cluster", "M", .required, env: ["SLURM_CLUSTERS"]),
        ] + informationOptions()

    static func run(_ arguments: [String]) -> Int32 {
        var options = SdiagOptions()
        var exitCode: Int32 = 0
        guard description.parse(arguments, into: &options, exitCode: &exitCode) != nil else { return exitCode }
        do {
            var request = WireShowStatistics()
            request.reset = options.reset
            guard case .statistics(let found)? = try Session().ask(.statistics(request)).body else {
                throw Failure("Invalid reply of the controller")
            }
            Console.print(options.reset ? "Reset scheduling statistics\n" : text(found, options.order))
            return 0
        } catch {
            let failure = Failure(error)
            Console.error("sdiag", failure.message, detail: failure.detail)
            return 1
        }
    }

    static func text(_ found: WireStatistics, _ order: SdiagOptions.Order) -> String {
        let line = String(repeating: "*", count: 55) + "\n"
        var text =
            line + "sdiag output at \(moment(found.nowUs))\n" + "Data since      \(moment(found.sinceUs))\n" + line
        text += "Server thread count:  \(found.threads)\n"
        text += "Agent queue size:     \(found.ordersWaiting)\n"
        text += "Agent count:          0\n"
        text += "Agent thread count:   0\n"
        text += "DBD Agent queue size: \(found.commitsWaiting)\n\n"
        text += "Jobs submitted: \(found.submitted)\nJobs started:   \(found.started)\n"
        text +=
            "Jobs completed: \(found.completed)\nJobs canceled:  \(found.cancelled)\nJobs failed:    \(found.failed)\n\n"
        text += "Job states ts:  \(moment(found.statesUs))\n"
        text += "Jobs pending:   \(found.pending)\nJobs running:   \(found.running)\n\n"
        text += passes(found) + backfill(found)
        text += "\nLatency for 1000 calls to gettimeofday(): \(found.clockUs) microseconds\n"
        return text + requests(found, order)
    }

    private static func moment(_ microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        return "\(Times.dateLine(seconds)) (\(seconds))"
    }

    private static func passes(_ found: WireStatistics) -> String {
        let minutes = UInt64(max(0, found.nowUs - found.sinceUs) / 60_000_000)
        var text = "Main schedule statistics (microseconds):\n"
        text += "\tLast cycle:   \(found.pass.lastUs)\n\tMax cycle:    \(found.pass.maxUs)\n"
        text += "\tTotal cycles: \(found.pass.count)\n"
        if found.pass.count > 0 {
            text += "\tMean cycle:   \(found.pass.totalUs / Int64(found.pass.count))\n"
            text += "\tMean depth cycle:  \(found.depthTotal / found.pass.count)\n"
        }
        if minutes > 0 { text += "\tCycles per minute: \(found.pass.count / minutes)\n" }
        return text + "\tLast queue length: \(found.queueLast)\n\n"
    }

    /// One pass plans both what starts now and what is filled in behind it.
    private static func backfill(_ found: WireStatistics) -> String {
        var text = "Backfilling stats\n"
        text += "\tTotal backfilled jobs (since last slurm start): \(found.backfilledSinceStart)\n"
        text += "\tTotal backfilled jobs (since last stats cycle start): \(found.backfilled)\n"
        text += "\tTotal backfilled heterogeneous job components: \(found.backfilledHet)\n"
        text += "\tTotal cycles: \(found.pass.count)\n"
        text += "\tLast cycle when: \(found.passUs > 0 ? moment(found.passUs) : "N/A")\n"
        text += "\tLast cycle: \(found.pass.lastUs)\n\tMax cycle:  \(found.pass.maxUs)\n"
        if found.pass.count > 0 { text += "\tMean cycle: \(found.pass.totalUs / Int64(found.pass.count))\n" }
        text += "\tLast depth cycle: \(found.depthLast)\n\tLast depth cycle (try sched): \(found.depthLast)\n"
        if found.pass.count > 0 {
            text += "\tDepth Mean: \(found.depthTotal / found.pass.count)\n"
            text += "\tDepth Mean (try depth): \(found.depthTotal / found.pass.count)\n"
        }
        text += "\tLast queue length: \(found.queueLast)\n"
        if found.pass.count > 0 { text += "\tQueue length mean: \(found.queueTotal / found.pass.count)\n" }
        text += "\tLast table size: \(found.tableLast)\n"
        return text
    }

    // MARK: - Requests

    private struct Line {
        var name: String
        var number: UInt64
        var count: UInt64
        var total: Int64
        var average: Int64 { count > 0 ? total / Int64(count) : 0 }
    }

    private static func sorted(_ lines: [Line], _ order: SdiagOptions.Order) -> [Line] {
        lines.sorted { a, b in
            switch order {
            case .number: (a.number, b.count) < (b.number, a.count)
            case .count: (b.count, a.number) < (a.count, b.number)
            case .total: (b.total, a.number) < (a.total, b.number)
            case .average: (b.average, a.number) < (a.average, b.number)
            }
        }
    }

    private static func requests(_ found: WireStatistics, _ order: SdiagOptions.Order) -> String {
        var text = "\nRemote Procedure Call statistics by message type\n"
        let lines = found.requests.map {
            Line(name: name($0.number), number: UInt64($0.number), count: $0.count, total: $0.totalUs)
        }
        for line in sorted(lines, order) {
            text += "\t\(pad(line.name, 40))(\(pad("\(line.number)", 5, right: true))) count:\(pad("\(line.count)", 6))"
            text += " ave_time:\(pad("\(line.average)", 6)) total_time:\(line.total)\n"
        }
        text += "\nRemote Procedure Call statistics by user\n"
        let users = found.users.map { Line(name: $0.user, number: UInt64($0.uid), count: $0.count, total: $0.totalUs) }
        for line in sorted(users, order) {
            text += "\t\(pad(line.name, 16))(\(pad("\(line.number)", 8, right: true))) count:\(pad("\(line.count)", 6))"
            text += " ave_time:\(pad("\(line.average)", 6)) total_time:\(line.total)\n"
        }
        return text + "\nPending RPC statistics\n\tNo pending RPCs\n"
    }

    static func name(_ number: UInt32) -> String { names[number] ?? "REQUEST_OTHER" }

    private static let names: [UInt32: String] = [
        1005: "REQUEST_SHUTDOWN", 1008: "REQUEST_PING", 1404: "DBD_ADD_ASSOCS", 1410: "DBD_GET_ASSOCS",
        1444: "DBD_GET_JOBS_COND", 1445: "DBD_GET_TXN", 1451: "DBD_GET_CLUSTER_USAGE", 1470: "DBD_GET_EVENTS",
        2001: "REQUEST_BUILD_INFO", 2003: "REQUEST_JOB_INFO", 2007: "REQUEST_NODE_INFO",
        2009: "REQUEST_PARTITION_INFO", 2021: "REQUEST_JOB_INFO_SINGLE", 2022: "REQUEST_SHARE_INFO",
        2024: "REQUEST_RESERVATION_INFO", 2026: "REQUEST_PRIORITY_FACTORS", 2035: "REQUEST_STATS_INFO",
        2036: "REQUEST_TRIGGER_GET", 2038: "REQUEST_TRIGGER_SET", 2039: "REQUEST_TRIGGER_CLEAR",
        2200: "REQUEST_CRONTAB", 2202: "REQUEST_UPDATE_CRONTAB", 3001: "REQUEST_UPDATE_JOB",
        3002: "REQUEST_UPDATE_NODE", 3005: "REQUEST_UPDATE_PARTITION", 3006: "REQUEST_CREATE_RESERVATION",
        3008: "REQUEST_DELETE_RESERVATION", 3009: "REQUEST_UPDATE_RESERVATION",
        4001: "REQUEST_RESOURCE_ALLOCATION", 4003: "REQUEST_SUBMIT_BATCH_JOB", 4016: "REQUEST_JOB_WILL_RUN",
        4019: "REQUEST_JOB_READY", 5001: "REQUEST_JOB_STEP_CREATE", 5005: "REQUEST_CANCEL_JOB_STEP",
        5032: "REQUEST_KILL_JOB",
    ]
}
