// A node's parts as the configuration describes them: what placement works with until the node itself has told more.

public import ArgosyDomain

extension ClusterConfiguration {
    /// Cores, sockets and devices of a node, from its NodeName line and gres.conf.
    public func hardware(of index: NodeIndex) -> NodeHardware {
        let node = nodes[index.int]
        var hardware = Self.cores(of: node)
        for item in (try? GRESText.items(node.gres)) ?? [] {
            hardware.gres += devices(item, on: index, hardware)
        }
        return hardware
    }

    /// Position of the node's leaf switch in `switches.leaves`; -1: none.
    public func leaf(of index: NodeIndex) -> Int { index.int < leafOfNode.count ? leafOfNode[index.int] : -1 }

    /// TopologyPlugin=topology/tree: topology.conf is read.
    public var usesTopologyTree: Bool {
        entries.last { $0.key.lowercased() == "topologyplugin" }?.value.lowercased() == "topology/tree"
    }

    /// CPUs as cores: as described where the product agrees; where CPUs counts cores only, each is one; else each CPU stands
    /// for itself.
    private static func cores(of node: Node) -> NodeHardware {
        let sockets = max(node.sockets, 1)
        let cores = max(node.coresPerSocket, 1)
        let threads = max(node.threadsPerCore, 1)
        func made(_ sockets: Int, _ cores: Int, _ threads: Int) -> NodeHardware {
            NodeHardware(
                sockets: sockets, coresPerSocket: cores, threadsPerCore: threads, memoryMiB: node.memoryMiB)
        }
        if sockets * cores * threads == node.cpus { return made(sockets, cores, threads) }
        if sockets * cores == node.cpus { return made(sockets, cores, 1) }
        if node.cpus % (sockets * threads) == 0 { return made(sockets, node.cpus / (sockets * threads), threads) }
        if node.cpus % threads == 0 { return made(1, node.cpus / threads, threads) }
        return made(1, max(node.cpus, 1), 1)
    }

    /// Lines of gres.conf that speak of an item of a node's `Gres=`.
    func lines(of item: NodeGRES, on index: NodeIndex) -> [GRESLine] {
        gresLines.filter { line in
            line.name == item.name && (item.type.isEmpty || line.type.isEmpty || line.type == item.type)
                && line.nodes?.contains(index) ?? true
        }
    }

    /// One item; several where gres.conf gives types that the node line does not.
    private func devices(_ item: NodeGRES, on index: NodeIndex, _ hardware: NodeHardware) -> [NodeHardware.GRES] {
        var byType: [(type: String, devices: [NodeHardware.GRES.Device])] = []
        for line in lines(of: item, on: index) where !line.files.isEmpty && !line.countOnly {
            let type = item.type.isEmpty ? line.type : item.type
            let found = line.files.map { Self.device($0, line.cores, hardware) }
            if let known = byType.firstIndex(where: { $0.type == type }) {
                byType[known].devices += found
            } else {
                byType.append((type, found))
            }
        }
        var left = Int(clamping: item.count)
        var units: [NodeHardware.GRES] = []
        for part in byType where left > 0 {
            let devices = Array(part.devices.prefix(left))
            left -= devices.count
            units.append(.init(name: item.name, type: part.type, count: devices.count, devices: devices))
        }
        if units.isEmpty { units = [Self.plain(item, hardware)] }
        return units
    }

    /// Without files: GPUs are still told from one another, other GRES are a count.
    private static func plain(_ item: NodeGRES, _ hardware: NodeHardware) -> NodeHardware.GRES {
        let count = Int(clamping: item.count)
        guard item.name == "gpu", count <= 1024 else {
            return .init(name: item.name, type: item.type, count: count)
        }
        let cores = item.sockets.map { sockets in
            hardware.cores.indices.filter { sockets.contains(hardware.cores[$0].socket) }
        }
        let device = device("", cores, hardware)
        return .init(
            name: item.name, type: item.type, count: count, devices: Array(repeating: device, count: count))
    }

    private static func device(_ file: String, _ cores: [Int]?, _ hardware: NodeHardware) -> NodeHardware.GRES.Device {
        let near = (cores ?? []).filter { $0 < hardware.cores.count }.map { hardware.cores[$0] }
        let numa = Set(near.map(\.numa))
        return .init(
            numa: numa.count == 1 ? numa.first : nil, cpus: CPUSet(near.flatMap(\.cpus)), file: file)
    }
}
