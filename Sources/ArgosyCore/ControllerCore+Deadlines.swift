// What only time brings about, and those who wait for an end.
import ArgosyDomain

extension ControllerCore {
    mutating func passDeadlines() {
        while let due = deadlines.pop(dueAt: now) {
            switch due.kind {
            case .jobEligible: becomeEligible(JobID(due.subject))
            case .jobLimit: runOut(JobID(due.subject), due.time)
            case .stepLimit: endStepsPastLimit(of: JobID(due.subject))
            case .clientGone: endUnownedJob(JobID(due.subject))
            case .jobPurge: purge(JobID(due.subject))
            case .reservation: reservationDue(due.subject)
            case .dependency: dependencyDue(JobID(due.subject))
            case .chargeUsage: chargeRunning()
            case .nodeLost: giveUp(NodeIndex(rawValue: due.subject))
            case .mustEnd: meetDeadline(JobID(due.subject))
            case .resumption: resumeIfFree(JobID(due.subject))
            case .warning: warn(JobID(due.subject))
            case .mailMark: mailMarks(JobID(due.subject))
            case .plannedStart: if due.time == plannedStart { wantPlan() }
            case .triggers: triggersDue()
            case .priorities:
                recalculatePriorities()
                watchPriorities()
            }
        }
    }

    private mutating func becomeEligible(_ id: JobID) {
        guard let record = record(id), record.state == .pending, !record.isHeld, record.eligible <= now else { return }
        if record.reason == .beginTime { change(id) { $0.reason = .none } }
        wantPlan()
    }

    /// The backstop: step daemons keep the limit themselves, this is for when they did not say so in time.
    private mutating func runOut(_ id: JobID, _ time: Timestamp) {
        guard let record = record(id), record.state == .running, record.deadline == time else { return }
        complete(
            id, as: .timeout, .timeLimit, "ran past its time limit of \(record.timeLimit.rawValue) minutes",
            grace: configuration.killWait)
    }

    /// `--deadline`: what can no longer end in time is not begun, what still runs is ended.
    private mutating func meetDeadline(_ id: JobID) {
        guard let record = record(id), record.endBy.isSet else { return }
        let why = "could not end by its deadline"
        if record.state == .pending, latestStart(of: record) < now {
            let now = now
            change(id) { job in
                job.end = now
                job.reason = .deadLine
            }
            tables.notes[id.rawValue] = JobNote(detail: why)
            end(id, as: .deadline)
            wantPlan()
        } else if record.state.isActive, record.endBy <= now {
            complete(id, as: .deadline, .deadLine, "ran until its deadline", grace: configuration.killWait)
        }
    }

    /// When the job must have started at the latest to end by its deadline, as short as it may be.
    private func latestStart(of record: JobRecord) -> Timestamp {
        let least = record.timeMin != .notGiven ? record.timeMin : record.timeLimit
        // Without a limit it gets what is left, a minute at least.
        return record.endBy.adding(.zero - (least.duration ?? .seconds(60)))
    }

    mutating func watchDeadline(_ record: JobRecord) {
        guard record.endBy.isSet else { return }
        if record.state == .pending {
            deadlines.add(latestStart(of: record).adding(.microseconds(1)), .mustEnd, record.id.rawValue)
        }
        deadlines.add(record.endBy, .mustEnd, record.id.rawValue)
    }

    private mutating func endUnownedJob(_ id: JobID) {
        guard let record = record(id), record.killOnClientLoss, !waiting.owners.contains(where: { $0.job == id })
        else { return }
        endForLostClient(record)
    }

    private mutating func purge(_ id: JobID) {
        guard let record = record(id), record.state.isEnded, record.end.adding(configuration.minJobAge) <= now,
            let spec = tables.specs[id.rawValue]
        else { return }
        if let token = tables.tokens[id.rawValue] {
            tokens[Self.tokenKey(token, uid: spec.fields.identity.uid)] = nil
        }
        tables.forget(id)
        turn.changes.append(.jobRemoved(id))
        version += 1
    }

    // MARK: Waiting for an end

    mutating func wait(for id: JobID, reply handle: ReplyHandle) {
        guard record(id) != nil else {
            refuse(handle, Refusals.invalidJob(id))
            return
        }
        if hasEnded(id) { reply(handle, .ended(id)) } else { waiting.ends.append((handle, id)) }
    }

    /// An array has ended when all its elements have.
    func hasEnded(_ id: JobID) -> Bool {
        guard let record = record(id) else { return true }
        guard record.state.isEnded else { return false }
        return record.arrayJob != id.rawValue || liveElements(of: id).isEmpty
    }

    /// Elements (jobs of their own) of the array that have not ended, ascending.
    func liveElements(of array: JobID) -> [JobID] {
        var found: [JobID] = []
        tables.jobs.forEach { key, record in
            if record.arrayJob == array.rawValue, !record.state.isEnded { found.append(JobID(key)) }
        }
        return found
    }

    /// End of a turn: whoever waited for a job that ended in it is told.
    mutating func settleFinishedJobs() {
        guard !waiting.finished.isEmpty else { return }
        let finished = waiting.finished
        waiting.finished = []
        for id in finished { releaseOwner(of: id) }
        guard !waiting.ends.isEmpty else { return }
        let ended = waiting.ends.filter { hasEnded($0.job) }
        waiting.ends.removeAll { end in ended.contains { $0.reply == end.reply } }
        for end in ended { reply(end.reply, .ended(end.job)) }
    }

    // MARK: Interactive jobs

    /// Tells the client of an interactive job that its nodes are ready.
    mutating func answerOwner(of id: JobID) {
        guard let place = waiting.owners.firstIndex(where: { $0.job == id && !$0.isAnswered }),
            let record = record(id), record.state == .running, let run = tables.runs[id.rawValue],
            run.prepared.count == run.allocation.nodes.count
        else { return }
        waiting.owners[place].isAnswered = true
        reply(waiting.owners[place].reply, .allocated(id, record.attempt, run.allocation))
    }

    private mutating func releaseOwner(of id: JobID) {
        guard let place = waiting.owners.firstIndex(where: { $0.job == id }) else { return }
        let owner = waiting.owners.remove(at: place)
        if owner.isAnswered { return }
        let state = record(id)?.state ?? .cancelled
        let detail = tables.notes[id.rawValue]?.detail ?? ""
        if state == .cancelled {
            refuse(
                owner.reply, Refusal(.cancelled, "Job allocation has been revoked", detail: "job \(id) was cancelled"))
        } else {
            let why = detail.isEmpty ? "job \(id) ended as \(state.name)" : "job \(id): \(detail)"
            refuse(owner.reply, Refusal(.launchFailed, "Job allocation has been revoked", detail: why))
        }
    }

    mutating func loseClient(_ handle: ReplyHandle) {
        waiting.ends.removeAll { $0.reply == handle }
        waiting.steps.removeAll { $0.reply == handle }
        guard let place = waiting.owners.firstIndex(where: { $0.reply == handle }) else { return }
        let job = waiting.owners.remove(at: place).job
        if let record = record(job), record.killOnClientLoss { endForLostClient(record) }
    }

    /// Its steps done: as its steps ended; else cancelled.
    private mutating func endForLostClient(_ record: JobRecord) {
        switch record.state {
        case .pending: cancelPending(record, "its client went away")
        case .running, .suspended:
            let steps = tables.steps[record.id.rawValue] ?? []
            if steps.isEmpty || steps.contains(where: { !$0.state.isEnded }) {
                complete(
                    record.id, as: .cancelled, .none, "its client went away", grace: configuration.killWait)
            } else {
                let (state, reason) = endingState(of: record, exit: record.derivedExit)
                change(record.id) { $0.exit = state == .outOfMemory ? .outOfMemory : record.derivedExit }
                complete(record.id, as: state, reason, "", grace: .zero)
            }
        default: break
        }
    }
}

extension Tables {
    mutating func forget(_ id: JobID) {
        let key = id.rawValue
        if let array = jobs[key]?.arrayJob, array != 0, array != key, let known = parts[array], known.contains(key) {
            let others = known.filter { $0 != key }
            parts[array] = others.isEmpty ? nil : others
        }
        jobs[key] = nil
        specs[key] = nil
        pendingIndices[key] = nil
        runs[key] = nil
        notes[key] = nil
        tokens[key] = nil
        components[key] = nil
        dependencies[key] = nil
        corresponding[key] = nil
        usedReservations[key] = nil
        steps[key] = nil
    }
}
