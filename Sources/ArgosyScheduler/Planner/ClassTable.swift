// From the jobs of the queue to the classes the planner thinks about, and from a class's shape to the pools that serve it.
import ArgosyDomain

/// Makes each class once.
struct ClassTable {
    private struct Key: Hashable {
        var shape: Int32
        var duration: Int64
        var leastDuration: Int64
        var begin: Int64
        var limit: TimeLimit
        var uid: UInt32
        var association: Int32
    }
    private(set) var classes: [PlanClass] = []
    private var numbers: [Key: Int32] = [:]
    /// Users matter to classes: nodes of one user, or reservations that draw in those who may use them.
    private let keepsUsers: Bool
    private let cluster: Cluster
    /// Suspended jobs hold memory of nodes all of whose CPUs are free: who wants all CPUs may share such a node.
    private let lendsCPUs: Bool
    private let magnetic: [Int]

    init(_ cluster: Cluster) {
        lendsCPUs = cluster.snapshot.running.contains { $0.isSuspended }
        self.cluster = cluster
        magnetic = cluster.snapshot.reservations.indices.filter { cluster.snapshot.reservations[$0].magnetic }
        keepsUsers = cluster.tellsUsersApart || !magnetic.isEmpty
    }

    /// The class of `job`.
    mutating func number(of job: PlanningSnapshot.Job) -> Int32 {
        let key = Key(
            shape: job.shape, duration: duration(of: job), leastDuration: leastDuration(of: job),
            begin: begin(of: job), limit: job.timeLimit,
            uid: keepsUsers ? job.uid : 0, association: keepsUsers ? job.association : 0)
        if let known = numbers[key] { return known }
        let number = Int32(classes.count)
        numbers[key] = number
        classes.append(make(job, key))
        return number
    }

    /// A class for components that start together.
    mutating func number(of components: [Int32]) -> Int32 {
        let first = classes[Int(components[0])]
        let parts = components.map { classes[Int($0)] }
        let made = PlanClass(
            shape: first.shape, duration: parts.map(\.duration).max() ?? 0, leastDuration: 0,
            begin: parts.map(\.begin).max() ?? 0, company: first.company, options: first.options)
        made.limit = first.limit
        made.uid = first.uid
        made.association = first.association
        made.components = components
        if parts.contains(where: { $0.options.isEmpty }) { made.options = [] }
        classes.append(made)
        return Int32(classes.count - 1)
    }

    /// Seconds the plan gives the job; a job without any limit never ends.
    func duration(of job: PlanningSnapshot.Job) -> Int64 {
        if job.expectedRun > 0 { return cluster.grid(job.expectedRun) }
        if let limit = job.timeLimit.duration { return cluster.grid(max(limit.microseconds / 1_000_000, 1)) }
        let shape = cluster.snapshot.shapes[Int(job.shape)]
        let bounds = shape.partitions.compactMap { cluster.snapshot.partitions[$0].maxTime.duration }
        return bounds.max().map { cluster.grid($0.microseconds / 1_000_000) } ?? .max
    }

    /// Seconds; 0: at once.
    private func begin(of job: PlanningSnapshot.Job) -> Int64 {
        guard job.begin.isSet, job.begin > cluster.snapshot.now else { return 0 }
        return (job.begin.microseconds + 999_999) / 1_000_000
    }

    private func leastDuration(of job: PlanningSnapshot.Job) -> Int64 {
        guard let least = job.timeMin.duration else { return 0 }
        return min(cluster.grid(least.microseconds / 1_000_000), duration(of: job))
    }

    private func make(_ job: PlanningSnapshot.Job, _ key: Key) -> PlanClass {
        let shape = cluster.snapshot.shapes[Int(job.shape)]
        let company = Company(uid: cluster.tellsUsersApart ? job.uid : 0, isExclusive: shape.sharing == .user)
        let made = PlanClass(
            shape: Int(job.shape), duration: key.duration, leastDuration: key.leastDuration, begin: key.begin,
            company: company, options: [])
        made.limit = job.timeLimit
        made.uid = job.uid
        made.association = job.association
        made.options = options(made, shape)
        made.isNever = made.options.isEmpty
        return made
    }

    // MARK: - Options

    private func options(_ planClass: PlanClass, _ shape: Shape) -> [PlanOption] {
        var options: [PlanOption] = []
        for partition in shape.partitions where cluster.snapshot.partitions.indices.contains(partition) {
            guard PartitionLimitRules.findings(planClass, partition, shape, cluster.snapshot).isEmpty else { continue }
            for reservation in reservations(planClass, shape) {
                for licenses in licenseChoices(shape) {
                    options += self.options(planClass, shape, partition, reservation, licenses)
                }
            }
        }
        return options
    }

    /// Those it asks for; else the ones that draw it in, and none.
    private func reservations(_ planClass: PlanClass, _ shape: Shape) -> [Int] {
        if !shape.reservations.isEmpty { return shape.reservations }
        let drawn = magnetic.filter { number in
            let reservation = cluster.snapshot.reservations[number]
            return reservation.allowedUsers.contains(planClass.uid)
                || reservation.allowedAssociations.contains(planClass.association)
        }
        return drawn + [-1]
    }

    private func licenseChoices(_ shape: Shape) -> [[Shape.LicenseDemand]] {
        shape.anyLicense && shape.licenses.count > 1 ? shape.licenses.map { [$0] } : [shape.licenses]
    }

    private func options(
        _ planClass: PlanClass, _ shape: Shape, _ partition: Int, _ reservation: Int,
        _ licenses: [Shape.LicenseDemand]
    ) -> [PlanOption] {
        let constraint = CompiledConstraint(shape.constraint, cluster.features)
        let all = uses(planClass, shape, partition, reservation, constraint)
        func option(_ groups: [PlanGroup]) -> PlanOption {
            PlanOption(partition: partition, reservation: reservation, licenses: licenses, groups: groups)
        }
        switch constraint.groups {
        case .one: return [option(groups(all, shape))].filter { isWorthwhile($0) }
        case .sameOne:
            return constraint.tests.indices.map { group in
                option(groups(all.filter { $0.groups & 1 << UInt64(group) != 0 }, shape))
            }.filter { isWorthwhile($0) }
        case .counts(let counts): return [option(counted(all, shape, counts))].filter { isWorthwhile($0) }
        }
    }

    private func isWorthwhile(_ option: PlanOption) -> Bool {
        !option.groups.isEmpty && option.groups.allSatisfy { !$0.uses.isEmpty }
    }

    struct Candidate {
        var pool: Int
        var fit: NodeFit
        var groups: UInt64
        var forbidden: [Range<Int64>]
    }

    private func uses(
        _ planClass: PlanClass, _ shape: Shape, _ partition: Int, _ reservation: Int, _ constraint: CompiledConstraint
    ) -> [Candidate] {
        var found: [Candidate] = []
        let excluded = shape.excludedNodes.isEmpty ? nil : cluster.list(shape.excludedNodes)
        let there = cluster.snapshot.partitions[partition]
        for number in cluster.poolsOfPartition[partition] {
            let pool = cluster.pools[number]
            if let excluded, pool.lists.contains(excluded) { continue }
            guard let forbidden = forbidden(pool, reservation) else { continue }
            let match = constraint.match(cluster.featureSets[pool.kind])
            guard match.isCandidate else { continue }
            let fit = NodeFit(
                shape, on: cluster.models[pool.kind], exclusive: there.exclusive, maxCPUsPerNode: there.maxCPUsPerNode)
            guard fit.idleCapacity > 0 else { continue }
            found.append(Candidate(pool: number, fit: fit, groups: match.groups, forbidden: forbidden))
        }
        return found.sorted {
            (cluster.models[cluster.pools[$0.pool].kind].kind.weight, $0.pool)
                < (cluster.models[cluster.pools[$1.pool].kind].kind.weight, $1.pool)
        }
    }

    /// Times in which a job may not hold the pool's nodes; nil: it may never.
    private func forbidden(_ pool: Pool, _ reservation: Int) -> [Range<Int64>]? {
        var ranges: [Range<Int64>] = []
        for number in pool.reservations where number != reservation {
            // Overlapping reservations of one node: each keeps the other's jobs out as well.
            ranges.append(cluster.interval(of: cluster.snapshot.reservations[number]))
        }
        if reservation >= 0, !cluster.snapshot.reservations[reservation].flex {
            let own = cluster.snapshot.reservations[reservation]
            if !own.nodes.isEmpty, !pool.reservations.contains(reservation) { return nil }
            let time = cluster.interval(of: own)
            if own.nodes.isEmpty { return merged(ranges) }
            if time.lowerBound > cluster.now { ranges.append(.min..<time.lowerBound) }
            if time.upperBound < .max { ranges.append(time.upperBound..<Int64.max) }
        }
        return merged(ranges)
    }

    private func merged(_ ranges: [Range<Int64>]) -> [Range<Int64>] {
        var result: [Range<Int64>] = []
        for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) })
        where range.upperBound > cluster.now && !range.isEmpty {
            if let last = result.last, range.lowerBound <= last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    // MARK: - Groups

    private func groups(_ all: [Candidate], _ shape: Shape) -> [PlanGroup] {
        guard !shape.requiredNodes.isEmpty, let list = cluster.list(shape.requiredNodes) else {
            return [group(all, shape, minNodes: shape.minNodes, maxNodes: shape.maxNodes, tasks: shape.tasks)]
        }
        let named = all.filter { cluster.pools[$0.pool].lists.contains(list) }
        let there = named.reduce(0) { $0 + cluster.pools[$1.pool].nodes.count }
        let count = Set(shape.requiredNodes).count
        // A named node that cannot serve, or more of them than the job may have: never.
        guard there == count, count <= shape.maxNodes else { return [] }
        let room = named.reduce(0) { sum, one in
            sum + min(one.fit.idleCapacity, shape.tasks) * cluster.pools[one.pool].nodes.count
        }
        if count >= shape.minNodes, room >= shape.tasks || count == shape.maxNodes {
            return [group(named, shape, minNodes: count, maxNodes: count, tasks: shape.tasks)]
        }
        let others = all.filter { !cluster.pools[$0.pool].lists.contains(list) }
        let rest = max(shape.tasks - room, max(shape.minNodes - count, 1))
        return [
            group(named, shape, minNodes: count, maxNodes: count, tasks: max(shape.tasks - rest, count)),
            group(
                others, shape, minNodes: max(shape.minNodes - count, 1), maxNodes: shape.maxNodes - count, tasks: rest),
        ]
    }

    /// So many nodes of each group; a pool of several goes to the one that has fewest.
    private func counted(_ all: [Candidate], _ shape: Shape, _ counts: [Int]) -> [PlanGroup] {
        var left = all
        var result: [PlanGroup] = []
        var tasks = shape.tasks
        let total = max(counts.reduce(0, +), 1)
        let order = counts.indices.sorted { a, b in
            let (x, y) = (members(all, a), members(all, b))
            return (x, a) < (y, b)
        }
        for (index, number) in order.enumerated() {
            let mine = left.filter { $0.groups & 1 << UInt64(number) != 0 }
            left.removeAll { $0.groups & 1 << UInt64(number) != 0 }
            let share =
                index + 1 == order.count ? tasks : min(tasks, max(counts[number], shape.tasks * counts[number] / total))
            tasks -= share
            result.append(
                group(
                    mine, shape, minNodes: counts[number], maxNodes: counts[number], tasks: max(share, counts[number])))
        }
        return result
    }

    private func members(_ all: [Candidate], _ group: Int) -> Int {
        all.reduce(0) { $1.groups & 1 << UInt64(group) != 0 ? $0 + cluster.pools[$1.pool].nodes.count : $0 }
    }

    private func group(_ all: [Candidate], _ shape: Shape, minNodes: Int, maxNodes: Int, tasks: Int) -> PlanGroup {
        let least = max(minNodes, 1)
        let isSingle =
            least == 1 && !shape.prefersMaxNodes && all.contains { $0.fit.idleCapacity >= tasks && fits($0.fit, tasks) }
        // Nodes have equal parts only where nothing else is possible; else a busy node may take fewer tasks.
        let even = least == maxNodes && (tasks == least || shape.tasksPerNode * least == tasks)
        let each = isSingle ? tasks : even ? tasks / least : 0
        var uses: [PoolUse] = []
        for one in all {
            let told = each > 0 ? need(one.fit, each, shape, nodes: isSingle ? 1 : least) : nil
            if each > 0, told == nil { continue }
            let most = min(one.fit.idleCapacity, tasks)
            let need = told ?? need(one.fit, 1, shape, nodes: least) ?? .zero
            let capacity = cluster.pools[one.pool].capacity
            guard capacity.covers(need) || one.fit.isExclusive else { continue }
            // A node too small for one task beside what the system keeps of it.
            let room = min(most, one.fit.capacity(capacity.counts(like: one.fit.model.idle)))
            if each == 0, room == 0 { continue }
            uses.append(
                PoolUse(
                    pool: Int32(one.pool), fit: one.fit, capacity: each > 0 ? each : room, need: need,
                    isWhole: one.fit.isExclusive || need[0] >= capacity[0] && !lendsCPUs, forbidden: one.forbidden))
        }
        return PlanGroup(
            minNodes: least, maxNodes: max(maxNodes, least), tasks: tasks, isSingle: isSingle, tasksPerNode: each,
            uses: uses,
            isWhole: uses.allSatisfy(\.isWhole))
    }

    private func fits(_ fit: NodeFit, _ tasks: Int) -> Bool { fit.need(tasks: tasks, from: fit.model.idle) != nil }

    private func need(_ fit: NodeFit, _ tasks: Int, _ shape: Shape, nodes: Int) -> Amount? {
        // What the job wants in all is spread evenly over its nodes here; placement decides when it starts.
        let shares = shape.gres.map { $0.per == .job ? (Int(clamping: $0.count) + nodes - 1) / max(nodes, 1) : 0 }
        return fit.need(tasks: tasks, jobGRES: shares, from: fit.model.idle).map { Amount($0) }
    }
}
