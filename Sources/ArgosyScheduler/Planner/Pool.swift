// Nodes that no waiting job can tell apart: same kind, same partitions, same reservations, named by the same requests.
//
// A node of the pool is either wholly free or busy at a time. Busy nodes that have room are bins; a node that a job has
// to itself needs no bin. `whole` counts the rest. No more than that is needed to plan: see Bin for why the nodes of a
// plan can be told afterwards.

final class Pool {
    /// Positions in the snapshot's nodes, ascending.
    let nodes: [Int32]
    let kind: Int
    let partitions: [Int]
    let reservations: [Int]
    /// Positions of the node lists (required, excluded) that name these nodes.
    let lists: [Int]
    let capacity: Amount

    /// Wholly free nodes over time.
    @exclusivity(unchecked) var whole: StepProfile
    @exclusivity(unchecked) var bins: [Bin] = []
    @exclusivity(unchecked) var openings = Openings()
    /// Positions in the snapshot's nodes that are wholly free now, ascending.
    var idleNow: [Int32] = []
    /// Grows whenever something is taken or given back.
    @exclusivity(unchecked) var version = 0
    /// Grows whenever something is given back: what was found not to fit may fit.
    @exclusivity(unchecked) var releases = 0
    /// Bins that split when a reservation was taken out: where the parts are.
    private var parts: [Int32: [Int32]] = [:]

    init(nodes: [Int32], key: PoolKey, now: Int64) {
        self.nodes = nodes
        kind = key.kind
        partitions = key.partitions
        reservations = key.reservations
        lists = key.lists
        capacity = key.capacity
        whole = StepProfile(value: 0, now: now)
    }

    // MARK: - Taking

    /// Takes `need` in `bin` (-1: in a new one) for `[from, to)`, where it fits. Returns the bin.
    func take(_ need: Amount, in bin: Int32, from: Int64, to: Int64, user: UInt32? = nil, node: Int32 = -1) -> Int32 {
        version += 1
        // A node that gets free then goes on: so that jobs can span both times.
        if bin < 0, node < 0, let touching = neighbour(from, to, user) {
            return take(need, in: touching, from: from, to: to, user: user)
        }
        guard bin >= 0 else {
            whole.add(-1, from: from, to: to)
            bins.append(Bin(node: node, start: from, end: to, free: capacity &- need, user: user))
            let made = Int32(bins.count - 1)
            openings.insert(time: from, bin: made, bound: capacity &- need)
            remember(made)
            return made
        }
        let index = Int(bin)
        let end = bins[index].end
        if from < bins[index].start {
            whole.add(-1, from: from, to: bins[index].start)
            bins[index].extend(from: from, capacity: capacity)
            openings.insert(time: from, bin: bin, bound: capacity &- need)
        }
        if to > end {
            whole.add(-1, from: end, to: to)
            bins[index].extend(to: to, capacity: capacity)
        }
        bins[index].take(need, from: from, to: to)
        if let user { bins[index].user = user }
        if to > end {
            openings.insert(time: max(end, from), bin: bin, bound: bins[index].amount(at: max(end, from)))
        } else if to < end {
            openings.insert(time: to, bin: bin, bound: bins[index].amount(at: to))
        }
        remember(bin)
        return bin
    }

    /// By time: a bin that ended or began then when it was last changed.
    private var endsAt: [Int64: Int32] = [:]
    private var startsAt: [Int64: Int32] = [:]

    func remember(_ bin: Int32) {
        if bins[Int(bin)].end < .max { endsAt[bins[Int(bin)].end] = bin }
        startsAt[bins[Int(bin)].start] = bin
    }

    /// A bin that ends when `from` comes, or begins at `to`.
    private func neighbour(_ from: Int64, _ to: Int64, _ user: UInt32?) -> Int32? {
        if let before = endsAt[from], !bins[Int(before)].isEmpty, bins[Int(before)].end == from,
            bins[Int(before)].user == user
        {
            return before
        }
        if let after = startsAt[to], !bins[Int(after)].isEmpty, bins[Int(after)].start == to,
            bins[Int(after)].user == user
        {
            return after
        }
        return nil
    }

    /// Takes `count` whole nodes for `[from, to)`.
    func takeWhole(_ count: Int32, from: Int64, to: Int64) {
        version += 1
        whole.add(-count, from: from, to: to)
    }

    // MARK: - Giving back

    func giveWhole(_ count: Int32, from: Int64, to: Int64) {
        version += 1
        releases += 1
        openings.epoch += 1
        whole.add(count, from: from, to: to)
    }

    /// Gives back what `take` took in `bin`, for `[from, to)`.
    func give(_ need: Amount, in bin: Int32, from: Int64, to: Int64) {
        version += 1
        releases += 1
        openings.epoch += 1
        let index = Int(part(of: bin, at: from))
        bins[index].take(.zero &- need, from: from, to: to)
        let (idle, rest) = bins[index].split(capacity: capacity)
        for gap in idle { whole.add(1, from: gap.from, to: gap.to) }
        for bin in rest {
            let made = Int32(bins.count)
            parts[Int32(index), default: []].append(made)
            bins.append(bin)
            for time in bin.times { openings.insert(time: time, bin: made, bound: capacity) }
        }
        for time in bins[index].times where time < to {
            openings.insert(time: time, bin: Int32(index), bound: capacity)
        }
        openings.insert(time: from, bin: Int32(index), bound: capacity)
    }

    /// Where the part of `bin` at `time` is, after splits.
    private func part(of bin: Int32, at time: Int64) -> Int32 {
        let here = bins[Int(bin)]
        if !here.isEmpty, here.start <= time, time < here.end { return bin }
        for one in parts[bin] ?? [] {
            let found = part(of: one, at: time)
            let there = bins[Int(found)]
            if !there.isEmpty, there.start <= time, time < there.end { return found }
        }
        return bin
    }

    // MARK: - Fitting

    /// Whether `need` fits in `bin` for `[time, until)`, the bin made longer where it must be.
    @inline(__always) func fits(_ need: Amount, in bin: Int, at time: Int64, until: Int64, user: Company) -> Bool {
        let end = bins[bin].end
        guard time < end, bins[bin].start <= time, bins[bin].fits(need, from: time, until: until) else { return false }
        if !user.mayJoin(bins[bin].user) { return false }
        if until > end, whole.firstBelow(1, from: end, before: until) != nil { return false }
        return true
    }

    /// The same, and if it does not fit what is in the way.
    @inline(__always) func look(
        _ need: Amount, in bin: Int, at time: Int64, until: Int64, user: Company
    ) -> Openings.Look {
        let end = bins[bin].end
        guard time < end, bins[bin].start <= time else { return Openings.Look(free: .zero) }
        let here = bins[bin].segment(of: time)
        let free = bins[bin].free[here]
        guard free.covers(need) else { return Openings.Look(free: free) }
        if let next = bins[bin].firstShort(of: need, after: here, before: until) {
            return Openings.Look(free: free, blocked: bins[bin].times[next], later: bins[bin].free[next])
        }
        if until > end, let blocked = whole.firstBelow(1, from: end, before: until) {
            return Openings.Look(free: free, blocked: blocked)
        }
        return Openings.Look(free: user.mayJoin(bins[bin].user) ? nil : free)
    }

    /// Whether `need` fits in `bin` for `[time, until)`, where whole nodes lack at `blocked` for the last time before
    /// `until` (nil: they never do): the bin must last beyond that.
    @inline(__always) func fits(
        _ need: Amount, in bin: Int, at time: Int64, until: Int64, blocked: Int64?, user: Company
    ) -> Bool {
        let end = bins[bin].end
        guard time < end, bins[bin].start <= time else { return false }
        if until > end, let blocked, end <= blocked { return false }
        return bins[bin].fits(need, from: time, until: until) && user.mayJoin(bins[bin].user)
    }

    /// A bin that begins later and takes `need` from `[time, until)`, made longer at its front; there is no whole node
    /// for all that time, but one until `blocked`. Bins of the future are few, or the plan is full anyway.
    func laterBin(for need: Amount, at time: Int64, until: Int64, blocked: Int64, user: Company) -> Int? {
        for index in bins.indices {
            let start = bins[index].start
            guard start > time, start <= blocked, start < bins[index].end else { continue }
            if !user.mayJoin(bins[index].user) { continue }
            guard bins[index].fits(need, from: start, until: until) else { continue }
            if until > bins[index].end, whole.minimum(from: bins[index].end, to: until) < 1 { continue }
            return index
        }
        return nil
    }
}

/// With whom a job shares a node.
struct Company: Hashable {
    var uid: UInt32
    /// With jobs of its own user only (`--exclusive=user`).
    var isExclusive = false

    @inline(__always) func mayJoin(_ owner: UInt32?) -> Bool { owner == nil ? !isExclusive : owner == uid }
}

/// What makes nodes equal.
struct PoolKey: Hashable {
    var kind: Int
    var partitions: [Int]
    var reservations: [Int]
    var lists: [Int]
    var capacity: Amount
}
