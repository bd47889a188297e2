// squeue -s: a line for each step that runs.

import ArgosyWire

struct StepRecord: Sendable {
    var job: JobRecord
    var step: WireStepInfo

    /// `12.0`, `12_3.batch`
    var id: String { "\(job.id).\(StepRecord.name(of: step.step))" }

    static func name(of step: UInt32) -> String {
        switch step {
        case 0xffff_fffb: "batch"
        case 0xffff_fffc: "extern"
        default: "\(step)"
        }
    }

    var isRunning: Bool { step.endUs == 0 }

    var elapsed: Int64 {
        guard step.startUs > 0 else { return 0 }
        return max(0, (step.endUs > 0 ? step.endUs / 1_000_000 : job.now) - step.startUs / 1_000_000)
    }
}

enum StepListing {
    typealias Row = Field<StepRecord>

    static let fields: [Row] = [
        Row("A", "NumTasks", "TASKS") { "\($0.step.tasks)" },
        Row("C", "NumCPUs", "CPUS") { "\($0.step.cpus)" },
        Row("i", "StepID", "STEPID") { $0.id },
        Row("j", "StepName", "NAME") { $0.step.name },
        Row("l", "TimeLimit", "TIME_LIMIT") { $0.job.limitText },
        Row("M", "TimeUsed", "TIME") { Times.short($0.elapsed) },
        Row("N", "Nodes", "NODELIST") { $0.step.nodeList },
        Row("P", "Partition", "PARTITION") { $0.job.partition },
        Row("S", "StartTime", "START_TIME") { Times.stamp($0.step.startUs) },
        Row("T", "StepState", "STATE") { $0.step.state },
        Row("u", "UserName", "USER") { $0.job.user },
        Row("U", "UserID", "UID") { "\($0.job.info.spec.identity.uid)" },
    ]

    static let format = "%.15i %.8j %.9P %.8u %.9M %N"

    static func render(_ records: [JobRecord], _ options: SqueueOptions) throws(OptionError) -> String {
        let columns: [Column<StepRecord>]
        if let names = options.longFormat {
            columns = try ColumnFormat.names(names, fields)
        } else {
            columns = try ColumnFormat.letters(options.format ?? format, fields)
        }
        let steps = records.filter { Squeue.matches($0, options) }.flatMap { job in
            job.info.steps.map { StepRecord(job: job, step: $0) }
        }
        let wanted = Set(options.jobs.compactMap { id in id.step.map { "\(id.job).\($0)" } })
        let chosen = steps.filter { record in
            record.isRunning && (wanted.isEmpty || wanted.contains("\(record.job.info.job).\(record.step.step)"))
        }
        return ArgosyCommands.render(columns, chosen, header: options.header)
    }
}
