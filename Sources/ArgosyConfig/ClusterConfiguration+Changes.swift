// Changes of partitions while the controller runs: the same keys and values as PartitionName lines of the file have.

import ArgosyDomain

/// A key with a value that it cannot have, and why.
public struct WrongSetting: Error, Hashable, Sendable {
    public var key: String
    public var value: String
    /// Empty: no such key.
    public var why: String
}

extension ClusterConfiguration {
    /// Sets one key of a partition, as its line in the file would. `Nodes` may be a host list, ALL or empty; with `+` or
    /// `-` at the end of the key nodes are added or taken out. Default=YES takes it from the one that had it.
    public mutating func set(_ key: String, _ value: String, ofPartition index: Int) throws(WrongSetting) {
        let lower = key.lowercased()
        if lower == "nodes" || lower == "nodes+" || lower == "nodes-" {
            return try setNodes(value, sign: lower.last == "s" ? nil : lower.last, ofPartition: index)
        }
        do throws(WrongValue) {
            guard try ConfigurationParser.set(lower, value, in: &partitions[index]) else {
                throw WrongValue(allowed: "")
            }
        } catch { throw WrongSetting(key: key, value: value, why: error.allowed) }
        if lower == "default", partitions[index].isDefault {
            for other in partitions.indices where other != index { partitions[other].isDefault = false }
        }
    }

    private mutating func setNodes(_ list: String, sign: Character?, ofPartition index: Int) throws(WrongSetting) {
        let names: [String]
        do throws(Hostlist.Malformed) {
            names = list.uppercased() == "ALL" ? nodes.map(\.name) : try Hostlist.expand(list)
        } catch { throw WrongSetting(key: "Nodes", value: list, why: "\(error)") }
        var named: [NodeIndex] = []
        for name in names {
            guard let node = node(named: name) else {
                throw WrongSetting(key: "Nodes", value: list, why: "there is no node \(name)")
            }
            named.append(node)
        }
        switch sign {
        case "+": named += partitions[index].nodes
        case "-": named = partitions[index].nodes.filter { !named.contains($0) }
        default: break
        }
        partitions[index].nodes = Array(Set(named)).sorted()
    }
}
