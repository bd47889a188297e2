// Jobs that make room: preempted ones, and those that stand still.
//
// A suspended job keeps its memory and devices and lends its CPUs. One that was suspended for another job goes on by
// itself as soon as all its CPUs are free again and that job waits no more; one that an operator suspended waits for the
// operator.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

/// How long a job stands still for one that does not come.
private let patience = Duration.seconds(60)

extension JobState {
    /// Has its nodes and has not begun to let go of them.
    var isActive: Bool { self == .running || self == .suspended }
}

extension ControllerCore {
    // MARK: Preemption

    /// Makes the victim go, if it still runs and the other still waits. Its resources come back when its nodes say so.
    mutating func preempt(_ preemption: Preemption) {
        guard configuration.scheduling.preemptType != .none, let victim = record(preemption.victim),
            victim.state == .running, let other = record(preemption.beneficiary), other.state == .pending
        else { return }
        let grace = preemption.grace > 0 ? Duration.seconds(preemption.grace) : configuration.killWait
        let why = "preempted in favor of job \(other.id)"
        switch preemption.mode {
        case .off, .gang, .within: return
        case .suspend:
            markPreempted(victim.id)
            suspend(victim, for: other.id)
        case .requeue where victim.allowsPreemptRequeue:
            markPreempted(victim.id)
            complete(victim.id, as: .preempted, .none, why, grace: grace, requeue: true)
        case .requeue, .cancel:
            markPreempted(victim.id)
            complete(victim.id, as: .preempted, .none, why, grace: grace)
        }
    }

    private mutating func markPreempted(_ id: JobID) {
        let now = now
        change(id) { $0.preempted = now }
    }

    // MARK: Standing still

    /// `scontrol suspend` and `resume`: operators only, as in Slurm.
    mutating func pause(_ record: JobRecord, by caller: Caller) -> Refusal? {
        guard caller.isOperator else { return Refusals.accessDenied("only operators may suspend jobs") }
        switch record.state {
        case .running:
            suspend(record, for: nil)
            return nil
        case .suspended: return nil
        case .pending: return Refusals.pending(record.id)
        default: return Refusals.alreadyEnded(record.id)
        }
    }

    mutating func unpause(_ record: JobRecord, by caller: Caller) -> Refusal? {
        guard caller.isOperator else { return Refusals.accessDenied("only operators may resume jobs") }
        guard record.state == .suspended else {
            if record.state.isEnded { return Refusals.alreadyEnded(record.id) }
            if record.state == .pending { return Refusals.pending(record.id) }
            return Refusal(
                .invalidState, "Job is not suspended",
                detail: "job \(record.id) is \(record.state.name); only suspended jobs can be resumed")
        }
        guard canResume(record.id) else {
            return Refusal(
                .busy, "Requested nodes are busy",
                detail: "other jobs run on CPUs of job \(record.id); resume it when they have ended")
        }
        resume(record)
        return nil
    }

    private mutating func suspend(_ record: JobRecord, for other: JobID?) {
        guard let run = tables.runs[record.id.rawValue] else { return }
        let now = now
        change(record.id) { job in
            job.state = .suspended
            job.suspendedAt = now
            job.suspendedByPreemption = other != nil
            job.pauses += 1
            job.deadline = .unset
        }
        changeRun(record.id) { run in
            run.hasLentCPUs = true
            run.beneficiary = other?.rawValue ?? 0
        }
        for position in run.held {
            let node = run.allocation.nodes[Int(position)]
            changeNode(node.index) { $0.freeCPUs.formUnion(node.cpus) }
            order(node.index, record.key, .suspend(number: record.pauses + 1))
        }
        suspended.append(record.id)
        if other != nil { deadlines.add(now.adding(patience), .resumption, record.id.rawValue) }
        wantPlan()
    }

    /// A job that stood still is ending, and wakes for that: CPUs that nobody took meanwhile are its own until it is gone.
    mutating func takeBackCPUs(_ id: JobID) {
        guard let record = record(id), let run = tables.runs[id.rawValue], run.hasLentCPUs, canResume(id) else {
            return
        }
        let paused = record.suspendedFor + (now - record.suspendedAt)
        change(id) { job in
            job.suspendedFor = paused
            job.suspendedAt = .unset
        }
        changeRun(id) { $0.hasLentCPUs = false }
        for position in run.held {
            let node = run.allocation.nodes[Int(position)]
            changeNode(node.index) { $0.freeCPUs.subtract(node.cpus) }
        }
    }

    private func canResume(_ id: JobID) -> Bool {
        guard let run = tables.runs[id.rawValue] else { return false }
        return run.held.allSatisfy { position in
            let node = run.allocation.nodes[Int(position)]
            return tables.nodes[node.index.rawValue]?.hasFree(node.cpus) ?? false
        }
    }

    private mutating func resume(_ record: JobRecord) {
        guard let run = tables.runs[record.id.rawValue] else { return }
        let paused = record.suspendedFor + (now - record.suspendedAt)
        change(record.id) { job in
            job.state = .running
            job.suspendedFor = paused
            job.pauses += 1
            job.suspendedAt = .unset
            job.suspendedByPreemption = false
        }
        changeRun(record.id) { run in
            run.hasLentCPUs = false
            run.beneficiary = 0
        }
        suspended.removeAll { $0 == record.id }
        for position in run.held {
            let node = run.allocation.nodes[Int(position)]
            changeNode(node.index) { $0.freeCPUs.subtract(node.cpus) }
            if !run.prepared.contains(position) {
                let launchBatch = record.isBatch && run.allocation.nodes.count == 1
                order(node.index, record.key, .prepare(launchBatch: launchBatch))
            }
            order(node.index, record.key, .resume(number: record.pauses + 1))
        }
        if let resumed = self.record(record.id) { setLimit(resumed) }
        launchIfReady(record.id)
        startWaitingSteps(of: record.id)
    }

    /// Something on the node came free: jobs that stand still for others go on where they can, the eldest first.
    mutating func resumePreempted(on index: NodeIndex) {
        for id in suspended.sorted() {
            guard tables.runs[id.rawValue]?.position(of: index) != nil else { continue }
            resumeIfFree(id)
        }
    }

    mutating func resumeIfFree(_ id: JobID) {
        guard let record = record(id), record.state == .suspended, record.suspendedByPreemption,
            let run = tables.runs[id.rawValue], canResume(id)
        else { return }
        let waits = run.beneficiary != 0 && self.record(JobID(run.beneficiary))?.state == .pending
        if waits && now < record.suspendedAt.adding(patience) { return }
        resume(record)
    }
}
