// A node as sinfo and scontrol show it.

import ArgosyWire

enum NodeStateText {
    /// The state Slurm makes of a base state and its flags, in upper case; with `*` when the node does not answer.
    static func word(_ node: WireNodeInfo, compact: Bool) -> String {
        let flags = Set(node.flags)
        let busy = node.state == "ALLOCATED" || node.state == "MIXED"
        let silent = flags.contains("NOT_RESPONDING") ? "*" : ""
        if flags.contains("DRAIN") {
            let draining = busy || flags.contains("COMPLETING")
            return (compact ? (draining ? "DRNG" : "DRAIN") : draining ? "DRAINING" : "DRAINED") + silent
        }
        if flags.contains("COMPLETING"), node.state == "ALLOCATED" { return (compact ? "ALLOC" : "ALLOCATED") + "+" }
        if flags.contains("COMPLETING"), node.state != "DOWN" { return (compact ? "COMP" : "COMPLETING") + silent }
        if !busy, node.state == "IDLE" {
            if flags.contains("MAINTENANCE") { return "MAINT" + silent }
            if flags.contains("RESERVED") { return (compact ? "RESV" : "RESERVED") + silent }
        }
        guard compact else { return node.state + silent }
        let short = ["ALLOCATED": "ALLOC", "MIXED": "MIX", "UNKNOWN": "UNK"]
        return (short[node.state] ?? node.state) + silent
    }

    /// `IDLE+DRAIN`, as scontrol shows it.
    static func full(_ node: WireNodeInfo) -> String { ([node.state] + node.flags).joined(separator: "+") }

    static let words: Set<String> = [
        "alloc", "allocated", "blocked", "cloud", "comp", "completing", "down", "drain", "drained", "draining", "drng",
        "fail", "failg", "failing", "future", "futr", "idle", "inval", "invalid", "maint", "mix", "mixed", "no_respond",
        "npc", "perfctrs", "planned", "plnd", "power_down", "power_up", "powered_down", "powering_down", "powering_up",
        "reboot", "reboot^", "reboot_issued", "reboot_requested", "resv", "reserved", "unk", "unknown",
    ]

    /// As Slurm lists them.
    static let validWords =
        "unknown,down,idle,allocated,?,mixed,future,drain,drained,draining,no_respond,reserved,perfctrs,cloud,"
        + "completing,powering_down,powered_down,power_down,powering_up,fail,maint,reboot,reboot^,unknown"

    /// A number that orders states as Slurm's do: the base state, above it the flags.
    static func rank(_ node: WireNodeInfo) -> UInt32 {
        let base: UInt32 =
            switch node.state {
            case "DOWN": 1
            case "IDLE": 2
            case "ALLOCATED": 3
            case "MIXED": 5
            default: 0
            }
        let flags: [(String, UInt32)] = [
            ("RESERVED", 0x20), ("DRAIN", 0x200), ("COMPLETING", 0x400), ("MAINTENANCE", 0x8000),
        ]
        return flags.reduce(base) { node.flags.contains($1.0) ? $0 | $1.1 : $0 }
    }

    /// Down, drained, draining or failing: a reason counts.
    static func isOut(_ node: WireNodeInfo) -> Bool {
        node.state == "DOWN" || node.flags.contains("DRAIN") || node.flags.contains("FAIL")
    }

    /// Whether `node` is meant by a state word of `sinfo -t`.
    static func matches(_ node: WireNodeInfo, _ word: String) -> Bool {
        let compact = self.word(node, compact: true).lowercased().prefix { $0 != "*" && $0 != "+" }
        let long = self.word(node, compact: false).lowercased().prefix { $0 != "*" && $0 != "+" }
        switch word {
        case "no_respond": return node.flags.contains("NOT_RESPONDING")
        case "resv", "reserved": return node.flags.contains("RESERVED") && node.state == "IDLE"
        case "maint": return node.flags.contains("MAINTENANCE")
        // The base state: a drained node is one of them.
        case "idle": return node.state == "IDLE"
        case "alloc", "allocated": return node.state == "ALLOCATED"
        case "mix", "mixed": return node.state == "MIXED"
        case "drain": return node.flags.contains("DRAIN")
        case "down": return node.state == "DOWN"
        case "comp", "completing": return node.flags.contains("COMPLETING")
        default: return word == compact || word == long
        }
    }
}

/// One line of sinfo: nodes of one partition that look alike in all that is shown.
struct NodeGroup: Sendable {
    /// Nil: nodes outside of every partition.
    var partition: WirePartitionInfo?
    var nodes: [WireNodeInfo]

    var first: WireNodeInfo { nodes.first ?? WireNodeInfo() }

    /// Least and, with a `+`, whether others have more.
    func span<Number: Comparable>(_ value: (WireNodeInfo) -> Number) -> String {
        let values = nodes.map(value)
        guard let least = values.min(), let most = values.max() else { return "0" }
        return least == most ? "\(least)" : "\(least)+"
    }

    /// `least-most`, where they differ.
    func range<Number: Comparable>(_ value: (WireNodeInfo) -> Number, _ text: (Number) -> String) -> String {
        let values = nodes.map(value)
        guard let least = values.min(), let most = values.max() else { return "N/A" }
        return least == most ? text(least) : "\(text(least))-\(text(most))"
    }

    /// `allocated/idle/other/total` of nodes.
    var nodeStates: String {
        var (allocated, idle, other) = (0, 0, 0)
        for node in nodes {
            switch NodeStateText.word(node, compact: true) {
            case "ALLOC", "MIX", "ALLOC+", "COMP": allocated += 1
            case "IDLE": idle += 1
            default: other += 1
            }
        }
        return "\(allocated)/\(idle)/\(other)/\(nodes.count)"
    }

    /// `allocated/idle/other/total` of CPUs.
    var cpuStates: String {
        var (allocated, idle, other, total): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        for node in nodes {
            total &+= node.cpus
            allocated &+= node.cpusAllocated
            let rest = node.cpus &- min(node.cpus, node.cpusAllocated)
            let usable = !node.flags.contains("DRAIN") && ["IDLE", "MIXED", "ALLOCATED"].contains(node.state)
            if usable { idle &+= rest } else { other &+= rest }
        }
        return "\(allocated)/\(idle)/\(other)/\(total)"
    }
}
