// What sacct can show of a job or step.

import ArgosyDomain
import ArgosyWire

struct AccountingField: Sendable {
    var name: String
    /// Negative: to the left.
    var width: Int
    var value: @Sendable (AccountingRecord) -> String
}

enum AccountingFields {
    typealias Row = AccountingField

    private static func job(_ value: @escaping @Sendable (AccountingRecord) -> String)
        -> @Sendable (AccountingRecord) -> String
    {
        { $0.step == nil ? value($0) : "" }
    }

    /// Of steps that ended; Slurm too has numbers of those only.
    private static func step(_ value: @escaping @Sendable (AccountingRecord, WireStepInfo) -> String)
        -> @Sendable (AccountingRecord) -> String
    {
        { record in record.step.map { value(record, $0) } ?? "" }
    }

    private static func measured(_ value: @escaping @Sendable (AccountingRecord, WireStepInfo) -> String)
        -> @Sendable (AccountingRecord) -> String
    {
        { record in record.step.flatMap { $0.endUs > 0 ? value(record, $0) : nil } ?? "" }
    }

    /// What no plugin of ours measures is 0, of tasks nobody counted the first.
    private static func unmeasured(_ text: String) -> @Sendable (AccountingRecord) -> String {
        measured { _, _ in text }
    }

    private static let firstNode = measured { record, _ in record.firstNode }
    private static let firstTask = unmeasured("0")
    private static func frequency(_ record: AccountingRecord) -> String {
        record.step.map { $0.step == 0xffff_fffb } == true ? "0" : "Unknown"
    }

    /// As `--helpformat` lists them.
    static let all: [Row] = [
        Row(name: "Account", width: 10) { $0.job.info.spec.account },
        Row(name: "AdminComment", width: 15) { _ in "" },
        Row(name: "AllocCPUS", width: 10) { "\($0.cpus)" },
        Row(name: "AllocNodes", width: 10) { "\($0.allocatedNodes)" },
        Row(name: "AllocTRES", width: 10) { $0.allocatedTRES },
        Row(name: "AssocID", width: 7) { "\($0.job.info.association)" },
        Row(name: "AveCPU", width: 10, value: measured { record, _ in record.averageCPU }),
        Row(name: "AveCPUFreq", width: 10, value: step { _, _ in "0" }),
        Row(name: "AveDiskRead", width: 14, value: unmeasured("0")),
        Row(name: "AveDiskWrite", width: 14, value: unmeasured("0")),
        Row(name: "AvePages", width: 10, value: unmeasured("0")),
        Row(name: "AveRSS", width: 10, value: measured { record, _ in record.size(record.usage.peakMemory) }),
        Row(name: "AveVMSize", width: 10, value: unmeasured("0")),
        Row(name: "BlockID", width: 16) { _ in "" },
        Row(name: "Cluster", width: 10) { $0.cluster },
        Row(name: "Comment", width: 14, value: job { $0.job.info.spec.comment }),
        Row(name: "Constraints", width: 19, value: job { $0.job.info.spec.resources.constraint }),
        Row(name: "ConsumedEnergy", width: 14) { $0.hasStarted && $0.step == nil ? "" : "0" },
        Row(name: "ConsumedEnergyRaw", width: 17) { $0.hasStarted && $0.step == nil ? "" : "0" },
        Row(name: "Container", width: 19) { $0.job.info.spec.container.image },
        Row(name: "CPUTime", width: 10) { Times.long($0.cpuSeconds) },
        Row(name: "CPUTimeRAW", width: 10) { "\($0.cpuSeconds)" },
        Row(name: "DBIndex", width: -10) { "\($0.job.info.job)" },
        Row(
            name: "DerivedExitCode", width: 15,
            value: job { "\($0.job.info.derivedExit.code):\($0.job.info.derivedExit.signal)" }),
        Row(name: "Elapsed", width: 10) { Times.long($0.elapsed) },
        Row(name: "ElapsedRaw", width: 10) { "\($0.elapsed)" },
        Row(name: "Eligible", width: 19) {
            Times.stamp($0.step?.startUs ?? $0.job.info.eligibleUs, unset: "Unknown")
        },
        Row(name: "End", width: 19) { Times.stamp($0.endUs, unset: "Unknown") },
        Row(name: "ExitCode", width: 8) { record in
            if record.hasNoExit { return "" }
            // The signal that scancel sent is told of the step that it ended, not of the job.
            let isCancelled = record.step == nil && record.job.info.state == "CANCELLED"
            return "\(record.exit.code):\(isCancelled ? 0 : record.exit.signal)"
        },
        Row(name: "Flags", width: 19, value: job { $0.hasStarted ? "SchedMain,StartRecieved" : "StartRecieved" }),
        Row(name: "GID", width: 6, value: job { "\($0.job.info.spec.identity.gid)" }),
        Row(name: "Group", width: 9, value: job { $0.job.group }),
        Row(name: "JobID", width: -12) { $0.id },
        Row(name: "JobIDRaw", width: -12) { record in
            "\(record.job.info.job)" + (record.step.map { ".\(StepRecord.name(of: $0.step))" } ?? "")
        },
        Row(name: "JobName", width: 10) { $0.step?.name ?? $0.job.info.spec.name },
        Row(name: "Layout", width: 9, value: step { record, step in record.layout(step) }),
        Row(name: "MaxDiskRead", width: 12, value: unmeasured("0")),
        Row(name: "MaxDiskReadNode", width: 15, value: firstNode),
        Row(name: "MaxDiskReadTask", width: 15, value: firstTask),
        Row(name: "MaxDiskWrite", width: 12, value: unmeasured("0")),
        Row(name: "MaxDiskWriteNode", width: 16, value: firstNode),
        Row(name: "MaxDiskWriteTask", width: 16, value: firstTask),
        Row(name: "MaxPages", width: 8, value: unmeasured("0")),
        Row(name: "MaxPagesNode", width: 12, value: firstNode),
        Row(name: "MaxPagesTask", width: 14, value: firstTask),
        Row(name: "MaxRSS", width: 10, value: measured { record, _ in record.size(record.usage.peakMemory) }),
        Row(name: "MaxRSSNode", width: 10, value: firstNode),
        Row(name: "MaxRSSTask", width: 10, value: firstTask),
        Row(name: "MaxVMSize", width: 10, value: unmeasured("0")),
        Row(name: "MaxVMSizeNode", width: 14, value: firstNode),
        Row(name: "MaxVMSizeTask", width: 14, value: firstTask),
        Row(name: "McsLabel", width: 12) { _ in "" },
        Row(name: "MinCPU", width: 10, value: measured { record, _ in record.averageCPU }),
        Row(name: "MinCPUNode", width: 10, value: firstNode),
        Row(name: "MinCPUTask", width: 10, value: firstTask),
        Row(name: "NCPUS", width: 10) { "\($0.cpusOrWanted)" },
        Row(name: "NNodes", width: 8) { "\($0.nodeCount)" },
        Row(name: "NodeList", width: 15) { $0.nodeList },
        Row(name: "NTasks", width: 8, value: step { _, step in "\(max(1, step.tasks))" }),
        Row(name: "Partition", width: 10, value: job { $0.job.partition }),
        Row(name: "Priority", width: 10, value: job { "\($0.job.info.priority)" }),
        Row(name: "QOS", width: 10, value: job { $0.job.info.spec.qos }),
        Row(name: "QOSRAW", width: 6, value: job { $0.qosNumber }),
        Row(name: "Reason", width: 22, value: job { $0.job.reason }),
        Row(name: "ReqCPUFreq", width: 10, value: frequency),
        Row(name: "ReqCPUFreqGov", width: 13, value: frequency),
        Row(name: "ReqCPUFreqMax", width: 13, value: frequency),
        Row(name: "ReqCPUFreqMin", width: 13, value: frequency),
        Row(name: "ReqCPUS", width: 8) { record in "\(record.step == nil ? record.requestedCPUs : record.cpus)" },
        Row(name: "ReqMem", width: 10, value: job { $0.requestedMemory }),
        Row(name: "ReqNodes", width: 8) { record in
            "\(record.step == nil ? Int(max(1, record.job.info.nodesWanted)) : record.nodeCount)"
        },
        Row(name: "ReqTRES", width: 10, value: job { $0.requestedTRES }),
        Row(name: "Reservation", width: 20, value: job { $0.job.reservation }),
        Row(name: "ReservationId", width: 8) { _ in "" },
        Row(name: "Reserved", width: 10, value: job { Times.long($0.reserved) }),
        Row(name: "ResvCPU", width: 10, value: job { Times.long($0.reserved * Int64($0.requestedCPUs)) }),
        Row(name: "ResvCPURAW", width: 10, value: job { "\($0.reserved * Int64($0.requestedCPUs))" }),
        Row(name: "Restarts", width: 8, value: job { "\($0.job.info.restarts)" }),
        Row(name: "Start", width: 19) { Times.stamp($0.startUs, unset: "Unknown") },
        Row(name: "State", width: 10) { $0.state },
        Row(name: "Submit", width: 19) { Times.stamp($0.step?.startUs ?? $0.job.info.submitUs, unset: "Unknown") },
        Row(name: "SubmitLine", width: 20) { record in
            record.step.map { $0.submitLine } ?? record.job.info.spec.submitLine
        },
        Row(name: "Suspended", width: 10) { record in
            Times.long(record.step == nil ? record.job.info.suspendedForUs / 1_000_000 : 0)
        },
        Row(name: "SystemComment", width: 15) { _ in "" },
        Row(name: "SystemCPU", width: 10) { time($0.usage.systemCPU) },
        Row(name: "Timelimit", width: 10, value: job { limit($0.job) }),
        Row(name: "TimelimitRaw", width: 10, value: job { limitNumber($0.job) }),
        Row(name: "TotalCPU", width: 10) { time($0.usage.userCPU &+ $0.usage.systemCPU) },
        Row(name: "TRESUsageInAve", width: 14, value: measured { record, _ in record.usedTRES() }),
        Row(name: "TRESUsageInMax", width: 14, value: measured { record, _ in record.usedTRES() }),
        Row(
            name: "TRESUsageInMaxNode", width: 18,
            value: measured { record, _ in record.inTRES("cpu,energy,fs/disk,mem,pages,vmem", record.firstNode) }),
        Row(
            name: "TRESUsageInMaxTask", width: 18,
            value: measured { record, _ in record.inTRES("cpu,fs/disk,mem,pages,vmem", "0") }),
        Row(name: "TRESUsageInMin", width: 14, value: measured { record, _ in record.usedTRES() }),
        Row(
            name: "TRESUsageInMinNode", width: 18,
            value: measured { record, _ in record.inTRES("cpu,energy,fs/disk,mem,pages,vmem", record.firstNode) }),
        Row(
            name: "TRESUsageInMinTask", width: 18,
            value: measured { record, _ in record.inTRES("cpu,fs/disk,mem,pages,vmem", "0") }),
        Row(name: "TRESUsageInTot", width: 14, value: measured { record, _ in record.usedTRES() }),
        Row(name: "TRESUsageOutAve", width: 15, value: unmeasured("energy=0,fs/disk=0")),
        Row(name: "TRESUsageOutMax", width: 15, value: unmeasured("energy=0,fs/disk=0")),
        Row(
            name: "TRESUsageOutMaxNode", width: 19,
            value: measured { record, _ in record.inTRES("energy,fs/disk", record.firstNode) }),
        Row(name: "TRESUsageOutMaxTask", width: 19, value: unmeasured("fs/disk=0")),
        Row(name: "TRESUsageOutMin", width: 15, value: unmeasured("energy=0,fs/disk=0")),
        Row(
            name: "TRESUsageOutMinNode", width: 19,
            value: measured { record, _ in record.inTRES("energy,fs/disk", record.firstNode) }),
        Row(name: "TRESUsageOutMinTask", width: 19, value: unmeasured("fs/disk=0")),
        Row(name: "TRESUsageOutTot", width: 15, value: unmeasured("energy=0,fs/disk=0")),
        Row(name: "UID", width: 6, value: job { "\($0.job.info.spec.identity.uid)" }),
        Row(name: "User", width: 9, value: job { $0.job.user }),
        Row(name: "UserCPU", width: 10) { time($0.usage.userCPU) },
        Row(name: "WCKey", width: 10, value: job { $0.job.info.spec.wckey }),
        Row(name: "WCKeyID", width: 10, value: job { _ in "0" }),
        Row(name: "WorkDir", width: 20, value: job { $0.job.info.spec.workDir }),
    ]

    /// Below an hour `mm:ss.mmm`.
    static func time(_ microseconds: UInt64) -> String {
        let seconds = Int64(microseconds / 1_000_000)
        guard microseconds > 0, seconds < 3600 else { return Times.long(seconds) }
        let milliseconds = String(microseconds / 1000 % 1000)
        let zeros = String(repeating: "0", count: 3 - milliseconds.count)
        return "\(two(seconds / 60)):\(two(seconds % 60)).\(zeros)\(milliseconds)"
    }

    private static func limit(_ job: JobRecord) -> String {
        guard let duration = job.limit.duration else {
            return job.limitText == "NOT_SET" ? "Partition_Limit" : "UNLIMITED"
        }
        return Times.long(duration.microseconds / 1_000_000)
    }

    private static func limitNumber(_ job: JobRecord) -> String {
        job.limit.duration == nil ? limit(job) : "\(job.info.timeLimitMinutes)"
    }

    /// Four in a line.
    static var list: String {
        FieldList.text(all.map(\.name).filter { $0 != "Restarts" })
    }

    /// `name`, `name%20`, `name%-20` with commas between; names may be cut short. `all` is every one.
    static func columns(_ text: String) throws(OptionError) -> [AccountingField] {
        var columns: [AccountingField] = []
        for word in text.split(separator: ",") {
            let parts = word.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            let wanted = parts[0].lowercased()
            if wanted == "all" {
                columns += all
                continue
            }
            let named =
                all.first { $0.name.lowercased() == wanted } ?? all.first { $0.name.lowercased().hasPrefix(wanted) }
            guard var field = named, !wanted.isEmpty else {
                throw OptionError("Invalid field requested: \"\(parts[0])\"")
            }
            if parts.count == 2 { field.width = Self.width(parts[1]) }
            columns.append(field)
        }
        return columns
    }

    /// As atoi(3) reads it: what is no number is 0, and the column is gone.
    static func width(_ text: Substring) -> Int {
        let isLeft = text.hasPrefix("-")
        let digits = text.drop { $0 == "-" }.prefix { $0.isASCII && $0.isNumber }
        let width = min(Int(digits) ?? 0, ColumnFormat.maxWidth)
        return isLeft ? -width : width
    }
}

/// Names of fields as `--helpformat` prints them: four in a line.
enum FieldList {
    static func text(_ names: [String]) -> String {
        var text = ""
        for (index, name) in names.enumerated() {
            text += pad(name, 19) + (index % 4 == 3 || index == names.count - 1 ? "\n" : " ")
        }
        return text
    }
}

/// Rows of sacct and sstat: columns of fixed width, right-aligned unless the width is negative, or delimited.
struct DelimitedTable {
    enum Style: Sendable { case padded, parsable, parsable2 }
    var style = Style.padded
    var delimiter = "|"
    var header = true

    func render(_ columns: [(name: String, width: Int)], _ rows: [[String]]) -> String {
        var text = ""
        if header {
            text += line(columns, columns.map(\.name))
            if style == .padded {
                text += columns.map { String(repeating: "-", count: abs($0.width)) + " " }.joined() + "\n"
            }
        }
        for row in rows { text += line(columns, row) }
        return text
    }

    private func line(_ columns: [(name: String, width: Int)], _ values: [String]) -> String {
        switch style {
        case .parsable2: values.joined(separator: delimiter) + "\n"
        case .parsable: values.map { $0 + delimiter }.joined() + "\n"
        case .padded: zip(columns, values).map { cell($1, $0.width, isTitle: $1 == $0.name) + " " }.joined() + "\n"
        }
    }

    /// What does not fit ends in a `+`; a title is cut.
    private func cell(_ text: String, _ width: Int, isTitle: Bool) -> String {
        let size = abs(width)
        let fits = text.count <= size
        let cut = fits ? text : isTitle ? String(text.prefix(size)) : text.prefix(max(0, size - 1)) + "+"
        return pad(size == 0 ? "" : cut, size, right: width > 0)
    }
}
