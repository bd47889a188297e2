// Which of a job's nodes and CPUs a step gets, and how many tasks on each: block distribution, as srun's default.
import ArgosyConfig
import ArgosyDomain

/// Places a step inside its job's allocation.
struct StepLayout {
    enum Outcome: Equatable {
        case fits(Allocation, firstRanks: [UInt32])
        /// It would fit if other steps ended.
        case waits
        case never(Refusal)
    }

    let job: Allocation
    let request: StepRequest
    /// CPUs of the job that no other step has, by position in the allocation.
    let free: [CPUSet]

    func place() -> Outcome {
        let candidates: [Int]
        switch positions() {
        case .success(let found): candidates = found
        case .failure(let refusal): return .never(refusal)
        }
        if let layout = layout(on: candidates, with: free) { return layout }
        if layout(on: candidates, with: job.nodes.map(\.cpus)) != nil { return .waits }
        return .never(tooMuch(candidates))
    }

    /// Nodes the step may use, in the job's order.
    private func positions() -> Result<[Int], Refusal> {
        var found = Array(job.nodes.indices)
        if let relative = request.relative {
            guard relative >= 0 && relative < found.count else {
                return .failure(
                    Refusals.notAvailable("--relative=\(relative) is beyond the job's \(found.count) nodes"))
            }
            found = Array(found.dropFirst(relative))
        }
        do {
            if !request.nodeList.isEmpty { found = try named(request.nodeList, among: found) }
            if !request.exclude.isEmpty {
                let out = try Set(Hostlist.expand(request.exclude))
                found.removeAll { out.contains(job.nodes[$0].name) }
            }
        } catch let refusal as Refusal {
            return .failure(refusal)
        } catch {
            return .failure(Refusal(.invalidNodeName, "Invalid node name specified", detail: "\(error)"))
        }
        return .success(found)
    }

    private func named(_ list: String, among positions: [Int]) throws -> [Int] {
        let names = try Hostlist.expand(list)
        for name in names where !positions.contains(where: { job.nodes[$0].name == name }) {
            throw Refusals.notAvailable("node \(name) of --nodelist=\(list) is not one of the job's nodes")
        }
        let wanted = Set(names)
        return positions.filter { wanted.contains(job.nodes[$0].name) }
    }

    private func layout(on candidates: [Int], with free: [CPUSet]) -> Outcome? {
        let usable = candidates.filter { room(at: $0, free) > 0 }
        guard let count = nodeCount(usable, free), count > 0, count <= usable.count else { return nil }
        let chosen = Array(usable.prefix(count))
        guard let tasks = distribute(chosen, free) else { return nil }
        let nodes = zip(chosen, tasks).map { position, tasks in share(of: position, tasks: tasks, free) }
        var firstRanks: [UInt32] = []
        var rank: UInt32 = 0
        for node in nodes {
            firstRanks.append(rank)
            rank += node.tasks
        }
        return .fits(Allocation(nodes: nodes, cpusPerTask: UInt32(cpusPerTask)), firstRanks: firstRanks)
    }

    private var cpusPerTask: Int { max(1, request.cpusPerTask) }

    /// Tasks that position can take. A step that neither shares nor counts its CPUs wants all of them.
    private func room(at position: Int, _ free: [CPUSet]) -> Int {
        let all = job.nodes[position].cpus.count
        let usable = request.overlap ? all : free[position].count
        if !request.overlap && !request.exact && usable < all { return 0 }
        let tasks = request.overcommit ? max(usable, request.tasks) : usable / cpusPerTask
        return request.tasksPerNode > 0 ? min(tasks, request.tasksPerNode) : tasks
    }

    private func nodeCount(_ usable: [Int], _ free: [CPUSet]) -> Int? {
        if request.nodes > 0 { return request.nodes }
        guard request.tasks > 0 else {
            return request.nodeList.isEmpty && request.relative == nil ? job.nodes.count : usable.count
        }
        if !request.nodeList.isEmpty { return min(usable.count, request.tasks) }
        if !request.exact && !request.overlap && request.tasks >= job.nodes.count && usable.count == job.nodes.count {
            return job.nodes.count
        }
        var sum = 0
        for (count, position) in usable.enumerated() {
            sum += room(at: position, free)
            if sum >= request.tasks { return count + 1 }
        }
        return nil
    }

    private func distribute(_ chosen: [Int], _ free: [CPUSet]) -> [Int]? {
        let wanted = taskCount(chosen)
        if case .hosts(let names) = request.distribution {
            let counts = chosen.map { position in names.filter { $0 == job.nodes[position].name }.count }
            return counts.reduce(0, +) == wanted && !counts.contains(0) ? counts : nil
        }
        if request.distribution == .block, chosen.count == job.nodes.count, wanted == Int(job.tasks), request.tasksPerNode == 0,
            zip(chosen, job.nodes).allSatisfy({ $1.tasks > 0 && Int($1.tasks) <= room(at: $0, free) })
        {
            return job.nodes.map { Int($0.tasks) }
        }
        guard wanted >= chosen.count else { return nil }
        if let size = inTurns { return distributeInTurns(chosen.map { room(at: $0, free) }, wanted, size) }
        var tasks = chosen.map { _ in 1 }
        var left = wanted - chosen.count
        for (index, position) in chosen.enumerated() where left > 0 {
            let more = min(left, room(at: position, free) - 1)
            tasks[index] += more
            left -= more
        }
        return left == 0 ? tasks : nil
    }

    /// How many tasks a node takes before it is the next one's turn; nil: as many as it can.
    private var inTurns: Int? {
        switch request.distribution {
        case .block, .hosts: nil
        case .cyclic: 1
        case .plane(let size): size
        }
    }

    private func distributeInTurns(_ rooms: [Int], _ wanted: Int, _ size: Int) -> [Int]? {
        var tasks = rooms.map { _ in 0 }
        var left = wanted
        while left > 0 {
            let before = left
            for index in rooms.indices where left > 0 {
                let more = min(size, left, rooms[index] - tasks[index])
                tasks[index] += more
                left -= more
            }
            if left == before { return nil }
        }
        return tasks.contains(0) ? nil : tasks
    }

    /// Not given: as many as the job's on the nodes it uses; with a number of nodes only, one on each.
    private func taskCount(_ chosen: [Int]) -> Int {
        if request.tasks > 0 { return request.tasks }
        if request.tasksPerNode > 0 { return request.tasksPerNode * chosen.count }
        if request.nodes > 0 { return chosen.count }
        return max(chosen.count, chosen.reduce(0) { $0 + Int(job.nodes[$1].tasks) })
    }

    private func share(of position: Int, tasks: Int, _ free: [CPUSet]) -> Allocation.Node {
        var node = job.nodes[position]
        node.tasks = UInt32(tasks)
        if request.exact && !request.overlap {
            node.cpus = CPUSet(free[position].members.prefix(max(1, tasks * cpusPerTask)))
        }
        if request.memoryPerNodeMiB > 0 {
            node.memoryMiB =
                node.memoryMiB == 0 ? request.memoryPerNodeMiB : min(node.memoryMiB, request.memoryPerNodeMiB)
        }
        return node
    }

    private func tooMuch(_ candidates: [Int]) -> Refusal {
        let cpus = candidates.reduce(0) { $0 + job.nodes[$1].cpus.count }
        let tasks = max(request.tasks, 1)
        return Refusal(
            .badTaskCount, "More processors requested than permitted",
            detail: "the step asks for \(tasks) tasks of \(cpusPerTask) CPUs"
                + (request.nodes > 0 ? " on \(request.nodes) nodes" : "")
                + "; the job has \(candidates.count) nodes for it with \(cpus) CPUs in all; ask for less, or for more at"
                + " submission")
    }
}

extension StepRow {
    func position(of node: NodeIndex) -> UInt32? { layout.nodes.firstIndex { $0.index == node }.map(UInt32.init) }

    func isRunning(on node: NodeIndex) -> Bool {
        guard !state.isEnded, let position = position(of: node) else { return false }
        return nodesRunning.contains(position)
    }
}
