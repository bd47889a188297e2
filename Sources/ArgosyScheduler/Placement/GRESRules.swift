import ArgosyDomain

/// What a shape wants of a node's GRES, with names resolved to positions in the kind's list.
struct GRESRules: Sendable {
    private struct Want: Sendable {
        var count: Int
        var per: GRESRequest.Per
        /// Of these positions, in any mixture.
        var positions: [Int]
        var isTyped: Bool
        var isGPU: Bool
        /// In `shape.gres`; -1: follows from --ntasks-per-gpu.
        var request: Int
    }
    /// All wants with one set of positions, or within it, must be there together.
    private struct Sum: Sendable {
        var positions: [Int]
        var wants: [Int]
    }
    private var wants: [Want] = []
    private var sums: [Sum] = []
    private let sockets: Int
    private let tasksPerGPU: Int

    init(_ shape: Shape, _ units: [NodeHardware.GRES]) {
        sockets = max(shape.minSocketsPerNode, 1)
        tasksPerGPU = shape.tasksPerGPU
        for (index, request) in shape.gres.enumerated() where request.count > 0 {
            wants.append(Self.want(request, index, units))
        }
        if tasksPerGPU > 0, !wants.contains(where: \.isGPU) {
            let implied = GRESRequest(name: "gpu", count: 0, per: .job)
            wants.append(Self.want(implied, -1, units))
        }
        for want in wants where !sums.contains(where: { $0.positions == want.positions }) {
            let within = wants.indices.filter { index in
                wants[index].positions.allSatisfy(want.positions.contains)
            }
            sums.append(Sum(positions: want.positions, wants: within))
        }
    }

    private static func want(_ request: GRESRequest, _ index: Int, _ units: [NodeHardware.GRES]) -> Want {
        let positions = units.indices.filter {
            units[$0].name == request.name && (request.type.isEmpty || units[$0].type == request.type)
        }
        return Want(
            count: Int(clamping: request.count), per: request.per, positions: positions,
            isTyped: !request.type.isEmpty, isGPU: request.name == "gpu", request: index)
    }

    var isEmpty: Bool { wants.isEmpty }

    /// Units of want `index` on a node with `tasks` tasks. What a job wants in all counts as the node's part where that
    /// is told, else as the least a node of the job gives.
    private func amount(_ index: Int, _ tasks: Int, _ jobGRES: [Int]) -> Int {
        // Field by field: a copy of the want would count references.
        let count = wants[index].count
        switch wants[index].per {
        case .node: return count
        case .task: return count.multipliedClamping(max(tasks, 1))
        case .socket: return count.multipliedClamping(sockets)
        case .job:
            let request = wants[index].request
            let grouped = wants[index].isGPU && tasksPerGPU > 0
            let least = grouped ? (max(tasks, 1) + tasksPerGPU - 1) / tasksPerGPU : 1
            return max(least, request >= 0 && request < jobGRES.count ? jobGRES[request] : 0)
        }
    }

    /// GPUs of a node with `tasks` tasks.
    func gpus(_ tasks: Int, _ jobGRES: [Int]) -> Int {
        if wants.isEmpty { return 0 }
        var sum = 0
        for index in wants.indices where wants[index].isGPU { sum += amount(index, tasks, jobGRES) }
        return sum
    }

    func fits(_ tasks: Int, _ jobGRES: [Int], _ free: NodeCounts) -> Bool {
        if wants.isEmpty { return true }
        for sum in sums.indices {
            var there = 0
            for index in sums[sum].positions.indices { there += free.free(sums[sum].positions[index]) }
            for index in sums[sum].wants.indices { there -= amount(sums[sum].wants[index], tasks, jobGRES) }
            if there < 0 { return false }
        }
        return tasksPerGPU == 0 || tasks <= tasksPerGPU.multipliedClamping(gpus(tasks, jobGRES))
    }

    func free(request: Int, _ free: NodeCounts) -> Int {
        guard let want = wants.first(where: { $0.request == request }) else { return 0 }
        return want.positions.reduce(0) { $0 + free.free($1) }
    }

    /// Units by position, which fit into `free`: typed wants first, then the others from the first position that has
    /// enough, else from the first on, as Slurm.
    func positions(_ tasks: Int, _ jobGRES: [Int], _ free: NodeCounts, of count: Int) -> [Int] {
        var taken = Array(repeating: 0, count: count)
        for isTyped in [true, false] {
            for index in wants.indices where wants[index].isTyped == isTyped {
                var left = amount(index, tasks, jobGRES)
                func room(_ position: Int) -> Int { free.free(position) - taken[position] }
                let order = wants[index].positions
                if let best = order.first(where: { room($0) >= left }) {
                    taken[best] += left
                    continue
                }
                for position in order where left > 0 {
                    let part = min(left, room(position))
                    taken[position] += part
                    left -= part
                }
            }
        }
        return taken
    }
}
