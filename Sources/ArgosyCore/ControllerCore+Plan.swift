// The plan comes back and is verified placement by placement.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func apply(_ plan: Plan) {
        // A plan of this very state would come out the same.
        let isStale = plan.version != version
        var dropped = false
        for placement in plan.placements where !start(placement) { dropped = true }
        for explanation in plan.explanations { note(explanation, of: plan) }
        if dropped && isStale { wantPlan() }
    }

    /// False when the placement no longer holds: the job or the nodes changed since the snapshot.
    private mutating func start(_ placement: Placement) -> Bool {
        guard let record = record(placement.job), record.state == .pending, !record.isHeld, record.eligible <= now,
            record.dependency == .none, record.shape >= 0,
            shapes.shapes[Int(record.shape)].partitions.contains(placement.partition),
            isPartitionUp(UInt16(placement.partition)), startableCopies(record) > 0, holds(placement.allocation),
            respectsReservations(record.id, placement.allocation)
        else { return false }
        var id = record.id
        if record.arrayJob != 0 && !record.hasElementIndex {
            guard let element = startElement(of: record) else { return false }
            id = element
        }
        change(id) { $0.partition = UInt16(placement.partition) }
        startAttempt(id, placement.allocation)
        leaveQueue()
        noteArrayLimit(record.id)
        return true
    }

    private func holds(_ allocation: Allocation) -> Bool {
        guard !allocation.nodes.isEmpty else { return false }
        var seen: [NodeIndex] = []
        for node in allocation.nodes {
            guard let record = tables.nodes[node.index.rawValue], record.takesWork, !node.cpus.isEmpty,
                !seen.contains(node.index), node.memoryMiB <= record.freeMemoryMiB
            else { return false }
            var missing = node.cpus
            missing.subtract(record.freeCPUs)
            if !missing.isEmpty { return false }
            seen.append(node.index)
        }
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

    /// Reasons are told, not stored: a restart plans anew.
    private mutating func note(_ explanation: Explanation, of plan: Plan) {
        var note = JobNote(detail: plan.detail(of: explanation))
        note.expectedStart = explanation.expectedStart
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
