// Steps of a job: the batch script's, and those that srun asks for.
//
// As in Slurm 22.05 a step takes all CPUs of its nodes in the job unless it says otherwise, and steps wait for each
// other; `--exact` takes what its tasks need, `--overlap` shares. The batch step takes none.
import ArgosyDomain

extension ControllerCore {
    // MARK: Requests

    mutating func requestStep(_ request: StepRequest, by caller: Caller, reply handle: ReplyHandle) {
        if let refusal = stepRefusal(request.job, by: caller) {
            refuse(handle, refusal)
            return
        }
        waiting.steps.append(WaitingReplies.StepWaiter(reply: handle, request: request))
        startWaitingSteps(of: request.job)
    }

    private func stepRefusal(_ id: JobID, by caller: Caller) -> Refusal? {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else { return Refusals.invalidJob(id) }
        if let refusal = accessRefusal(spec, caller) { return refusal }
        if let key = caller.relayedFor, key != record.key {
            return Refusals.accessDenied("this socket is job \(key.job)'s and cannot speak for job \(id)")
        }
        switch record.state {
        case .running, .suspended: return nil
        case .pending: return Refusals.pending(id)
        default: return Refusals.alreadyEnded(id)
        }
    }

    /// Tries the job's waiting requests in the order they came; the first that has to wait holds back the rest, unless
    /// they share CPUs.
    mutating func startWaitingSteps(of id: JobID) {
        guard waiting.steps.contains(where: { $0.request.job == id }) else { return }
        guard let record = record(id), record.state == .running, let run = tables.runs[id.rawValue],
            run.prepared.count == run.allocation.nodes.count
        else { return }
        var kept: [WaitingReplies.StepWaiter] = []
        var isBlocked = false
        let waiters = waiting.steps
        waiting.steps = []
        for waiter in waiters {
            guard waiter.request.job == id else {
                kept.append(waiter)
                continue
            }
            guard !isBlocked || waiter.request.overlap else {
                // Behind one that waits: it would wait too.
                if waiter.request.noWait {
                    refuse(waiter.reply, Refusals.stepBusy(id))
                } else {
                    kept.append(waiter)
                }
                continue
            }
            let layout = StepLayout(job: run.allocation, request: waiter.request, free: freeCPUs(of: id, run)).place()
            switch layout {
            case .fits(let allocation, let firstRanks): start(waiter, record, allocation, firstRanks)
            case .never(let refusal): refuse(waiter.reply, refusal)
            case .waits where waiter.request.noWait: refuse(waiter.reply, Refusals.stepBusy(id))
            case .waits:
                isBlocked = true
                kept.append(waiter)
            }
        }
        waiting.steps = kept
    }

    private func freeCPUs(of id: JobID, _ run: JobRun) -> [CPUSet] {
        var free = run.allocation.nodes.map(\.cpus)
        for step in tables.steps[id.rawValue] ?? [] where step.step != .batch && !step.request.overlap {
            for position in step.nodesRunning {
                let node = step.layout.nodes[Int(position)]
                guard let place = run.position(of: node.index) else { continue }
                free[Int(place)].subtract(node.cpus)
            }
        }
        return free
    }

    private mutating func start(
        _ waiter: WaitingReplies.StepWaiter, _ record: JobRecord, _ layout: Allocation, _ firstRanks: [UInt32]
    ) {
        guard let step = self.record(record.id).map({ StepID($0.nextStep) }) else { return }
        change(record.id) { $0.nextStep += 1 }
        var row = StepRow(key: record.key, step: step, layout: layout, request: waiter.request, start: now)
        row.firstRanks = firstRanks
        row.nodesRunning = Array(0..<UInt32(layout.nodes.count))
        add(row)
        reply(waiter.reply, .stepCreated(record.id, record.attempt, step, layout: layout, firstRanks: firstRanks))
        for node in layout.nodes { order(node.index, record.key, .launch(step)) }
    }

    mutating func addBatchStep(_ id: JobID, _ allocation: Allocation) {
        guard let record = record(id), let first = allocation.nodes.first else { return }
        var layout = Allocation(nodes: [first], cpusPerTask: allocation.cpusPerTask)
        layout.nodes[0].tasks = 1
        var request = StepRequest(job: id)
        request.name = "batch"
        var row = StepRow(key: record.key, step: .batch, layout: layout, request: request, start: now)
        row.firstRanks = [0]
        row.nodesRunning = [0]
        add(row)
    }

    private mutating func add(_ row: StepRow) {
        tables.steps[row.key.job.rawValue] = (tables.steps[row.key.job.rawValue] ?? []) + [row]
        turn.changes.append(.step(row))
    }

    mutating func refuseWaitingSteps(of id: JobID) {
        for waiter in waiting.steps where waiter.request.job == id { refuse(waiter.reply, Refusals.alreadyEnded(id)) }
        waiting.steps.removeAll { $0.request.job == id }
    }

    mutating func signalStep(
        _ id: JobID, _ step: StepID, _ signal: UInt32, by caller: Caller, reply handle: ReplyHandle
    ) {
        if let refusal = stepRefusal(id, by: caller) {
            refuse(handle, refusal)
            return
        }
        guard let record = record(id), let row = tables.steps[id.rawValue]?.first(where: { $0.step == step }),
            !row.state.isEnded
        else {
            refuse(handle, Refusals.alreadyEnded(id))
            return
        }
        for position in row.nodesRunning {
            order(row.layout.nodes[Int(position)].index, record.key, .signal(step, number: signal, batchOnly: false))
        }
        reply(handle, .done)
    }

    // MARK: Ends

    mutating func stepEnded(_ record: JobRecord, _ step: StepID, on node: NodeIndex, _ end: StepEnd) {
        guard let row = tables.steps[record.id.rawValue]?.first(where: { $0.step == step }), row.isRunning(on: node)
        else { return }
        var end = end
        // A step that failed did not succeed, whatever its tasks said before.
        if !end.failure.isEmpty && end.exit.isSuccess { end.exit = ExitStatus(code: 1) }
        let isDone = closeStep(record.id, step, on: node, with: end)
        if end.usage.oomKills > 0 { markOutOfMemory(record.id) }
        if step == .batch { batchEnded(record, end) }
        guard isDone else { return }
        if step != .batch, let row = tables.steps[record.id.rawValue]?.first(where: { $0.step == step }) {
            change(record.id) { $0.derivedExit = $0.derivedExit.worse(of: row.exit) }
        }
        startWaitingSteps(of: record.id)
    }

    /// Takes in one node's end of a step; true when it was the last node's.
    private mutating func closeStep(_ id: JobID, _ step: StepID, on node: NodeIndex, with end: StepEnd) -> Bool {
        let now = now
        return changeStep(id, step) { row in
            guard let position = row.position(of: node) else { return }
            row.nodesRunning.removeAll { $0 == position }
            row.exit = row.exit.worse(of: end.usage.oomKills > 0 ? .outOfMemory : end.exit)
            row.usage.add(end.usage)
            if end.timedOut { row.timedOut = true }
            guard row.nodesRunning.isEmpty else { return }
            row.end = end.end.isSet ? min(end.end, now) : now
            row.state = row.finalState(failedToStart: !end.failure.isEmpty)
        }
    }

    /// True when the step has ended.
    private mutating func changeStep(_ id: JobID, _ step: StepID, _ body: (inout StepRow) -> Void) -> Bool {
        var changed: StepRow?
        tables.steps.update(id.rawValue) { steps in
            guard let place = steps.firstIndex(where: { $0.step == step }) else { return }
            body(&steps[place])
            changed = steps[place]
        }
        guard let changed else { return false }
        turn.changes.append(.step(changed))
        version += 1
        return changed.state.isEnded
    }

    private mutating func batchEnded(_ record: JobRecord, _ end: StepEnd) {
        change(record.id) { $0.exit = end.exit }
        guard record.state.isActive else { return }
        if !end.failure.isEmpty {
            let reason = end.exit.signal > 0 ? PendingReason.raisedSignal : .jobLaunchFailure
            complete(record.id, as: .failed, reason, end.failure, grace: .zero)
        } else if end.timedOut {
            complete(record.id, as: .timeout, .timeLimit, "ran past its time limit", grace: .zero)
        } else {
            let (state, reason) = endingState(of: record, exit: end.exit)
            if state == .outOfMemory { change(record.id) { $0.exit = .outOfMemory } }
            if state != .outOfMemory, requeuesAfterExit(record, end.exit) { return }
            complete(record.id, as: state, reason, "", grace: .zero)
        }
    }

    /// How a job ends whose script (or last step) ended with `exit`.
    func endingState(of record: JobRecord, exit: ExitStatus) -> (JobState, PendingReason) {
        let steps = tables.steps[record.id.rawValue] ?? []
        if steps.contains(where: { $0.usage.oomKills > 0 }) { return (.outOfMemory, .outOfMemory) }
        if !record.isBatch && steps.contains(where: { $0.state == .timeout }) { return (.timeout, .timeLimit) }
        if exit.isSuccess { return (.completed, .none) }
        return (.failed, exit.signal > 0 ? .raisedSignal : .nonZeroExitCode)
    }

    /// The kernel killed something of a job that otherwise ended by itself.
    mutating func markOutOfMemory(_ id: JobID) {
        guard let record = record(id), record.state == .completing,
            record.endingState == .completed || record.endingState == .failed
        else { return }
        change(id) { job in
            job.endingState = .outOfMemory
            job.reason = .outOfMemory
            job.exit = .outOfMemory
        }
    }

    /// The node let go of the attempt: no step of it runs there any more, reported or not.
    mutating func endSteps(of id: JobID, on node: NodeIndex) {
        let end = StepEnd(exit: ExitStatus(code: 0, signal: 9))
        for step in tables.steps[id.rawValue] ?? [] where step.isRunning(on: node) {
            _ = closeStep(id, step.step, on: node, with: end)
        }
    }

    mutating func closeSteps(of id: JobID, as state: JobState) {
        let now = now
        for step in tables.steps[id.rawValue] ?? [] where !step.state.isEnded {
            _ = changeStep(id, step.step) { row in
                row.nodesRunning = []
                row.end = now
                row.state = state
            }
        }
    }
}

extension StepRow {
    fileprivate func finalState(failedToStart: Bool) -> JobState {
        if usage.oomKills > 0 { return .outOfMemory }
        if timedOut { return .timeout }
        if failedToStart { return .failed }
        if exit.isSuccess { return .completed }
        return exit.signal == 9 || exit.signal == 15 ? .cancelled : .failed
    }
}
