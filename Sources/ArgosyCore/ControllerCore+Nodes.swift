// Nodes: registration and reconciliation, links that break, reports and their fencing, drain, resume and down.
import ArgosyDomain

/// The reason of a node that is DOWN for want of an answer.
let notResponding = "Not responding"

extension ControllerCore {
    // MARK: Links

    /// A node says who it is and what it still has; the books are brought in line with that, one attempt at a time.
    mutating func register(_ index: NodeIndex, _ registration: Registration) {
        guard let facts = tables.facts[index.rawValue] else { return }
        let (old, new) = (facts.incarnation, registration.incarnation)
        if let old, old.bootID == new.bootID, new.registration <= old.registration {
            // What it says it holds may be out of date: believing it could give away CPUs that are in use.
            let why = "registration \(new.registration) is not newer than \(old.registration) of the same boot"
            turn.effects.append(.nodeRefused(index, why: why))
            return
        }
        let rebooted = old.map { $0.bootID != new.bootID } ?? false
        tables.facts.update(index.rawValue) { facts in
            facts.incarnation = new
            facts.registration = registration
        }
        changeNode(index) { record in
            record.isConnected = true
            record.isRegistered = true
            record.downAt = .never
            record.strays = []
        }
        dirtyNodes.append(index)
        if let hardware = registration.hardware { learnHardware(index, hardware) }
        reconcile(index, registration.held, rebooted: rebooted)
        returnToService(index)
        checkHardware(index, registration)
        wantPlan()
    }

    private mutating func reconcile(_ index: NodeIndex, _ held: [Registration.Held], rebooted: Bool) {
        let booked = tables.nodes[index.rawValue]?.holds ?? []
        let known = Set(booked)
        for stray in held.sorted(by: { $0.key < $1.key }) where !known.contains(stray.key) {
            changeNode(index) { $0.strays.append(stray.key) }
            order(index, stray.key, .terminate(grace: .zero, why: "the controller does not know this attempt"))
        }
        // First of all: what stands still has lent its CPUs to others here.
        for record in booked.compactMap({ self.record($0.job) }) where record.state == .suspended {
            order(index, record.key, .suspend(number: record.pauses))
        }
        for key in booked {
            if let found = held.first(where: { $0.key == key }) {
                orderAgain(key, on: index, found)
            } else {
                reconcileMissing(key, on: index, rebooted: rebooted)
            }
        }
    }

    /// The node has the attempt: whatever it may have missed is ordered once more.
    private mutating func orderAgain(_ key: AttemptKey, on index: NodeIndex, _ held: Registration.Held) {
        guard let record = record(key.job), let run = tables.runs[key.job.rawValue],
            let position = run.position(of: index)
        else { return }
        guard record.state.isActive else {
            order(index, key, .terminate(grace: grace(of: record), why: (record.endingState ?? .failed).name))
            return
        }
        // One that stands still is prepared when it goes on: others have its CPUs.
        if record.state == .suspended || record.isConfiguring { return }
        if !run.prepared.contains(position) {
            order(index, key, .prepare(launchBatch: record.isBatch && run.allocation.nodes.count == 1))
        }
        if record.pauses > 0 { order(index, key, .resume(number: record.pauses)) }
        if record.timeLimit != tables.specs[key.job.rawValue]?.fields.timeLimit { order(index, key, .setLimit) }
        for step in tables.steps[key.job.rawValue] ?? [] where step.isRunning(on: index) {
            if held.steps.contains(step.step) { continue }
            if step.step == .batch && !run.prepared.contains(position) { continue }
            order(index, key, .launch(step.step))
        }
    }

    /// The node does not have the attempt. It lets go of what it was told to end; what it never took is ordered again,
    /// unless it may have run before a reboot; anything else is lost.
    private mutating func reconcileMissing(_ key: AttemptKey, on index: NodeIndex, rebooted: Bool) {
        guard let record = record(key.job), let run = tables.runs[key.job.rawValue],
            let position = run.position(of: index)
        else { return }
        if record.state.isActive && !rebooted && !run.prepared.contains(position) {
            if record.state == .suspended || record.isConfiguring { return }
            order(index, key, .prepare(launchBatch: record.isBatch && run.allocation.nodes.count == 1))
            return
        }
        release(key, position: position)
        if record.state.isActive {
            let why = rebooted ? "was rebooted" : "no longer has the job"
            failAttempt(key.job, "node \(nodeName(index)) \(why)")
        } else if tables.runs[key.job.rawValue]?.held.isEmpty ?? true {
            finishAttempt(key.job)
        }
    }

    private func grace(of record: JobRecord) -> Duration {
        switch record.endingState {
        case .cancelled, .timeout, .nodeFail: configuration.killWait
        default: .zero
        }
    }

    mutating func disconnect(_ index: NodeIndex, _ incarnation: Incarnation) {
        guard let record = tables.nodes[index.rawValue], record.isConnected,
            tables.facts[index.rawValue]?.incarnation == incarnation
        else { return }
        changeNode(index) { $0.isConnected = false }
        giveNodeTime(index)
    }

    /// SlurmdTimeout from now on; then the node is given up.
    mutating func giveNodeTime(_ index: NodeIndex) {
        let end = now.adding(configuration.slurmdTimeout)
        changeNode(index) { $0.downAt = end }
        deadlines.add(end, .nodeLost, index.rawValue)
    }

    /// SlurmdTimeout passed without a link.
    mutating func giveUp(_ index: NodeIndex) {
        guard let record = tables.nodes[index.rawValue], !record.isConnected, record.downAt <= now else { return }
        changeNode(index) { $0.downAt = .never }
        if !record.isDown {
            changeNode(index) { record in
                record.isDown = true
                record.isLost = true
            }
            setReason(index, notResponding, uid: 0)
        }
        abandon(index, "node \(nodeName(index)) does not respond")
        wantPlan()
    }

    /// Every attempt on the node ends or runs again elsewhere. What an unreachable node holds leaves the attempt.
    private mutating func abandon(_ index: NodeIndex, _ why: String) {
        for key in tables.nodes[index.rawValue]?.holds ?? [] {
            guard let record = record(key.job), let position = tables.runs[key.job.rawValue]?.position(of: index)
            else { continue }
            if record.state.isActive {
                failAttempt(key.job, why)
            } else if isOutOfReach(index) {
                release(key, position: position)
                if tables.runs[key.job.rawValue]?.held.isEmpty ?? true { finishAttempt(key.job) }
            }
        }
    }

    // MARK: Reports

    /// A node's word counts only for attempts that run on it, in its present life. Whatever it says is acknowledged once
    /// durable, so that it is not repeated for ever.
    mutating func take(_ report: Report, from index: NodeIndex) {
        guard let node = tables.nodes[index.rawValue] else { return }
        turn.effects.append(.acknowledge(index, report.incarnation, sequence: report.sequence))
        if case .unfit(let reason) = report.body { return drain(index, reason: reason, uid: 0) }
        guard node.isConnected, tables.facts[index.rawValue]?.incarnation == report.incarnation else { return }
        guard let record = record(report.key.job), record.attempt == report.key.attempt, !record.state.isEnded,
            let position = tables.runs[report.key.job.rawValue]?.position(of: index)
        else {
            forgetStray(report, index)
            return
        }
        switch report.body {
        case .prepared: prepared(record, position: position)
        case .prepareFailed(let message, let nodeAtFault):
            prepareFailed(record, on: index, message, nodeAtFault: nodeAtFault)
        case .stepStarted: break
        case .stepEnded(let step, let end): stepEnded(record, step, on: index, end)
        case .gone(let usage): gone(record, position: position, usage)
        case .unfit: break
        }
    }

    private mutating func forgetStray(_ report: Report, _ index: NodeIndex) {
        guard case .gone = report.body, tables.nodes[index.rawValue]?.strays.contains(report.key) ?? false else {
            return
        }
        changeNode(index) { $0.strays.removeAll { $0 == report.key } }
        wantPlan()
    }

    private mutating func gone(_ record: JobRecord, position: UInt32, _ usage: Usage) {
        guard tables.runs[record.id.rawValue]?.held.contains(position) ?? false else { return }
        changeRun(record.id) { $0.usage.add(usage) }
        if usage.oomKills > 0 { markOutOfMemory(record.id) }
        release(record.key, position: position)
        if record.state.isActive {
            failAttempt(record.id, "a node let go of the job before it ended")
        } else if tables.runs[record.id.rawValue]?.held.isEmpty ?? true {
            finishAttempt(record.id)
        }
    }

    // MARK: State

    private mutating func returnToService(_ index: NodeIndex) {
        guard let record = tables.nodes[index.rawValue], record.isDown else { return }
        let returns = configuration.returnToService >= 2 || configuration.returnToService == 1 && record.isLost
        guard returns else { return }
        changeNode(index) { record in
            record.isDown = false
            record.isLost = false
        }
        if !record.isDrained { setReason(index, "", uid: 0) }
    }

    private mutating func checkHardware(_ index: NodeIndex, _ registration: Registration) {
        let configured = configuration.nodes[index.int]
        if registration.memoryMiB < configured.memoryMiB {
            drain(
                index,
                reason: "Low RealMemory (reported:\(registration.memoryMiB) < 100.00% of"
                    + " configured:\(configured.memoryMiB))", uid: 0)
        }
        if registration.cpus < configured.cpus && !configuration.configOverrides {
            drain(
                index, reason: "Low CPUs (reported:\(registration.cpus) < 100.00% of configured:\(configured.cpus))",
                uid: 0)
        }
    }

    mutating func drain(_ index: NodeIndex, reason: String, uid: UInt32) {
        guard let record = tables.nodes[index.rawValue] else { return }
        if record.isDrained && tables.facts[index.rawValue]?.reason == reason { return }
        changeNode(index) { $0.isDrained = true }
        setReason(index, reason, uid: uid)
        wantPlan()
    }

    mutating func setReason(_ index: NodeIndex, _ reason: String, uid: UInt32) {
        reservationsNeedMending = !tables.reservations.isEmpty
        let time = reason.isEmpty ? .unset : now
        tables.facts.update(index.rawValue) { facts in
            facts.reason = reason
            facts.reasonTime = time
            facts.reasonUID = uid
        }
        dirtyNodes.append(index)
    }

    mutating func update(_ nodes: [NodeIndex], _ action: NodeAction, by caller: Caller, reply handle: ReplyHandle) {
        guard caller.isOperator else {
            refuse(handle, Refusals.accessDenied("only root and SlurmUser may change nodes"))
            return
        }
        if let unknown = nodes.first(where: { tables.nodes[$0.rawValue] == nil }) {
            refuse(handle, Refusals.invalidNode("number \(unknown.rawValue)"))
            return
        }
        for index in nodes { update(index, action, uid: caller.uid) }
        wantPlan()
        reply(handle, .done)
    }

    private mutating func update(_ index: NodeIndex, _ action: NodeAction, uid: UInt32) {
        switch action {
        case .drain(let reason): drain(index, reason: reason, uid: uid)
        case .resume:
            changeNode(index) { record in
                record.isDrained = false
                record.isDown = false
                record.isLost = false
            }
            setReason(index, "", uid: uid)
            let connected = tables.nodes[index.rawValue]?.isConnected ?? false
            if !connected { giveNodeTime(index) }
        case .down(let reason):
            changeNode(index) { record in
                record.isDown = true
                record.isLost = false
            }
            setReason(index, reason, uid: uid)
            abandon(index, "node \(nodeName(index)) was set DOWN: \(reason)")
        }
    }
}
