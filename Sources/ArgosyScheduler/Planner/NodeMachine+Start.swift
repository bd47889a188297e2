// A start: the counts of the plan become nodes, cores and devices.
import ArgosyDomain

extension NodeMachine {
    mutating func start(_ demand: Int32, at now: Int64, duration: Int64) -> NodeHold? {
        let planClass = classes[Int(demand)]
        if isForecast || isHeldBack(planClass) { return nil }
        if planClass.misfitReleases == releases || max(planClass.begin, planClass.floor) > now {
            holdBack(planClass)
            return nil
        }
        if !planClass.components.isEmpty {
            if let hold = startTogether(planClass, demand, at: now) { return hold }
            planClass.floor = now + 1
        } else if let answer = search(planClass, from: now, duration: duration), answer.time == now {
            if let hold = place(answer, demand, now, now.plus(duration)) { return hold }
            // Enough is free, but not the cores and devices that would do together: not before something ends.
            planClass.floor = nextEnd
        } else if let hold = startShortened(planClass, demand, now, duration) {
            return hold
        }
        planClass.misfitReleases = releases
        holdBack(planClass)
        return nil
    }

    /// `--time-min`: the longest length that fits now, if the least one does.
    private mutating func startShortened(
        _ planClass: PlanClass, _ demand: Int32, _ now: Int64, _ duration: Int64
    ) -> NodeHold? {
        let step = max(60, cluster.resolution)
        guard planClass.leastDuration > 0, planClass.leastDuration < duration,
            fitsNow(planClass, planClass.leastDuration)
        else { return nil }
        // Lengths are tried in whole minutes, as limits are.
        var low = planClass.leastDuration / step
        var high = (duration + step - 1) / step
        while high - low > 1 {
            let middle = (low + high) / 2
            if fitsNow(planClass, middle * step) { low = middle } else { high = middle }
        }
        let length = max(low * step, planClass.leastDuration)
        guard let answer = search(planClass, from: now, duration: length), answer.time == now else { return nil }
        return place(answer, demand, now, now.plus(length))
    }

    private mutating func fitsNow(_ planClass: PlanClass, _ duration: Int64) -> Bool {
        search(planClass, from: now, duration: duration, only: true)?.time == now
    }

    /// The first time after now at which a running job is to end.
    var nextEnd: Int64 {
        var next = now.plus(cluster.resolution)
        if let first = cluster.pools.lazy.compactMap({ $0.firstChange }).min() { next = max(next, first) }
        return next
    }

    // MARK: - Placing

    private struct Share {
        var part: Int
        var position: Int32
        var tasks: Int
        var jobGRES: [Int]
    }

    mutating func place(_ answer: PlanClass.Answer, _ demand: Int32, _ now: Int64, _ end: Int64) -> NodeHold? {
        let planClass = classes[Int(demand)]
        let option = planClass.options[answer.option]
        var answer = answer
        guard let shares = shares(&answer, planClass, option, now, end) else { return nil }
        var grants: [(share: Share, grant: Grant)] = []
        for share in shares {
            let part = answer.parts[share.part]
            let fit = option.groups[Int(part.group)].uses[Int(part.use)].fit
            guard
                let grant = fit.grant(
                    tasks: share.tasks, jobGRES: share.jobGRES, on: cluster.nodes[Int(share.position)])
            else { return nil }
            grants.append((share, grant))
        }
        guard exact(&answer, grants.map { ($0.share.part, $0.grant) }, planClass, now, end) else { return nil }
        var hold = take(answer, demand, now, end)
        for (share, grant) in grants {
            let part = hold.parts[share.part]
            cluster.pools[Int(part.pool)].occupied(share.position, bin: part.isWhole ? -1 : part.bin)
            if part.isWhole { cluster.wholeJobs[share.position] = end }
            cluster.remove(grant.node, from: Int(share.position))
        }
        hold.started = Int32(starts.count)
        starts.append(
            Start(
                planClass: demand, partition: option.partition, reservation: option.reservation,
                licenses: option.licenses, end: end,
                grants: grants.map(\.grant).sorted { $0.node.index < $1.node.index }))
        return hold
    }

    /// Replaces what was planned by what was granted, where that differs and fits.
    private func exact(
        _ answer: inout PlanClass.Answer, _ grants: [(part: Int, grant: Grant)], _ planClass: PlanClass, _ now: Int64,
        _ end: Int64
    ) -> Bool {
        for (index, grant) in grants where !answer.parts[index].isWhole {
            let pool = cluster.pools[Int(answer.parts[index].pool)]
            let need = Amount(cluster.models[pool.kind].counts(of: grant.node))
            let planned = answer.parts[index].need
            answer.parts[index].need = need
            if planned.covers(need) || answer.parts[index].bin < 0 { continue }
            let bin = Int(answer.parts[index].bin)
            let start = max(now, pool.bins[bin].start)
            guard pool.bins[bin].fits(need, from: start, until: end) else { return false }
        }
        return true
    }

    /// Nodes and tasks: those the plan has counted on, or, where the job is particular about them, those it likes best.
    private mutating func shares(
        _ answer: inout PlanClass.Answer, _ planClass: PlanClass, _ option: PlanOption, _ now: Int64, _ end: Int64
    ) -> [Share]? {
        let shape = cluster.snapshot.shapes[planClass.shape]
        if let single = singleShare(answer, shape) { return [single] }
        if option.groups.count == 1, isParticular(shape, option) {
            guard let parts = allParts(planClass, answer.option, now, end - now) else { return nil }
            return choose(&answer, parts, planClass, shape, option)
        }
        return choose(&answer, answer.parts, planClass, shape, option)
            ?? allParts(planClass, answer.option, now, end - now).flatMap {
                choose(&answer, $0, planClass, shape, option)
            }
    }

    private func singleShare(_ answer: PlanClass.Answer, _ shape: Shape) -> Share? {
        guard answer.parts.count == 1, let part = answer.parts.first, part.count == 1, part.tasks >= shape.tasks,
            shape.prefer == nil
        else { return nil }
        let pool = cluster.pools[Int(part.pool)]
        let node = part.bin >= 0 ? pool.bins[Int(part.bin)].node : -1
        guard let position = node >= 0 ? node : pool.idleNow.first else { return nil }
        return Share(part: 0, position: position, tasks: shape.tasks, jobGRES: wholeGRES(shape))
    }

    private func wholeGRES(_ shape: Shape) -> [Int] {
        shape.gres.contains { $0.per == .job }
            ? shape.gres.map { $0.per == .job ? Int(clamping: $0.count) : 0 } : []
    }

    private func isParticular(_ shape: Shape, _ option: PlanOption) -> Bool {
        shape.contiguous || shape.switches > 0 || shape.spreadJob || shape.prefer != nil || !shape.requiredNodes.isEmpty
            || cluster.snapshot.partitions[option.partition].leastLoaded || !cluster.snapshot.switches.isEmpty
            || shape.gres.contains { $0.per == .job } || shape.minNodes < min(shape.maxNodes, shape.tasks)
            || shape.prefersMaxNodes
    }

    /// All that could be taken now, as parts of one node each.
    private mutating func allParts(
        _ planClass: PlanClass, _ option: Int, _ now: Int64, _ duration: Int64
    ) -> [HoldPart]? {
        guard planClass.options[option].groups.count == 1 else { return nil }
        var parts: [HoldPart] = []
        for offer in offers(planClass, option, 0, at: now, duration: duration) {
            let group = planClass.options[option].groups[0]
            let use = group.uses[offer.use]
            let need = use.fit.need(tasks: offer.capacity, from: use.fit.model.idle).map { Amount($0) } ?? use.need
            let part = HoldPart(
                pool: use.pool, bin: offer.bin, count: 1, need: need, tasks: Int32(offer.capacity),
                isWhole: use.isWhole, group: 0, use: Int16(offer.use))
            parts += Array(repeating: part, count: offer.count)
        }
        return parts
    }

    private func choose(
        _ answer: inout PlanClass.Answer, _ parts: [HoldPart], _ planClass: PlanClass, _ shape: Shape,
        _ option: PlanOption
    ) -> [Share]? {
        var candidates: [Candidate] = []
        var sources: [Int: (part: Int, position: Int32)] = [:]
        var picked = Array(repeating: 0, count: cluster.pools.count)
        let constraint = CompiledConstraint(shape.constraint, cluster.features)
        for (index, part) in parts.enumerated() {
            let pool = cluster.pools[Int(part.pool)]
            let fit = option.groups[Int(part.group)].uses[Int(part.use)].fit
            for _ in 0..<part.count {
                var position = part.bin >= 0 ? pool.bins[Int(part.bin)].node : -1
                if position < 0 {
                    guard picked[Int(part.pool)] < pool.idleNow.count else { return nil }
                    position = pool.idleNow[picked[Int(part.pool)]]
                    picked[Int(part.pool)] += 1
                }
                let node = cluster.nodes[Int(position)]
                let groups = constraint.match(cluster.featureSets[node.kind]).groups
                guard var candidate = fit.candidate(node, groups: groups) else { continue }
                candidate.leaf = cluster.snapshot.kinds[node.kind].leaf
                if part.tasks > 0 { candidate.capacity = min(candidate.capacity, Int(part.tasks)) }
                sources[node.index.int] = (index, position)
                candidates.append(candidate)
            }
        }
        let chooser = NodeChooser(
            shape, tree: cluster.snapshot.switches, constraint: constraint,
            leastLoaded: cluster.snapshot.partitions[option.partition].leastLoaded,
            fromEnd: cluster.snapshot.settings.packsSerialAtEnd,
            wholeNodes: option.groups.contains { $0.uses.contains { $0.fit.isExclusive } })
        guard let chosen = try? chooser.choose(candidates) else { return nil }
        var kept: [HoldPart] = []
        var shares: [Share] = []
        for share in chosen {
            guard let source = sources[share.node.int] else { return nil }
            var part = parts[source.part]
            part.count = 1
            part.tasks = Int32(share.tasks)
            kept.append(part)
            shares.append(
                Share(part: kept.count - 1, position: source.position, tasks: share.tasks, jobGRES: share.jobGRES))
        }
        answer.parts = kept
        return shares
    }
}

extension Pool {
    /// The node at `position` is no longer wholly free; a bin that had no node yet is on it.
    func occupied(_ position: Int32, bin: Int32) {
        if bin >= 0, bins[Int(bin)].node < 0 { bins[Int(bin)].node = position }
        if let at = idleNow.firstIndex(of: position) { idleNow.remove(at: at) }
    }

    /// The first time after now at which anything changes here.
    var firstChange: Int64? {
        let whole = whole.times.count > 1 ? whole.times[1] : Int64.max
        let opened = openings.blocks.first?.entries.first?.key.time ?? .max
        return min(whole, opened) == .max ? nil : min(whole, opened)
    }
}

extension Cluster {
    /// A start has taken `held` of the node at `position`.
    func remove(_ held: Allocation.Node, from position: Int) {
        nodes[position].freeCPUs.subtract(held.cpus)
        nodes[position].freeMemoryMiB -= min(held.memoryMiB, nodes[position].freeMemoryMiB)
        let units = models[nodes[position].kind].kind.hardware.gres
        for grant in held.gres {
            guard let at = units.firstIndex(where: { $0.name == grant.name && $0.type == grant.type }),
                at < nodes[position].freeGRES.count
            else { continue }
            nodes[position].freeGRES[at].count -= min(grant.count, nodes[position].freeGRES[at].count)
            nodes[position].freeGRES[at].devices.subtract(grant.devices)
        }
    }
}
