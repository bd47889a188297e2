// What sinfo can show of a group of nodes.

import ArgosyClient
import ArgosyDomain

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

    static let all: [Row] = [
        Row("a", "Available", "AVAIL") { ($0.partition?.state ?? "n/a").lowercased() },
        Row("A", "NodeAI", "NODES(A/I)") { $0.nodeStates.split(separator: "/").prefix(2).joined(separator: "/") },
        Row("b", "ActiveFeatures", "ACTIVE_FEATURES") { JobFields.orNull($0.first.features) },
        Row("B", "MaxCPUsPerNode", "MAX_CPUS_PER_NODE") { _ in "UNLIMITED" },
        Row("c", "CPUs", "CPUS") { $0.span(\.cpus) },
        Row("C", "CPUsState", "CPUS(A/I/O/T)") { $0.cpuStates },
        Row("d", "Disk", "TMP_DISK") { _ in "0" },
        Row("D", "Nodes", "NODES") { "\($0.nodes.count)" },
        Row("e", "FreeMem", "FREE_MEM") { $0.span(\.freeMemoryMib) },
        Row("E", "Reason", "REASON") { $0.first.reason.isEmpty ? "none" : $0.first.reason },
        Row("f", "Features", "AVAIL_FEATURES") { JobFields.orNull($0.first.features) },
        Row("F", "NodeAIOT", "NODES(A/I/O/T)") { $0.nodeStates },
        Row("g", "Groups", "GROUPS") { groups($0.partition?.allowGroups) },
        Row("G", "Gres", "GRES") { JobFields.orNull($0.first.gres) },
        Row("h", "OverSubscribe", "OVERSUBSCRIBE") { _ in "NO" },
        Row("H", "Timestamp", "TIMESTAMP") {
            Times.stamp($0.first.reason.isEmpty ? 0 : $0.first.reasonUs, unset: "Unknown")
        },
        Row("I", "PriorityJobFactor", "PRIO_JOB_FACTOR") { _ in "1" },
        Row("l", "Time", "TIMELIMIT") { limit($0.partition?.maxTimeMinutes ?? .max, unlimited: "infinite") },
        Row("L", "DefaultTime", "DEFAULTTIME") { limit($0.partition?.defaultTimeMinutes ?? 0, unlimited: "infinite") },
        Row("m", "Memory", "MEMORY") { $0.span(\.memoryMib) },
        Row("M", "PreemptMode", "PREEMPT_MODE") { _ in "OFF" },
        Row("n", "NodeHost", "HOSTNAMES") { Hostlist.compress($0.nodes.map(\.name)) },
        Row("N", "NodeList", "NODELIST") { Hostlist.compress($0.nodes.map(\.name)) },
        Row("o", "NodeAddr", "NODE_ADDR") { $0.nodes.map(\.address).joined(separator: ",") },
        Row("O", "CPUsLoad", "CPU_LOAD") { $0.span { load($0.loadHundredths) } },
        Row("p", "PriorityTier", "PRIO_TIER") { "\($0.partition?.priorityTier ?? 1)" },
        Row("P", "Partition", "PARTITION") {
            ($0.partition?.name ?? "n/a") + ($0.partition?.isDefault == true ? "*" : "")
        },
        Row("r", "Root", "ROOT") { $0.partition?.rootOnly == true ? "yes" : "no" },
        Row("R", "PartitionName", "PARTITION") { $0.partition?.name ?? "n/a" },
        Row("s", "Size", "JOB_SIZE") { size($0) },
        Row("S", "AllocNodes", "ALLOCNODES") { _ in "all" },
        Row("t", "StateCompact", "STATE") { NodeStateText.word($0.first, compact: true).lowercased() },
        Row("T", "StateLong", "STATE") { NodeStateText.word($0.first, compact: false).lowercased() },
        Row("u", "User", "USER") { reasonUser($0) },
        Row("U", "UserLong", "USER") {
            $0.first.reason.isEmpty ? "Unknown" : "\(reasonUser($0))(\($0.first.reasonUid))"
        },
        Row("v", "Version", "VERSION") { $0.first.version },
        Row("V", "Cluster", "CLUSTER") { _ in "N/A" },
        Row("w", "Weight", "WEIGHT") { $0.span(\.weight) },
        Row("X", "Sockets", "SOCKETS") { $0.span(\.sockets) },
        Row("Y", "Cores", "CORES") { $0.span(\.coresPerSocket) },
        Row("z", "SocketCoreThread", "S:C:T") {
            "\($0.first.sockets):\($0.first.coresPerSocket):\($0.first.threadsPerCore)"
        },
        Row("Z", "Threads", "THREADS") { $0.span(\.threadsPerCore) },
        Row(nil, "AllocMem", "ALLOCMEM") { $0.span(\.memoryAllocatedMib) },
    ]

    private static func load(_ hundredths: UInt32) -> String { "\(hundredths / 100).\(two(hundredths % 100))" }

    private static func groups(_ text: String?) -> String { text.map { $0.isEmpty ? "all" : $0 } ?? "all" }

    private static func size(_ group: NodeGroup) -> String {
        guard let partition = group.partition else { return "n/a" }
        let least = max(1, partition.minNodes)
        return partition.maxNodes == .max ? "\(least)-infinite" : "\(least)-\(partition.maxNodes)"
    }
}
