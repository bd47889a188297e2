// A job as listings show it, with the moment the list was made.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

struct JobRecord: Sendable {
    var info: WireJobInfo
    /// Seconds since 1970, by the controller's clock.
    var now: Int64

    /// `12`, `12_3`, `12_[3-8%3]`
    var id: String {
        guard info.arrayJob != 0 else { return "\(info.job)" }
        return "\(info.arrayJob)_\(arrayIndex)"
    }

    /// `3`, `[3-8%3]`, N/A
    var arrayIndex: String {
        guard info.arrayJob != 0 else { return "N/A" }
        guard !info.arrayPending.isEmpty else { return "\(info.arrayTask)" }
        let ranges = ArrayText.text(info.arrayPending.map { ($0.first, $0.last, max(1, $0.step)) })
        return "[\(ranges)\(info.arrayMaxRunning > 0 ? "%\(info.arrayMaxRunning)" : "")]"
    }

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

    var memory: String {
        if info.spec.memoryPerCpuMib > 0 { return Memory.short(info.spec.memoryPerCpuMib) }
        return Memory.short(info.memoryWantedMib > 0 ? info.memoryWantedMib : info.spec.memoryPerNodeMib)
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

enum Memory {
    /// `500M`, `4G`: MiB in the largest unit that keeps it whole.
    static func short(_ mebibytes: UInt64) -> String {
        if mebibytes == 0 { return "0" }
        if mebibytes % (1 << 20) == 0 { return "\(mebibytes >> 20)T" }
        return mebibytes % 1024 == 0 ? "\(mebibytes >> 10)G" : "\(mebibytes)M"
    }
}
