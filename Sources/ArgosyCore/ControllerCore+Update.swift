// Hold, release, requeue.
import ArgosyDomain

extension ControllerCore {
    mutating func update(
        _ selection: JobSelection, _ action: JobAction, by caller: Caller, reply handle: ReplyHandle
    ) {
        for item in selection.items {
            if var refusal = update(item, action, by: caller) {
                // Slurm's word for those who do not own the job.
                if refusal.code == .accessDenied, refusal.detail.contains("belongs to") {
                    refusal.message = "Invalid user id"
                }
                refuse(handle, refusal)
                return
            }
        }
        reply(handle, .done)
    }

    private mutating func update(_ item: JobSelection.Item, _ action: JobAction, by caller: Caller) -> Refusal? {
        // Nobody makes records of another's array.
        if let owner = liveElements(of: item.job).first ?? record(item.job)?.id,
            let spec = tables.specs[owner.rawValue],
            let refusal = accessRefusal(spec, caller)
        {
            return refusal
        }
        let components = components(of: item.job.rawValue)
        let targets = components.isEmpty ? records(of: item, splits: action.isForWaiting) : components
        guard let first = targets.first, let spec = tables.specs[first.rawValue] else {
            return Refusals.invalidJob(item.job)
        }
        if let refusal = accessRefusal(spec, caller) { return refusal }
        var refusals = 0
        var refusal: Refusal?
        for id in targets {
            guard let one = update(id, action, caller) else { continue }
            refusals += 1
            refusal = refusal ?? one
        }
        return refusals == targets.count ? refusal : nil
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
        case .requeueHold: return requeue(record, hold: .jobRequeuedHeld)
        case .specialExit: return requeue(record, hold: .jobHeldUser, mark: .specialExit)
        }
    }

    private mutating func hold(_ record: JobRecord, _ reason: PendingReason) -> Refusal? {
        guard record.state == .pending else {
            if record.state.isEnded || record.state == .completing { return finished(record) }
            // It runs on; should it be requeued, it is held then.
            change(record.id) { job in
                job.reason = reason
                job.priority = 0
                job.holdAfterRequeue = reason
            }
            return nil
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

    private func finished(_ record: JobRecord) -> Refusal {
        Refusal(
            .jobAlreadyComplete, "Job has already finished",
            detail: "job \(record.id) is \(record.state.name); nothing is left to hold or release")
    }

    private mutating func release(_ record: JobRecord, _ caller: Caller) -> Refusal? {
        guard record.state == .pending else {
            if record.state.isEnded || record.state == .completing { return finished(record) }
            guard record.holdAfterRequeue != .none else { return nil }
            if record.holdAfterRequeue == .jobHeldAdmin && !caller.isOperator {
                return Refusals.accessDenied("job \(record.id) is held by an administrator")
            }
            let priority = basePriority(of: record.id)
            change(record.id) { job in
                job.reason = .none
                job.priority = priority
                job.holdAfterRequeue = .none
            }
            return nil
        }
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

    private mutating func requeue(
        _ record: JobRecord, hold: PendingReason, mark: RequeueMark = .requeued
    ) -> Refusal? {
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
            change(record.id) { job in
                job.holdAfterRequeue = hold
                job.requeueMark = mark
            }
            complete(record.id, as: .cancelled, hold, "requeued", grace: configuration.killWait, requeue: true)
        case .completing:
            change(record.id) { job in
                job.requeueAfterEnd = true
                job.requeueMark = mark
                job.holdAfterRequeue = hold
                job.reason = hold
            }
        case .completed, .cancelled, .failed, .timeout, .nodeFail, .preempted, .bootFail, .deadline, .outOfMemory:
            guard tables.pendingIndices[record.id.rawValue] == nil else { return Refusals.alreadyEnded(record.id) }
            liveJobs += 1
            noteLive(record.id)
            change(record.id) { job in
                job.holdAfterRequeue = hold
                job.requeueMark = mark
            }
            if let job = self.record(record.id) { requeue(job) }
        }
        return nil
    }
}

extension JobAction {
    /// Elements of an array that have not started can be meant.
    fileprivate var isForWaiting: Bool {
        switch self {
        case .hold, .userHold, .release: true
        case .requeue, .requeueHold, .specialExit, .suspend, .resume: false
        }
    }
}
