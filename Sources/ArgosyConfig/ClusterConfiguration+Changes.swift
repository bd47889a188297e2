// Changes of partitions while the controller runs: the same keys and values as PartitionName lines of the file have.

public import ArgosyDomain

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

    /// ReconfigFlags in small letters.
    public var reconfigureFlags: [String] {
        let text = entries.last { $0.key.lowercased() == "reconfigflags" }?.value ?? ""
        return text.lowercased().split(separator: ",").map(String.init)
    }

    /// As ReconfigFlags=KeepPartInfo wants it: what is known of partitions counts more than the file, which only adds
    /// some. Nodes that are gone leave them. `self` follows `old`: nodes have the same numbers.
    public mutating func keepPartitions(of old: ClusterConfiguration) {
        let added = partitions.filter { new in !old.partitions.contains { $0.name == new.name } }
        let known = nodes
        partitions = old.partitions.map { partition in
            var partition = partition
            partition.nodes.removeAll { $0.int >= known.count || known[$0.int].isRemoved }
            return partition
        }
        let hasDefault = partitions.contains(where: \.isDefault)
        partitions += added.map { partition in
            var partition = partition
            if hasDefault { partition.isDefault = false }
            return partition
        }
    }

    /// What `Gres` of the node's line would be.
    public mutating func set(gres text: String, ofNode index: NodeIndex) throws(WrongSetting) {
        do throws(WrongValue) { _ = try GRESText.items(text) } catch {
            throw WrongSetting(key: "Gres", value: text, why: error.allowed)
        }
        nodes[index.int].gres = text
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
