// A kind of node, prepared for placement: what a pass asks of a node's hardware thousands of times is computed once.
//
// Cores are grouped in cells: cores of one NUMA node that are near to the same devices (on most machines a cell is a NUMA
// node; where a GPU has cores of its own, as on Frontier's nodes, a cell is those cores). Cells form NUMA nodes, these
// form sockets, these the node; see CoreArranger for how tasks go there.
public import ArgosyDomain

/// One kind of node. Immutable and shared: make one for each `PlanningSnapshot.kinds` entry and keep it as long as that
/// entry does not change.
public final class NodeModel: Sendable {
    public let kind: PlanningSnapshot.NodeKind
    /// Of a node where nothing runs.
    public let idle: NodeCounts
    /// CR_CORE: jobs get whole cores.
    public let allocatesCores: Bool
    public let memoryCounts: Bool
    public let wholeNodes: Bool
    /// Threads of each core; 0 when cores differ.
    let uniformThreads: Int
    let mostThreads: Int
    let fewestThreads: Int
    let cells: [Cell]
    let cellOfCore: [Int]
    /// Cells in groups of groups; the last is the whole node.
    let domains: [Domain]
    let socketCores: [[Int]]

    struct Cell: Sendable {
        var numa: Int
        var socket: Int
        var cores: [Int]
        /// Near devices, as (position in `hardware.gres`, device).
        var devices: [Device]
    }
    struct Device: Hashable, Sendable {
        var gres: Int
        var unit: Int
    }

    public init(_ kind: PlanningSnapshot.NodeKind, settings: SchedulerSettings = SchedulerSettings()) {
        let hardware = kind.hardware
        self.kind = kind
        allocatesCores = settings.allocatesCores
        memoryCounts = settings.memoryCounts
        wholeNodes = settings.wholeNodes
        mostThreads = max(hardware.cores.map(\.threads).max() ?? 1, 1)
        fewestThreads = max(hardware.cores.map(\.threads).min() ?? 1, 1)
        uniformThreads = mostThreads == fewestThreads && Self.isDense(hardware) ? mostThreads : 0
        idle = NodeCounts(
            cores: hardware.cores.count, cpus: hardware.cpus, memoryMiB: Int(clamping: hardware.memoryMiB),
            gres: hardware.gres.map(\.count))
        cells = Self.cells(of: hardware)
        var cellOfCore = Array(repeating: 0, count: hardware.cores.count)
        for (index, cell) in cells.enumerated() { for core in cell.cores { cellOfCore[core] = index } }
        self.cellOfCore = cellOfCore
        domains = Self.domains(of: cells)
        var socketCores = Array(repeating: [Int](), count: max(hardware.sockets, 1))
        for (index, core) in hardware.cores.enumerated() {
            socketCores[min(max(core.socket, 0), socketCores.count - 1)].append(index)
        }
        self.socketCores = socketCores
    }

    /// Free counts of a node of this kind. Allocates only where the kind has GRES.
    public func counts(of node: PlanningSnapshot.Node) -> NodeCounts {
        let cores = wholeFreeCores(node.freeCPUs)
        return NodeCounts(
            cores: cores.count, cpus: allocatesCores ? cores.threads : node.freeCPUs.count,
            memoryMiB: Int(clamping: node.freeMemoryMiB),
            gres: node.freeGRES.isEmpty ? [] : node.freeGRES.map { Int(clamping: $0.count) })
    }

    /// What an allocation holds on a node of this kind, and gives back when it ends.
    public func counts(of held: Allocation.Node) -> NodeCounts {
        var touched = 0
        var threads = 0
        for core in kind.hardware.cores where core.cpus.contains(where: held.cpus.contains) {
            touched += 1
            threads += core.threads
        }
        var gres = held.gres.isEmpty ? [] : Array(repeating: 0, count: kind.hardware.gres.count)
        for grant in held.gres {
            let units = kind.hardware.gres
            if let position = units.firstIndex(where: { $0.name == grant.name && $0.type == grant.type }) {
                gres[position] += Int(clamping: grant.count)
            }
        }
        return NodeCounts(
            cores: touched, cpus: allocatesCores ? threads : held.cpus.count,
            memoryMiB: Int(clamping: held.memoryMiB), gres: gres)
    }

    func isFree(core: Int, of free: CPUSet) -> Bool {
        for cpu in kind.hardware.cores[core].cpus where !free.contains(cpu) { return false }
        return true
    }

    /// How many cores are free with all their threads, and how many threads these have.
    private func wholeFreeCores(_ free: CPUSet) -> (count: Int, threads: Int) {
        switch uniformThreads {
        case 1, 2, 4, 8: return wholeFreeCores(free.words, threads: uniformThreads)
        default: break
        }
        var count = 0
        var threads = 0
        for core in kind.hardware.cores.indices where isFree(core: core, of: free) {
            count += 1
            threads += kind.hardware.cores[core].threads
        }
        return (count, threads)
    }

    /// As above where a core is `threads` neighbouring bits of one word: folds each core onto its first bit and counts.
    private func wholeFreeCores(_ words: [UInt64], threads: Int) -> (count: Int, threads: Int) {
        let firsts: UInt64 =
            switch threads {
            case 1: .max
            case 2: 0x5555_5555_5555_5555
            case 4: 0x1111_1111_1111_1111
            default: 0x0101_0101_0101_0101
            }
        var count = 0
        for word in words {
            var folded = word
            var width = 1
            while width < threads {
                folded &= folded >> UInt64(width)
                width *= 2
            }
            count += (folded & firsts).nonzeroBitCount
        }
        return (count, count * threads)
    }

    /// Whether cores follow one another without a gap, so that a core's threads are aligned bits.
    private static func isDense(_ hardware: NodeHardware) -> Bool {
        var next = 0
        for core in hardware.cores {
            if core.firstCPU != next { return false }
            next += core.threads
        }
        return true
    }
}
