// The one thread that writes. All turns that wait are one transaction (group commit); when it is durable their effects
// go to the effect runner, in order. After a failure the turns that were decided on top of it are dropped: the decider
// loads the core again.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyStore
internal import Logging

/// Effects whose turns are durable.
struct ReleasedEffects: Sendable {
    var commit: CommitNumber
    var effects: [Effect]
    var context: EffectContext
}

struct Committer: Sendable {
    let store: any Store
    let term: Term
    let commits: Mailbox<StagedTurn>
    let inbox: Mailbox<Input>
    let ledger: LockedLedger
    let views: ViewBoard
    let effects: Mailbox<ReleasedEffects>
    let counters: Counters
    let logger: Logger
    /// Another controller has begun a term: this one must end at once.
    let onFenced: @Sendable (StoreError) -> Void

    /// Until the decider ends.
    func run() {
        var failed: Int?
        while let turns = commits.take(max: 64, timeout: nil) {
            let current = turns.filter { $0.generation != failed }
            guard let last = current.last else { continue }
            if let error = commit(current) {
                failed = last.generation
                report(error, generation: last.generation)
            } else {
                release(current, last)
            }
        }
        effects.close()
    }

    private func commit(_ turns: [StagedTurn]) -> StoreError? {
        var batch = CommitBatch()
        for turn in turns { batch.append(turn.batch) }
        // Refusals change nothing: they only keep their place in the order.
        if batch.changes.isEmpty && batch.blobs.isEmpty { return nil }
        do {
            try store.commit(batch, term: term)
            counters.change {
                $0.commits += 1
                $0.turns += turns.count
            }
            return nil
        } catch let error as StoreError { return error } catch { return StoreError(.unavailable, "\(error)") }
    }

    private func release(_ turns: [StagedTurn], _ last: StagedTurn) {
        var context = turns[0].context
        for turn in turns.dropFirst() { context.merge(turn.context) }
        let ready = ledger.durable(last.number)
        views.durable(last.number)
        if !ready.isEmpty {
            effects.pushWaiting(ReleasedEffects(commit: last.number, effects: ready, context: context))
        }
    }

    private func report(_ error: StoreError, generation: Int) {
        counters.change { $0.failedCommits += 1 }
        if error.code == .fenced { return onFenced(error) }
        inbox.push(.commitFailed(error, generation: generation))
    }
}
