// What hwloc found, as placement sees it.
public import ArgosyDomain

extension Topology {
    /// Cores, NUMA nodes with cores, and GPUs with what is near to them. Abstract CPUs are the processing units in hwloc's
    /// logical order, by core.
    public var hardware: NodeHardware {
        let order = cpuOrder
        let present = numaNodes.filter { node in pus.contains { $0.numaNode == node } }
        var cores: [NodeHardware.Core] = []
        var last: Int?
        for position in order {
            let pu = pus[position]
            if pu.core == last {
                cores[cores.count - 1].threads += 1
                continue
            }
            last = pu.core
            let first = cores.last?.cpus.upperBound ?? 0
            let numa = present.firstIndex(of: pu.numaNode) ?? 0
            cores.append(.init(firstCPU: first, threads: 1, socket: pu.socket, numa: numa))
        }
        var hardware = NodeHardware(
            cores: cores, sockets: sockets,
            numaMemoryMiB: present.isEmpty ? [0] : present.map { numaMemoryMiB[$0] ?? 0 }, memoryMiB: memoryMiB)
        hardware.gres = gpuGRES(order, present)
        return hardware
    }

    /// Positions of `pus` so that the threads of a core follow one another; their order otherwise.
    public var cpuOrder: [Int] {
        var first: [Int: Int] = [:]
        for (position, pu) in pus.enumerated() where first[pu.core] == nil { first[pu.core] = position }
        return pus.indices.sorted { (first[pus[$0].core] ?? 0, $0) < (first[pus[$1].core] ?? 0, $1) }
    }

    private func gpuGRES(_ order: [Int], _ present: [Int]) -> [NodeHardware.GRES] {
        var gres: [NodeHardware.GRES] = []
        for gpu in gpus {
            let near = order.indices.filter { gpu.pus.contains(pus[order[$0]].osIndex) }
            let everywhere = near.count == order.count
            let device = NodeHardware.GRES.Device(
                numa: gpu.numaNode.flatMap { present.firstIndex(of: $0) } ?? (present.count == 1 ? 0 : nil),
                cpus: everywhere ? CPUSet() : CPUSet(near), file: gpu.file)
            if let known = gres.firstIndex(where: { $0.type == gpu.type }) {
                gres[known].devices.append(device)
                gres[known].count += 1
            } else {
                gres.append(.init(name: "gpu", type: gpu.type, count: 1, devices: [device]))
            }
        }
        return gres
    }
}

extension NodeHardware {
    /// This (what was found) under the names and counts of `configured`; nil where the two disagree: then what the
    /// configuration says holds.
    ///
    /// Cores agree when there are as many CPUs and cores. GPUs take the configured types and files; their number must be the
    /// same, and where types are configured, each type's must be. Memory is the configured one. Other GRES are as configured.
    public func agreeing(with configured: NodeHardware) -> NodeHardware? {
        guard cpus == configured.cpus, cores.count == configured.cores.count else { return nil }
        var merged = self
        merged.memoryMiB = configured.memoryMiB
        var found = gres.flatMap { unit in unit.devices.map { (type: unit.type, device: $0) } }
        merged.gres = []
        for unit in configured.gres {
            guard unit.name == "gpu" else {
                merged.gres.append(unit)
                continue
            }
            var taken: [GRES.Device] = []
            let fits = found.indices.filter { found[$0].type.contains(unit.type) || unit.type.isEmpty }
            let use = fits.count >= unit.count ? fits : Array(found.indices)
            guard use.count >= unit.count else { return nil }
            for (slot, index) in use.prefix(unit.count).enumerated() {
                var device = found[index].device
                if slot < unit.devices.count {
                    if !unit.devices[slot].file.isEmpty { device.file = unit.devices[slot].file }
                    if device.cpus.isEmpty, device.numa == nil { device = unit.devices[slot] }
                }
                taken.append(device)
            }
            for index in use.prefix(unit.count).reversed() { found.remove(at: index) }
            merged.gres.append(.init(name: unit.name, type: unit.type, count: unit.count, devices: taken))
        }
        return merged
    }
}
