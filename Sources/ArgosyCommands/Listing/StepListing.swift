// squeue -s: a line for each step that runs.

import ArgosyDomain
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
        case 0xffff_fffa: "interactive"
        default: "\(step)"
        }
    }

    var isRunning: Bool { step.endUs == 0 }

    var elapsed: Int64 {
        guard step.startUs > 0 else { return 0 }
        return max(0, (step.endUs > 0 ? step.endUs / 1_000_000 : job.now) - step.startUs / 1_000_000)
    }

    /// Batch, extern and so on: they are of the whole job.
    var isSpecial: Bool { step.step >= 0xffff_0000 }

    var limitText: String {
        let limit = TimeLimit(rawValue: step.timeLimitMinutes)
        return limit.duration.map { Times.short($0.microseconds / 1_000_000) } ?? "UNLIMITED"
    }

    var gres: String {
        step.gres.map { "gres:\($0.name)\($0.type.isEmpty ? "" : ":" + $0.type):\($0.count)" }.joined(separator: ",")
    }
}

enum StepListing {
    typealias Row = Field<StepRecord>

    static let letters = "AbijlMNPSuU"

    static let fields: [Row] = [
        Row("A", "NumTasks", "TASKS") { "\(max(1, $0.step.tasks))" },
        // Slurm's own titles of these three.
        Row("b", "tres-per-node", "TRES_PER_JOB") { JobFields.orNull($0.gres) },
        Row(nil, "tres-per-job", "TRES_PER_STEP") { _ in "(null)" },
        Row(nil, "tres-per-step", "TRES_PER_STEP") { _ in "(null)" },
        Row("i", "StepID", "STEPID") { $0.id },
        Row("j", "StepName", "NAME") { $0.step.name },
        Row("l", "TimeLimit", "TIME_LIMIT") { $0.limitText },
        Row("M", "TimeUsed", "TIME") { Times.short($0.elapsed) },
        Row("N", "Nodes", "NODELIST") { $0.step.nodeList },
        Row("P", "Partition", "PARTITION") { $0.job.partition },
        Row("S", "StartTime", "START_TIME") { Times.stamp($0.step.startUs) },
        Row("u", "UserName", "USER") { $0.job.user },
        Row("U", "UserID", "UID") { "\($0.job.info.spec.identity.uid)" },
        Row(nil, "ArrayJobID", "ARRAY_JOB_ID") { "\($0.job.info.arrayJob)" },
        Row(nil, "ArrayTaskID", "ARRAY_TASK_ID") { $0.job.arrayIndex },
        Row(nil, "Cluster", "CLUSTER") { $0.job.cluster },
        Row(nil, "Container", "CONTAINER") { JobFields.orNull($0.job.info.spec.container.image) },
        Row(nil, "CPUFreq", "CPU_FREQ") { _ in "0-0:0" },
        Row(nil, "cpus-per-tres", "CPUS_PER_TRES") { _ in "(null)" },
        Row(nil, "JobID", "JOB_ID") { "\($0.job.info.job)" },
        Row(nil, "mem-per-tres", "MEM_PER_TRES") { _ in "(null)" },
        Row(nil, "Network", "NETWORK") { _ in "(null)" },
        Row(nil, "NumCPUs", "NUM_CPUS") { $0.isSpecial ? "0" : "\($0.step.cpus)" },
        Row(nil, "ResvPort", "RESERVED_PORTS") { _ in "(null)" },
        Row(nil, "StepState", "STATE") { $0.step.state },
        Row(nil, "tres-bind", "TRES_BIND") { _ in "(null)" },
        Row(nil, "tres-freq", "TRES_FREQ") { _ in "(null)" },
        Row(nil, "tres-per-socket", "TRES_PER_SOCKET") { _ in "(null)" },
        Row(nil, "tres-per-task", "TRES_PER_TASK") { _ in "(null)" },
    ]

    static let format = "%.15i %.8j %.9P %.8u %.9M %N"

    static func render(
        _ records: [JobRecord], _ options: SqueueOptions, _ surroundings: Squeue.Surroundings = .init()
    ) throws(OptionError) -> String {
        let chosen: ChosenColumns<StepRecord>
        if let names = options.longFormat {
            chosen = ColumnFormat.names(names, fields)
        } else if let format = options.format, format.lowercased() == "%all" {
            chosen = ColumnFormat.all(letters, fields)
        } else {
            chosen = ColumnFormat.letters(options.format ?? format, fields)
        }
        for unknown in chosen.unknown { Console.error("squeue", "Invalid job step format specification: \(unknown)") }
        var steps = records.filter { Squeue.matches($0, options, surroundings) }.flatMap { job in
            job.info.steps.map { StepRecord(job: job, step: $0) }
        }
        let wanted = options.jobs.filter { $0.step != nil }
        steps = steps.filter { record in
            record.isRunning && (wanted.isEmpty || wanted.contains { $0.step == record.step.step })
        }
        try sort(&steps, options.sort ?? "P,i")
        return chosen.render(steps, header: options.header)
    }

    private static func sort(_ steps: inout [StepRecord], _ text: String) throws(OptionError) {
        let keys = try JobSorting.keys(text, fields)
        steps.sort { a, b in
            for key in keys {
                let order = compare(a, b, key.field)
                if order != 0 { return key.descends ? order > 0 : order < 0 }
            }
            return compare(a, b, nil) < 0
        }
    }

    /// Nil: by id, the job's own steps after its numbered ones.
    private static func compare(_ a: StepRecord, _ b: StepRecord, _ field: Row?) -> Int {
        func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
            left == right ? 0 : left < right ? -1 : 1
        }
        switch field?.letter {
        case nil, "i":
            let (left, right) = (a.job.info.listingOrder, b.job.info.listingOrder)
            if left != right { return left < right ? -1 : 1 }
            return order(a.step.step, b.step.step)
        case "M": return order(a.elapsed, b.elapsed)
        case "S": return order(a.step.startUs, b.step.startUs)
        default: break
        }
        guard let field else { return 0 }
        let (left, right) = (field.value(a), field.value(b))
        if let x = Int(left), let y = Int(right) { return order(x, y) }
        return order(left, right)
    }
}
