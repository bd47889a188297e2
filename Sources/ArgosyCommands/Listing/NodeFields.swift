// What sinfo can show of a group of nodes.

import ArgosyClient
import ArgosyDomain
import ArgosyWire

enum NodeFields {
    typealias Row = Field<NodeGroup>

    static func limit(_ minutes: UInt32, unlimited: String) -> String {
        if minutes == 0 { return "n/a" }
        return minutes == .max ? unlimited : Times.short(Int64(minutes) * 60)
    }

    static func reasonUser(_ group: NodeGroup) -> String {
        let node = group.first
        guard !node.reason.isEmpty else { return "Unknown" }
        return node.reasonUser.isEmpty ? PasswordFile.name(of: node.reasonUid) ?? "\(node.reasonUid)" : node.reasonUser
    }

    /// The text of nodes there are none of.
    private static func ofFirst(
        _ empty: String, _ value: @escaping @Sendable (WireNodeInfo) -> String
    ) -> @Sendable (NodeGroup) -> String {
        { $0.nodes.isEmpty ? empty : value($0.first) }
    }

    private static func ofPartition(
        _ value: @escaping @Sendable (WirePartitionInfo) -> String
    ) -> @Sendable (NodeGroup) -> String {
        { $0.partition.map(value) ?? "n/a" }
    }

    /// As Slurm writes `%all`.
    static let allFormat =
        "abcdefghlmnoprstuvwz".map { "%\($0)|" }.joined() + "ABCDEFGHILMNOPRSTUVXY".map { "%\($0) |" }.joined() + "%Z "

    static let all: [Row] = [
        Row("a", "Available", "AVAIL", ofPartition { $0.state == "INACTIVE" ? "inact" : $0.state.lowercased() }),
        Row("A", "NodeAI", "NODES(A/I)") { $0.nodeStates.split(separator: "/").prefix(2).joined(separator: "/") },
        Row("b", "features_act", "ACTIVE_FEATURES", ofFirst("(null)") { JobFields.orNull($0.features) }),
        Row(
            "B", "MaxCPUsPerNode", "MAX_CPUS_PER_NODE",
            ofPartition { $0.maxCpusPerNode == 0 ? "UNLIMITED" : "\($0.maxCpusPerNode)" }),
        Row("c", "CPUs", "CPUS") { $0.span(\.cpus) },
        Row("C", "CPUsState", "CPUS(A/I/O/T)") { $0.cpuStates },
        Row("d", "Disk", "TMP_DISK") { $0.span(\.tmpDiskMib) },
        Row("D", "Nodes", "NODES") { "\($0.nodes.count)" },
        Row("e", "FreeMem", "FREE_MEM") { $0.range(\.freeMemoryMib) { "\($0)" } },
        Row("E", "Reason", "REASON", ofFirst("none") { $0.reason.isEmpty ? "none" : $0.reason }),
        Row("f", "Features", "AVAIL_FEATURES", ofFirst("(null)") { JobFields.orNull($0.features) }),
        Row("F", "NodeAIOT", "NODES(A/I/O/T)") { $0.nodeStates },
        Row("g", "Groups", "GROUPS", ofPartition { $0.allowGroups.isEmpty ? "all" : $0.allowGroups }),
        Row("G", "Gres", "GRES", ofFirst("(null)") { JobFields.orNull($0.gresText.isEmpty ? $0.gres : $0.gresText) }),
        Row("h", "OverSubscribe", "OVERSUBSCRIBE", ofPartition { $0.overSubscribe.isEmpty ? "NO" : $0.overSubscribe }),
        Row(
            "H", "TimeStamp", "TIMESTAMP",
            ofFirst("Unknown") { Times.stamp($0.reason.isEmpty ? 0 : $0.reasonUs, unset: "Unknown") }),
        Row("I", "PriorityJobFactor", "PRIO_JOB_FACTOR", ofPartition { "\($0.priorityJobFactor)" }),
        Row("l", "Time", "TIMELIMIT", ofPartition { limit($0.maxTimeMinutes, unlimited: "infinite") }),
        Row("L", "DefaultTime", "DEFAULTTIME", ofPartition { limit($0.defaultTimeMinutes, unlimited: "infinite") }),
        Row("m", "Memory", "MEMORY") { $0.span(\.memoryMib) },
        Row("M", "PreemptMode", "PREEMPT_MODE", ofPartition { $0.preemptMode.isEmpty ? "OFF" : $0.preemptMode }),
        Row("n", "NodeHost", "HOSTNAMES") { hosts($0, \.hostname) },
        Row("N", "NodeList", "NODELIST") { Hostlist.compress($0.nodes.map(\.name)) },
        Row("o", "NodeAddr", "NODE_ADDR") { hosts($0, \.address) },
        Row("O", "CPUsLoad", "CPU_LOAD") { $0.range(\.loadHundredths, load) },
        Row("p", "PriorityTier", "PRIO_TIER", ofPartition { "\($0.priorityTier)" }),
        Row("P", "Partition", "PARTITION", ofPartition { $0.name + ($0.isDefault ? "*" : "") }),
        Row("r", "Root", "ROOT", ofPartition { $0.rootOnly ? "yes" : "no" }),
        Row("R", "PartitionName", "PARTITION", ofPartition(\.name)),
        Row("s", "Size", "JOB_SIZE") { size($0) },
        Row("S", "AllocNodes", "ALLOCNODES", ofPartition { $0.allocNodes.isEmpty ? "all" : $0.allocNodes }),
        Row("t", "StateCompact", "STATE", ofFirst("n/a") { NodeStateText.word($0, compact: true).lowercased() }),
        Row("T", "StateLong", "STATE", ofFirst("n/a") { NodeStateText.word($0, compact: false).lowercased() }),
        Row("u", "User", "USER") { reasonUser($0) },
        Row("U", "UserLong", "USER") {
            $0.first.reason.isEmpty ? "Unknown" : "\(reasonUser($0))(\($0.first.reasonUid))"
        },
        Row("v", "Version", "VERSION", ofFirst("") { $0.version.isEmpty ? "" : slurmVersion }),
        Row("V", "Cluster", "CLUSTER") { _ in "N/A" },
        Row("w", "Weight", "WEIGHT") { $0.span(\.weight) },
        Row("X", "Sockets", "SOCKETS") { $0.span(\.sockets) },
        Row("Y", "Cores", "CORES") { $0.span(\.coresPerSocket) },
        Row("z", "SocketCoreThread", "S:C:T") {
            "\($0.span(\.sockets)):\($0.span(\.coresPerSocket)):\($0.span(\.threadsPerCore))"
        },
        Row("Z", "Threads", "THREADS") { $0.span(\.threadsPerCore) },
        Row(nil, "AllocMem", "ALLOCMEM", ofFirst("0") { "\($0.memoryAllocatedMib)" }),
        Row(nil, "Comment", "COMMENT", ofFirst("(null)") { JobFields.orNull($0.comment) }),
        Row(nil, "Extra", "EXTRA", ofFirst("(null)") { JobFields.orNull($0.extra) }),
        Row(nil, "GresUsed", "GRES_USED", ofFirst("(null)") { JobFields.orNull($0.gresUsed) }),
        Row(nil, "Port", "PORT", ofFirst("0") { "\($0.port)" }),
        Row(nil, "StateComplete", "STATECOMPLETE", ofFirst("n/a") { NodeStateText.full($0).lowercased() }),
    ]

    private static func hosts(_ group: NodeGroup, _ name: (WireNodeInfo) -> String) -> String {
        var seen: Set<String> = []
        return Hostlist.compress(
            group.nodes.map { name($0).isEmpty ? $0.name : name($0) }.filter { seen.insert($0).inserted })
    }

    private static func load(_ hundredths: UInt32) -> String { "\(hundredths / 100).\(two(hundredths % 100))" }

    private static func size(_ group: NodeGroup) -> String {
        guard let partition = group.partition else { return "n/a" }
        let least = max(1, partition.minNodes)
        if partition.maxNodes == .max { return "\(least)-infinite" }
        return least == partition.maxNodes ? "\(least)" : "\(least)-\(partition.maxNodes)"
    }
}
