// Equal nodes share one description. A cluster of thousands of nodes has a handful of kinds.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension PlanningSnapshot {
    /// The cluster as configured, with nothing on it: what requests are checked against, and what snapshots begin with.
    init(empty configuration: ClusterConfiguration) {
        self.init(version: 0, now: .unset)
        switches = configuration.switches
        settings = SchedulerSettings(configuration.scheduling, configuration.priority)
        var numbers: [NodeKind: Int] = [:]
        for (index, node) in configuration.nodes.enumerated() {
            let kind = NodeKind(NodeIndex(index), in: configuration)
            let number = numbers[kind] ?? kinds.count
            if number == kinds.count {
                kinds.append(kind)
                numbers[kind] = number
            }
            nodes.append(
                Node(
                    index: NodeIndex(index), name: node.name, kind: number, availability: .up,
                    freeCPUs: CPUSet(0..<node.cpus), freeMemoryMiB: node.memoryMiB,
                    freeGRES: kind.hardware.gres.map(FreeGRES.init(all:))))
        }
    }
}

extension PlanningSnapshot.FreeGRES {
    /// Nothing of it is taken.
    init(all gres: NodeHardware.GRES) {
        self.init(count: UInt64(gres.count), devices: gres.devices.isEmpty ? CPUSet() : CPUSet(0..<gres.devices.count))
    }
}

extension PlanningSnapshot.NodeKind {
    /// As configured, with what gres.conf and topology.conf say.
    init(_ index: NodeIndex, in configuration: ClusterConfiguration) {
        let node = configuration.nodes[index.int]
        self.init(
            hardware: configuration.hardware(of: index), features: node.features.sorted(), weight: node.weight,
            leaf: configuration.leaf(of: index))
    }
}
