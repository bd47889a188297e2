// PartitionName lines. Their nodes are looked up at the end, since NodeName and NodeSet lines may follow.

import ArgosyDomain

struct PartitionLine {
    var partition: ClusterConfiguration.Partition
    var nodes: String?
    var line: ConfigurationLine
}

extension ConfigurationParser {
    static let partitionStates = ["UP", "DOWN", "DRAIN", "INACTIVE"]

    mutating func readPartition(_ line: ConfigurationLine) {
        let name = line.pairs[0].value
        var partition = partitionDefaults
        var nodes = partitionDefaultNodes
        for pair in line.pairs.dropFirst() {
            let key = pair.key.lowercased()
            if key == "nodes" {
                nodes = pair.value
                continue
            }
            do throws(WrongValue) {
                if try !Self.set(key, pair.value, in: &partition) {
                    warn(line, "\(pair.key) of PartitionName=\(name) is not acted on")
                }
            } catch { fail(line, "\(pair.key)=\(pair.value): \(error.allowed)") }
        }
        if name.uppercased() == "DEFAULT" {
            partitionDefaults = partition
            partitionDefaultNodes = nodes
            return
        }
        if partitionLines.contains(where: { $0.partition.name == name }) {
            fail(line, "partition \(name) is described twice")
            return
        }
        partition.name = name
        partitionLines.append(.init(partition: partition, nodes: nodes, line: line))
    }

    static func set(
        _ key: String, _ text: String, in partition: inout ClusterConfiguration.Partition
    ) throws(WrongValue) -> Bool {
        switch key {
        case "default": partition.isDefault = try yes(text)
        case "state":
            guard partitionStates.contains(text.uppercased()) else {
                throw WrongValue(allowed: "must be one of \(partitionStates.joined(separator: " "))")
            }
            partition.state = text.uppercased()
        case "maxtime": partition.maxTime = try limit(text)
        case "defaulttime":
            partition.defaultTime = text.uppercased() == "NONE" ? .notGiven : try limit(text)
        case "maxnodes": partition.maxNodes = try nodeCount(text)
        case "minnodes": partition.minNodes = UInt32(try count(text, 0...0xffff_fffe))
        case "prioritytier": partition.priorityTier = UInt32(try count(text, 0...65533))
        case "priority":
            // The one key of old that stands for both.
            partition.priorityTier = UInt32(try count(text, 0...65533))
            partition.policy.priorityJobFactor = partition.priorityTier
        case "rootonly": partition.rootOnly = try yes(text)
        case "allowaccounts": partition.allowAccounts = everyone(text)
        case "allowgroups": partition.allowGroups = everyone(text)
        default: return try setPolicy(key, text, in: &partition.policy)
        }
        return true
    }

    private static func limit(_ text: String) throws(WrongValue) -> TimeLimit {
        guard let limit = SlurmText.timeLimit(text) else {
            throw WrongValue(allowed: "must be minutes, hours:minutes:seconds, days-hours:minutes:seconds or UNLIMITED")
        }
        return limit
    }

    private static func nodeCount(_ text: String) throws(WrongValue) -> UInt32 {
        text.uppercased() == "UNLIMITED" ? .max : UInt32(try count(text, 0...0xffff_fffe))
    }

    mutating func resolvePartitions() {
        for var entry in partitionLines {
            do throws(Hostlist.Malformed) {
                let found = try members(of: entry.nodes ?? "", entry.line)
                entry.partition.nodes = found.sorted().map { NodeIndex($0) }
            } catch { fail(entry.line, "Nodes=\(entry.nodes ?? ""): \(error)") }
            if entry.partition.isDefault, let other = configuration.defaultPartition {
                // Slurm lets the last one win.
                warn(
                    entry.line,
                    "\(configuration.partitions[other].name) was Default=YES already; now \(entry.partition.name) is")
                configuration.partitions[other].isDefault = false
            }
            configuration.partitions.append(entry.partition)
        }
    }

    private mutating func members(of text: String, _ line: ConfigurationLine) throws(Hostlist.Malformed) -> Set<Int> {
        if text.uppercased() == "ALL" { return Set(configuration.nodes.indices) }
        var found: Set<Int> = []
        for name in try Hostlist.expand(text) {
            if let index = nodeIndex[name] {
                found.insert(index)
            } else if let set = nodeSets.first(where: { $0.name == name }) {
                found.formUnion(try members(of: set, line))
            } else {
                fail(line, "Nodes names \(name), which is neither a node nor a NodeSet")
            }
        }
        return found
    }

    private mutating func members(
        of set: NodeSetLine, _ line: ConfigurationLine
    ) throws(Hostlist.Malformed) -> Set<Int> {
        var found: Set<Int> = []
        for name in try Hostlist.expand(set.nodes ?? "") {
            guard let index = nodeIndex[name] else {
                fail(line, "NodeSet=\(set.name) names \(name), which no NodeName line describes")
                continue
            }
            found.insert(index)
        }
        if let feature = set.feature {
            for (index, node) in configuration.nodes.enumerated() where node.features.contains(feature) {
                found.insert(index)
            }
        }
        return found
    }
}
