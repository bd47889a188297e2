// What sstat can show of a running step: its nodes' answers, put together.

import ArgosyDomain
import ArgosyWire

struct UsageRecord: Sendable {
    var info: WireStepUsageInfo
    var units = UnitText()

    var id: String {
        let job = info.arrayJob == 0 ? "\(info.job)" : "\(info.arrayJob)_\(info.arrayTask)"
        return "\(job).\(StepRecord.name(of: info.step))"
    }

    var tasks: UInt64 { UInt64(max(1, info.tasks)) }

    /// Microseconds.
    static func cpu(_ node: WireNodeStepUsage) -> UInt64 { node.usage.userCpuUs &+ node.usage.systemCpuUs }

    func total(_ value: (WireNodeStepUsage) -> UInt64) -> UInt64 { info.nodes.reduce(0) { $0 &+ value($1) } }

    func most(_ value: (WireNodeStepUsage) -> UInt64) -> WireNodeStepUsage? {
        info.nodes.max { (value($0), $1.node) < (value($1), $0.node) }
    }

    func least(_ value: (WireNodeStepUsage) -> UInt64) -> WireNodeStepUsage? {
        info.nodes.min { (value($0), $0.node) < (value($1), $1.node) }
    }

    /// Now, or at its height where that is not told.
    static func memory(_ node: WireNodeStepUsage) -> UInt64 { max(node.memoryBytes, node.usage.peakMemoryBytes) }

    /// `cpu=00:00:01,energy=0,fs/disk=512,mem=3M,pages=0,vmem=20M`
    func inbound(_ pick: ((WireNodeStepUsage) -> UInt64) -> UInt64) -> String {
        let seconds = Int64(pick(Self.cpu) / 1_000_000)
        return "cpu=\(Times.long(seconds)),energy=0,fs/disk=\(pick(\.readBytes)),"
            + "mem=\(units.text(bytes: pick(Self.memory))),pages=\(pick(\.pageFaults)),"
            + "vmem=\(units.text(bytes: pick(\.virtualBytes)))"
    }

    func outbound(_ pick: ((WireNodeStepUsage) -> UInt64) -> UInt64) -> String {
        "energy=0,fs/disk=\(pick(\.writtenBytes))"
    }

    /// Which node has the most (or least) of each.
    func nodes(
        _ names: KeyValuePairs<String, @Sendable (WireNodeStepUsage) -> UInt64>, least: Bool = false
    ) -> String {
        names.map { name, value in
            "\(name)=\((least ? self.least(value) : most(value))?.node ?? "")"
        }.joined(separator: ",")
    }
}

struct UsageField: Sendable {
    var name: String
    /// Negative: to the left.
    var width: Int
    var value: @Sendable (UsageRecord) -> String
}

enum UsageFields {
    typealias Row = UsageField
    typealias Measure = @Sendable (WireNodeStepUsage) -> UInt64

    private static let read: Measure = { $0.readBytes }
    private static let written: Measure = { $0.writtenBytes }
    private static let faults: Measure = { $0.pageFaults }
    private static let memory: Measure = { UsageRecord.memory($0) }
    private static let virtual: Measure = { $0.virtualBytes }
    private static let cpu: Measure = { UsageRecord.cpu($0) }
    private static let energy: Measure = { _ in 0 }

    private static func size(_ record: UsageRecord, _ bytes: UInt64) -> String { record.units.text(bytes: bytes) }

    private static func largest(_ measure: @escaping Measure) -> @Sendable (UsageRecord) -> String {
        { size($0, $0.most(measure).map(measure) ?? 0) }
    }

    private static func average(_ measure: @escaping Measure) -> @Sendable (UsageRecord) -> String {
        { size($0, $0.total(measure) / $0.tasks) }
    }

    private static func node(_ measure: @escaping Measure) -> @Sendable (UsageRecord) -> String {
        { $0.most(measure)?.node ?? "" }
    }

    /// Tasks are not told apart: a node's cgroup counts for the first.
    private static func first(_ record: UsageRecord) -> String { "0" }

    private static func time(_ microseconds: UInt64) -> String { Times.long(Int64(microseconds / 1_000_000)) }

    /// As `--helpformat` lists them.
    static let all: [Row] = [
        Row(name: "AveCPU", width: 10) { time($0.total(cpu) / $0.tasks) },
        Row(name: "AveCPUFreq", width: 10) { _ in "0" },
        Row(name: "AveDiskRead", width: 12, value: average(read)),
        Row(name: "AveDiskWrite", width: 12, value: average(written)),
        Row(name: "AvePages", width: 10) { "\($0.total(faults) / $0.tasks)" },
        Row(name: "AveRSS", width: 10, value: average(memory)),
        Row(name: "AveVMSize", width: 10, value: average(virtual)),
        Row(name: "ConsumedEnergy", width: 14) { _ in "0" },
        Row(name: "ConsumedEnergyRaw", width: 17) { _ in "0" },
        Row(name: "JobID", width: -12) { $0.id },
        Row(name: "MaxDiskRead", width: 12, value: largest(read)),
        Row(name: "MaxDiskReadNode", width: 15, value: node(read)),
        Row(name: "MaxDiskReadTask", width: 15, value: first),
        Row(name: "MaxDiskWrite", width: 12, value: largest(written)),
        Row(name: "MaxDiskWriteNode", width: 16, value: node(written)),
        Row(name: "MaxDiskWriteTask", width: 16, value: first),
        Row(name: "MaxPages", width: 8) { "\($0.most(faults)?.pageFaults ?? 0)" },
        Row(name: "MaxPagesNode", width: 12, value: node(faults)),
        Row(name: "MaxPagesTask", width: 14, value: first),
        Row(name: "MaxRSS", width: 10, value: largest(memory)),
        Row(name: "MaxRSSNode", width: 10, value: node(memory)),
        Row(name: "MaxRSSTask", width: 10, value: first),
        Row(name: "MaxVMSize", width: 10, value: largest(virtual)),
        Row(name: "MaxVMSizeNode", width: 14, value: node(virtual)),
        Row(name: "MaxVMSizeTask", width: 14, value: first),
        Row(name: "MinCPU", width: 10) { record in time((record.least(cpu).map(cpu) ?? 0)) },
        Row(name: "MinCPUNode", width: 10) { $0.least(cpu)?.node ?? "" },
        Row(name: "MinCPUTask", width: 10, value: first),
        Row(name: "Nodelist", width: 20) { $0.info.nodeList },
        Row(name: "NTasks", width: 8) { "\($0.tasks)" },
        Row(name: "Pids", width: 20) { $0.info.nodes.flatMap(\.processes).map { "\($0)" }.joined(separator: ",") },
        Row(name: "ReqCPUFreq", width: 10) { _ in "0" },
        Row(name: "ReqCPUFreqMin", width: 13) { _ in "0" },
        Row(name: "ReqCPUFreqMax", width: 13) { _ in "0" },
        Row(name: "ReqCPUFreqGov", width: 13) { _ in "0" },
        Row(name: "TRESUsageInAve", width: 14) { record in record.inbound { record.total($0) / record.tasks } },
        Row(name: "TRESUsageInMax", width: 14) { record in record.inbound { record.most($0).map($0) ?? 0 } },
        Row(name: "TRESUsageInMaxNode", width: 18) { $0.nodes(measuresIn) },
        Row(name: "TRESUsageInMaxTask", width: 18) { _ in "cpu=0,fs/disk=0,mem=0,pages=0,vmem=0" },
        Row(name: "TRESUsageInMin", width: 14) { record in record.inbound { record.least($0).map($0) ?? 0 } },
        Row(name: "TRESUsageInMinNode", width: 18) { $0.nodes(measuresIn, least: true) },
        Row(name: "TRESUsageInMinTask", width: 18) { _ in "cpu=0,fs/disk=0,mem=0,pages=0,vmem=0" },
        Row(name: "TRESUsageInTot", width: 14) { record in record.inbound { record.total($0) } },
        Row(name: "TRESUsageOutAve", width: 15) { record in record.outbound { record.total($0) / record.tasks } },
        Row(name: "TRESUsageOutMax", width: 15) { record in record.outbound { record.most($0).map($0) ?? 0 } },
        Row(name: "TRESUsageOutMaxNode", width: 19) { $0.nodes(measuresOut) },
        Row(name: "TRESUsageOutMaxTask", width: 19) { _ in "fs/disk=0" },
        Row(name: "TRESUsageOutMin", width: 15) { record in record.outbound { record.least($0).map($0) ?? 0 } },
        Row(name: "TRESUsageOutMinNode", width: 19) { $0.nodes(measuresOut, least: true) },
        Row(name: "TRESUsageOutMinTask", width: 19) { _ in "fs/disk=0" },
        Row(name: "TRESUsageOutTot", width: 15) { record in record.outbound { record.total($0) } },
    ]

    private static var measuresIn: KeyValuePairs<String, Measure> {
        ["cpu": cpu, "energy": energy, "fs/disk": read, "mem": memory, "pages": faults, "vmem": virtual]
    }

    private static var measuresOut: KeyValuePairs<String, Measure> { ["energy": energy, "fs/disk": written] }

    static let standard =
        "jobid,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,averss,maxpages,"
        + "maxpagesnode,maxpagestask,avepages,mincpu,mincpunode,mincputask,avecpu,ntasks,avecpufreq,reqcpufreqmin,"
        + "reqcpufreqmax,reqcpufreqgov,consumedenergy,maxdiskread,maxdiskreadnode,maxdiskreadtask,avediskread,"
        + "maxdiskwrite,maxdiskwritenode,maxdiskwritetask,avediskwrite,tresusageinave,tresusageinmax,"
        + "tresusageinmaxnode,tresusageinmaxtask,tresusageinmin,tresusageinminnode,tresusageinmintask,tresusageintot,"
        + "tresusageoutave,tresusageoutmax,tresusageoutmaxnode,tresusageoutmaxtask,tresusageoutmin,"
        + "tresusageoutminnode,tresusageoutmintask,tresusageouttot"

    static func columns(_ text: String) throws(OptionError) -> [UsageField] {
        var columns: [UsageField] = []
        for word in text.split(separator: ",") {
            let parts = word.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            let wanted = parts[0].lowercased()
            let named =
                all.first { $0.name.lowercased() == wanted } ?? all.first { $0.name.lowercased().hasPrefix(wanted) }
            guard var field = named, !wanted.isEmpty else {
                throw OptionError("Invalid field requested: \"\(parts[0])\"")
            }
            if parts.count == 2 { field.width = AccountingFields.width(parts[1]) }
            columns.append(field)
        }
        return columns
    }
}
