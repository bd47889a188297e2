// The controller's shell in small: one inbox, group commit, effects when durable, reload when a commit fails.
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler

extension World {
    mutating func startController() {
        term += 1
        load()
        restarts += term > 1 ? 1 : 0
    }

    private mutating func load() {
        epoch += 1
        staged = []
        committing = nil
        isPlanning = false
        wakeAt = .never
        ledger = CommitLedger()
        var stored = disk
        if saboteur == .highWaterMarkForgotten { stored.lastJobID = JobID(0) }
        if saboteur == .tokensForgotten { for index in stored.jobs.indices { stored.jobs[index].token = "" } }
        var core = ControllerCore(configuration: configuration, stored: stored, term: Term(term), now: now)
        let turn = core.start(at: now)
        self.core = core
        take(turn)
    }

    /// Memory is lost, what is being written may or may not reach the disk.
    mutating func killController() {
        guard core != nil else { return }
        if let number = committing, random.chance(50) { write(upTo: number) }
        core = nil
        epoch += 1
        for node in nodes.indices where nodes[node].link != 0 { breakLink(node) }
        for index in clients.indices { clients[index].connectionLost() }
        retryClients()
        after(random.milliseconds(100...40_000), .startController)
    }

    /// To the inbox, after some time on the way.
    mutating func send(_ event: Event) {
        after(random.milliseconds(1...20), .deliver(event, epoch: epoch, link: 0, node: nil))
    }

    mutating func deliver(_ event: Event, _ epoch: Int, _ link: Int, _ node: NodeIndex?) {
        guard core != nil, epoch == self.epoch, !lostLinks.contains(link) else { return }
        if let node, case .nodeRegistered = event { controllerLinks[node.int] = link }
        for event in sabotaged(event) { apply(event) }
    }

    mutating func apply(_ event: Event) {
        guard let turn = core?.apply(event, at: now) else { return }
        var kept = turn
        if case .nodeRegistered = event { kept = sabotagedRegistration(turn) }
        take(kept)
    }

    private mutating func take(_ turn: Turn) {
        let number = ledger.stage(turn)
        staged.append((number, turn.changes))
        for effect in turn.effects where leavesEarly(effect) { perform(effect) }
        if committing == nil { beginCommit() }
        if let next = core?.nextDeadline, next != .never, next < wakeAt {
            wakeAt = next
            at(next, .wake(epoch: epoch))
        }
    }

    mutating func wake() {
        wakeAt = .never
        apply(.timePassed)
    }

    private mutating func beginCommit() {
        guard let last = staged.last?.0 else { return }
        committing = last
        after(random.milliseconds(1...30), .commitDone(epoch: epoch))
    }

    mutating func finishCommit() {
        guard let number = committing else { return }
        committing = nil
        if isFaulty && random.chance(2) {
            failCommit()
            return
        }
        write(upTo: number)
        for effect in ledger.durable(number) where !leavesEarly(effect) { perform(effect) }
        if !staged.isEmpty { beginCommit() }
    }

    private mutating func write(upTo number: CommitNumber) {
        while let (first, changes) = staged.first, first <= number {
            for change in changes { write(change) }
            staged.removeFirst()
        }
    }

    /// Nothing that was not durable happened: promises become errors, the core is loaded again, links start anew.
    private mutating func failCommit() {
        failedCommits += 1
        for handle in ledger.failed() { answer(handle, .refused(Refusal(.storeFailed, "commit failed"))) }
        if saboteur == .commitFailureIgnored {
            staged = []
            return
        }
        for index in clients.indices { clients[index].connectionLost() }
        retryClients()
        for node in nodes.indices where nodes[node].link != 0 { breakLink(node) }
        load()
    }

    mutating func plan() {
        guard let core else { return }
        isPlanning = false
        let snapshot = core.planningSnapshot(at: now)
        var plan = BackfillPlanner().plan(snapshot)
        if isFaulty && random.chance(10) { plan.preemptions += drawPreemption(snapshot) }
        after(random.milliseconds(1...50), .deliver(.planned(plan), epoch: epoch, link: 0, node: nil))
    }

    /// Somebody has to make room for somebody, whether that helps or not.
    private mutating func drawPreemption(_ snapshot: PlanningSnapshot) -> [Preemption] {
        guard let victim = snapshot.running.isEmpty ? nil : snapshot.running[random.below(snapshot.running.count)],
            let job = snapshot.queue.first
        else { return [] }
        let modes = [PreemptMode.cancel, .requeue, .requeue, .suspend]
        preemptions += 1
        truth.touched.insert(victim.job)
        return [
            Preemption(
                victim: victim.job, mode: modes[random.below(modes.count)], grace: random.in(0...3),
                beneficiary: job.id)
        ]
    }

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .reply(let handle, let answer): self.answer(handle, answer)
        case .order(let node, let incarnation, let order): dispatch(order, to: node.int, incarnation)
        case .acknowledge(let node, let incarnation, let sequence):
            let time = arrivalDown(node.int)
            at(time, .acknowledge(node, link: controllerLinks[node.int], incarnation, sequence))
        case .planWanted:
            guard !isPlanning else { return }
            isPlanning = true
            after(random.milliseconds(1...30), .plan(epoch: epoch))
        case .nodeRefused(let node, _): if nodes[node.int].link != 0 { breakLink(node.int) }
        case .administratorsChanged, .mail, .runProgram, .triggerFired: break
        }
    }

    private mutating func dispatch(_ order: Order, to node: Int, _ incarnation: Incarnation) {
        let row = core?.view.job(order.key.job)
        let allocation = row?.attempt == order.key.attempt ? row?.allocation : nil
        at(
            arrivalDown(node),
            .order(NodeIndex(node), link: controllerLinks[node], term: term, incarnation, order, allocation))
    }

    /// On the way to a node: later than everything sent before.
    mutating func arrivalDown(_ node: Int) -> Timestamp {
        downlink[node] = max(downlink[node], now.adding(travelTime())).adding(.microseconds(1))
        return downlink[node]
    }

    mutating func arrivalUp(_ node: Int) -> Timestamp {
        uplink[node] = max(uplink[node], now.adding(travelTime())).adding(.microseconds(1))
        return uplink[node]
    }

    private mutating func travelTime() -> Duration {
        isFaulty && random.chance(10) ? random.milliseconds(20...3000) : random.milliseconds(1...20)
    }

    // MARK: Sabotage at the boundary

    private func leavesEarly(_ effect: Effect) -> Bool {
        switch effect {
        case .reply: saboteur == .replyBeforeCommit
        case .order: saboteur == .effectsBeforeCommit
        case .acknowledge: saboteur == .acknowledgeBeforeCommit
        default: false
        }
    }

    private func sabotaged(_ event: Event) -> [Event] {
        switch (saboteur, event) {
        case (.attemptIgnored, .nodeReported(let node, var report)):
            if let row = core?.view.job(report.key.job) { report.key.attempt = row.attempt }
            return [.nodeReported(node, report)]
        case (.incarnationIgnored, .nodeReported(let node, var report)):
            if let current = core?.view.nodes[node.int].registration?.incarnation { report.incarnation = current }
            return [.nodeReported(node, report)]
        case (.incarnationIgnored, .nodeDisconnected(let node, let old)):
            return [.nodeDisconnected(node, core?.view.nodes[node.int].registration?.incarnation ?? old)]
        case (.coresReturnedEarly, .nodeReported(let node, let report)):
            guard case .stepEnded(.batch, _) = report.body else { return [event] }
            var gone = report
            gone.body = .gone(Usage())
            return [event, .nodeReported(node, gone)]
        case (.heldAttemptsConcealed, .nodeRegistered(let node, var registration)):
            registration.held = []
            return [.nodeRegistered(node, registration)]
        default: return [event]
        }
    }

    private func sabotagedRegistration(_ turn: Turn) -> Turn {
        var turn = turn
        turn.effects.removeAll { effect in
            guard case .order(_, _, let order) = effect else { return false }
            let isTerminate = if case .terminate = order.body { true } else { false }
            return saboteur == .resentOrdersDropped || saboteur == .terminateForgotten && isTerminate
        }
        return turn
    }
}
