// Components of a heterogeneous job: planned as one demand that starts together or not at all.

extension NodeMachine {
    /// The earliest time at which all components fit beside each other.
    mutating func earliestTogether(_ planClass: PlanClass, from: Int64) -> Int64? {
        var time = max(from, planClass.begin)
        while time < horizon {
            var next = time
            for number in planClass.components {
                let component = classes[Int(number)]
                guard let answer = search(component, from: max(next, component.begin), duration: component.duration)
                else {
                    planClass.isNever = true
                    return nil
                }
                next = answer.time
            }
            if next > time {
                time = next
                continue
            }
            if let holds = takeTogether(planClass, at: time) {
                for hold in holds { release(hold, from: time) }
                return time
            }
            guard let change = nextChange(after: time) else { return nil }
            time = change
        }
        return nil
    }

    /// Takes all components at `time`, or nothing.
    mutating func takeTogether(_ planClass: PlanClass, at time: Int64) -> [NodeHold]? {
        var holds: [NodeHold] = []
        for number in planClass.components {
            let component = classes[Int(number)]
            component.restart()
            guard let answer = search(component, from: time, duration: component.duration, only: true),
                answer.time == time
            else {
                for hold in holds.reversed() { release(hold, from: time) }
                return nil
            }
            holds.append(take(answer, number, time, time.plus(component.duration)))
        }
        return holds
    }

    /// Starts all components down to their cores, or nothing.
    mutating func startTogether(_ planClass: PlanClass, _ demand: Int32, at now: Int64) -> NodeHold? {
        let before = (cluster.nodes, cluster.wholeJobs, cluster.pools.map(\.idleNow), starts.count)
        var holds: [NodeHold] = []
        for number in planClass.components {
            let component = classes[Int(number)]
            component.restart()
            if let answer = search(component, from: now, duration: component.duration, only: true), answer.time == now,
                let hold = place(answer, number, now, now.plus(component.duration))
            {
                holds.append(hold)
                continue
            }
            for hold in holds.reversed() { release(hold, from: now) }
            cluster.nodes = before.0
            cluster.wholeJobs = before.1
            for (pool, idle) in zip(cluster.pools, before.2) { pool.idleNow = idle }
            starts.removeLast(starts.count - before.3)
            return nil
        }
        return joined(holds, demand, now)
    }

    func joined(_ holds: [NodeHold], _ demand: Int32, _ start: Int64) -> NodeHold {
        var hold = NodeHold(
            planClass: demand, option: 0, start: start, end: holds.map(\.end).max() ?? start, parts: [])
        hold.components = holds
        hold.started = holds.first?.started ?? -1
        return hold
    }

    /// The first time after `time` at which anything becomes free.
    private func nextChange(after time: Int64) -> Int64? {
        var next: Int64?
        for pool in cluster.pools { if let change = pool.change(after: time) { next = min(next ?? .max, change) } }
        for license in cluster.licenses {
            let index = license.segment(of: time) + 1
            if index < license.times.count { next = min(next ?? .max, license.times[index]) }
        }
        return next
    }
}

extension Pool {
    /// The first time after `time` at which the count of free nodes or a bin changes.
    func change(after time: Int64) -> Int64? {
        var next: Int64?
        let index = whole.segment(of: time) + 1
        if index < whole.times.count, whole.times[index] > time { next = whole.times[index] }
        let key = Openings.Key(time: time, bin: .max)
        let block = openings.block(of: key)
        guard block >= 0 else { return next }
        let entry = Openings.position(of: key, in: openings.blocks[block].entries)
        if entry < openings.blocks[block].entries.count {
            next = min(next ?? .max, openings.blocks[block].entries[entry].key.time)
        }
        return next
    }
}
