// The cluster of a snapshot, made ready for planning: kinds with their models, nodes sorted into pools, what runs put on
// the pools' timelines, licences over time.
import ArgosyDomain

final class Cluster {
    let snapshot: PlanningSnapshot
    /// The snapshot's time, seconds.
    let now: Int64
    /// Planned times are whole multiples of this after `now`.
    let resolution: Int64
    let models: [NodeModel]
    let features: FeatureTable
    let featureSets: [FeatureSet]
    /// Distinct `requiredNodes` and `excludedNodes` of the shapes.
    private(set) var lists: [[NodeIndex]: Int] = [:]
    private(set) var pools: [Pool] = []
    /// Position in the snapshot's nodes by number.
    private(set) var positions: [NodeIndex: Int] = [:]
    /// By position of the node; -1: it is not up.
    private(set) var poolOfNode: [Int32]
    /// Pools that have nodes of a partition.
    private(set) var poolsOfPartition: [[Int]]
    /// Free licences of the cluster over time, and of each reservation.
    var licenses: [StepProfile] = []
    var reservedLicenses: [[Int: StepProfile]] = []
    var licensesFreeNow: [Int32] { licenses.map { $0.value(at: now) } }
    /// Nodes of a user's own, or jobs that want such: classes then tell users apart.
    let tellsUsersApart: Bool
    /// Nodes that jobs have to themselves, by position, and until when.
    var wholeJobs: [Int32: Int64] = [:]
    /// The nodes as starts leave them.
    var nodes: [PlanningSnapshot.Node]

    init(_ snapshot: PlanningSnapshot) {
        self.snapshot = snapshot
        now = snapshot.now.seconds
        resolution = max(1, snapshot.settings.resolution)
        models = snapshot.kinds.map { NodeModel($0, settings: snapshot.settings) }
        let table = FeatureTable(kinds: snapshot.kinds)
        features = table
        featureSets = snapshot.kinds.map { table.set($0.features) }
        nodes = snapshot.nodes
        poolOfNode = Array(repeating: -1, count: snapshot.nodes.count)
        poolsOfPartition = Array(repeating: [], count: snapshot.partitions.count)
        tellsUsersApart =
            snapshot.shapes.contains { $0.sharing == .user } || snapshot.nodes.contains { $0.onlyUser != nil }
        numberLists()
        makePools()
        putLicenses()
    }

    /// A job's or reservation's end as planned: on the grid of the resolution, and not before the next point of it.
    func planned(end: Timestamp) -> Int64 {
        if end == .never { return .max }
        let seconds = end.microseconds / 1_000_000 + (end.microseconds % 1_000_000 > 0 ? 1 : 0)
        return roundedUp(max(seconds - now, 1))
    }

    private func roundedUp(_ delay: Int64) -> Int64 { now.plus(grid(delay)) }

    /// A length of time, rounded up to the resolution.
    func grid(_ duration: Int64) -> Int64 {
        guard resolution > 1, duration < .max - resolution else { return duration }
        return (duration + resolution - 1) / resolution * resolution
    }

    func list(_ nodes: [NodeIndex]) -> Int? { lists[nodes] }

    private func numberLists() {
        for shape in snapshot.shapes {
            for list in [shape.requiredNodes, shape.excludedNodes] where !list.isEmpty && lists[list] == nil {
                lists[list] = lists.count
            }
        }
    }

    // MARK: - Pools

    private struct Busy {
        var taken = Amount.zero
        var jobs: [BusyJob] = []
    }
    /// What one job holds of a node.
    private struct BusyJob {
        var amount: Amount
        var end: Int64
        /// The only user it shares with; nil: with all.
        var user: UInt32?
    }

    private func makePools() {
        for (position, node) in snapshot.nodes.enumerated() { positions[node.index] = position }
        let busy = busyNodes(positions)
        var marks = Memberships(count: snapshot.nodes.count)
        for (number, partition) in snapshot.partitions.enumerated() {
            marks.add(number, to: \.partitions, of: partition.nodes, positions)
        }
        for (number, reservation) in snapshot.reservations.enumerated() {
            marks.add(number, to: \.reservations, of: reservation.nodes, positions)
        }
        for (list, number) in lists.sorted(by: { $0.value < $1.value }) {
            marks.add(number, to: \.lists, of: list, positions)
        }
        var numbers: [PoolKey: Int] = [:]
        var keys: [PoolKey] = []
        var members: [[Int32]] = []
        let kinds = plainKinds()
        for (position, node) in snapshot.nodes.enumerated() where isUsable(node) {
            let key = PoolKey(
                kind: kinds[node.kind], partitions: marks.partitions[position],
                reservations: marks.reservations[position],
                lists: marks.lists[position], capacity: capacity(position, busy[position].taken))
            if let number = numbers[key] {
                members[number].append(Int32(position))
            } else {
                numbers[key] = keys.count
                keys.append(key)
                members.append([Int32(position)])
            }
        }
        for (key, nodes) in zip(keys, members) { pools.append(Pool(nodes: nodes, key: key, now: now)) }
        for number in pools.indices { fill(number, busy) }
    }

    private struct Memberships {
        var partitions: [[Int]]
        var reservations: [[Int]]
        var lists: [[Int]]
        init(count: Int) {
            partitions = Array(repeating: [], count: count)
            reservations = partitions
            lists = partitions
        }
        mutating func add(
            _ number: Int, to column: WritableKeyPath<Memberships, [[Int]]>, of nodes: [NodeIndex],
            _ positions: [NodeIndex: Int]
        ) {
            for node in nodes { if let position = positions[node] { self[keyPath: column][position].append(number) } }
        }
    }

    /// Kinds without their leaf switch, which matters only when nodes are chosen: the first kind that is otherwise equal.
    private func plainKinds() -> [Int] {
        var first: [PlanningSnapshot.NodeKind: Int] = [:]
        return snapshot.kinds.enumerated().map { number, kind in
            var plain = kind
            plain.leaf = -1
            if let known = first[plain] { return known }
            first[plain] = number
            return number
        }
    }

    private func isUsable(_ node: PlanningSnapshot.Node) -> Bool {
        node.availability == .up || node.availability == .completing
    }

    private func busyNodes(_ positions: [NodeIndex: Int]) -> [Busy] {
        var busy = Array(repeating: Busy(), count: snapshot.nodes.count)
        for job in snapshot.running {
            let end = planned(end: job.expectedEnd)
            for part in job.allocation.nodes {
                guard let position = positions[part.index] else { continue }
                var amount = Amount(models[snapshot.nodes[position].kind].counts(of: part))
                if job.isSuspended {
                    amount[0] = 0
                    if amount == .zero { continue }
                }
                busy[position].taken &+= amount
                busy[position].jobs.append(BusyJob(amount: amount, end: end, user: job.exclusiveUser ? job.uid : nil))
            }
        }
        return busy
    }

    private func free(_ position: Int) -> Amount {
        let node = snapshot.nodes[position]
        return Amount(models[node.kind].counts(of: node))
    }

    /// What the node has for jobs: what is free and what jobs hold. That may be less than its hardware (specialized
    /// cores, memory of the system).
    private func capacity(_ position: Int, _ taken: Amount) -> Amount {
        if snapshot.nodes[position].availability != .up {
            return Amount(models[snapshot.nodes[position].kind].idle)
        }
        return free(position) &+ taken
    }

    private func fill(_ number: Int, _ busy: [Busy]) {
        let pool = pools[number]
        // When how many nodes get wholly free.
        var freed: [Int64] = []
        for partition in pool.partitions { poolsOfPartition[partition].append(number) }
        for position in pool.nodes {
            poolOfNode[Int(position)] = Int32(number)
            let node = snapshot.nodes[Int(position)]
            var jobs = busy[Int(position)].jobs
            if node.availability == .completing {
                // Its last job is being cleaned up: soon free, but not now.
                jobs.append(
                    BusyJob(amount: pool.capacity, end: planned(end: Timestamp(seconds: now + Self.cleaning))))
            }
            let end = put(jobs, on: position, of: pool, owner: node.onlyUser)
            if end < .max { freed.append(end) }
        }
        pool.whole = StepProfile(rises: freed, now: now)
        pool.version = 0
        pool.releases = 0
    }

    /// Seconds that a completing node is taken to need.
    private static let cleaning: Int64 = 60

    /// Puts what runs on a node on the pool's timeline. Returns when the node gets wholly free; `.max`: never.
    private func put(
        _ jobs: [BusyJob], on position: Int32, of pool: Pool, owner: UInt32?
    ) -> Int64 {
        if jobs.isEmpty {
            pool.idleNow.append(position)
            return now
        }
        var end = Int64.min
        var user = owner
        var free = pool.capacity
        for job in jobs {
            end = max(end, job.end)
            free &-= job.amount
            if user == nil { user = job.user }
        }
        let isFull = free[0] <= 0 && jobs.count == 1
        if isFull {
            wholeJobs[position] = end
            return end
        }
        var bin = Bin(node: position, start: now, end: end, free: pool.capacity, user: user)
        for job in jobs { bin.take(job.amount, from: now, to: job.end) }
        pool.bins.append(bin)
        let made = Int32(pool.bins.count - 1)
        pool.remember(made)
        for time in bin.times.dropFirst() { pool.openings.insert(time: time, bin: made, bound: bin.amount(at: time)) }
        return end
    }

    /// Nodes of a pool that have no bin and are not free now: until when.
    func wholeUntil(_ pool: Int) -> [(node: Int32, end: Int64)] {
        pools[pool].nodes.compactMap { node in wholeJobs[node].map { (node, $0) } }
    }

    // MARK: - Licences

    private func putLicenses() {
        licenses = snapshot.licenses.map { StepProfile(value: Int32(clamping: $0.free), now: now) }
        reservedLicenses = snapshot.reservations.map { reservation in
            var own: [Int: StepProfile] = [:]
            for license in reservation.licenses {
                own[license.license] = StepProfile(value: Int32(clamping: license.count), now: now)
            }
            return own
        }
        for job in snapshot.running where !job.licenses.isEmpty {
            let end = planned(end: job.expectedEnd)
            for license in job.licenses {
                let count = Int32(clamping: license.count)
                if job.reservation >= 0, reservedLicenses[job.reservation][license.license] != nil {
                    // Its use is within what the reservation takes from the cluster's count below.
                    reservedLicenses[job.reservation][license.license]?.add(-count, from: now, to: end)
                    licenses[license.license].add(count, from: now, to: .max)
                } else if end != .max {
                    licenses[license.license].add(count, from: end, to: .max)
                }
            }
        }
        for reservation in snapshot.reservations {
            for license in reservation.licenses {
                let range = interval(of: reservation)
                licenses[license.license].add(
                    -Int32(clamping: license.count), from: max(range.lowerBound, now), to: range.upperBound)
            }
        }
    }

    /// The time a reservation covers, whole seconds.
    func interval(of reservation: PlanningSnapshot.Reservation) -> Range<Int64> {
        let start = reservation.start.seconds
        let end = reservation.end == .never ? Int64.max : (reservation.end.microseconds + 999_999) / 1_000_000
        return start..<max(start, end)
    }
}
