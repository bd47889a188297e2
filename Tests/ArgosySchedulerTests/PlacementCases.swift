// Random hardware and demands for the property tests of placement, and a node that jobs come to and leave.
import ArgosyDomain

@testable import ArgosyScheduler

extension Dice {
    /// Sockets of several NUMA nodes or NUMA nodes of several sockets, cores with equal or different threads, GPUs near to a
    /// NUMA node, to some cores or to nothing, NUMA nodes of unknown size.
    mutating func hardware() -> NodeHardware {
        let irregular = rare(3)
        let threads = one(of: [1, 1, 2, 2, 4, 3])
        let sockets = roll(1...4)
        let joined = rare(5)
        let numaPerSocket = joined ? 1 : roll(1...2)
        var cores: [NodeHardware.Core] = []
        var next = 0
        for socket in 0..<sockets {
            for part in 0..<numaPerSocket {
                for _ in 0..<roll(1...6) {
                    let own = irregular ? roll(1...3) : threads
                    let numa = joined ? socket / 2 : socket * numaPerSocket + part
                    cores.append(.init(firstCPU: next, threads: own, socket: socket, numa: numa))
                    next += own
                }
            }
        }
        let numaNodes = (cores.map(\.numa).max() ?? 0) + 1
        let memory = UInt64(roll(1...16)) * 1024
        return NodeHardware(
            cores: cores, sockets: sockets,
            numaMemoryMiB: (0..<numaNodes).map { _ in rare(6) ? 0 : memory / UInt64(numaNodes) }, memoryMiB: memory,
            gres: devices(cores, numaNodes))
    }

    private mutating func devices(_ cores: [NodeHardware.Core], _ numaNodes: Int) -> [NodeHardware.GRES] {
        var gres: [NodeHardware.GRES] = []
        for type in ["a100", "v100"].prefix(roll(0...2)) {
            let count = roll(1...4)
            gres.append(
                .init(
                    name: "gpu", type: type, count: count,
                    devices: (0..<count).map { _ in
                        let numa = roll(0...numaNodes - 1)
                        switch roll(0...2) {
                        case 0: return .init()
                        case 1: return .init(numa: numa)
                        default:
                            let near = cores.filter { $0.numa == numa }.suffix(roll(1...3))
                            return .init(numa: numa, cpus: CPUSet(near.flatMap(\.cpus)))
                        }
                    }))
        }
        if rare(3) { gres.append(.init(name: "scratch", count: roll(1...1000))) }
        return gres
    }

    mutating func shape() -> Shape {
        var shape = Shape(partitions: [0])
        shape.tasks = roll(1...12)
        shape.cpusPerTask = rare(2) ? 1 : roll(1...6)
        if rare(5) { shape.tasksPerNode = roll(1...4) }
        if rare(6) { shape.tasksPerSocket = roll(1...3) }
        if rare(5) { shape.tasksPerCore = roll(1...2) }
        if rare(5) { shape.threadsPerCore = roll(1...2) }
        if rare(8) { shape.minSocketsPerNode = roll(1...2) }
        if rare(8) { shape.minCoresPerSocket = roll(1...3) }
        if rare(8) { shape.minCPUsPerNode = roll(1...8) }
        switch roll(0...3) {
        case 0: shape.memoryPerNodeMiB = UInt64(roll(1...4096))
        case 1: shape.memoryPerCPUMiB = UInt64(roll(1...512))
        default: break
        }
        if rare(2) { gres(&shape) }
        shape.overcommit = rare(12)
        if rare(10) { shape.sharing = .exclusive }
        if rare(12) { shape.coreSpec = roll(1...2) }
        return shape
    }

    private mutating func gres(_ shape: inout Shape) {
        let per: [GRESRequest.Per] = [.node, .task, .task, .job]
        let type = one(of: ["", "", "a100", "v100"])
        shape.gres = [GRESRequest(name: "gpu", type: type, count: UInt64(roll(1...3)), per: one(of: per))]
        if rare(4) { shape.gres.append(GRESRequest(name: "scratch", count: UInt64(roll(1...100)))) }
        if rare(4) { shape.cpusPerGPU = roll(1...4) }
        if rare(4) { shape.memoryPerGPUMiB = UInt64(roll(1...1024)) }
        if rare(5) { shape.tasksPerGPU = roll(1...3) }
    }
}

extension PlanningSnapshot.Node {
    /// With nothing on it.
    init(idle hardware: NodeHardware, index: Int = 0) {
        self.init(
            index: NodeIndex(index), name: "n\(index)", kind: 0, availability: .up,
            freeCPUs: CPUSet(hardware.cores.flatMap(\.cpus)), freeMemoryMiB: hardware.memoryMiB,
            freeGRES: hardware.gres.map {
                .init(count: UInt64($0.count), devices: CPUSet(0..<$0.devices.count))
            })
    }

    /// Why `held` cannot be taken from it; nil when it can.
    func refusal(of held: Allocation.Node, _ hardware: NodeHardware) -> String? {
        for cpu in held.cpus.members where !freeCPUs.contains(cpu) { return "CPU \(cpu) is taken" }
        if held.memoryMiB > freeMemoryMiB { return "\(held.memoryMiB) MiB of \(freeMemoryMiB)" }
        for grant in held.gres {
            let position = hardware.gres.firstIndex { $0.name == grant.name && $0.type == grant.type } ?? -1
            guard position >= 0 else { return "no \(grant.name):\(grant.type)" }
            if grant.count > freeGRES[position].count { return "\(grant.count) of \(freeGRES[position].count)" }
            if hardware.gres[position].devices.isEmpty { continue }
            if grant.devices.count != Int(grant.count) { return "\(grant.devices.count) devices for \(grant.count)" }
            for unit in grant.devices.members where !freeGRES[position].devices.contains(unit) {
                return "device \(unit) is taken"
            }
        }
        return nil
    }

    mutating func take(_ held: Allocation.Node, _ hardware: NodeHardware) {
        freeCPUs.subtract(held.cpus)
        freeMemoryMiB -= held.memoryMiB
        for grant in held.gres {
            guard let at = hardware.gres.firstIndex(where: { $0.name == grant.name && $0.type == grant.type }) else {
                continue
            }
            freeGRES[at].count -= grant.count
            freeGRES[at].devices.subtract(grant.devices)
        }
    }

    mutating func giveBack(_ held: Allocation.Node, _ hardware: NodeHardware) {
        freeCPUs.formUnion(held.cpus)
        freeMemoryMiB += held.memoryMiB
        for grant in held.gres {
            guard let at = hardware.gres.firstIndex(where: { $0.name == grant.name && $0.type == grant.type }) else {
                continue
            }
            freeGRES[at].count += grant.count
            freeGRES[at].devices.formUnion(grant.devices)
        }
    }
}
