// Equal nodes share one description. A cluster of thousands of nodes has a handful of kinds.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension PlanningSnapshot {
    /// The cluster as configured, with nothing on it: what requests are checked against, and what snapshots begin with.
    init(empty configuration: ClusterConfiguration) {
        self.init(version: 0, now: .unset)
        settings = SchedulerSettings(configuration.scheduling)
        var numbers: [NodeKind: Int] = [:]
        for (index, node) in configuration.nodes.enumerated() {
            let kind = NodeKind(node)
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
    init(_ node: ClusterConfiguration.Node) {
        let threads = max(node.threadsPerCore, 1)
        var sockets = max(node.sockets, 1)
        if node.cpus % (sockets * threads) != 0 { sockets = 1 }
        var hardware = NodeHardware(
            sockets: sockets, coresPerSocket: max(1, node.cpus / (sockets * threads)), threadsPerCore: threads,
            memoryMiB: node.memoryMiB, gres: Self.gres(node.gres))
        if hardware.cpus != node.cpus {
            // CPUs that are no whole number of cores: each stands for itself.
            hardware = NodeHardware(
                sockets: 1, coresPerSocket: node.cpus, threadsPerCore: 1, memoryMiB: node.memoryMiB,
                gres: hardware.gres)
        }
        self.init(hardware: hardware, features: node.features.sorted(), weight: node.weight)
    }

    /// `gpu:a100:4,shard:8(S:0)`: name, type, count.
    static func gres(_ text: String) -> [NodeHardware.GRES] {
        text.split(separator: ",").compactMap { item in
            let words = item.prefix { $0 != "(" }.split(separator: ":", omittingEmptySubsequences: false)
                .filter { $0 != "no_consume" }
            guard let name = words.first, !name.isEmpty else { return nil }
            let count = words.count > 1 ? Int(words[words.count - 1]) : 1
            let types = count == nil ? words.dropFirst() : words.dropFirst().dropLast()
            return NodeHardware.GRES(
                name: String(name), type: types.joined(separator: ":"), count: count ?? 1,
                devices: name == "gpu" ? Array(repeating: .init(), count: count ?? 1) : [])
        }
    }
}
