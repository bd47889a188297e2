// Which jobs sacct shows, beyond what the controller selects: each list lets through what is on it.

import ArgosyClient
import ArgosyConfig
import ArgosyDomain
import ArgosyWire

struct AccountingFilter: Sendable {
    var accounts: [String] = []
    var names: [String] = []
    var partitions: [String] = []
    var states: [String] = []
    var qos: [String] = []
    var groups: [String] = []
    var reasons: [String] = []
    var wckeys: [String] = []
    var associations: [String] = []
    var clusters: [String] = []
    var flags: [String] = []
    /// All of them must have been asked for.
    var constraints: [String] = []
    var nodes: Set<String> = []
    var cpus: ClosedRange<UInt64>?
    var nodeCounts: ClosedRange<UInt64>?
    /// Minutes of the time limit; `most` counts only with `least`.
    var least: UInt32?
    var most: UInt32?

    func lets(_ job: WireJobInfo, cluster: String) throws(OptionError) -> Bool {
        func among(_ list: [String], _ value: String) -> Bool { list.isEmpty || list.contains(value) }
        let spec = job.spec
        guard among(accounts, spec.account), among(names, spec.name), among(states, job.state),
            among(reasons, job.reason), among(wckeys, spec.wckey), among(associations, "\(job.association)"),
            qos.isEmpty || qos.contains(where: { $0.lowercased() == spec.qos }),
            clusters.isEmpty || clusters.contains(where: { $0 == cluster || $0 == "all" })
        else { return false }
        let ofPartition = job.partition.split(separator: ",").map(String.init)
        if !partitions.isEmpty, !ofPartition.contains(where: partitions.contains) { return false }
        if !groups.isEmpty, try !isOfGroup(spec.identity) { return false }
        if !nodes.isEmpty, !job.allocation.nodes.contains(where: { nodes.contains($0.name) }) { return false }
        if !flags.isEmpty, job.startUs == 0 || !flags.contains("schedmain") { return false }
        return letsResources(job)
    }

    private func letsResources(_ job: WireJobInfo) -> Bool {
        let record = JobRecord(info: job, now: 0)
        if let cpus, !cpus.contains(UInt64(record.cpuCount)) { return false }
        if let nodeCounts, !nodeCounts.contains(UInt64(record.nodeCount)) { return false }
        let asked = job.spec.resources.constraint.split { !$0.isLetter && !$0.isNumber && !"_-.".contains($0) }
        if !constraints.allSatisfy({ asked.contains($0[...]) }) { return false }
        guard let least else { return true }
        return job.timeLimitMinutes == least
            || most.map { (least...max(least, $0)).contains(job.timeLimitMinutes) } ?? false
    }

    private func isOfGroup(_ identity: WireIdentity) throws(OptionError) -> Bool {
        for group in groups where UInt32(group) == nil && GroupFile.gid(of: group) == nil {
            throw OptionError("Invalid group id: \(group)")
        }
        return groups.contains { $0 == identity.group || (UInt32($0) ?? GroupFile.gid(of: $0)) == identity.gid }
    }

    /// `2`, `2-8`
    static func range(_ text: String) throws(OptionError) -> ClosedRange<UInt64> {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { SlurmText.number($0) }
        guard (1...2).contains(parts.count), let first = parts[0], let last = parts[parts.count - 1], first <= last
        else {
            throw OptionError("Invalid range \"\(text)\"; write it like 2 or 2-8")
        }
        return first...last
    }

    static func minutes(_ text: String) throws(OptionError) -> UInt32 {
        if ["infinite", "unlimited"].contains(text.lowercased()) { return .max }
        guard let limit = SlurmText.timeLimit(text) else { throw OptionError("Invalid time limit: \(text)") }
        return limit.rawValue
    }
}

/// Groups by /etc/group, as users by /etc/passwd.
enum GroupFile {
    static func gid(of name: String) -> UInt32? {
        guard let bytes = FileBytes.read(path: "/etc/group", limit: 1 << 20) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 3, fields[0] == name { return UInt32(fields[2]) }
        }
        return nil
    }
}
