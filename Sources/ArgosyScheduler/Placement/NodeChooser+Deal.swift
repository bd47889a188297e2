// How many tasks, and how much of what the job wants in all, each chosen node gets.
import ArgosyDomain

extension NodeChooser {
    /// As Slurm's cons_tres deals: of whole nodes each gets its part in turn, whatever the distribution; of shared ones the
    /// first is filled but for a task for each of the others, and so on, `--distribution` or not.
    private enum Dealing { case even, block, plane(Int) }

    private var dealing: Dealing {
        let words = shape.distribution.lowercased().split(separator: ",")
        let first = words.first.map { $0.prefix { $0 != ":" } } ?? ""
        if wholeNodes || shape.sharing == .exclusive, first.hasPrefix("plane="), let size = Int(first.dropFirst(6)),
            size > 0
        {
            return .plane(size)
        }
        if words.contains("pack") { return .block }
        if words.contains("nopack") { return .even }
        return shape.spreadJob || wholeNodes || shape.sharing == .exclusive ? .even : .block
    }

    func deal(_ chosen: [Candidate]) -> [NodeShare] {
        var tasks = chosen.indices.map { $0 < shape.tasks ? 1 : 0 }
        var left = max(0, shape.tasks - chosen.count)
        if shape.tasksFollowNodes {
            tasks = chosen.map { max(1, min($0.capacity, shape.tasksPerNode)) }
            left = 0
        }
        switch dealing {
        case .even: dealInTurn(left, 1, chosen, &tasks)
        case .block: dealInTurn(left, .max, chosen, &tasks)
        case .plane(let size):
            // The first round counts the task each has already.
            var rest = left
            for index in chosen.indices where rest > 0 {
                let more = min(size - 1, rest, chosen[index].capacity - tasks[index])
                tasks[index] += more
                rest -= more
            }
            dealInTurn(rest, size, chosen, &tasks)
        }
        var shares = zip(chosen, tasks).map { NodeShare(node: $0.node, tasks: $1) }
        for (position, request) in shape.gres.enumerated() where request.per == .job && request.count > 0 {
            dealUnits(Int(clamping: request.count), position, isGPU: request.name == "gpu", chosen, &shares)
        }
        return shares
    }

    /// Up to `size` at once to each in turn, as far as it has room.
    private func dealInTurn(_ count: Int, _ size: Int, _ chosen: [Candidate], _ tasks: inout [Int]) {
        var left = count
        while left > 0 {
            let before = left
            let open = chosen.indices.filter { tasks[$0] < chosen[$0].capacity }
            // Whole rounds at once where everyone has room for them.
            let least = open.map { chosen[$0].capacity - tasks[$0] }.min() ?? 0
            let rounds = size == .max ? 0 : min(least / size, left / (size * max(open.count, 1)))
            for index in open where left > 0 {
                let part = rounds > 0 ? rounds * size : size
                let more = min(part, left, chosen[index].capacity - tasks[index])
                tasks[index] += more
                left -= more
            }
            if left == before { return }
        }
    }

    /// Each unit to the node with the most tasks a unit, at least one to each and enough for --ntasks-per-gpu.
    private func dealUnits(
        _ count: Int, _ position: Int, isGPU: Bool, _ chosen: [Candidate], _ shares: inout [NodeShare]
    ) {
        func room(_ index: Int) -> Int {
            position < chosen[index].jobGRES.count ? chosen[index].jobGRES[position] : 0
        }
        let perUnit = isGPU ? shape.tasksPerGPU : 0
        var units = shares.indices.map { index in
            min(room(index), perUnit > 0 ? max(1, (shares[index].tasks + perUnit - 1) / perUnit) : 1)
        }
        var left = count - units.reduce(0, +)
        while left > 0 {
            let open = shares.indices.filter { units[$0] < room($0) }
            let next = open.min { a, b in
                (units[a] * max(shares[b].tasks, 1), a) < (units[b] * max(shares[a].tasks, 1), b)
            }
            guard let next else { break }
            units[next] += 1
            left -= 1
        }
        for index in shares.indices {
            if shares[index].jobGRES.isEmpty { shares[index].jobGRES = Array(repeating: 0, count: shape.gres.count) }
            shares[index].jobGRES[position] = units[index]
        }
    }
}
