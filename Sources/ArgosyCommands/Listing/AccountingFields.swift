// What sacct can show of a job or step.

import ArgosyDomain
import ArgosyWire

struct AccountingRecord: Sendable {
    var job: JobRecord
    /// Nil: the job itself.
    var step: WireStepInfo?
    var cluster: String

    var id: String { step.map { "\(job.id).\(StepRecord.name(of: $0.step))" } ?? job.id }

    var startUs: Int64 { step?.startUs ?? job.info.startUs }
    var endUs: Int64 { step?.endUs ?? (job.state.isEnded ? job.info.endUs : 0) }

    var elapsed: Int64 {
        guard startUs > 0, step != nil || job.state != .pending else { return 0 }
        return max(0, (endUs > 0 ? endUs / 1_000_000 : job.now) - startUs / 1_000_000)
    }

    var exit: WireExitStatus { step?.exit ?? job.info.exit }

    /// The job's is that of all its steps: times add up, the peak is the largest.
    var usage: Usage {
        var total = Usage()
        for step in step.map({ [$0] }) ?? job.info.steps {
            var one = Usage()
            one.userCPU = step.usage.userCpuUs
            one.systemCPU = step.usage.systemCpuUs
            one.peakMemory = step.usage.peakMemoryBytes
            total.add(one)
        }
        return total
    }

    var nodeList: String {
        if let step { return step.nodeList }
        return job.nodeList.isEmpty ? "None assigned" : job.nodeList
    }

    var nodeCount: Int {
        guard let step else { return job.nodeCount }
        return (try? Hostlist.expand(step.nodeList).count) ?? 1
    }

    /// 0 for a job that never started.
    var cpus: UInt32 {
        guard let step else { return job.info.startUs == 0 ? 0 : job.cpuCount }
        return step.cpus > 0 ? step.cpus : job.cpuCount
    }
}

struct AccountingField: Sendable {
    var name: String
    var width: Int
    var value: @Sendable (AccountingRecord) -> String
}

enum AccountingFields {
    typealias Row = AccountingField

    static func time(_ microseconds: UInt64) -> String {
        let seconds = Int64(microseconds / 1_000_000)
        let milliseconds = String(microseconds / 1000 % 1000)
        // As sacct: below an hour `mm:ss.mmm`.
        guard seconds < 3600 else { return Times.long(seconds) }
        return
            "\(two(seconds / 60)):\(two(seconds % 60)).\(String(repeating: "0", count: 3 - milliseconds.count))\(milliseconds)"
    }

    private static func requested(_ record: AccountingRecord) -> String {
        record.step == nil ? record.job.memory : ""
    }

    private static func jobOnly(_ value: @escaping @Sendable (JobRecord) -> String)
        -> @Sendable (AccountingRecord) -> String
    {
        { $0.step == nil ? value($0.job) : "" }
    }

    static let all: [Row] = [
        Row(name: "Account", width: 10) { $0.job.info.spec.account },
        Row(name: "AllocCPUS", width: 10) { "\($0.cpus)" },
        Row(name: "AllocNodes", width: 10) { "\($0.job.state == .pending ? 0 : $0.nodeCount)" },
        Row(name: "Cluster", width: 10) { $0.cluster },
        Row(name: "Comment", width: 14, value: jobOnly { $0.info.spec.comment }),
        Row(name: "Container", width: 20, value: jobOnly { $0.info.spec.container.image }),
        Row(name: "CPUTime", width: 10) { Times.long($0.elapsed * Int64($0.cpus)) },
        Row(name: "CPUTimeRAW", width: 10) { "\($0.elapsed * Int64($0.cpus))" },
        Row(
            name: "DerivedExitCode", width: 15,
            value: jobOnly { "\($0.info.derivedExit.code):\($0.info.derivedExit.signal)" }),
        Row(name: "Elapsed", width: 10) { Times.long($0.elapsed) },
        Row(name: "ElapsedRaw", width: 10) { "\($0.elapsed)" },
        Row(name: "Eligible", width: 19, value: jobOnly { Times.stamp($0.info.eligibleUs, unset: "Unknown") }),
        Row(name: "End", width: 19) { Times.stamp($0.endUs, unset: "Unknown") },
        Row(name: "ExitCode", width: 8) { "\($0.exit.code):\($0.exit.signal)" },
        Row(name: "GID", width: 6, value: jobOnly { "\($0.info.spec.identity.gid)" }),
        Row(name: "Group", width: 9, value: jobOnly { $0.group }),
        Row(name: "JobID", width: -12) { $0.id },
        Row(name: "JobIDRaw", width: -12) { record in
            "\(record.job.info.job)" + (record.step.map { ".\(StepRecord.name(of: $0.step))" } ?? "")
        },
        Row(name: "JobName", width: 10) { $0.step?.name ?? $0.job.info.spec.name },
        Row(name: "MaxRSS", width: 10) { $0.step == nil ? "" : kibibytes($0.usage.peakMemory) },
        Row(name: "NCPUS", width: 10) { "\($0.cpus)" },
        Row(name: "NNodes", width: 8) { "\($0.nodeCount)" },
        Row(name: "NodeList", width: 15) { $0.nodeList },
        Row(name: "NTasks", width: 8) { record in record.step.map { "\(max(1, $0.tasks))" } ?? "" },
        Row(name: "Partition", width: 10, value: jobOnly { $0.partition }),
        Row(name: "Priority", width: 10, value: jobOnly { "\($0.info.priority)" }),
        Row(name: "QOS", width: 10, value: jobOnly { $0.info.spec.qos }),
        Row(name: "Reason", width: 22, value: jobOnly { $0.reason }),
        Row(name: "ReqCPUS", width: 8) { "\(max($0.cpus, $0.step == nil ? $0.job.cpuCount : 0))" },
        Row(name: "ReqMem", width: 10, value: requested),
        Row(name: "ReqNodes", width: 8, value: jobOnly { "\(max(1, $0.info.nodesWanted))" }),
        Row(name: "Restarts", width: 8, value: jobOnly { "\($0.info.restarts)" }),
        Row(name: "Start", width: 19) { Times.stamp($0.startUs, unset: "Unknown") },
        Row(name: "State", width: 10) { $0.step?.state ?? $0.job.info.state },
        Row(name: "Submit", width: 19) { Times.stamp($0.step?.startUs ?? $0.job.info.submitUs, unset: "Unknown") },
        Row(name: "SubmitLine", width: 20, value: jobOnly { $0.info.spec.submitLine }),
        Row(name: "SystemCPU", width: 10) { time($0.usage.systemCPU) },
        Row(name: "Timelimit", width: 10, value: jobOnly { limit($0) }),
        Row(name: "TotalCPU", width: 10) { time($0.usage.userCPU &+ $0.usage.systemCPU) },
        Row(name: "UID", width: 6, value: jobOnly { "\($0.info.spec.identity.uid)" }),
        Row(name: "User", width: 9, value: jobOnly { $0.user }),
        Row(name: "UserCPU", width: 10) { time($0.usage.userCPU) },
        Row(name: "WorkDir", width: 20, value: jobOnly { $0.info.spec.workDir }),
    ]

    private static func limit(_ job: JobRecord) -> String {
        guard let duration = job.limit.duration else {
            return job.limitText == "NOT_SET" ? "Partition_Limit" : "UNLIMITED"
        }
        return Times.long(duration.microseconds / 1_000_000)
    }

    private static func kibibytes(_ bytes: UInt64) -> String { bytes == 0 ? "0" : "\((bytes + 1023) / 1024)K" }

    static var list: String {
        var text = ""
        for (index, field) in all.enumerated() {
            text += pad(field.name, 20) + (index % 4 == 3 || index == all.count - 1 ? "\n" : "")
        }
        return text
    }

    /// `name`, `name%20`, `name%-20` with commas between; names may be cut short as long as one field is meant.
    static func columns(_ text: String) throws(OptionError) -> [AccountingField] {
        var columns: [AccountingField] = []
        for word in text.split(separator: ",") {
            let parts = word.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            let wanted = parts[0].lowercased()
            let named =
                all.first { $0.name.lowercased() == wanted } ?? all.first { $0.name.lowercased().hasPrefix(wanted) }
            guard var field = named, !wanted.isEmpty else {
                throw OptionError("Invalid field requested: \"\(parts[0])\"")
            }
            if parts.count == 2 {
                guard let width = Int(parts[1]), abs(width) <= 1000 else {
                    throw OptionError(
                        "Invalid width in \"\(word)\"; write it like \(field.name)%20 or \(field.name)%-20")
                }
                field.width = width == 0 ? field.width : width
            }
            columns.append(field)
        }
        if columns.isEmpty { throw OptionError("Invalid field list \"\(text)\"; see sacct --helpformat") }
        return columns
    }
}

/// Rows of sacct: columns of fixed width, right-aligned unless the width is negative, or delimited.
struct AccountingLines {
    var columns: [AccountingField]
    var options: SacctOptions

    func render(_ records: [AccountingRecord]) -> String {
        var text = ""
        if options.header {
            text += line(columns.map(\.name))
            if !options.parsable, !options.parsable2 {
                text += columns.map { String(repeating: "-", count: abs($0.width)) + " " }.joined() + "\n"
            }
        }
        for record in records { text += line(columns.map { $0.value(record) }) }
        return text
    }

    private func line(_ values: [String]) -> String {
        if options.parsable2 { return values.joined(separator: options.delimiter) + "\n" }
        if options.parsable { return values.map { $0 + options.delimiter }.joined() + "\n" }
        return zip(columns, values).map { cell($1, $0.width) + " " }.joined() + "\n"
    }

    /// What does not fit ends in a `+`.
    private func cell(_ text: String, _ width: Int) -> String {
        let size = abs(width)
        let cut = text.count > size ? text.prefix(max(0, size - 1)) + "+" : text
        return pad(cut, size, right: width > 0)
    }
}
