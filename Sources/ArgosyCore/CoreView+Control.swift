// What scontrol shows beside the records themselves: counts of trackable resources, licenses, GRES of nodes.
public import ArgosyConfig
public import ArgosyDomain
import ArgosyScheduler

extension CoreView {
    /// The cluster as it is now: as configured, with what scontrol changed.
    public var configuration: ClusterConfiguration { tables.configuration }

    /// What the job holds, or asks for while it waits: `cpu=2,mem=20M,node=1,billing=2`.
    public func tresText(of job: JobID) -> String {
        guard let record = tables.jobs[job.rawValue], let limited = tables.limitedJob(record) else { return "" }
        return limited.tres.text(tables.book.records.tres)
    }

    /// Of all of a partition's nodes.
    public func tresText(of partition: PartitionView) -> String {
        var tres: TRESCounts = [.node: UInt64(partition.nodes.count)]
        let table = tables.book.records.tres
        for node in partition.nodes {
            let configured = tables.configuration.nodes[node.int]
            tres += [.cpu: UInt64(configured.cpus), .mem: configured.memoryMiB]
            for item in hardware(of: node) {
                for name in ["gres/\(item.name)", "gres/\(item.name):\(item.type)"] {
                    guard let id = table.id(of: name) else { continue }
                    tres.set(id, tres[id] + UInt64(clamping: item.count))
                }
            }
        }
        tres.set(.billing, tres[.cpu])
        for license in tables.configuration.licenses {
            if let id = table.id(of: "license/\(license.name)") { tres.set(id, UInt64(license.count)) }
        }
        return tres.text(table)
    }

    /// Of a step: what it holds, without what a job is billed.
    public func tresText(of step: StepRow) -> String {
        let held = Held(step.layout, records: tables.book.records)
        return held.tres.text(tables.book.records.tres)
    }

    /// What a node has for jobs, and what they hold of it.
    public func tresTexts(of node: NodeIndex) -> (configured: String, allocated: String) {
        let table = tables.book.records.tres
        guard let record = tables.nodes[node.rawValue] else { return ("", "") }
        let configured = tables.configuration.nodes[node.int]
        var has: TRESCounts = [.cpu: UInt64(configured.cpus), .mem: configured.memoryMiB]
        has.set(.billing, UInt64(configured.cpus))
        var held = TRESCounts()
        let cpus = UInt64(configured.cpus - record.freeCPUs.count)
        if cpus > 0 { held.set(.cpu, cpus) }
        let memory = configured.memoryMiB - min(record.freeMemoryMiB, configured.memoryMiB)
        if memory > 0 { held.set(.mem, memory) }
        for item in hardware(of: node) {
            let used = granted(item, on: node).count
            for name in ["gres/\(item.name)", "gres/\(item.name):\(item.type)"] {
                guard let id = table.id(of: name) else { continue }
                has.set(id, has[id] + UInt64(clamping: item.count))
                if used > 0 { held.set(id, held[id] + used) }
            }
        }
        return (has.text(table), held.text(table))
    }

    /// `gpu:a100:2(IDX:0-1)` of every GRES of the node; empty: it has none.
    public func gresUsed(of node: NodeIndex) -> String {
        hardware(of: node).map { item in
            let name = item.type.isEmpty ? item.name : "\(item.name):\(item.type)"
            let used = granted(item, on: node)
            guard !item.devices.isEmpty else { return "\(name):\(used.count)" }
            return "\(name):\(used.count)(IDX:\(used.devices.isEmpty ? "N/A" : CoreView.ranges(used.devices)))"
        }.joined(separator: ",")
    }

    private func hardware(of node: NodeIndex) -> [NodeHardware.GRES] {
        tables.configuration.hardware(of: node).gres
    }

    /// How many of it the node's jobs hold, and which.
    private func granted(_ item: NodeHardware.GRES, on node: NodeIndex) -> (count: UInt64, devices: [Int]) {
        var (count, devices): (UInt64, [Int]) = (0, [])
        for key in tables.nodes[node.rawValue]?.holds ?? [] {
            let place = tables.runs[key.job.rawValue]?.allocation.nodes.first { $0.index == node }
            for grant in place?.gres ?? [] where grant.name == item.name && grant.type == item.type {
                count += grant.count
                devices += grant.devices.members
            }
        }
        return (count, devices.sorted())
    }

    /// `0-3,7`
    public static func ranges(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// Of each license: how many jobs hold, and how many reservations that are active keep.
    public func licenses(at now: Timestamp) -> [(name: String, total: UInt32, used: UInt32, reserved: UInt32)] {
        var used: [Int: UInt32] = [:]
        tables.runs.forEach { key, run in
            guard let state = tables.jobs[key]?.state, state.isActive || state == .completing else { return }
            for held in run.licenses { used[held.license, default: 0] += held.count }
        }
        return tables.configuration.licenses.enumerated().map { place, license in
            let reserved = tables.reservations.filter { $0.start <= now && now < $0.end }
                .flatMap(\.licenses).filter { $0.name == license.name }.reduce(0) { $0 + $1.count }
            return (license.name, license.count, used[place] ?? 0, reserved)
        }.sorted { $0.name < $1.name }
    }
}
