// Which nodes, and which of their cores, a new or changed reservation takes.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    /// What is asked of a choice of nodes.
    struct ReservationNeed {
        var reservation: Reservation
        /// Named nodes; nil: chosen ones.
        var named: [NodeIndex]?
        var nodeCount = 0
        var coreCounts: [UInt32] = []
        /// Its own nodes while it is changed.
        var kept: [NodeIndex] = []
    }

    /// The nodes for it. Throws Slurm's refusals.
    func chooseNodes(_ need: ReservationNeed) throws(Refusal) -> [Reservation.Node] {
        if let named = need.named { return try takeNamed(named, need) }
        let partition = try reservationPartition(need.reservation)
        let all = try withFeatures(tables.partitions[partition].nodes, need.reservation.features)
        let wanted = need.nodeCount
        guard wanted > 0 else { return try takeCores(of: all, need) }
        guard wanted <= all.count else {
            throw Refusals.notAvailable(
                "\(wanted) nodes are asked for, partition \(tables.partitions[partition].name) has \(all.count) that fit;"
                    + " ask for fewer, or name nodes")
        }
        let perNode = need.coreCounts.isEmpty ? 0 : coresPerNode(need, nodes: wanted)
        var chosen: [Reservation.Node] = []
        for node in ordered(all, keeping: need.kept) where chosen.count < wanted {
            if let share = share(of: node, cores: perNode, need) { chosen.append(share) }
        }
        guard chosen.count == wanted else { throw Self.busyNodes(chosen.count, of: wanted) }
        return chosen.sorted { $0.index < $1.index }
    }

    private static func busyNodes(_ free: Int, of wanted: Int) -> Refusal {
        Refusal(
            .reservationBusy, "Requested nodes are busy",
            detail: "\(wanted) nodes are asked for, \(free) are free of jobs and other reservations in that time;"
                + " choose another time, or Flags=IGNORE_JOBS or OVERLAP")
    }

    private func coresPerNode(_ need: ReservationNeed, nodes: Int) -> Int {
        let total = need.coreCounts.reduce(0) { $0 + Int($1) }
        return max(1, (total + nodes - 1) / nodes)
    }

    func reservationPartition(_ reservation: Reservation) throws(Refusal) -> Int {
        if reservation.partition.isEmpty {
            if let index = configuration.defaultPartition { return index }
            throw Refusal(
                .invalidPartition, "Invalid partition name specified",
                detail: "there is no default partition; say PartitionName=")
        }
        guard let index = configuration.partitions.firstIndex(where: { $0.name == reservation.partition }) else {
            throw Refusal(
                .invalidPartition, "Invalid partition name specified",
                detail: "partition \(reservation.partition) is not configured")
        }
        return index
    }

    // MARK: Named nodes

    private func takeNamed(_ nodes: [NodeIndex], _ need: ReservationNeed) throws(Refusal) -> [Reservation.Node] {
        let reservation = need.reservation
        let mayOverlap = !reservation.flags.isDisjoint(with: [.maintenance, .overlap])
        let perNode = need.coreCounts
        var chosen: [Reservation.Node] = []
        for (position, node) in nodes.enumerated() {
            let name = configuration.nodes[node.int].name
            if !mayOverlap, perNode.isEmpty, let other = otherReservation(on: node, than: reservation) {
                throw Self.overlaps(name, other)
            }
            if perNode.isEmpty {
                if !reservation.flags.contains(.ignoreJobs), !need.kept.contains(node), isBusy(node, in: reservation) {
                    throw Refusal(
                        .reservationBusy, "Requested nodes are busy",
                        detail: "a job on node \(name) may run into the reservation; choose another time or node, or "
                            + "Flags=IGNORE_JOBS")
                }
                chosen.append(.init(index: node, name: name))
                continue
            }
            let cores = perNode.count == 1 ? coresPerNode(need, nodes: nodes.count) : Int(perNode[position])
            guard let share = share(of: node, cores: cores, need) else {
                if let other = otherReservation(on: node, than: reservation), other.cpus(of: node) == nil {
                    throw Self.overlaps(name, other)
                }
                throw Refusal(
                    .reservationBusy, "Requested nodes are busy",
                    detail: "node \(name) has no \(cores) cores that are free in that time")
            }
            chosen.append(share)
        }
        return chosen
    }

    private static func overlaps(_ node: String, _ other: Reservation) -> Refusal {
        Refusal(
            .reservationOverlap, "Requested reservation overlaps with another reservation",
            detail: "reservation \(other.name) has node \(node) in that time; choose another time, or Flags=OVERLAP")
    }

    // MARK: Cores

    /// Cores wherever they are free, node by node.
    private func takeCores(of nodes: [NodeIndex], _ need: ReservationNeed) throws(Refusal) -> [Reservation.Node] {
        let wanted = need.coreCounts.reduce(0) { $0 + Int($1) }
        var left = wanted
        var chosen: [Reservation.Node] = []
        for node in ordered(nodes, keeping: need.kept) where left > 0 {
            let free = freeCores(of: node, in: need.reservation)
            let taken = free.prefix(left)
            if taken.isEmpty { continue }
            chosen.append(
                .init(index: node, name: configuration.nodes[node.int].name, cpus: CPUSet(taken.flatMap(\.cpus))))
            left -= taken.count
        }
        guard left == 0, wanted > 0 else {
            throw Refusal(
                .reservationBusy, "Requested nodes are busy",
                detail: "\(wanted) cores are asked for, \(wanted - left) are free in that time")
        }
        return chosen.sorted { $0.index < $1.index }
    }

    /// The node, whole (`cores` 0) or so many of its cores; nil when that much of it is not free.
    private func share(of node: NodeIndex, cores: Int, _ need: ReservationNeed) -> Reservation.Node? {
        let name = configuration.nodes[node.int].name
        let reservation = need.reservation
        if cores == 0 {
            let mayOverlap = !reservation.flags.isDisjoint(with: [.maintenance, .overlap])
            if !mayOverlap, otherReservation(on: node, than: reservation) != nil { return nil }
            let isKept = need.kept.contains(node)
            if !isKept, !reservation.flags.contains(.ignoreJobs), isBusy(node, in: reservation) { return nil }
            return .init(index: node, name: name)
        }
        let free = freeCores(of: node, in: reservation)
        guard free.count >= cores else { return nil }
        return .init(index: node, name: name, cpus: CPUSet(free.prefix(cores).flatMap(\.cpus)))
    }

    private func freeCores(of node: NodeIndex, in reservation: Reservation) -> [NodeHardware.Core] {
        var taken = CPUSet()
        if !reservation.flags.contains(.ignoreJobs) {
            for share in shares(on: node, runningInto: reservation) { taken.formUnion(share.cpus) }
        }
        if reservation.flags.isDisjoint(with: [.maintenance, .overlap]) {
            for other in tables.reservations where isOther(other, than: reservation) && other.has(node) {
                guard let cpus = other.cpus(of: node) else { return [] }
                taken.formUnion(cpus)
            }
        }
        let cores = cluster.kinds[cluster.nodes[node.int].kind].hardware.cores
        if reservation.flags.contains(.firstCores) { return cores }
        return cores.filter { core in !core.cpus.contains { taken.contains($0) } }
    }

    // MARK: Who else

    private func isOther(_ other: Reservation, than reservation: Reservation) -> Bool {
        other.name != reservation.name && other.meets(reservation, at: now)
    }

    private func otherReservation(on node: NodeIndex, than reservation: Reservation) -> Reservation? {
        tables.reservations.first { $0.has(node) && isOther($0, than: reservation) }
    }

    private func isBusy(_ node: NodeIndex, in reservation: Reservation) -> Bool {
        !shares(on: node, runningInto: reservation).isEmpty
    }

    /// What jobs hold of the node that may still run when the reservation begins.
    private func shares(on node: NodeIndex, runningInto reservation: Reservation) -> [Allocation.Node] {
        (tables.nodes[node.rawValue]?.holds ?? []).compactMap { key in
            guard let record = record(key.job), record.state != .completing,
                let run = tables.runs[key.job.rawValue], let position = run.position(of: node)
            else { return nil }
            let end = record.timeLimit.duration.map { record.start.adding($0) } ?? .never
            return end > reservation.start ? run.allocation.nodes[Int(position)] : nil
        }
    }

    /// Those it has, then idle ones, then by number; those that are down or drained are left out.
    private func ordered(_ nodes: [NodeIndex], keeping kept: [NodeIndex]) -> [NodeIndex] {
        func rank(_ node: NodeIndex) -> Int {
            if kept.contains(node) { return 0 }
            return tables.nodes[node.rawValue]?.holds.isEmpty ?? true ? 1 : 2
        }
        let up = nodes.filter { node in
            tables.nodes[node.rawValue].map { !$0.isDown && !$0.isDrained } ?? false
        }
        return up.map { (rank($0), $0) }.sorted { $0 < $1 }.map(\.1)
    }

    // MARK: Features

    private func withFeatures(_ nodes: [NodeIndex], _ text: String) throws(Refusal) -> [NodeIndex] {
        guard let constraint = try reservationConstraint(text) else { return nodes }
        let features = { (node: NodeIndex) in self.cluster.kinds[self.cluster.nodes[node.int].kind].features }
        if case .sameOne(let groups) = constraint {
            let sets = groups.map { group in nodes.filter { group.isMet(by: features($0)) } }
            return sets.max { $0.count < $1.count } ?? []
        }
        return nodes.filter { constraint.isMet(by: features($0)) }
    }

    func reservationConstraint(_ text: String) throws(Refusal) -> Constraint? {
        do throws(ConstraintError) { return try Constraint.parse(text) } catch {
            throw Refusal(.invalidFeature, "Invalid feature specification", detail: error.description)
        }
    }
}

extension Constraint {
    /// Whether one node with these features can be among those it asks for.
    func isMet(by features: [String]) -> Bool {
        switch self {
        case .feature(let name): features.contains(name)
        case .all(let parts): parts.allSatisfy { $0.isMet(by: features) }
        case .any(let parts), .sameOne(let parts): parts.contains { $0.isMet(by: features) }
        case .counts(let counts): counts.contains { $0.constraint.isMet(by: features) }
        }
    }

    /// All features it names.
    var names: [String] {
        switch self {
        case .feature(let name): [name]
        case .all(let parts), .any(let parts), .sameOne(let parts): parts.flatMap(\.names)
        case .counts(let counts): counts.flatMap(\.constraint.names)
        }
    }
}
