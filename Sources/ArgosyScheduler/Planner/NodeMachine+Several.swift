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
        if planClass.options[option].groups[group].isWhole {
            time = wholeChance(planClass.options[option].groups[group], from: time, duration: duration) ?? .max
        }
        while time < bound {
            let missing: Int
            if let short = tooFew(planClass, option, group, at: time, duration: duration) {
                guard
                    let next = nextEnough(
                        planClass.options[option].groups[group], after: time, duration: duration, missing: short)
                else {
                    if isOwn { planClass.options[option].groups[group].bound = .max }
                    return nil
                }
                time = apart(next, from: time)
                continue
            } else {
                let offers = offers(planClass, option, group, at: time, duration: duration)
                let chosen = select(planClass.options[option].groups[group], group, offers)
                if let chosen {
                    planClass.lastSeveral = PlanClass.Several(
                        time: time, duration: duration, version: version, option: option, group: group, parts: chosen)
                    break
                }
                missing = self.missing(planClass.options[option].groups[group], offers)
            }
            guard let next = nextChance(planClass, option, group, after: time, duration: duration, missing: missing)
            else {
                if isOwn { planClass.options[option].groups[group].bound = .max }
                return nil
            }
            time = apart(next, from: time)
            if planClass.options[option].groups[group].isWhole {
                time = wholeChance(planClass.options[option].groups[group], from: time, duration: duration) ?? .max
            }
        }
        if isOwn, from <= max(planClass.begin, now) { planClass.options[option].groups[group].bound = time }
        return time < bound ? time : nil
    }

    /// The next time to look at: a forecast does not look at each at which something changes.
    private func apart(_ next: Int64, from time: Int64) -> Int64 {
        isForecast && next < .max ? max(next, time + (time - now) / Self.forecastSteps) : next
    }

    /// What to take at `time`; nil: it does not fit then.
    mutating func selection(
        _ planClass: PlanClass, _ option: Int, _ group: Int, at time: Int64, duration: Int64
    ) -> [HoldPart]? {
        if let last = planClass.lastSeveral, last.time == time, last.version == version, last.duration == duration,
            last.option == option, last.group == group
        {
            return last.parts
        }
        let offers = offers(planClass, option, group, at: time, duration: duration)
        return select(planClass.options[option].groups[group], group, offers)
    }

    /// Of a group whose nodes take equal parts: how many nodes are missing even if all that have room at `time` kept it;
    /// nil: they may do. Much cheaper than looking at the whole time.
    private mutating func tooFew(
        _ planClass: PlanClass, _ option: Int, _ number: Int, at time: Int64, duration: Int64
    ) -> Int? {
        let group = planClass.options[option].groups[number]
        guard group.tasksPerNode > 0, !group.isWhole else { return nil }
        var nodes = 0
        for use in group.uses where use.allowed(from: time, duration: duration) == time {
            let pool = cluster.pools[Int(use.pool)]
            nodes += Int(max(0, pool.whole.value(at: time)))
            if !use.isWhole {
                collect(use, pool, planClass, time, duration)
                nodes += use.candidates.count
            }
        }
        return nodes < group.minNodes ? group.minNodes - nodes : nil
    }

    /// The first time after `time` by which `missing` more nodes can have got room: each opening gives one, each rise of
    /// the wholly free nodes as many as it is high.
    private mutating func nextEnough(
        _ group: PlanGroup, after time: Int64, duration: Int64, missing: Int
    ) -> Int64? {
        var gains: [(time: Int64, nodes: Int)] = []
        var special: Int64?
        for use in group.uses {
            let pool = cluster.pools[Int(use.pool)]
            for range in use.forbidden where range.upperBound > time && range.upperBound < .max {
                special = min(special ?? .max, range.upperBound)
            }
            var left = missing
            if !use.isWhole {
                var steps = 0
                pool.openings.visit(after: time, covering: use.need, for: duration, steps: &steps) { key in
                    if key.bin < 0 { return true }
                    gains.append((key.time, 1))
                    left -= 1
                    return left > 0
                }
                effort += steps
            }
            left = missing
            var index = pool.whole.segment(of: time) + 1
            while left > 0, index < pool.whole.times.count {
                let rise = Int(pool.whole.values[index] - max(pool.whole.values[index - 1], 0))
                if rise > 0, pool.whole.values[index] > 0 {
                    gains.append((pool.whole.times[index], rise))
                    left -= rise
                }
                index += 1
            }
        }
        gains.sort { $0.time < $1.time }
        var left = missing
        for gain in gains {
            left -= gain.nodes
            if left <= 0 { return min(gain.time, special ?? .max) }
        }
        return special
    }

    /// What the pools have for `[time, time + duration)`.
    mutating func offers(
        _ planClass: PlanClass, _ option: Int, _ group: Int, at time: Int64, duration: Int64
    ) -> [Offer] {
        var offers: [Offer] = []
        for use in planClass.options[option].groups[group].uses.indices {
            offer(&offers, use, planClass.options[option].groups[group], planClass, time, duration)
        }
        return offers
    }

    private mutating func offer(
        _ offers: inout [Offer], _ index: Int, _ group: PlanGroup, _ planClass: PlanClass, _ time: Int64,
        _ duration: Int64
    ) {
        let pool = cluster.pools[Int(group.uses[index].pool)]
        let until = time.plus(duration)
        guard group.uses[index].allowed(from: time, duration: duration) == time else { return }
        var extended: [(offer: Offer, end: Int64)] = []
        if !group.uses[index].isWhole {
            collect(group.uses[index], pool, planClass, time, duration)
            for bin in group.uses[index].candidates {
                let capacity = capacity(group, group.uses[index], pool.bins[Int(bin)], time, until)
                guard capacity > 0 else { continue }
                let offer = Offer(use: index, bin: bin, count: 1, capacity: capacity)
                let end = pool.bins[Int(bin)].end
                if end >= until { offers.append(offer) } else { extended.append((offer, end)) }
            }
        }
        // The later one ends the more it leaves to the others.
        if extended.count > 1 {
            let order = extended.indices.sorted { a, b in
                extended[a].end != extended[b].end ? extended[a].end > extended[b].end : a < b
            }
            extended = order.map { extended[$0] }
        }
        var taken: Int32 = 0
        var room = Int32.max
        var seen = until
        for (offer, end) in extended {
            room = min(room, pool.whole.minimum(from: end, to: seen))
            seen = end
            if room <= taken { break }
            offers.append(offer)
            taken += 1
        }
        let whole = min(room, pool.whole.minimum(from: time, to: seen))
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
        _ use: PoolUse, _ pool: Pool, _ planClass: PlanClass, _ time: Int64, _ duration: Int64
    ) {
        let isForeign = duration != planClass.duration
        if use.releases != pool.releases || isForeign {
            use.restart()
            use.releases = isForeign ? -1 : pool.releases
        }
        let until = time.plus(duration)
        if !isForeign, use.candidateTime == time, use.candidateVersion == pool.version { return }
        use.candidateVersion = pool.version
        if use.candidateTime == .min || use.candidateTime > time {
            use.candidates = pool.bins.indices.map { Int32($0) }
        } else {
            addOpened(use, pool, through: time, duration)
        }
        effort += use.candidates.count
        use.candidateTime = time
        use.binCount = pool.bins.count
        let need = use.need
        let company = planClass.company
        let blocked = pool.whole.lastBelow(1, from: time, to: until)
        use.candidates.removeAll {
            !pool.fits(need, in: Int($0), at: time, until: until, blocked: blocked, user: company)
        }
    }

    private mutating func addOpened(_ use: PoolUse, _ pool: Pool, through time: Int64, _ duration: Int64) {
        marks.begin(pool.bins.count)
        for bin in use.candidates { marks.insert(Int(bin)) }
        for bin in use.binCount..<max(pool.bins.count, use.binCount) where marks.insert(bin) {
            use.candidates.append(Int32(bin))
        }
        guard time > use.candidateTime else { return }
        var steps = 0
        pool.openings.visit(after: use.candidateTime, covering: use.need, for: duration, steps: &steps) { key in
            if key.time > time { return false }
            if key.bin >= 0, marks.insert(Int(key.bin)) { use.candidates.append(key.bin) }
            return true
        }
        effort += steps
    }

    // MARK: - Choosing

    /// How many offers more are needed at least, where these did not do.
    private func missing(_ group: PlanGroup, _ offers: [Offer]) -> Int {
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
        if planClass.options[option].groups[group].isWhole { return next }
        // Of several pools each may bring the missing ones: the earliest of all counts.
        let uses = planClass.options[option].groups[group].uses
        if uses.count > 1 { left = max(1, missing / uses.count) }
        for use in uses where !use.isWhole {
            if let opened = opening(use, after: time, duration, count: left, before: next ?? .max) { next = opened }
        }
        return next
    }

    /// The time of the `count`-th opening after `time` that has room, if that is before `bound`.
    private mutating func opening(
        _ use: PoolUse, after time: Int64, _ duration: Int64, count: Int, before bound: Int64
    ) -> Int64? {
        var left = count
        var found: Int64?
        var steps = 0
        cluster.pools[Int(use.pool)].openings.visit(after: time, covering: use.need, for: duration, steps: &steps) {
            key in
            if key.time >= bound { return false }
            if key.bin < 0 { return true }
            left -= 1
            if left == 0 { found = key.time }
            return left > 0
        }
        effort += steps
        return found
    }

    /// The first time at or after `from` from which on the free nodes of all pools together are enough all the time:
    /// no start is possible before, as each pool can give no more than its least.
    private mutating func wholeChance(_ group: PlanGroup, from: Int64, duration: Int64) -> Int64? {
        let most = group.uses.reduce(1) { max($0, $1.capacity) }
        let wanted = Int32(max(group.minNodes, (group.tasks + most - 1) / most))
        if group.uses.count == 1 {
            effort += 1
            return cluster.pools[Int(group.uses[0].pool)].whole.earliest(wanted, from: from, duration: duration)
        }
        var merged = MergedProfiles(from: from)
        let start = merged.read(group.uses.map { cluster.pools[Int($0.pool)] }[...]) { merged in
            merged.firstStart(of: wanted, duration: duration)
        }
        effort += merged.steps / 8
        return start
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
