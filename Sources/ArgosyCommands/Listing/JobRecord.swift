// A job as listings show it, with the moment the list was made.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

struct JobRecord: Sendable {
    var info: WireJobInfo
    /// Seconds since 1970, by the controller's clock.
    var now: Int64
    var cluster = ""
    /// Memory in MiB, whatever its size (--noconvert).
    var keepsUnits = false

    /// `12`, `12_3`, `12_[3-8%3]`, `12+1`
    var id: String {
        if info.hetLeader != 0 { return "\(info.hetLeader)+\(info.hetOffset)" }
        guard info.arrayJob != 0 else { return "\(info.job)" }
        return info.arrayPending.isEmpty ? "\(info.arrayJob)_\(info.arrayTask)" : "\(info.arrayJob)_[\(arrayIndex)]"
    }

    /// As squeue's columns: not longer than Slurm's buffer, unless SLURM_BITSTR_LEN is set.
    var shortID: String { Self.indexLength == nil ? String(id.prefix(31)) : id }

    /// `3`, `3-8%3`, N/A
    var arrayIndex: String {
        guard info.arrayJob != 0 else { return "N/A" }
        guard !info.arrayPending.isEmpty else { return "\(info.arrayTask)" }
        var ranges = ArrayText.text(info.arrayPending.map { ($0.first, $0.last, max(1, $0.step)) })
        let length = (Self.indexLength ?? 64) - 1
        if length > 3, ranges.count > length { ranges = ranges.prefix(length - 3) + "..." }
        return ranges + (info.arrayMaxRunning > 0 ? "%\(info.arrayMaxRunning)" : "")
    }

    /// SLURM_BITSTR_LEN: longest text of indices, with its end; 0: any.
    private static let indexLength = Process.variable("SLURM_BITSTR_LEN").flatMap { Int($0) }

    var state: JobState { JobState(text: info.state) ?? .pending }
    var code: String { JobState(text: info.state)?.code ?? "??" }

    /// Seconds it has run, or ran.
    var elapsed: Int64 {
        guard info.startUs > 0, info.state != "PENDING" else { return 0 }
        var end = state.isEnded && info.endUs > 0 ? info.endUs / 1_000_000 : now
        // Time that it stands still does not count.
        if info.suspendedAtUs > 0 { end = info.suspendedAtUs / 1_000_000 }
        return max(0, end - info.startUs / 1_000_000 - info.suspendedForUs / 1_000_000)
    }

    var user: String {
        let identity = info.spec.identity
        return identity.user.isEmpty ? PasswordFile.name(of: identity.uid) ?? "\(identity.uid)" : identity.user
    }

    var group: String { info.spec.identity.group.isEmpty ? "\(info.spec.identity.gid)" : info.spec.identity.group }

    var partition: String { info.partition.isEmpty ? info.spec.partition : info.partition }

    var nodeList: String { info.allocation.nodeList }

    /// The batch script's node, or where an interactive job's client runs.
    var executingHost: String {
        if isBatchJob { return info.batchHost.isEmpty ? "n/a" : info.batchHost }
        return info.spec.submitHost.isEmpty ? "n/a" : info.spec.submitHost
    }

    var isBatchJob: Bool { !info.spec.scriptDigest.isEmpty || !info.batchHost.isEmpty }

    var minCPUs: UInt32 {
        let spec = info.spec
        let ofTasks = max(1, spec.cpusPerTask).multipliedReportingOverflow(by: max(1, spec.tasksPerNode)).partialValue
        return max(spec.resources.minCpusPerNode, ofTasks)
    }

    var taskCount: UInt32 {
        let spec = info.spec
        return max(1, spec.tasks, spec.tasksPerNode &* UInt32(nodeCount), spec.tasks == 0 ? spec.minNodes : 0)
    }

    var maxNodes: Int { max(Int(info.spec.maxNodes), nodeCount) }

    /// Of a waiting job, when it is expected to start.
    var startUs: Int64 {
        guard state == .pending else { return info.startUs > 0 ? info.startUs : info.endUs }
        return info.expectedStartUs > 0 ? info.expectedStartUs : info.spec.beginUs
    }

    /// Expected, of one that did not end.
    var listedEndUs: Int64 {
        if state == .pending, startUs > 0, let duration = limit.duration { return startUs + duration.microseconds }
        return info.endUs
    }

    var pendingSeconds: Int64 {
        let until = state == .pending ? now : startUs / 1_000_000
        return max(0, until - info.submitUs / 1_000_000)
    }

    var lastEvaluationUs: Int64 {
        if info.lastPlanUs > 0 { return info.lastPlanUs }
        return info.startUs > 0 && state != .pending ? info.startUs : info.submitUs
    }

    /// What it holds, else asks for, memory in the largest unit that keeps it whole.
    var tres: String {
        TRESText.converted(info.tresAllocated.isEmpty ? info.tresRequested : info.tresAllocated, keepsUnits: keepsUnits)
    }

    var inputPath: String {
        let path = info.spec.stdinPath
        return path.isEmpty ? isBatchJob ? "/dev/null" : "" : absolute(path)
    }

    /// Where a batch job's output goes, patterns as they were written.
    func outputPath(_ path: String) -> String {
        if !path.isEmpty { return absolute(path) }
        guard isBatchJob else { return "" }
        if !info.spec.stdoutPath.isEmpty { return absolute(info.spec.stdoutPath) }
        return absolute(info.arrayJob == 0 ? "slurm-\(info.job).out" : "slurm-%A_%a.out")
    }

    private func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return info.spec.workDir + (info.spec.workDir.hasSuffix("/") ? "" : "/") + path
    }

    func memoryText(_ mebibytes: UInt64) -> String {
        keepsUnits && mebibytes > 0 ? "\(mebibytes)M" : Memory.short(mebibytes)
    }

    var nodeCount: Int { info.allocation.nodes.isEmpty ? Int(max(1, info.nodesWanted)) : info.allocation.nodes.count }

    var cpuCount: UInt32 {
        let held = info.allocation.nodes.reduce(0) { $0 &+ $1.cpus }
        return held > 0 ? held : max(1, info.cpusWanted)
    }

    var limit: TimeLimit { TimeLimit(rawValue: info.timeLimitMinutes) }

    /// `1:00:00`, UNLIMITED, NOT_SET
    var limitText: String {
        guard let duration = limit.duration else { return limit == .unlimited ? "UNLIMITED" : "NOT_SET" }
        return Times.short(duration.microseconds / 1_000_000)
    }

    var timeLeft: String {
        guard let duration = limit.duration else { return limitText }
        let left = duration.microseconds / 1_000_000 - elapsed
        return left < 0 ? "INVALID" : Times.short(left)
    }

    /// The nodes it has, or in brackets why it has none.
    var nodesOrReason: String {
        switch state {
        case .pending, .failed, .timeout, .outOfMemory, .deadline: "(\(reason))"
        default: nodeList
        }
    }

    /// The one it runs in, else what it asks for.
    var reservation: String {
        info.reservation.isEmpty ? info.spec.resources.reservation : info.reservation
    }

    /// `matlab:2,ansys:1`: what it holds, else what it asks for.
    var licenses: String {
        let asked = info.spec.resources
        let shown = info.licenses.isEmpty ? asked.licenses : info.licenses
        let isChoice = asked.anyLicense && info.licenses.isEmpty
        return shown.map { "\($0.name):\($0.count)" }.joined(separator: isChoice ? "|" : ",")
    }

    /// `gres:gpu:tesla:2`, of one kind of request.
    func gres(_ per: GRESRequest.Per) -> String {
        info.spec.resources.gres.filter { $0.per == per.rawValue }
            .map { "gres:\($0.name)\($0.type.isEmpty ? "" : ":" + $0.type):\($0.count)" }
            .joined(separator: ",")
    }

    /// Sockets, cores and threads asked for.
    var layout: String {
        let resources = info.spec.resources
        return [resources.socketsPerNode, resources.coresPerSocket, resources.threadsPerCore]
            .map(JobFields.orAny).joined(separator: ":")
    }

    var sharing: String {
        switch Sharing(rawValue: info.spec.resources.sharing) {
        case .user: return "USER"
        case .oversubscribe: return "YES"
        case .exclusive: return "NO"
        case .normal, nil: return info.spec.exclusive ? "NO" : "OK"
        }
    }

    var reason: String { info.reason.isEmpty ? "None" : info.reason }

    /// MiB a CPU or a node.
    var memory: String {
        if info.spec.memoryPerCpuMib > 0 { return memoryText(info.spec.memoryPerCpuMib) }
        return memoryText(info.memoryWantedMib > 0 ? info.memoryWantedMib : info.spec.memoryPerNodeMib)
    }

    /// A waiting job of several partitions: one row for each.
    var ofEachPartition: [JobRecord] {
        guard state == .pending, partition.contains(",") else { return [self] }
        return partition.split(separator: ",").map { name in
            var one = self
            one.info.partition = String(name)
            return one
        }
    }

    /// One row for each waiting task of an array.
    var expanded: [JobRecord] {
        guard !info.arrayPending.isEmpty else { return [self] }
        return info.arrayPending.flatMap { range in
            stride(from: range.first, through: range.last, by: Int(max(1, range.step))).map { index in
                var one = self
                one.info.arrayPending = []
                one.info.arrayTask = index
                return one
            }
        }
    }
}

extension WireJobInfo {
    /// Tasks stand with their array, by index: the last one to start keeps the array's own id, the others have their own.
    var listingOrder: (UInt32, UInt32, UInt32) {
        (arrayJob == 0 ? job : arrayJob, arrayPending.map(\.first).min() ?? arrayTask, restarts)
    }
}

/// `cpu=2,mem=20480M,node=1` with sizes as commands show them.
enum TRESText {
    static func converted(_ text: String, keepsUnits: Bool) -> String {
        if keepsUnits { return text }
        return text.split(separator: ",").map { word in
            guard word.hasPrefix("mem="), word.hasSuffix("M"), let size = UInt64(word.dropFirst(4).dropLast()) else {
                return String(word)
            }
            return "mem=\(Memory.short(size))"
        }.joined(separator: ",")
    }
}

enum Memory {
    /// `500M`, `4G`: MiB in the largest unit that keeps it whole.
    static func short(_ mebibytes: UInt64) -> String {
        if mebibytes == 0 { return "0" }
        if mebibytes % (1 << 20) == 0 { return "\(mebibytes >> 20)T" }
        return mebibytes % 1024 == 0 ? "\(mebibytes >> 10)G" : "\(mebibytes)M"
    }
}
