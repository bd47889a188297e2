// Groups of several nodes: a time at which enough of them fit together.
//
// At a time each pool offers bins (nodes with room) and wholly free nodes. A bin that must last longer than it does takes
// a whole node for that time, as a new one does; of n nodes taken together each must leave room for the others, which is
// so when the n-th of them, the most wanted first, finds n whole nodes at its narrowest time.
//
// Where a time does not do, the next one that can is the one at which enough more offers may have appeared: each opening
// adds one at most.

extension NodeMachine {
    struct Offer {
        var use: Int
        /// -1: wholly free nodes, `count` of them.
        var bin: Int32
        var count: Int
        /// Tasks on each.
        var capacity: Int
    }

    /// The earliest time before `bound` at which the group's nodes fit together.
    mutating func several(
        _ planClass: PlanClass, _ option: Int, _ group: Int, from: Int64, duration: Int64, before bound: Int64
    ) -> Int64? {
        let isOwn = duration == planClass.duration
        if isOwn, planClass.options[option].groups[group].releases == releases {
            let known = planClass.options[option].groups[group].bound
            if known >= bound, known >= from { return nil }
        }
        var time = from
        if isOwn {
            if planClass.options[option].groups[group].releases != releases {
                planClass.options[option].groups[group].releases = releases
                planClass.options[option].groups[group].bound = .min
            }
            time = max(time, planClass.options[option].groups[group].bound)
        }
        while time < bound {
            let offers = offers(planClass, option, group, at: time, duration: duration)
            let missing = missing(planClass.options[option].groups[group], offers)
            if missing == 0 { break }
            guard let next = nextChance(planClass, option, group, after: time, duration: duration, missing: missing)
            else {
                if isOwn { planClass.options[option].groups[group].bound = .max }
                return nil
            }
            time = next
        }
        if isOwn, from <= max(planClass.begin, now) { planClass.options[option].groups[group].bound = time }
        return time < bound ? time : nil
    }

    /// What to take at `time`; nil: it does not fit then.
    mutating func selection(
        _ planClass: PlanClass, _ option: Int, _ group: Int, at time: Int64, duration: Int64
    ) -> [HoldPart]? {
        let offers = offers(planClass, option, group, at: time, duration: duration)
        return select(planClass.options[option].groups[group], group, offers)
    }

    /// What the pools have for `[time, time + duration)`.
    mutating func offers(
        _ planClass: PlanClass, _ option: Int, _ group: Int, at time: Int64, duration: Int64
    ) -> [Offer] {
        var offers: [Offer] = []
        for use in planClass.options[option].groups[group].uses.indices {
            offer(&offers, use, &planClass.options[option].groups[group], planClass, time, duration)
        }
        return offers
    }

    private mutating func offer(
        _ offers: inout [Offer], _ index: Int, _ group: inout PlanGroup, _ planClass: PlanClass, _ time: Int64,
        _ duration: Int64
    ) {
        let pool = cluster.pools[Int(group.uses[index].pool)]
        let until = time.plus(duration)
        guard group.uses[index].allowed(from: time, duration: duration) == time else { return }
        let whole = pool.whole.minimum(from: time, to: until)
        var extended: [(offer: Offer, room: Int32)] = []
        if !group.uses[index].isWhole {
            collect(&group.uses[index], pool, planClass, time, duration)
            for bin in group.uses[index].candidates {
                let capacity = capacity(group, group.uses[index], pool.bins[Int(bin)], time, until)
                guard capacity > 0 else { continue }
                let offer = Offer(use: index, bin: bin, count: 1, capacity: capacity)
                let end = pool.bins[Int(bin)].end
                if end >= until {
                    offers.append(offer)
                } else {
                    extended.append((offer, pool.whole.minimum(from: end, to: until)))
                }
            }
        }
        // Those that leave most first; the sort is stable by their order in the pool.
        if extended.count > 1 {
            let order = extended.indices.sorted { a, b in
                extended[a].room != extended[b].room ? extended[a].room > extended[b].room : a < b
            }
            extended = order.map { extended[$0] }
        }
        var taken: Int32 = 0
        for (offer, room) in extended where room > taken {
            offers.append(offer)
            taken += 1
        }
        if whole > taken {
            offers.append(Offer(use: index, bin: -1, count: Int(whole - taken), capacity: group.uses[index].capacity))
        }
    }

    /// Tasks a bin takes for the whole time.
    private func capacity(_ group: PlanGroup, _ use: PoolUse, _ bin: Bin, _ time: Int64, _ until: Int64) -> Int {
        if group.tasksPerNode > 0 { return group.tasksPerNode }
        let least = bin.least(from: time, until: until)
        return min(use.capacity, use.fit.capacity(least.counts(like: use.fit.model.idle)))
    }

    /// Brings the bins that fit at `time` up to date: those of before that still do, and those with an opening since.
    private mutating func collect(
        _ use: inout PoolUse, _ pool: Pool, _ planClass: PlanClass, _ time: Int64, _ duration: Int64
    ) {
        let isForeign = duration != planClass.duration
        if use.releases != pool.releases || isForeign {
            use.restart()
            use.releases = isForeign ? -1 : pool.releases
        }
        let until = time.plus(duration)
        if use.candidateTime == .min || use.candidateTime > time {
            use.candidates = pool.bins.indices.map { Int32($0) }
        } else {
            addOpened(&use, pool, through: time)
        }
        effort += use.candidates.count
        use.candidateTime = time
        use.binCount = pool.bins.count
        let need = use.need
        let company = planClass.company
        use.candidates.removeAll { !pool.fits(need, in: Int($0), at: time, until: until, user: company) }
    }

    private mutating func addOpened(_ use: inout PoolUse, _ pool: Pool, through time: Int64) {
        marks.begin(pool.bins.count)
        for bin in use.candidates { marks.insert(Int(bin)) }
        for bin in use.binCount..<max(pool.bins.count, use.binCount) where marks.insert(bin) {
            use.candidates.append(Int32(bin))
        }
        let key = Openings.Key(time: use.candidateTime, bin: .max)
        var block = pool.openings.block(of: key)
        guard block >= 0, time > use.candidateTime else { return }
        var index = Openings.position(of: key, in: pool.openings.blocks[block].entries)
        while block < pool.openings.blocks.count {
            if pool.openings.blocks[block].bound.covers(use.need) {
                for entry in pool.openings.blocks[block].entries[index...] {
                    if entry.key.time > time { return }
                    if entry.bound.covers(use.need), marks.insert(Int(entry.key.bin)) {
                        use.candidates.append(entry.key.bin)
                    }
                }
            } else if let first = pool.openings.blocks[block].entries.first, first.key.time > time {
                return
            }
            effort += 1
            block += 1
            index = 0
        }
    }

    // MARK: - Choosing

    /// How many offers more are needed; 0: they do.
    private func missing(_ group: PlanGroup, _ offers: [Offer]) -> Int {
        if select(group, 0, offers) != nil { return 0 }
        let nodes = offers.reduce(0) { $0 + $1.count }
        if nodes < group.minNodes { return group.minNodes - nodes }
        guard group.tasksPerNode == 0 else { return 1 }
        let tasks = offers.reduce(0) { $0 + $1.count * $1.capacity }
        let most = group.uses.reduce(1) { max($0, $1.capacity) }
        return max(1, (group.tasks - tasks + most - 1) / most)
    }

    /// Takes the first offers that do; the roomiest ones where these are too many nodes.
    func select(_ group: PlanGroup, _ number: Int, _ offers: [Offer]) -> [HoldPart]? {
        if group.tasksPerNode > 0 { return fill(group, number, offers) }
        if let parts = fill(group, number, offers) { return parts }
        let order = offers.indices.sorted { a, b in
            offers[a].capacity != offers[b].capacity ? offers[a].capacity > offers[b].capacity : a < b
        }
        return fill(group, number, order.map { offers[$0] })
    }

    private func fill(_ group: PlanGroup, _ number: Int, _ offers: [Offer]) -> [HoldPart]? {
        var parts: [HoldPart] = []
        var nodes = 0
        var tasks = 0
        for offer in offers {
            let wanted = group.tasks - tasks
            if nodes >= group.minNodes, wanted <= 0 { break }
            let byTasks = wanted > 0 ? (wanted + offer.capacity - 1) / offer.capacity : 0
            let count = min(offer.count, max(byTasks, group.minNodes - nodes), group.maxNodes - nodes)
            if count <= 0 { break }
            nodes += count
            tasks += count * offer.capacity
            parts.append(part(group, number, offer, count, over: max(tasks - group.tasks, 0)))
        }
        return nodes >= group.minNodes && tasks >= group.tasks ? parts.flatMap { spread($0) } : nil
    }

    private func part(_ group: PlanGroup, _ number: Int, _ offer: Offer, _ count: Int, over: Int) -> HoldPart {
        let use = group.uses[offer.use]
        var need = use.need
        if group.tasksPerNode == 0, !use.isWhole {
            // The last node takes what is left; for several at once their room is taken in full.
            let tasks = max(1, offer.capacity - (count == 1 ? over : 0))
            need = use.fit.need(tasks: tasks, from: use.fit.model.idle).map { Amount($0) } ?? need
        }
        return HoldPart(
            pool: use.pool, bin: offer.bin, count: Int32(count), need: need, tasks: Int32(offer.capacity),
            isWhole: use.isWhole, group: Int16(number), use: Int16(offer.use))
    }

    /// Nodes that others may join are bins of their own.
    private func spread(_ part: HoldPart) -> [HoldPart] {
        guard !part.isWhole, part.bin < 0, part.count > 1 else { return [part] }
        var one = part
        one.count = 1
        return Array(repeating: one, count: Int(part.count))
    }

    // MARK: - Going on

    /// The next time after `time` at which `missing` more offers may be there.
    private mutating func nextChance(
        _ planClass: PlanClass, _ option: Int, _ group: Int, after time: Int64, duration: Int64, missing: Int
    ) -> Int64? {
        var next: Int64?
        for use in planClass.options[option].groups[group].uses {
            let pool = cluster.pools[Int(use.pool)]
            effort += 1
            if let rise = pool.whole.nextRise(from: time, duration: duration) { next = min(next ?? .max, rise) }
            let again = use.allowed(from: time, duration: duration)
            if again > time, again < .max { next = min(next ?? .max, again) }
            if let special = use.nextAllowedAgain(after: time) { next = min(next ?? .max, special) }
        }
        var left = missing
        let uses = planClass.options[option].groups[group].uses.filter { !$0.isWhole }
        // Of several pools each may bring the missing ones: the earliest of all counts.
        if uses.count > 1 { left = max(1, missing / uses.count) }
        for use in uses {
            if let opened = opening(use, after: time, count: left, before: next ?? .max) { next = opened }
        }
        return next
    }

    /// The time of the `count`-th opening after `time` that has room, if that is before `bound`.
    private mutating func opening(_ use: PoolUse, after time: Int64, count: Int, before bound: Int64) -> Int64? {
        let pool = cluster.pools[Int(use.pool)]
        let key = Openings.Key(time: time, bin: .max)
        var block = pool.openings.block(of: key)
        guard block >= 0 else { return nil }
        var index = Openings.position(of: key, in: pool.openings.blocks[block].entries)
        var left = count
        while block < pool.openings.blocks.count {
            effort += 1
            if pool.openings.blocks[block].bound.covers(use.need) {
                for entry in pool.openings.blocks[block].entries[index...] {
                    if entry.key.time >= bound { return nil }
                    guard entry.bound.covers(use.need) else { continue }
                    left -= 1
                    if left == 0 { return entry.key.time }
                }
            }
            block += 1
            index = 0
        }
        return nil
    }
}

/// A set of small numbers that is emptied in no time.
struct Marks {
    private var stamps: [Int32] = []
    private var stamp: Int32 = 0

    mutating func begin(_ count: Int) {
        if stamps.count < count { stamps += repeatElement(0, count: count - stamps.count) }
        stamp += 1
    }

    /// Whether it was not in yet.
    @discardableResult mutating func insert(_ number: Int) -> Bool {
        if stamps[number] == stamp { return false }
        stamps[number] = stamp
        return true
    }
}
