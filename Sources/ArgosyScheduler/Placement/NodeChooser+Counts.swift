// `--constraint=[a*4&b*2]`: so many nodes of each group. A node stands for one group only, so that this is a matching of
// places with nodes; a place that finds no free node asks the holders of others to move.
import ArgosyDomain

extension NodeChooser {
    func chooseCounted(_ pool: [Candidate], _ counts: [Int]) throws(Failure) -> [Candidate] {
        let roomiest = pool.sorted { ($1.capacity, $0.weight, $0.node) < ($0.capacity, $1.weight, $1.node) }
        for order in [pool, roomiest] {
            guard var chosen = match(order, counts) else { throw .features }
            for candidate in order where chosen.count < most && (chosen.count < least || !holds(chosen)) {
                if !chosen.contains(where: { $0.node == candidate.node }) { chosen.append(candidate) }
            }
            if chosen.count >= least, holds(chosen) { return chosen }
        }
        throw .tooFewTasks(have: roomiest.prefix(most).reduce(0) { $0 + $1.capacity }, want: shape.tasks)
    }

    /// Nodes for all places, required ones first; nil when there are not enough of a group.
    private func match(_ order: [Candidate], _ counts: [Int]) -> [Candidate]? {
        let required = order.filter { shape.requiredNodes.contains($0.node) }
        let nodes = required + order.filter { !shape.requiredNodes.contains($0.node) }
        let places = counts.enumerated().flatMap { group, count in Array(repeating: group, count: count) }
        var holder = Array(repeating: -1, count: nodes.count)
        for place in places.indices {
            var seen = Array(repeating: false, count: nodes.count)
            if !settle(place, places, nodes, &holder, &seen) { return nil }
        }
        var chosen = nodes.indices.filter { holder[$0] >= 0 }.map { nodes[$0] }
        for node in required where !chosen.contains(node) { chosen.append(node) }
        return chosen
    }

    private func settle(
        _ place: Int, _ places: [Int], _ nodes: [Candidate], _ holder: inout [Int], _ seen: inout [Bool]
    ) -> Bool {
        let bit = UInt64(1) << UInt64(places[place])
        for index in nodes.indices where holder[index] < 0 && nodes[index].groups & bit != 0 {
            holder[index] = place
            return true
        }
        for index in nodes.indices where !seen[index] && nodes[index].groups & bit != 0 {
            seen[index] = true
            if settle(holder[index], places, nodes, &holder, &seen) {
                holder[index] = place
                return true
            }
        }
        return false
    }
}
