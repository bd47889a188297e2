// Where and when a class fits.

extension NodeMachine {
    /// The earliest place at or after `from`; `only`: at `from` or nowhere.
    mutating func search(
        _ planClass: PlanClass, from: Int64, duration: Int64, only: Bool = false
    ) -> PlanClass.Answer? {
        var best: PlanClass.Answer?
        for index in planClass.options.indices {
            let bound = best?.time ?? (only ? from.plus(1) : .max)
            guard let time = earliest(planClass, option: index, from: from, duration: duration, before: bound) else {
                continue
            }
            if time < bound { best = answer(planClass, index, time, duration) ?? best }
            if best?.time == from { break }
        }
        planClass.answer = best
        return best
    }

    /// The earliest time before `bound` at which all groups of an option and its licences fit.
    private mutating func earliest(
        _ planClass: PlanClass, option: Int, from: Int64, duration: Int64, before bound: Int64
    ) -> Int64? {
        var time = from
        // Each part moves the time on until none does.
        while time < bound {
            let before = time
            guard let licensed = licensed(planClass.options[option], from: time, duration: duration) else { return nil }
            time = licensed
            for group in planClass.options[option].groups.indices {
                guard
                    let fitting = earliest(planClass, option, group, from: time, duration: duration, before: bound)
                else { return nil }
                time = fitting
            }
            if time == before || planClass.options[option].groups.count == 1 && time == licensed { return time }
        }
        return nil
    }

    private func licensed(_ option: PlanOption, from: Int64, duration: Int64) -> Int64? {
        if option.licenses.isEmpty { return from }
        var time = from
        while true {
            let before = time
            for license in option.licenses {
                let count = Int32(clamping: license.count)
                let own = option.reservation >= 0 ? cluster.reservedLicenses[option.reservation][license.license] : nil
                let profile = own ?? cluster.licenses[license.license]
                guard let next = profile.earliest(count, from: time, duration: duration) else { return nil }
                time = next
            }
            if time == before { return time }
        }
    }

    private mutating func earliest(
        _ planClass: PlanClass, _ option: Int, _ group: Int, from: Int64, duration: Int64, before bound: Int64
    ) -> Int64? {
        if planClass.options[option].groups[group].isSingle {
            let found = single(planClass, option, group, from: from, duration: duration, before: bound)
            planClass.lastSingle = found.map {
                PlanClass.Single(time: $0.time, use: $0.use, bin: $0.bin, option: option, group: group)
            }
            return found?.time
        }
        return several(planClass, option, group, from: from, duration: duration, before: bound)
    }

    /// What to take at `time`, which the search has found.
    private mutating func answer(
        _ planClass: PlanClass, _ option: Int, _ time: Int64, _ duration: Int64
    ) -> PlanClass.Answer? {
        var parts: [HoldPart] = []
        for group in planClass.options[option].groups.indices {
            if planClass.options[option].groups[group].isSingle {
                guard
                    let found = known(planClass, option, group, time)
                        ?? single(planClass, option, group, from: time, duration: duration), found.time == time
                else { return nil }
                let use = planClass.options[option].groups[group].uses[found.use]
                parts.append(
                    HoldPart(
                        pool: use.pool, bin: found.bin, count: 1, need: use.need, tasks: Int32(use.capacity),
                        isWhole: use.isWhole, group: Int16(group), use: Int16(found.use)))
            } else {
                guard let chosen = selection(planClass, option, group, at: time, duration: duration) else { return nil }
                parts += chosen
            }
        }
        return PlanClass.Answer(time: time, option: option, version: version, parts: parts)
    }

    // MARK: - One node

    /// What the search has just found for the group, if it was for that time.
    private func known(
        _ planClass: PlanClass, _ option: Int, _ group: Int, _ time: Int64
    ) -> (time: Int64, use: Int, bin: Int32)? {
        guard let last = planClass.lastSingle, last.option == option, last.group == group, last.time == time else {
            return nil
        }
        return (last.time, last.use, last.bin)
    }

    /// The pool and place of the earliest start of a job of one node.
    private mutating func single(
        _ planClass: PlanClass, _ option: Int, _ group: Int, from: Int64, duration: Int64, before bound: Int64 = .max
    ) -> (time: Int64, use: Int, bin: Int32)? {
        var best: (time: Int64, use: Int, bin: Int32)?
        let uses = planClass.options[option].groups[group].uses
        for index in uses.indices {
            guard
                let found = find(
                    uses[index], planClass, from: from, duration: duration,
                    before: best?.time ?? bound)
            else { continue }
            if found.time < best?.time ?? .max { best = (found.time, index, found.bin) }
            if found.time <= from { break }
        }
        return best
    }

    /// The earliest place in one pool. Answers nil without search where it is known to be no earlier than `bound`.
    private mutating func find(
        _ use: PoolUse, _ planClass: PlanClass, from: Int64, duration: Int64, before bound: Int64
    ) -> PoolUse.Found? {
        let pool = cluster.pools[Int(use.pool)]
        let isForeign = duration != planClass.duration
        if use.releases != pool.releases || isForeign {
            use.restart()
            use.releases = isForeign ? -1 : pool.releases
        }
        if let found = use.found {
            // What was found is a bound for what is there now.
            if found.time >= bound, found.time >= from { return nil }
            if use.foundVersion == pool.version, found.time >= from { return found }
        } else if use.foundVersion == pool.version {
            return nil
        }
        let whole = wholeNode(use, pool, from: from, duration: duration)
        let limit = min(whole?.time ?? .max, bound)
        let shared = use.isWhole ? nil : bin(use, pool, planClass, from: from, duration: duration, through: limit)
        guard let found = shared ?? whole, found.time <= bound || bound == .max else {
            // Nothing before the bound, which says nothing about later.
            if bound == .max {
                use.found = nil
                use.foundVersion = pool.version
            }
            return nil
        }
        use.found = found
        use.foundVersion = pool.version
        return found
    }

    private mutating func wholeNode(
        _ use: PoolUse, _ pool: Pool, from: Int64, duration: Int64
    ) -> PoolUse.Found? {
        var time = max(from, use.wholeBound)
        while true {
            effort += 1
            guard let free = pool.whole.earliest(1, from: time, duration: duration) else {
                use.wholeBound = .max - 1
                return nil
            }
            time = use.allowed(from: free, duration: duration)
            if time == .max { return nil }
            if time == free { break }
        }
        use.wholeBound = time
        return PoolUse.Found(time: time, bin: -1)
    }

    /// The earliest place in a bin, no later than `limit`.
    private mutating func bin(
        _ use: PoolUse, _ pool: Pool, _ planClass: PlanClass, from: Int64, duration: Int64, through limit: Int64
    ) -> PoolUse.Found? {
        if from > use.scan.time { use.scan = PoolUse.BinScan(time: from, cursor: 0) }
        let need = use.need
        let company = planClass.company
        while true {
            if use.scan.cursor >= 0 {
                if use.scan.time > limit { return nil }
                if let bin = tryAll(use, pool, need, company, duration) {
                    return PoolUse.Found(time: use.scan.time, bin: bin)
                }
                use.scan.cursor = -1
                use.scan.key = Openings.Key(time: use.scan.time, bin: -1)
            }
            let special = use.nextAllowedAgain(after: use.scan.key.time)
            if let found = tryOpenings(
                use, pool, need, company, duration, through: min(limit, special.map { $0 - 1 } ?? .max))
            {
                return found
            }
            guard let special, special <= limit else { return nil }
            use.scan = PoolUse.BinScan(time: special, cursor: 0)
        }
    }

    private mutating func tryAll(
        _ use: PoolUse, _ pool: Pool, _ need: Amount, _ company: Company, _ duration: Int64
    ) -> Int32? {
        let time = use.scan.time
        let until = time.plus(duration)
        if use.allowed(from: time, duration: duration) != time { return nil }
        while Int(use.scan.cursor) < pool.bins.count {
            effort += 1
            if pool.fits(need, in: Int(use.scan.cursor), at: time, until: until, user: company) {
                return use.scan.cursor
            }
            use.scan.cursor += 1
        }
        guard pool.whole.value(at: time) >= 1 else { return nil }
        // A whole node is free for a while, until a bin of later begins.
        let blocked = pool.whole.firstBelow(1, from: time) ?? .max
        return pool.laterBin(for: need, at: time, until: until, blocked: blocked, user: company).map { Int32($0) }
    }

    private mutating func tryOpenings(
        _ use: PoolUse, _ pool: Pool, _ need: Amount, _ company: Company, _ duration: Int64, through limit: Int64
    ) -> PoolUse.Found? {
        var steps = 0
        let bin = pool.openings.first(
            from: &use.scan.key, through: limit, covering: need, for: duration, steps: &steps
        ) { bin, time in
            var look = pool.look(need, in: Int(bin), at: time, until: time.plus(duration), user: company)
            if look.free == nil, use.allowed(from: time, duration: duration) != time {
                look.free = pool.bins[Int(bin)].amount(at: time)
            }
            return look
        }
        effort += steps
        guard let bin else { return nil }
        use.scan.time = use.scan.key.time
        return PoolUse.Found(time: use.scan.key.time, bin: bin)
    }
}
