// Nodes near to each other in the tree of switches: the lowest switch that has what the job wants, the one with the least
// left over among equals, and below it as few leaves as possible.
import ArgosyDomain

extension NodeChooser {
    func chooseOnSwitches(_ pool: [Candidate]) throws(Failure) -> [Candidate] {
        var leaves: [Int: [Candidate]] = [:]
        for candidate in pool { leaves[candidate.leaf, default: []].append(candidate) }
        let highest = tree.switches.map(\.level).max() ?? 0
        for level in 0...highest {
            let fitting = tree.switches.filter { $0.level == level }.compactMap { chooseBelow($0, leaves) }
            let best = fitting.enumerated().min { ($0.element.spare, $0.offset) < ($1.element.spare, $1.offset) }
            if let best { return best.element.nodes }
        }
        // On no one switch: as few leaves as do, unless the job says how many it accepts.
        let anywhere = try choosePlainly(pool)
        if shape.switches == 0 { return fewestLeaves(leaves.keys.sorted(), leaves) ?? anywhere }
        if let few = fewestLeaves(leaves.keys.sorted(), leaves), count(few) <= shape.switches { return few }
        if count(anywhere) <= shape.switches { return anywhere }
        throw .switches
    }

    private func count(_ nodes: [Candidate]) -> Int { Set(nodes.map(\.leaf)).count }

    private func chooseBelow(
        _ at: SwitchTree.Switch, _ leaves: [Int: [Candidate]]
    ) -> (nodes: [Candidate], spare: Int)? {
        let below = at.leaves.filter { leaves[$0] != nil }
        let all = below.reduce(0) { $0 + (leaves[$1]?.count ?? 0) }
        guard all >= least, let nodes = fewestLeaves(below, leaves) else { return nil }
        if shape.switches > 0, count(nodes) > shape.switches { return nil }
        return (nodes, all - nodes.count)
    }

    /// Adds leaves, those of required nodes first, then the one with the most room, until the job fits; the last is the
    /// smallest that does.
    private func fewestLeaves(_ below: [Int], _ leaves: [Int: [Candidate]]) -> [Candidate]? {
        func room(_ leaf: Int) -> Int {
            (leaves[leaf] ?? []).reduce(0) { min($0 + $1.capacity, 1 << 40) }
        }
        var pool: [Candidate] = []
        var rest = below.sorted { (room($1), $0) < (room($0), $1) }
        for leaf in rest where (leaves[leaf] ?? []).contains(where: { shape.requiredNodes.contains($0.node) }) {
            pool += leaves[leaf] ?? []
        }
        rest.removeAll { leaf in pool.contains { $0.leaf == leaf } }
        if let chosen = chosen(pool) { return chosen }
        while let largest = rest.first {
            if chosen(pool + (leaves[largest] ?? [])) != nil {
                for leaf in rest.reversed() {
                    if let chosen = chosen(pool + (leaves[leaf] ?? [])) { return chosen }
                }
            }
            pool += leaves[largest] ?? []
            rest.removeFirst()
        }
        return nil
    }

    private func chosen(_ pool: [Candidate]) -> [Candidate]? {
        guard pool.count >= least, holds(pool) else { return nil }
        let order = pool.sorted { ($0.weight, $0.node) < ($1.weight, $1.node) }
        return try? choosePlainly(order)
    }
}
