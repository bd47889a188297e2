// A node's parts, to the wire and back. What comes from a node is checked: positions that point nowhere make it unusable.
public import ArgosyDomain

extension WireNodeHardware {
    public init(_ hardware: NodeHardware) {
        self.init()
        for core in hardware.cores {
            let part = WireHardwareCores(core)
            if let last = cores.last, last.isLike(part) {
                cores[cores.count - 1].count += 1
            } else {
                cores.append(part)
            }
        }
        sockets = UInt32(clamping: hardware.sockets)
        numaMemoryMib = hardware.numaMemoryMiB
        memoryMib = hardware.memoryMiB
        gres = hardware.gres.map(WireHardwareGRES.init)
    }

    /// Nil when it has no core, more than 65,536 CPUs or devices, or names a socket, NUMA node or CPU that is not there.
    public var domain: NodeHardware? {
        let limit = 1 << 16
        var all: [NodeHardware.Core] = []
        var next = 0
        for part in cores {
            let threads = Int(part.threads)
            guard part.socket < max(sockets, 1), Int(part.numa) < max(numaMemoryMib.count, 1),
                (1...limit).contains(threads), Int(part.count) <= limit, next + threads * Int(part.count) <= limit
            else { return nil }
            for _ in 0..<part.count {
                all.append(
                    NodeHardware.Core(
                        firstCPU: next, threads: threads, socket: Int(part.socket), numa: Int(part.numa)))
                next += threads
            }
        }
        let units = gres.compactMap { $0.domain(cpus: next, numaNodes: numaMemoryMib.count) }
        guard !all.isEmpty, units.count == gres.count else { return nil }
        return NodeHardware(
            cores: all, sockets: Int(max(sockets, 1)), numaMemoryMiB: numaMemoryMib, memoryMiB: memoryMib, gres: units)
    }
}

extension WireHardwareCores {
    fileprivate init(_ core: NodeHardware.Core) {
        self.init()
        count = 1
        threads = UInt32(clamping: core.threads)
        socket = UInt32(clamping: core.socket)
        numa = UInt32(clamping: core.numa)
    }
    fileprivate func isLike(_ other: WireHardwareCores) -> Bool {
        threads == other.threads && socket == other.socket && numa == other.numa
    }
}

extension WireHardwareGRES {
    fileprivate init(_ gres: NodeHardware.GRES) {
        self.init()
        name = gres.name
        type = gres.type
        count = UInt64(clamping: gres.count)
        devices = gres.devices.map(WireHardwareDevice.init)
    }

    fileprivate func domain(cpus: Int, numaNodes: Int) -> NodeHardware.GRES? {
        let found = devices.compactMap { $0.domain(cpus: cpus, numaNodes: numaNodes) }
        guard found.count == devices.count, devices.isEmpty || UInt64(devices.count) == count, count <= 1 << 62 else {
            return nil
        }
        return NodeHardware.GRES(name: name, type: type, count: Int(count), devices: found)
    }
}

extension WireHardwareDevice {
    fileprivate init(_ device: NodeHardware.GRES.Device) {
        self.init()
        if let position = device.numa { numa = UInt32(clamping: position) }
        for cpu in device.cpus.members {
            if let last = cpus.last, Int(last) == cpu - 1 {
                cpus[cpus.count - 1] = UInt32(cpu)
            } else {
                cpus += [UInt32(cpu), UInt32(cpu)]
            }
        }
        file = device.file
    }

    fileprivate func domain(cpus limit: Int, numaNodes: Int) -> NodeHardware.GRES.Device? {
        if hasNuma, Int(numa) >= max(numaNodes, 1) { return nil }
        guard cpus.count % 2 == 0 else { return nil }
        var local = CPUSet()
        for run in stride(from: 0, to: cpus.count, by: 2) {
            guard cpus[run] <= cpus[run + 1], Int(cpus[run + 1]) < limit else { return nil }
            for cpu in cpus[run]...cpus[run + 1] { local.insert(Int(cpu)) }
        }
        return NodeHardware.GRES.Device(numa: hasNuma ? Int(numa) : nil, cpus: local, file: file)
    }
}
