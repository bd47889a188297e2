// The life of an attempt: placed, prepared, its steps, completing, gone from every node, ended or waiting again.
import ArgosyDomain
import ArgosyScheduler

/// What the nodes' own time keeping may be late by before the controller ends a job itself.
let limitMargin = Duration.seconds(60)

extension ControllerCore {
    /// Starts the attempt on its allocation: the books first, then orders to its nodes.
    mutating func startAttempt(_ id: JobID, _ allocation: Allocation, licenses: [Shape.LicenseDemand] = []) {
        guard let record = record(id) else { return }
        for node in allocation.nodes { _ = hold(record.key, node, cpus: true) }
        var run = JobRun(allocation: allocation, held: Array(0..<UInt32(allocation.nodes.count)))
        run.licenses = licenses
        run.predicted = predictedRun(record)
        countLicenses(licenses, taken: true)
        tables.runs[id.rawValue] = run
        let now = now
        let launchBatch = record.isBatch && allocation.nodes.count == 1
        change(id) { record in
            record.state = .running
            record.reason = .none
            record.start = now
            record.end = .unset
            record.deadline = .unset
            // Until now what an earlier attempt ended with.
            record.exit = .success
            record.derivedExit = .success
            record.batchLaunched = launchBatch
            record.requeueMark = .none
        }
        if let started = self.record(id) {
            setLimit(started)
            watchDeadline(started)
        }
        dropShape(id)
        tables.tally.started += 1
        noteBegun(id)
        noteReservation(of: id, allocation)
        tables.notes[id.rawValue] = nil
        countElement(record, by: 1)
        if let started = self.record(id) { mail(.begin, started) }
        if life.prologSlurmctld.isEmpty { return orderPreparation(id) }
        change(id) { $0.isConfiguring = true }
        runProgram(.prolog, id)
    }

    /// The attempt's nodes make themselves ready.
    mutating func orderPreparation(_ id: JobID) {
        guard let record = record(id), let allocation = tables.runs[id.rawValue]?.allocation else { return }
        if record.batchLaunched { addBatchStep(id, allocation) }
        for node in allocation.nodes {
            order(node.index, record.key, .prepare(launchBatch: record.batchLaunched))
        }
    }

    /// When the controller itself ends the job, should its nodes fail to.
    mutating func setLimit(_ record: JobRecord) {
        let end = limitEnd(of: record, at: now)
        // The batch step's daemon keeps the limit; without a script nobody else does.
        let margin = record.isBatch ? configuration.killWait + limitMargin : .zero
        var deadline = Timestamp.unset
        if end != .never, let over = life.overTimeLimit { deadline = end.adding(margin + over) }
        change(record.id) { $0.deadline = deadline }
        deadlines.add(deadline, .jobLimit, record.id.rawValue)
        watchWarnings(record.id)
    }

    mutating func prepared(_ record: JobRecord, position: UInt32) {
        guard record.state.isActive, let run = tables.runs[record.id.rawValue], !run.prepared.contains(position)
        else { return }
        changeRun(record.id) { run in
            run.prepared.append(position)
            run.prepared.sort()
        }
        guard run.prepared.count + 1 == run.allocation.nodes.count else { return }
        launchIfReady(record.id)
        answerOwner(of: record.id)
        startWaitingSteps(of: record.id)
    }

    /// The batch script of several nodes starts when all of them are ready, and the job does not stand still.
    mutating func launchIfReady(_ id: JobID) {
        guard let record = record(id), record.state == .running, record.isBatch, !record.batchLaunched,
            let run = tables.runs[id.rawValue], run.prepared.count == run.allocation.nodes.count
        else { return }
        change(id) { $0.batchLaunched = true }
        addBatchStep(id, run.allocation)
        order(run.allocation.nodes[0].index, record.key, .launch(.batch))
    }

    mutating func prepareFailed(_ record: JobRecord, on node: NodeIndex, _ message: String, nodeAtFault: Bool) {
        guard record.state.isActive else { return }
        if nodeAtFault { drain(node, reason: message, uid: 0) }
        let detail = "node \(nodeName(node)) could not prepare the job: \(message)"
        if nodeAtFault && record.isBatch {
            change(record.id) { $0.holdAfterRequeue = .launchFailedRequeuedHeld }
            complete(record.id, as: .failed, .launchFailedRequeuedHeld, detail, grace: .zero, requeue: true)
        } else {
            complete(record.id, as: .failed, .jobLaunchFailure, detail, grace: .zero)
        }
    }

    /// The attempt lost a node: it ends as NODE_FAIL, or waits again when its owner allowed that.
    mutating func failAttempt(_ id: JobID, _ detail: String) {
        guard let record = record(id), record.state.isActive else { return }
        complete(
            id, as: .nodeFail, .nodeDown, detail, grace: configuration.killWait,
            requeue: record.isBatch && record.allowsRequeue)
    }

    /// Running to completing: every node that still holds something is told to end the attempt.
    mutating func complete(
        _ id: JobID, as ending: JobState, _ reason: PendingReason, _ detail: String, grace: Duration,
        requeue: Bool = false
    ) {
        guard let record = record(id), record.state.isActive else { return }
        let now = now
        let canceller = ending == .cancelled ? self.canceller : nil
        change(id) { record in
            if let canceller { record.cancelledBy = canceller }
            record.state = .completing
            record.endingState = ending
            record.reason = reason
            record.requeueAfterEnd = requeue
            record.end = now
            record.deadline = .unset
        }
        // Now: a requeue in this turn forgets when it ran.
        recount(id)
        tables.notes[id.rawValue] = detail.isEmpty ? nil : JobNote(detail: detail)
        suspended.removeAll { $0 == id }
        takeBackCPUs(id)
        refuseWaitingSteps(of: id)
        terminate(record.key, grace: grace, why: detail.isEmpty ? ending.name : detail)
        if tables.runs[id.rawValue]?.held.isEmpty ?? true { finishAttempt(id) }
        // The leader has the script: without it the other components have nothing to do.
        if record.hetLeader == id.rawValue {
            for other in components(of: id.rawValue) where other != id {
                complete(other, as: ending, reason, detail, grace: grace, requeue: requeue)
            }
        }
    }

    private mutating func terminate(_ key: AttemptKey, grace: Duration, why: String) {
        guard let run = tables.runs[key.job.rawValue] else { return }
        for position in run.held {
            let node = run.allocation.nodes[Int(position)].index
            if isOutOfReach(node) {
                release(key, position: position)
            } else {
                order(node, key, .terminate(grace: grace, why: why))
            }
        }
    }

    /// Down and without a link: it takes nothing new before it registers, and then says itself what it still has.
    func isOutOfReach(_ node: NodeIndex) -> Bool {
        guard let record = tables.nodes[node.rawValue] else { return true }
        return record.isDown && !record.isConnected
    }

    /// Completing to ended, or to pending when it is to run again. Nothing of it is held any more.
    mutating func finishAttempt(_ id: JobID) {
        guard let record = record(id), record.state == .completing else { return }
        closeSteps(of: id, as: record.endingState ?? .failed)
        if !life.epilogSlurmctld.isEmpty { runProgram(.epilog, id) }
        countElement(record, by: -1)
        giveBackLicenses(of: id)
        if record.suspendedAt.isSet {
            let paused = record.suspendedFor + max(.zero, record.end - record.suspendedAt)
            change(id) { job in
                job.suspendedFor = paused
                job.suspendedAt = .unset
            }
        }
        if record.requeueAfterEnd {
            requeue(record)
        } else if isCronJob(id) {
            runLater(record)
        } else {
            end(id, as: record.endingState ?? .failed)
        }
        wantPlan()
    }

    /// To an ended state, from pending or completing.
    mutating func end(_ id: JobID, as state: JobState) {
        guard let record = record(id) else { return }
        let end = record.end.isSet ? record.end : now
        let canceller = state == .cancelled ? self.canceller : nil
        change(id) { record in
            if let canceller { record.cancelledBy = canceller }
            record.state = state
            record.endingState = nil
            record.requeueAfterEnd = false
            record.end = end
            record.deadline = .unset
        }
        if record.state == .pending {
            dropShape(id)
            leaveQueue()
        }
        liveJobs -= 1
        deadlines.add(now.adding(configuration.minJobAge), .jobPurge, id.rawValue)
        waiting.finished.append(id)
        tables.tally.count(state)
        noteTriggers(ended: id)
        noteEnded(id)
        leaveReservation(id)
        if let ended = self.record(id) { noteEndedRun(ended) }
        mailEnd(record, as: state)
    }

    /// The same job again, as its next attempt.
    mutating func requeue(_ record: JobRecord, tellsUser: Bool = true) {
        let hold = record.holdAfterRequeue
        if tellsUser { mail(.requeue, record) }
        // As in Slurm, which lets the first attempt's credentials expire.
        let delay = record.isBatch ? life.requeueDelay : .zero
        let time = now
        change(record.id) { job in
            job.submit = time
            job.eligible = time.adding(delay)
        }
        let priority = hold == .none ? basePriority(of: record.id) : 0
        // What was shortened for one start (--time-min) is asked for again.
        let asked = tables.specs[record.id.rawValue]?.fields.timeLimit ?? .notGiven
        let limit = record.timeMin == .notGiven || asked == .notGiven ? record.timeLimit : asked
        change(record.id) { job in
            job.state = .pending
            job.attempt = record.attempt.next
            job.reason = hold
            job.priority = priority
            job.start = .unset
            job.end = .unset
            job.deadline = .unset
            job.endingState = nil
            job.requeueAfterEnd = false
            job.holdAfterRequeue = .none
            job.batchLaunched = false
            job.nextStep = 0
            job.suspendedAt = .unset
            job.suspendedFor = .zero
            job.suspendedByPreemption = false
            job.pauses = 0
            job.timeLimit = limit
            job.warned = false
            job.mails = []
            job.isConfiguring = false
            if hold == .none, delay > .zero { job.reason = .beginTime }
            if job.requeueMark == .none { job.requeueMark = .requeued }
        }
        tables.runs[record.id.rawValue] = nil
        tables.usedReservations[record.id.rawValue] = nil
        tables.steps[record.id.rawValue] = nil
        if hold == .none { tables.notes[record.id.rawValue] = nil }
        if let job = self.record(record.id) { enqueue(job) }
    }

    /// Keeps count of the elements of an array that run, for its `%limit`.
    mutating func countElement(_ record: JobRecord, by change: Int) {
        guard record.arrayJob != 0, record.hasElementIndex else { return }
        let count = Int(tables.runningElements[record.arrayJob] ?? 0) + change
        tables.runningElements[record.arrayJob] = count > 0 ? UInt32(count) : nil
        if tables.jobs[record.arrayJob] != nil { dirtyJobs.append(JobID(record.arrayJob)) }
    }
}

// The order of waiting.
extension ControllerCore {
    mutating func enqueue(_ record: JobRecord) {
        guard record.state == .pending else { return }
        takeShape(record.id)
        queue.insert(PendingQueue.Key(record))
        watchDeadline(record)
        if record.eligible > now && !record.isHeld { deadlines.add(record.eligible, .jobEligible, record.id.rawValue) }
        wantPlan()
    }

    func isQueued(_ key: PendingQueue.Key) -> Bool {
        record(key.job).map { isQueued(key, $0) } ?? false
    }

    func isQueued(_ key: PendingQueue.Key, _ record: JobRecord) -> Bool {
        record.state == .pending && record.priority == key.priority && record.tier == key.tier
    }

    mutating func leaveQueue() {
        let tables = tables
        queue.noteRemoval { key in
            guard let record = tables.jobs[key.job.rawValue] else { return false }
            return record.state == .pending && PendingQueue.Key(record) == key
        }
    }
}
