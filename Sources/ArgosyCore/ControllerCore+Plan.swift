// The plan comes back and is verified placement by placement.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func apply(_ plan: Plan) {
        // A plan of this very state would come out the same.
        let isStale = plan.version != version
        var dropped = false
        var components: [Placement] = []
        let before = tables.tally.started
        for placement in plan.placements {
            if record(placement.job)?.hetLeader ?? 0 != 0 {
                components.append(placement)
            } else if !start(placement) {
                dropped = true
            }
        }
        if !startTogether(components) { dropped = true }
        countBackfilled(plan, started: tables.tally.started - before)
        for preemption in plan.preemptions { preempt(preemption) }
        for explanation in plan.explanations { note(explanation, of: plan) }
        if let backlog = plan.backlog { policy.backlogs.take(backlog) }
        plannedVersion = plan.version
        awaitPlannedStart(plan)
        if dropped && isStale { wantPlan() }
    }

    /// What a placement that still holds comes to.
    private struct Start {
        var timeLimit: TimeLimit
        var licenses: [Shape.LicenseDemand]
    }

    /// Nil when the placement no longer holds: the job or the nodes changed since the snapshot. Without `alone` the free
    /// nodes and licenses are the caller's to check.
    private func check(_ placement: Placement, alone: Bool = true) -> Start? {
        guard let record = record(placement.job), record.state == .pending, !record.isHeld, record.eligible <= now,
            record.dependency == .none, record.shape >= 0, isPartitionUp(UInt16(placement.partition)),
            startableCopies(record) > 0, let limit = timeLimit(of: record, placement),
            respectsReservations(record, placement.allocation, limit: limit)
        else { return nil }
        let shape = shapes.shapes[Int(record.shape)]
        let members = tables.partitions[placement.partition].nodes
        guard shape.partitions.contains(placement.partition),
            placement.allocation.nodes.allSatisfy({ members.holds($0.index) }),
            let licenses = licenses(of: shape, placement)
        else { return nil }
        if alone && !isFree(placement.allocation) { return nil }
        if let job = limitedJob(record), !tables.book.mayStart(job, at: now) { return nil }
        return Start(timeLimit: limit, licenses: licenses)
    }

    /// As planned, within what the job allows (--time-min), and so that it ends by its deadline; nil when it cannot.
    private func timeLimit(of record: JobRecord, _ placement: Placement) -> TimeLimit? {
        var limit = record.timeLimit
        if placement.timeLimit != .notGiven, placement.timeLimit < limit {
            guard record.timeMin != .notGiven, placement.timeLimit >= record.timeMin else { return nil }
            limit = placement.timeLimit
        }
        guard record.endBy.isSet else { return limit }
        let left = (record.endBy - now).components.seconds / 60
        guard left > 0 else { return nil }
        let longest = TimeLimit(minutes: UInt32(clamping: left))
        if limit <= longest { return limit }
        let least = record.timeMin != .notGiven ? record.timeMin : limit
        return limit == .unlimited || least <= longest ? longest : nil
    }

    /// The licenses it takes, when they are free.
    private func licenses(of shape: Shape, _ placement: Placement) -> [Shape.LicenseDemand]? {
        guard shape.anyLicense else { return areFree(shape.licenses) ? shape.licenses : nil }
        let planned = placement.licenses.filter(shape.licenses.contains)
        return (planned + shape.licenses).first { areFree([$0]) }.map { [$0] } ?? (shape.licenses.isEmpty ? [] : nil)
    }

    /// False when the placement no longer holds.
    private mutating func start(_ placement: Placement) -> Bool {
        guard let start = check(placement) else { return false }
        return perform(placement, start)
    }

    private mutating func perform(_ placement: Placement, _ start: Start) -> Bool {
        guard let record = record(placement.job) else { return false }
        var id = record.id
        if record.arrayJob != 0 && !record.hasElementIndex {
            guard let element = startElement(of: record) else { return false }
            id = element
        }
        change(id) { job in
            job.partition = UInt16(placement.partition)
            job.timeLimit = start.timeLimit
        }
        startAttempt(id, placement.allocation, licenses: start.licenses)
        leaveQueue()
        // Counted at once: the next placement of this plan may meet the same limit.
        recount(id)
        noteArrayLimit(record.id)
        return true
    }

    /// The components of a heterogeneous job start in one turn, or none of them does.
    private mutating func startTogether(_ placements: [Placement]) -> Bool {
        var all = true
        var leaders: [UInt32] = []
        for leader in placements.compactMap({ record($0.job)?.hetLeader }) where !leaders.contains(leader) {
            leaders.append(leader)
        }
        for leader in leaders {
            let parts = placements.filter { record($0.job)?.hetLeader == leader }
            if !startComponents(of: leader, parts) { all = false }
        }
        return all
    }

    private mutating func startComponents(of leader: UInt32, _ parts: [Placement]) -> Bool {
        let waiting = components(of: leader).filter { record($0)?.state == .pending }
        let starts = parts.compactMap { check($0, alone: false) }
        guard parts.map(\.job).sorted() == waiting, starts.count == parts.count,
            areFree(starts.flatMap(\.licenses).summed), let all = Allocation.joined(parts.map(\.allocation)),
            isFree(all)
        else { return false }
        for (part, start) in zip(parts, starts) { _ = perform(part, start) }
        return true
    }

    /// The job that the array's next element becomes: one of its own, and for the last one the array's own record.
    private mutating func startElement(of array: JobRecord) -> JobID? {
        let pending = tables.pendingIndices[array.id.rawValue] ?? []
        guard let index = IndexRanges.first(openElements(of: array)) else { return nil }
        let left = IndexRanges.removing(index, from: pending)
        tables.pendingIndices[array.id.rawValue] = left.isEmpty ? nil : left
        if left.isEmpty {
            change(array.id) { $0.arrayIndex = index }
            forgetDependency(array.id)
            noteLive(array.id)
            return array.id
        }
        guard let id = try? nextJobID() else { return nil }
        tables.jobs[id.rawValue] = JobRecord(id, elementOf: array, index: index)
        tables.specs[id.rawValue] = tables.specs[array.id.rawValue]
        shapes.retain(array.shape)
        liveJobs += 1
        noteLive(id)
        change(id) { _ in }
        change(array.id) { _ in }
        return id
    }

    // MARK: Reasons

    private mutating func awaitPlannedStart(_ plan: Plan) {
        var next = Timestamp.never
        for explanation in plan.explanations where explanation.isReserved && explanation.expectedStart > now {
            next = min(next, explanation.expectedStart)
        }
        if next != plannedStart { deadlines.add(next, .plannedStart, 0) }
        plannedStart = next
    }

    /// Reasons are told, not stored: a restart plans anew.
    private mutating func note(_ explanation: Explanation, of plan: Plan) {
        var note = JobNote(detail: plan.detail(of: explanation))
        note.expectedStart = explanation.expectedStart
        note.isReserved = explanation.isReserved
        note.nodes = plan.nodeList(of: explanation)
        note.reasons = explanation.reasons
        self.note(explanation.job, explanation.reason, note)
    }

    private mutating func note(_ id: JobID, _ reason: PendingReason, _ note: JobNote) {
        guard let record = record(id), record.state == .pending, !record.isHeld else { return }
        if record.reason != reason { tables.jobs.update(id.rawValue) { $0.reason = reason } }
        if tables.notes[id.rawValue] != note { tables.notes[id.rawValue] = note }
    }

    /// The rest of an array whose own limit is reached is told so at once.
    private mutating func noteArrayLimit(_ id: JobID) {
        guard let array = record(id), array.state == .pending, array.arrayJob == id.rawValue,
            let limit = tables.specs[id.rawValue]?.fields.array?.maxRunning, startableCopies(array) == 0
        else { return }
        let detail = "\(limit) elements of the array run, as many as it allows"
        note(id, .jobArrayTaskLimit, JobNote(detail: detail))
    }

    /// A closed partition's jobs are told so at once, without a plan.
    mutating func noteUnplanned() {
        for key in queue.keys where isQueued(key) { noteUnplanned(key.job) }
    }

    mutating func noteUnplanned(_ id: JobID) {
        guard let record = record(id), !isPartitionUp(record.partition) else { return }
        let partition = tables.partitions[Int(record.partition)]
        note(id, .partitionDown, JobNote(detail: "partition \(partition.name) is \(partition.state)"))
    }
}

extension [NodeIndex] {
    /// Ascending, as partitions keep them.
    fileprivate func holds(_ index: NodeIndex) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == index
    }
}

extension [Shape.LicenseDemand] {
    /// Each license once.
    fileprivate var summed: Self {
        reduce(into: []) { sums, demand in
            if let place = sums.firstIndex(where: { $0.license == demand.license }) {
                sums[place].count += demand.count
            } else {
                sums.append(demand)
            }
        }
    }
}

extension Allocation {
    /// What several allocations hold of each node in all; nil when two of them want the same CPU or device.
    fileprivate static func joined(_ parts: [Allocation]) -> Allocation? {
        var nodes: [Node] = []
        for node in parts.flatMap(\.nodes) {
            guard let place = nodes.firstIndex(where: { $0.index == node.index }) else {
                nodes.append(node)
                continue
            }
            guard nodes[place].cpus.isDisjoint(with: node.cpus), nodes[place].add(node.gres) else { return nil }
            nodes[place].cpus.formUnion(node.cpus)
            nodes[place].memoryMiB += node.memoryMiB
        }
        return Allocation(nodes: nodes, cpusPerTask: 1)
    }
}

extension Allocation.Node {
    fileprivate mutating func add(_ grants: [GRESGrant]) -> Bool {
        for grant in grants {
            guard let place = gres.firstIndex(where: { $0.name == grant.name && $0.type == grant.type }) else {
                gres.append(grant)
                continue
            }
            guard gres[place].devices.isDisjoint(with: grant.devices) else { return false }
            gres[place].count += grant.count
            gres[place].devices.formUnion(grant.devices)
        }
        return true
    }
}
