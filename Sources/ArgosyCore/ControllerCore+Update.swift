// Hold, release, requeue.
import ArgosyDomain

extension ControllerCore {
    mutating func update(
        _ selection: JobSelection, _ action: JobAction, by caller: Caller, reply handle: ReplyHandle
    ) {
        for item in selection.items {
            if let refusal = update(item, action, by: caller) {
                refuse(handle, refusal)
                return
            }
        }
        reply(handle, .done)
    }

    private mutating func update(_ item: JobSelection.Item, _ action: JobAction, by caller: Caller) -> Refusal? {
        var targets = [item.job]
        if record(item.job).map({ $0.arrayJob == $0.id.rawValue }) ?? true {
            let elements = liveElements(of: item.job)
            if !elements.isEmpty { targets = elements }
        }
        let components = components(of: item.job.rawValue)
        if !components.isEmpty { targets = components }
        guard let first = targets.first, let spec = tables.specs[first.rawValue] else {
            return Refusals.invalidJob(item.job)
        }
        if let refusal = accessRefusal(spec, caller) { return refusal }
        if targets.count == 1 && item.indices.isEmpty { return update(first, action, caller) }
        var chosen = targets.filter { id in
            guard let record = record(id) else { return false }
            return item.indices.isEmpty
                || record.hasElementIndex && IndexRanges.contains(item.indices, record.arrayIndex)
        }
        switch action {
        case .hold, .userHold, .release: chosen += item.indices.isEmpty ? [] : detach(item.indices, of: item.job)
        case .requeue, .requeueHold, .suspend, .resume: break
        }
        if chosen.isEmpty { return Refusals.invalidJob(item.job) }
        var refusal: Refusal?
        var anyDone = false
        for id in chosen {
            if let found = update(id, action, caller) { refusal = refusal ?? found } else { anyDone = true }
        }
        return anyDone || !item.indices.isEmpty && chosen.count > 1 ? nil : refusal
    }

    /// Elements that wait in their array's record, each under an id of its own from now on, since they shall differ from
    /// the others. Ascending by index; the last of an array keeps the array's own record.
    mutating func detach(_ wanted: [IndexRange], of array: JobID) -> [JobID] {
        guard let record = record(array), record.state == .pending, !record.hasElementIndex, !wanted.isEmpty,
            let pending = tables.pendingIndices[array.rawValue]
        else { return [] }
        let (taken, left) = IndexRanges.split(pending, by: wanted)
        if taken.isEmpty { return [] }
        // All that is left of it: nothing to tell apart.
        if left.isEmpty { return [array] }
        var made: [JobID] = []
        for index in taken.flatMap({ stride(from: $0.first, through: $0.last, by: Int($0.step)) }) {
            guard let id = try? nextJobID() else { break }
            var element = JobRecord(id, elementOf: record, index: index)
            element.reason = record.reason
            tables.jobs[id.rawValue] = element
            tables.specs[id.rawValue] = tables.specs[array.rawValue]
            tables.notes[id.rawValue] = tables.notes[array.rawValue]
            if element.shape >= 0 { shapes.retain(element.shape) }
            tables.pendingIndices[array.rawValue] = IndexRanges.removing(
                index, from: tables.pendingIndices[array.rawValue] ?? [])
            liveJobs += 1
            noteLive(id)
            change(id) { _ in }
            if let dependency = tables.dependencies[array.rawValue] { setDependency(id, dependency) }
            if let job = self.record(id) { enqueue(job) }
            made.append(id)
        }
        change(array) { _ in }
        return made
    }

    private mutating func update(_ id: JobID, _ action: JobAction, _ caller: Caller) -> Refusal? {
        guard let record = record(id) else { return Refusals.invalidJob(id) }
        switch action {
        case .hold: return hold(record, caller.isOperator ? .jobHeldAdmin : .jobHeldUser)
        case .userHold: return hold(record, .jobHeldUser)
        case .release: return release(record, caller)
        case .requeue: return requeue(record, hold: .none)
        case .suspend: return pause(record, by: caller)
        case .resume: return unpause(record, by: caller)
        case .requeueHold: return requeue(record, hold: caller.isOperator ? .jobHeldAdmin : .jobHeldUser)
        }
    }

    private mutating func hold(_ record: JobRecord, _ reason: PendingReason) -> Refusal? {
        guard record.state == .pending else {
            if record.state.isEnded { return Refusals.alreadyEnded(record.id) }
            return Refusal(
                .invalidState, "Job is no longer pending execution",
                detail: "job \(record.id) is \(record.state.name); only waiting jobs can be held, requeuehold ends and"
                    + " holds it")
        }
        if record.reason == .jobHeldAdmin { return nil }
        change(record.id) { job in
            job.reason = reason
            job.priority = 0
        }
        tables.notes[record.id.rawValue] = nil
        leaveQueue()
        if let job = self.record(record.id) { enqueue(job) }
        return nil
    }

    private mutating func release(_ record: JobRecord, _ caller: Caller) -> Refusal? {
        guard record.state == .pending else { return Refusals.alreadyEnded(record.id) }
        guard record.isHeld else { return nil }
        if record.reason == .jobHeldAdmin && !caller.isOperator {
            return Refusals.accessDenied("job \(record.id) is held by an administrator")
        }
        let priority = basePriority(of: record.id)
        let isEarly = record.eligible > now
        let now = now
        change(record.id) { job in
            job.reason = isEarly ? .beginTime : .none
            // Until now it did not wait for its turn.
            job.eligible = max(job.eligible, now)
            job.priority = priority
        }
        tables.notes[record.id.rawValue] = nil
        if let job = self.record(record.id) { enqueue(job) }
        return nil
    }

    private mutating func requeue(_ record: JobRecord, hold: PendingReason) -> Refusal? {
        guard record.isBatch else {
            return Refusal(
                .notSupported, "Only batch jobs are accepted or processed",
                detail: "job \(record.id) has no batch script that could run again")
        }
        guard record.allowsRequeue else {
            return Refusal(
                .notSupported, "Requested operation is presently disabled",
                detail: "job \(record.id) was submitted with --no-requeue")
        }
        switch record.state {
        case .pending: return Refusals.pending(record.id)
        case .running, .suspended:
            change(record.id) { $0.holdAfterRequeue = hold }
            complete(record.id, as: .cancelled, hold, "requeued", grace: configuration.killWait, requeue: true)
        case .completing:
            change(record.id) { job in
                job.requeueAfterEnd = true
                job.holdAfterRequeue = hold
                job.reason = hold
            }
        case .completed, .cancelled, .failed, .timeout, .nodeFail, .preempted, .bootFail, .deadline, .outOfMemory:
            guard tables.pendingIndices[record.id.rawValue] == nil else { return Refusals.alreadyEnded(record.id) }
            liveJobs += 1
            noteLive(record.id)
            change(record.id) { $0.holdAfterRequeue = hold }
            if let job = self.record(record.id) { requeue(job) }
        }
        return nil
    }
}
