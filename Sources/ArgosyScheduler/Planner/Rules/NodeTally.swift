import ArgosyDomain

/// How many nodes fail which rule for a class, by the first rule each fails; the rest are free for it.
struct NodeTally {
    enum Rule: Int, CaseIterable {
        case down, drained, notResponding, completing, excluded, notListed, features, tooSmall, reserved, notIdle,
            busyCPUs
        case busyMemory, busyGRES, free

        var words: String {
            switch self {
            case .down: "down"
            case .drained: "drained"
            case .notResponding: "not responding"
            case .completing: "completing"
            case .excluded: "excluded by the job"
            case .notListed: "not on its node list"
            case .features: "without the features asked for"
            case .tooSmall: "too small"
            case .reserved: "reserved for others"
            case .notIdle: "in use where whole nodes are wanted"
            case .busyCPUs: "with too few free CPUs"
            case .busyMemory: "with too little free memory"
            case .busyGRES: "with too few free GRES"
            case .free: "free for it"
            }
        }
    }
    private var counts = Array(repeating: 0, count: Rule.allCases.count)
    /// Nodes it needs at least, and what it wants of them.
    var wanted = 1
    var wish = ""
    /// It could run if all nodes that are not up were.
    var wouldDoWithAll = false

    subscript(_ rule: Rule) -> Int {
        get { counts[rule.rawValue] }
        set { counts[rule.rawValue] = newValue }
    }
    var nodes: Int { counts.reduce(0, +) }

    var rows: [(rule: Rule, nodes: Int)] { Rule.allCases.map { ($0, self[$0]) }.filter { $0.1 > 0 } }

    /// "wants 2 nodes with 16 CPUs each; of 10 nodes 3 down, 7 with too few free CPUs".
    var sentence: String {
        let rows = rows.map { "\($0.nodes) \($0.rule.words)" }.joined(separator: ", ")
        return "wants \(wish); of \(nodes.counted("node")) \(rows)"
    }
}

/// Tallies of the classes, made when asked for and kept. The cluster is as the pass has left it.
final class NodeTallies {
    private let cluster: Cluster
    private var known: [ObjectIdentifier: NodeTally] = [:]
    /// What is free now on the nodes of each pool: amounts, and how many nodes have each.
    private lazy var free: [[(amount: Amount, nodes: Int)]] = cluster.pools.map { freeNow($0) }
    /// Nodes of each partition that are in no pool, by state and kind.
    private lazy var unavailable: [[Missing: Int]] = cluster.snapshot.partitions.map { missing($0) }
    private lazy var positions: [NodeIndex: Int] = {
        var positions: [NodeIndex: Int] = [:]
        for (position, node) in cluster.snapshot.nodes.enumerated() { positions[node.index] = position }
        return positions
    }()

    private struct Missing: Hashable, Comparable {
        var rule: NodeTally.Rule
        var kind: Int
        static func < (a: Missing, b: Missing) -> Bool { (a.rule.rawValue, a.kind) < (b.rule.rawValue, b.kind) }
    }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func of(_ planClass: PlanClass) -> NodeTally {
        if let tally = known[ObjectIdentifier(planClass)] { return tally }
        let tally = make(planClass)
        known[ObjectIdentifier(planClass)] = tally
        return tally
    }

    /// Whether any of the partitions lets the class in.
    func partitionsAllow(_ planClass: PlanClass) -> Bool { !allowed(planClass).isEmpty }

    func isUnavailable(_ node: NodeIndex) -> Bool { positions[node].map { cluster.poolOfNode[$0] < 0 } ?? true }

    private func allowed(_ planClass: PlanClass) -> [Int] {
        let shape = cluster.snapshot.shapes[planClass.shape]
        return shape.partitions.filter {
            PartitionLimitRules.findings(planClass, $0, shape, cluster.snapshot).isEmpty
        }
    }

    // MARK: - Counting

    private func make(_ planClass: PlanClass) -> NodeTally {
        let shape = cluster.snapshot.shapes[planClass.shape]
        let constraint = CompiledConstraint(shape.constraint, cluster.features)
        var tally = NodeTally()
        var seen = Set<Int>()
        var room = Room(shape: shape)
        let allowed = allowed(planClass)
        let partitions = allowed.isEmpty ? shape.partitions : allowed
        for partition in partitions {
            for number in cluster.poolsOfPartition[partition] where seen.insert(number).inserted {
                count(number, partition, planClass, shape, constraint, &tally, &room)
            }
        }
        for partition in partitions.prefix(1) {
            for (missing, nodes) in unavailable[partition].sorted(by: { $0.key < $1.key }) {
                tally[missing.rule] += nodes
                let matches = constraint.match(cluster.featureSets[missing.kind]).isCandidate
                let fit = fit(shape, missing.kind, partition, matches)
                room.add(fit.idleCapacity, nodes: nodes)
            }
        }
        tally.wouldDoWithAll = room.isEnough
        (tally.wanted, tally.wish) = wish(planClass, shape)
        return tally
    }

    private func fit(_ shape: Shape, _ kind: Int, _ partition: Int, _ matches: Bool) -> NodeFit {
        let there = cluster.snapshot.partitions[partition]
        return NodeFit(
            shape, on: cluster.models[kind], exclusive: there.exclusive, maxCPUsPerNode: there.maxCPUsPerNode,
            matches: matches)
    }

    private func count(
        _ number: Int, _ partition: Int, _ planClass: PlanClass, _ shape: Shape, _ constraint: CompiledConstraint,
        _ tally: inout NodeTally, _ room: inout Room
    ) {
        let pool = cluster.pools[number]
        if !shape.excludedNodes.isEmpty, let list = cluster.list(shape.excludedNodes), pool.lists.contains(list) {
            tally[.excluded] += pool.nodes.count
            return
        }
        guard constraint.match(cluster.featureSets[pool.kind]).isCandidate else {
            tally[.features] += pool.nodes.count
            return
        }
        let fit = fit(shape, pool.kind, partition, true)
        room.add(fit.idleCapacity, nodes: pool.nodes.count)
        guard let use = planClass.use(of: number) else {
            let isListed =
                shape.requiredNodes.isEmpty || cluster.list(shape.requiredNodes).map(pool.lists.contains) ?? true
            let isReserved = fit.idleCapacity > 0 && !pool.reservations.isEmpty
            tally[!isListed ? .notListed : isReserved ? .reserved : .tooSmall] += pool.nodes.count
            return
        }
        if use.allowed(from: cluster.now, duration: planClass.duration) != cluster.now {
            tally[.reserved] += pool.nodes.count
            return
        }
        for (amount, nodes) in free[number] { tally[rule(amount, use, pool)] += nodes }
    }

    private func rule(_ amount: Amount, _ use: PoolUse, _ pool: Pool) -> NodeTally.Rule {
        if use.isWhole { return amount == pool.capacity ? .free : use.fit.isExclusive ? .notIdle : .busyCPUs }
        if amount.covers(use.need) { return .free }
        if amount[0] < use.need[0] { return .busyCPUs }
        return amount[1] < use.need[1] ? .busyMemory : .busyGRES
    }

    private func freeNow(_ pool: Pool) -> [(amount: Amount, nodes: Int)] {
        var amounts: [Amount: Int] = [:]
        var order: [Amount] = []
        var bins = 0
        for bin in pool.bins where bin.contains(cluster.now) {
            let amount = bin.amount(at: cluster.now)
            if amounts[amount, default: 0] == 0 { order.append(amount) }
            amounts[amount, default: 0] += 1
            bins += 1
        }
        var result = order.map { (amount: $0, nodes: amounts[$0] ?? 0) }
        if !pool.idleNow.isEmpty { result.append((pool.capacity, pool.idleNow.count)) }
        let rest = pool.nodes.count - bins - pool.idleNow.count
        if rest > 0 { result.append((.zero, rest)) }
        return result
    }

    private func missing(_ partition: PlanningSnapshot.Partition) -> [Missing: Int] {
        var found: [Missing: Int] = [:]
        for index in partition.nodes {
            guard let position = positions[index], cluster.poolOfNode[position] < 0 else { continue }
            let node = cluster.snapshot.nodes[position]
            let rule: NodeTally.Rule =
                switch node.availability {
                case .drained: .drained
                case .notResponding: .notResponding
                case .completing: .completing
                case .up, .down, .unknown: .down
                }
            found[Missing(rule: rule, kind: node.kind), default: 0] += 1
        }
        return found
    }

    /// Whether so many nodes could hold the job together.
    private struct Room {
        let shape: Shape
        private var nodes: [(capacity: Int, count: Int)] = []
        init(shape: Shape) { self.shape = shape }
        mutating func add(_ capacity: Int, nodes count: Int) {
            if capacity > 0, count > 0 { nodes.append((capacity, count)) }
        }
        var isEnough: Bool {
            var left = shape.maxNodes
            var tasks = 0
            var count = 0
            for one in nodes.sorted(by: { $0.capacity > $1.capacity }) {
                let taken = min(left, one.count)
                left -= taken
                count += taken
                let (room, overflow) = one.capacity.multipliedReportingOverflow(by: taken)
                if overflow { return true }
                tasks += room
            }
            return count >= shape.minNodes && tasks >= shape.tasks
        }
    }

    // MARK: - Words

    private func wish(_ planClass: PlanClass, _ shape: Shape) -> (nodes: Int, words: String) {
        let group = planClass.options.first?.groups.first
        let most = group?.uses.map(\.capacity).max() ?? max(1, shape.tasks)
        let nodes = group?.isSingle == true ? 1 : max(shape.minNodes, (shape.tasks + most - 1) / max(most, 1))
        var words = nodes.counted("node")
        let cpus = shape.tasks * shape.cpusPerTask
        words += group?.uses.first?.fit.isExclusive == true ? ", whole" : ""
        words += nodes == 1 ? " with \(cpus.counted("CPU"))" : " with \(cpus.counted("CPU")) together"
        if let memory = memory(shape) { words += " and \(memory)" }
        for request in shape.gres {
            let name = request.type.isEmpty ? request.name : "\(request.name):\(request.type)"
            words += ", \(request.count) \(name) per \(Self.word(request.per))"
        }
        return (nodes, words)
    }

    private static func word(_ per: GRESRequest.Per) -> String {
        switch per {
        case .node: "node"
        case .job: "job"
        case .task: "task"
        case .socket: "socket"
        }
    }

    private func memory(_ shape: Shape) -> String? {
        if shape.memoryPerNodeMiB > 0 { return "\(shape.memoryPerNodeMiB) MiB a node" }
        if shape.memoryPerCPUMiB > 0 { return "\(shape.memoryPerCPUMiB) MiB a CPU" }
        return shape.memoryPerGPUMiB > 0 ? "\(shape.memoryPerGPUMiB) MiB a GPU" : nil
    }
}

extension PlanClass {
    /// Its use of a pool, if it has one.
    func use(of pool: Int) -> PoolUse? {
        for option in options {
            for group in option.groups {
                if let use = group.uses.first(where: { Int($0.pool) == pool }) { return use }
            }
        }
        return nil
    }
}
