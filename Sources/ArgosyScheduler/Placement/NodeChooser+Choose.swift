// The choice itself; see NodeChooser for the rules.
import ArgosyDomain

extension NodeChooser {
    /// Nodes with their tasks, in the order of their index.
    public func choose(_ candidates: [Candidate]) throws(Failure) -> [NodeShare] {
        let pool = ordered(candidates)
        for node in shape.requiredNodes where !pool.contains(where: { $0.node == node }) {
            throw .requiredNode(node)
        }
        guard pool.count >= least else { throw .tooFewNodes(have: pool.count, want: least) }
        guard most >= least else { throw .tooFewNodes(have: most, want: least) }
        let chosen: [Candidate]
        switch constraint.groups {
        case .one: chosen = try chooseWithin(pool)
        case .counts(let counts): chosen = try chooseCounted(pool, counts)
        case .sameOne: chosen = try chooseSame(pool)
        }
        return deal(chosen.sorted { $0.node < $1.node })
    }

    // MARK: - Numbers of nodes

    var least: Int { max(shape.minNodes, shape.requiredNodes.count, constraint.nodesCounted, 1) }

    /// A node gives at least one unit of what the job wants in all, so that there are at most that many nodes.
    var most: Int {
        var most = max(shape.maxNodes, constraint.nodesCounted)
        for request in shape.gres where request.per == .job && request.count > 0 {
            most = min(most, Int(clamping: request.count))
        }
        return most
    }

    /// The number to begin with, where more than the fewest are wanted.
    private func preferred(_ available: Int) -> Int? {
        guard shape.spreadJob || shape.prefersMaxNodes && !shape.useMinNodes else { return nil }
        return max(least, min(most, shape.tasksFollowNodes ? .max : shape.tasks, available))
    }

    // MARK: - Order

    private func ordered(_ candidates: [Candidate]) -> [Candidate] {
        let usable = candidates.filter { $0.capacity > 0 && !shape.excludedNodes.contains($0.node) }
        if leastLoaded {
            return usable.sorted { ($0.weight, $1.idleCPUs, $0.node) < ($1.weight, $0.idleCPUs, $1.node) }
        }
        if fromEnd { return usable.sorted { ($0.weight, $1.node) < ($1.weight, $0.node) } }
        if isOrdered(usable) { return usable }
        return usable.sorted { ($0.weight, $0.node) < ($1.weight, $1.node) }
    }

    private func isOrdered(_ candidates: [Candidate]) -> Bool {
        zip(candidates, candidates.dropFirst()).allSatisfy { ($0.weight, $0.node) <= ($1.weight, $1.node) }
    }

    private func isRequired(_ candidate: Candidate) -> Bool { shape.requiredNodes.contains(candidate.node) }

    // MARK: - Choosing

    /// All alternatives of `[a|b]` in the order written; the first that holds the job.
    private func chooseSame(_ pool: [Candidate]) throws(Failure) -> [Candidate] {
        for group in constraint.tests.indices {
            let same = pool.filter { $0.groups & 1 << UInt64(group) != 0 }
            if let chosen = try? chooseWithin(same) { return chosen }
        }
        throw .features
    }

    private func chooseWithin(_ pool: [Candidate]) throws(Failure) -> [Candidate] {
        if shape.contiguous { return try chooseInRow(pool) }
        if !tree.isEmpty { return try chooseOnSwitches(pool) }
        return try choosePlainly(pool)
    }

    /// Nodes of the lowest weights that hold the job; among them the fewest, the first where these do.
    func choosePlainly(_ pool: [Candidate]) throws(Failure) -> [Candidate] {
        let required = pool.filter(isRequired)
        guard required.count == shape.requiredNodes.count, pool.count >= least else {
            throw .tooFewNodes(have: pool.count, want: least)
        }
        let others = shape.requiredNodes.isEmpty ? pool : pool.filter { !isRequired($0) }
        var end = others.startIndex
        var failure = Failure.tooFewNodes(have: 0, want: least)
        repeat {
            if end < others.endIndex {
                let weight = others[end].weight
                end = others[end...].firstIndex { $0.weight != weight } ?? others.endIndex
            }
            do throws(Failure) { return try chooseFewest(required, others[..<end]) } catch { failure = error }
        } while end < others.endIndex
        throw failure
    }

    /// `others` in the order of preference.
    private func chooseFewest(
        _ required: [Candidate], _ others: ArraySlice<Candidate>
    ) throws(Failure) -> [Candidate] {
        let available = required.count + others.count
        guard available >= least else { throw .tooFewNodes(have: available, want: least) }
        let most = min(most, available)
        let orders = [Array(others)] + (others.count > 1 ? roomiest(others) : [])
        if let preferred = preferred(available) {
            for count in stride(from: preferred, through: least, by: -1) {
                for order in orders where holds(required + order.prefix(count - required.count)) {
                    return required + order.prefix(count - required.count)
                }
            }
        }
        var best: (count: Int, order: Int)?
        for (index, order) in orders.enumerated() {
            guard let count = fewest(required, order, most) else { continue }
            if count < best?.count ?? .max { best = (count, index) }
        }
        guard let best else { throw shortage(required, orders) }
        return required + orders[best.order].prefix(best.count - required.count)
    }

    /// By what a node takes; for jobs that want devices in all also by what it has of these.
    private func roomiest(_ others: ArraySlice<Candidate>) -> [[Candidate]] {
        var orders = [others.sorted { ($1.capacity, $0.weight, $0.node) < ($0.capacity, $1.weight, $1.node) }]
        if others.contains(where: { !$0.jobGRES.isEmpty }) {
            func units(_ candidate: Candidate) -> Int { candidate.jobGRES.reduce(0, +) }
            orders.append(others.sorted { (units($1), $1.capacity, $0.node) < (units($0), $0.capacity, $1.node) })
        }
        return orders
    }

    /// The fewest nodes of `order` (from its front) that hold the job beside the required ones.
    private func fewest(_ required: [Candidate], _ order: [Candidate], _ most: Int) -> Int? {
        var sum = Sum(self)
        for candidate in required { sum.add(candidate) }
        var count = required.count
        if count >= least, sum.isEnough { return count }
        for candidate in order where count < most {
            sum.add(candidate)
            count += 1
            if count >= least, sum.isEnough { return count }
        }
        return nil
    }

    func holds(_ chosen: [Candidate]) -> Bool {
        var sum = Sum(self)
        for candidate in chosen { sum.add(candidate) }
        return sum.isEnough
    }

    /// What some nodes give together.
    struct Sum {
        var tasks = 0
        var gres: [Int]
        let wantedTasks: Int
        let wanted: [GRESRequest]
        init(_ chooser: NodeChooser) {
            wantedTasks = chooser.shape.tasks
            wanted = chooser.shape.gres
            gres = wanted.isEmpty ? [] : Array(repeating: 0, count: wanted.count)
        }
        mutating func add(_ candidate: Candidate) {
            let (sum, overflow) = tasks.addingReportingOverflow(candidate.capacity)
            tasks = overflow ? .max : sum
            for (index, units) in candidate.jobGRES.enumerated() where index < gres.count { gres[index] += units }
        }
        var isEnough: Bool { tasks >= wantedTasks && missing == nil }
        /// The first request for the job as a whole that is not met.
        var missing: Int? {
            wanted.indices.first { wanted[$0].per == .job && gres[$0] < Int(clamping: wanted[$0].count) }
        }
    }

    private func shortage(_ required: [Candidate], _ orders: [[Candidate]]) -> Failure {
        var most = Sum(self)
        for candidate in (required + (orders.last ?? [])).prefix(self.most) { most.add(candidate) }
        if most.tasks >= shape.tasks, let request = most.missing { return .tooFewGRES(request: request) }
        return .tooFewTasks(have: most.tasks, want: shape.tasks)
    }

    // MARK: - In a row

    /// The shortest row of neighbouring nodes that holds the job, the first of equals.
    private func chooseInRow(_ pool: [Candidate]) throws(Failure) -> [Candidate] {
        let row = pool.sorted { $0.node < $1.node }
        var best: ArraySlice<Candidate>?
        for start in row.indices {
            var sum = Sum(self)
            var end = start
            while end < row.endIndex, end == start || row[end].node.rawValue == row[end - 1].node.rawValue + 1,
                end - start < min(most, (best?.count ?? .max) - 1)
            {
                sum.add(row[end])
                end += 1
                guard end - start >= least, sum.isEnough else { continue }
                let window = row[start..<end]
                if shape.requiredNodes.allSatisfy({ node in window.contains { $0.node == node } }) {
                    best = window
                    break
                }
            }
        }
        guard let best else {
            _ = try choosePlainly(pool)
            throw .contiguous
        }
        return Array(best)
    }
}
