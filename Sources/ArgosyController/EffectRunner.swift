internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyWire
internal import Logging

/// Does what durable turns order, in their order, on a thread of its own.
struct EffectRunner: Sendable {
    let effects: Mailbox<ReleasedEffects>
    let replies: ReplyTable
    let desk: NodeDesk
    let administrators: Administrators
    let orders: OrderWriter
    let listing: Listing
    let explanations: ExplanationDesk
    let views: ViewReader
    let programs: SitePrograms
    let triggers: TriggerPrograms
    let counters: Counters
    let logger: Logger

    /// Until the committer ends.
    func run() {
        while let released = effects.take(max: 16, timeout: nil) {
            for batch in released { perform(batch) }
        }
    }

    private func perform(_ batch: ReleasedEffects) {
        for effect in batch.effects {
            switch effect {
            case .reply(let handle, let answer): reply(handle, answer, batch)
            case .order(let node, let incarnation, let order): send(order, to: node, incarnation, batch.context)
            case .acknowledge(let node, let incarnation, let sequence):
                var frame = WireControllerToNode()
                frame.ack.sequence = sequence
                desk.send(frame, to: node, incarnation)
            case .nodeRefused(let node, let why): desk.reject(node, why)
            case .administratorsChanged(let uids): administrators.set(uids)
            case .mail(let note): programs.send(note)
            case .runProgram(let program): programs.run(program)
            case .triggerFired(let trigger, let argument): triggers.run(trigger, argument)
            case .planWanted: break
            }
        }
    }

    private func send(_ order: Order, to node: NodeIndex, _ incarnation: Incarnation, _ context: EffectContext) {
        counters.change { $0.orders += 1 }
        do {
            var frame = WireControllerToNode()
            frame.order = try orders.write(order, for: node, incarnation, context)
            desk.send(frame, to: node, incarnation)
        } catch {
            // The order is given again when the node registers; so make it.
            logger.error(
                "cannot write an order; the node has to register again",
                metadata: ["job": "\(order.key.job)", "node": "\(node.rawValue)", "error": "\(error)"])
            desk.drop(node)
        }
    }

    private func reply(_ handle: ReplyHandle, _ answer: Answer, _ batch: ReleasedEffects) {
        guard let slot = replies.answer(handle) else { return }
        switch answer {
        case .refused(let refusal):
            counters.change { $0.refused += 1 }
            slot.reply(WireReply(refusal: refusal))
        case .submitted(let job):
            var submitted = WireJobSubmitted()
            submitted.job = job.rawValue
            slot.reply(WireReply(.submitted(submitted), commit: batch.commit))
        case .tested(let tested):
            views.pool.submit { [explanations] state in
                guard case .active = state else { return }
                slot.reply(explanations.answer(tested))
            }
        case .allocated(let job, let attempt, let allocation):
            var submitted = WireJobSubmitted()
            submitted.job = job.rawValue
            submitted.allocation = desk.wire(
                allocation, partition: batch.context.jobs[AttemptKey(job, attempt)]?.partition ?? "")
            slot.reply(WireReply(.submitted(submitted), commit: batch.commit))
        case .reservationCreated(let name):
            var created = WireReservationCreated()
            created.name = name
            slot.reply(WireReply(.reservationCreated(created), commit: batch.commit))
        case .triggerSet(let id):
            var set = WireTriggerSet()
            set.id = id
            slot.reply(WireReply(.triggerSet(set), commit: batch.commit))
        case .crontabSet(let jobs):
            var set = WireCrontabSet()
            set.jobs = jobs.map(\.rawValue)
            slot.reply(WireReply(.crontabSet(set), commit: batch.commit))
        case .crontabRefused(let line, var refusal):
            refusal.detail = "line \(line + 1)" + (refusal.detail.isEmpty ? "" : ": \(refusal.detail)")
            slot.reply(WireReply(refusal: refusal))
        case .done: slot.reply(WireReply(.done(WireDone()), commit: batch.commit))
        case .cancelled(let outcomes): slot.reply(WireReply(.cancelled(.init(outcomes)), commit: batch.commit))
        case .stepCreated(let job, let attempt, let step, let layout, let firstRanks):
            var created = WireStepCreated()
            created.job = job.rawValue
            created.attempt = attempt.rawValue
            created.step = step.rawValue
            created.layout = desk.wire(layout, partition: "")
            created.cluster = desk.cluster
            created.firstRank = firstRanks
            slot.reply(WireReply(.stepCreated(created), commit: batch.commit))
        case .ended(let job):
            views.read { [listing] published in
                slot.reply(WireReply(.jobs(listing.jobs(in: published.view, only: job)), commit: published.commit))
            }
        }
    }
}

extension WireCancelResult {
    init(_ list: [CancelOutcome]) {
        self.init()
        outcomes = list.map { outcome in
            var wire = WireCancelOutcome()
            wire.job = outcome.job.rawValue
            wire.text = outcome.text
            if let refusal = outcome.refusal { wire.refusal = WireRefusal(refusal) }
            return wire
        }
    }
}
