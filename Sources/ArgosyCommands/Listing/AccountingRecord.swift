// A job or a step as sacct shows it.

import ArgosyDomain
import ArgosyWire

struct AccountingRecord: Sendable {
    var job: JobRecord
    /// Nil: the job itself.
    var step: WireStepInfo?
    var cluster: String
    var units = UnitText()

    var id: String { step.map { "\(job.id).\(StepRecord.name(of: $0.step))" } ?? job.id }

    var hasStarted: Bool { job.info.startUs > 0 && job.state != .pending }

    /// Of a job that was cancelled while it waited: when that was.
    var startUs: Int64 {
        if let step { return step.startUs }
        return job.state == .pending ? 0 : job.info.startUs > 0 ? job.info.startUs : endUs
    }
    var endUs: Int64 { step?.endUs ?? (job.state.isEnded ? job.info.endUs : 0) }

    var elapsed: Int64 {
        guard startUs > 0, step != nil || hasStarted else { return 0 }
        let paused = step == nil ? job.info.suspendedForUs / 1_000_000 : 0
        return max(0, (endUs > 0 ? endUs / 1_000_000 : job.now) - startUs / 1_000_000 - paused)
    }

    var exit: WireExitStatus { step?.exit ?? job.info.exit }

    /// A step that was lost tells none.
    var hasNoExit: Bool { false }

    /// `CANCELLED by 0`
    var state: String {
        if let step { return step.state }
        guard job.state == .cancelled else { return job.info.state }
        return "CANCELLED by \(job.info.hasCancelledBy ? job.info.cancelledBy : 0)"
    }

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

    var firstNode: String { (try? Hostlist.expand(nodeList).first) ?? nodeList }

    var nodeCount: Int {
        guard let step else { return job.nodeCount }
        return (try? Hostlist.expand(step.nodeList).count) ?? 1
    }

    var allocatedNodes: Int { step == nil && !hasStarted ? 0 : nodeCount }

    /// Those it holds or held, else those it asks for.
    var cpus: UInt32 {
        guard let step else { return job.cpuCount }
        return step.cpus > 0 ? step.cpus : job.cpuCount
    }

    var cpusOrWanted: UInt32 { cpus }

    var requestedCPUs: UInt32 { max(1, job.info.cpusWanted) }

    var cpuSeconds: Int64 { elapsed * Int64(cpus) }

    /// Seconds it waited after it could have started.
    var reserved: Int64 {
        guard job.info.eligibleUs > 0 else { return 0 }
        let until = startUs > 0 ? startUs / 1_000_000 : job.now
        return max(0, until - job.info.eligibleUs / 1_000_000)
    }

    // MARK: - TRES

    var allocatedTRES: String {
        guard let step else { return hasStarted ? sorted(job.info.tresAllocated) : "" }
        var words = ["cpu=\(cpus)"]
        words += step.gres.map { "gres/\($0.name)=\($0.count)" }
        if step.memoryMib > 0 { words.append("mem=\(units.text(mebibytes: step.memoryMib))") }
        return (words + ["node=\(nodeCount)"]).joined(separator: ",")
    }

    var requestedTRES: String { sorted(job.info.tresRequested) }

    var requestedMemory: String {
        let word = job.info.tresRequested.split(separator: ",").first { $0.hasPrefix("mem=") }
        return units.text(mebibytes: word.flatMap { UInt64($0.dropFirst(4).dropLast()) } ?? 0)
    }

    /// sacct lists them by name.
    private func sorted(_ tres: String) -> String {
        tres.split(separator: ",").map { word in
            guard word.hasPrefix("mem="), let size = UInt64(word.dropFirst(4).dropLast()) else { return String(word) }
            return "mem=\(units.text(mebibytes: size))"
        }.sorted { $0.prefix { $0 != "=" } < $1.prefix { $0 != "=" } }.joined(separator: ",")
    }

    /// Bytes, as MaxRSS and its kin show them.
    func size(_ bytes: UInt64) -> String { units.text(bytes: bytes) }

    /// Seconds of CPU a task.
    var averageCPU: String {
        Times.long(Int64((usage.userCPU &+ usage.systemCPU) / 1_000_000) / Int64(max(1, step?.tasks ?? 1)))
    }

    func usedTRES() -> String {
        let cpu = Times.long(Int64((usage.userCPU &+ usage.systemCPU) / 1_000_000))
        return "cpu=\(cpu),energy=0,fs/disk=0,mem=\(size(usage.peakMemory)),pages=0,vmem=0"
    }

    func inTRES(_ names: String, _ value: String) -> String {
        names.split(separator: ",").map { "\($0)=\(value)" }.joined(separator: ",")
    }

    func layout(_ step: WireStepInfo) -> String {
        if step.step == 0xffff_fffb { return "Unknown" }
        if !step.distribution.isEmpty { return step.distribution }
        return nodeCount > 1 && step.tasks <= UInt32(nodeCount) ? "Cyclic" : "Block"
    }

    /// The one that every cluster has is the first.
    var qosNumber: String { job.info.spec.qos == "normal" ? "1" : "0" }
}

/// Sizes in the unit that was asked for (--units), as they are kept (--noconvert), or in the largest that keeps them whole.
struct UnitText: Sendable {
    /// K M G T P; nil: none was asked for.
    var unit: Character?
    var keeps = false

    private static let letters: [Character] = ["B", "K", "M", "G", "T", "P"]

    func text(mebibytes: UInt64) -> String {
        guard mebibytes > 0 else { return "0" }
        if unit == nil { return keeps ? "\(mebibytes)M" : Memory.short(mebibytes) }
        return scaled(Double(mebibytes), from: 2)
    }

    /// KiB unless another unit was asked for.
    func text(bytes: UInt64) -> String {
        guard bytes > 0 else { return "0" }
        if unit == nil { return "\((bytes + 1023) / 1024)K" }
        return scaled(Double(bytes), from: 0)
    }

    private func scaled(_ value: Double, from place: Int) -> String {
        guard let unit, let wanted = Self.letters.firstIndex(of: unit) else { return "\(value)" }
        var value = value
        for _ in stride(from: place, to: wanted, by: 1) { value /= 1024 }
        for _ in stride(from: wanted, to: place, by: 1) { value *= 1024 }
        return (value == value.rounded() ? "\(Int64(value))" : FieldWriter.fixed(value, 2)) + String(unit)
    }
}
