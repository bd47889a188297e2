// Where one job goes on the nodes as they are: first fit by core.
//
// Nodes are tried in order of weight, then place in the configuration; nodes the job insists on come first. The fewest
// nodes that hold all tasks are taken, the first ones where those suffice, else the roomiest. A job that fixed its number
// of nodes gets its tasks spread evenly over them, any other fills node after node. Whole cores are given, so that two
// jobs never share one.
import ArgosyDomain

/// Placement of a single job; used by planners and by the check at submission.
enum Placer {
    /// The job's placement on `nodes` (indexed by NodeIndex), or nil when it does not fit now. Needs no more than one look
    /// at each node of the partition.
    static func place(
        _ job: FlatJob, on partition: [NodeIndex], of nodes: [FlatNode]
    ) -> Allocation? {
        guard let candidates = candidates(job, partition, nodes) else { return nil }
        guard let chosen = choose(job, candidates) else { return nil }
        let shares = distribute(job, chosen)
        return Allocation(
            nodes: zip(chosen, shares).map { share(job, of: nodes[$0.node.int], tasks: $1) },
            cpusPerTask: UInt32(job.cpusPerTask))
    }

    private struct Candidate {
        var node: NodeIndex
        /// Tasks it can take.
        var capacity: Int
    }

    /// Nil when a node the job insists on cannot take any of it.
    private static func candidates(
        _ job: FlatJob, _ partition: [NodeIndex], _ nodes: [FlatNode]
    ) -> [Candidate]? {
        var required: [Candidate] = []
        for index in job.requiredNodes {
            let room = partition.contains(index) ? capacity(job, nodes[index.int]) : 0
            if room == 0 { return nil }
            required.append(Candidate(node: index, capacity: room))
        }
        var others: [Candidate] = []
        let firstWeight = partition.first.map { nodes[$0.int].weight }
        let isUniform = partition.allSatisfy { nodes[$0.int].weight == firstWeight }
        let least = max(job.minNodes, required.count, 1)
        var first = required.reduce(0) { $0 + $1.capacity }
        for index in partition where !job.requiredNodes.contains(index) && !job.excludedNodes.contains(index) {
            let room = capacity(job, nodes[index.int])
            if room == 0 { continue }
            others.append(Candidate(node: index, capacity: room))
            let count = required.count + others.count
            if count <= least { first += room }
            // The first nodes in order already do: the rest need not be looked at.
            if isUniform && count >= least && first >= job.tasks { return required + others }
        }
        others.sort { (nodes[$0.node.int].weight, $0.node) < (nodes[$1.node.int].weight, $1.node) }
        return required + others
    }

    private static func choose(_ job: FlatJob, _ candidates: [Candidate]) -> [Candidate]? {
        let required = job.requiredNodes.count
        let least = max(job.minNodes, required, 1)
        guard candidates.count >= least, job.maxNodes >= least else { return nil }
        var roomiest: [Candidate]?
        for count in least...max(least, min(job.maxNodes, candidates.count)) {
            let first = candidates.prefix(count)
            if first.reduce(0, { $0 + $1.capacity }) >= job.tasks { return Array(first) }
            let ordered = roomiest ?? byRoom(candidates, keeping: required)
            roomiest = ordered
            let best = ordered.prefix(count)
            if best.reduce(0, { $0 + $1.capacity }) >= job.tasks { return best.sorted { $0.node < $1.node } }
        }
        return nil
    }

    private static func byRoom(_ candidates: [Candidate], keeping required: Int) -> [Candidate] {
        candidates.prefix(required)
            + candidates.dropFirst(required).sorted { ($1.capacity, $0.node) < ($0.capacity, $1.node) }
    }

    /// Tasks of each chosen node: at least one each while there are enough.
    private static func distribute(_ job: FlatJob, _ chosen: [Candidate]) -> [Int] {
        var shares = chosen.indices.map { $0 < job.tasks ? 1 : 0 }
        var left = job.tasks - shares.reduce(0, +)
        if job.minNodes == job.maxNodes {
            while left > 0 {
                for index in shares.indices where left > 0 && shares[index] < chosen[index].capacity {
                    shares[index] += 1
                    left -= 1
                }
            }
        } else {
            for index in shares.indices where left > 0 {
                let more = min(left, chosen[index].capacity - shares[index])
                shares[index] += more
                left -= more
            }
        }
        return shares
    }

    /// Tasks the node could take now.
    private static func capacity(_ job: FlatJob, _ node: FlatNode) -> Int {
        guard node.isAvailable else { return 0 }
        if job.exclusive && node.freeCPUs.count < node.cpus { return 0 }
        if job.memoryPerNodeMiB > node.freeMemoryMiB { return 0 }
        let threads = max(node.threadsPerCore, 1)
        let cpus = threads == 1 ? node.freeCPUs.count : wholeFreeCores(node).count * threads
        var room = cpus / max(job.cpusPerTask, 1)
        if job.tasksPerNode > 0 { room = min(room, job.tasksPerNode) }
        if job.memoryPerCPUMiB > 0 {
            // Memory is counted for the CPUs given, which are whole cores.
            while room > 0, memory(job, cpus: rounded(room * job.cpusPerTask, threads)) > node.freeMemoryMiB {
                room -= 1
            }
        }
        return room
    }

    private static func share(_ job: FlatJob, of node: FlatNode, tasks: Int)
        -> Allocation.Node
    {
        let threads = max(node.threadsPerCore, 1)
        let wanted = job.exclusive ? node.cpus : rounded(max(tasks, 1) * job.cpusPerTask, threads)
        var cpus = CPUSet()
        for core in wholeFreeCores(node).prefix(wanted / threads) {
            for thread in 0..<threads { cpus.insert(core * threads + thread) }
        }
        if job.exclusive { cpus = CPUSet(0..<node.cpus) }
        return Allocation.Node(
            index: node.index, name: node.name, cpus: cpus, memoryMiB: memory(job, cpus: cpus.count),
            tasks: UInt32(tasks))
    }

    private static func memory(_ job: FlatJob, cpus: Int) -> UInt64 {
        max(job.memoryPerNodeMiB, job.memoryPerCPUMiB * UInt64(cpus))
    }

    private static func rounded(_ cpus: Int, _ threads: Int) -> Int { (cpus + threads - 1) / threads * threads }

    private static func wholeFreeCores(_ node: FlatNode) -> [Int] {
        let threads = max(node.threadsPerCore, 1)
        return (0..<node.cpus / threads).filter { core in
            (0..<threads).allSatisfy { node.freeCPUs.contains(core * threads + $0) }
        }
    }
}
