// The one thread that owns the core.
//
// It drains the inbox, applies each event, stages what they did as one commit and hands it to the committer; while that
// is synced it goes on with the next. It never does I/O, but for loading the store after a commit failed.
internal import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyScheduler
internal import ArgosyStore
internal import Glibc
internal import Logging
internal import Synchronization

/// What enters the decider.
enum Input: Sendable {
    /// `blobs` are committed with what the event changes.
    case event(Event, blobs: [Blob] = [])
    /// A plan made for the core of `generation`; one of an older core is dropped.
    case planned(Plan, generation: Int, took: Duration)
    case viewWanted
    /// `done` is told nil when the core goes by it, or why it does not.
    case reconfigured(ClusterConfiguration, done: @Sendable (StoreError?) -> Void)
    case commitFailed(StoreError, generation: Int)
}

/// One turn on its way to the store.
struct StagedTurn: Sendable {
    var number: CommitNumber
    var generation: Int
    var batch: CommitBatch
    var context: EffectContext
}

final class Decider: Sendable {
    private static let eventsPerTurn = 512

    private let shared: Shared
    /// The parts that outlive a core that is loaded again.
    struct Shared: Sendable {
        var configuration: LiveConfiguration
        var store: any Store
        var term: Term
        var clock: SharedClock
        var inbox: Mailbox<Input>
        var commits: Mailbox<StagedTurn>
        var ledger: LockedLedger
        var views: ViewBoard
        var planner: PlannerThread
        var replies: ReplyTable
        var counters: Counters
        var logger: Logger
        /// The core is new: node links and interactive clients must begin again.
        var onReload: @Sendable () -> Void
    }

    init(_ shared: Shared) { self.shared = shared }

    /// Runs until the inbox is closed. `core` is loaded and not started.
    func run(_ core: consuming ControllerCore) {
        var owner = CoreOwner(core: core, shared: shared)
        owner.begin()
        while let inputs = shared.inbox.take(max: Self.eventsPerTurn, timeout: owner.untilNext) { owner.turn(inputs) }
        shared.commits.close()
    }
}

/// The ledger is staged by the decider and released by the committer.
final class LockedLedger: Sendable {
    private let ledger = Mutex(CommitLedger())
    func stage(_ turn: Turn) -> CommitNumber { ledger.withLock { $0.stage(turn) } }
    func durable(_ number: CommitNumber) -> [Effect] { ledger.withLock { $0.durable(number) } }
    func failed() -> [ReplyHandle] { ledger.withLock { $0.failed() } }
    var lastStaged: CommitNumber { ledger.withLock { $0.lastStaged } }
    /// All that was staged is durable.
    var isEmpty: Bool { ledger.withLock { $0.isEmpty } }
}

/// The core and what the decider's thread alone knows.
private struct CoreOwner {
    var core: ControllerCore
    let shared: Decider.Shared
    var generation = 0
    var planWanted = true
    var isPlanning = false
    var noPlanBefore = Timestamp.unset

    mutating func begin() {
        let now = shared.clock.now
        stage(core.start(at: now), blobs: [], at: now, always: true)
        offerView()
        startPlanning()
    }

    /// How long nothing needs to be done if nothing comes.
    var untilNext: Duration? {
        var next = core.nextDeadline
        if planWanted && !isPlanning { next = min(next, noPlanBefore) }
        return next == .never ? nil : max(next - shared.clock.now, .zero)
    }

    mutating func turn(_ inputs: [Input]) {
        var merged = Turn()
        var blobs: [Blob] = []
        let now = shared.clock.now
        for input in inputs {
            switch input {
            case .event(let event, let more):
                blobs += more
                apply(event, at: now, into: &merged)
            case .planned(let plan, let generation, let took):
                guard generation == self.generation else { continue }
                isPlanning = false
                // Planning takes at most half of the time, however long the queue.
                noPlanBefore = now.adding(min(took, .seconds(2)))
                apply(.planned(plan), at: now, into: &merged)
            case .viewWanted: break
            case .reconfigured(let configuration, let done):
                stage(merged, blobs: blobs, at: now)
                (merged, blobs) = (Turn(), [])
                reconfigure(configuration, done)
            case .commitFailed(let error, let generation):
                guard generation == self.generation else { continue }
                return reload(after: error)
            }
        }
        if inputs.isEmpty || core.nextDeadline <= now { apply(.timePassed, at: now, into: &merged) }
        stage(merged, blobs: blobs, at: now)
        offerView()
        startPlanning()
    }

    private mutating func apply(_ event: Event, at now: Timestamp, into merged: inout Turn) {
        let turn = core.apply(event, at: now)
        merged.changes += turn.changes
        for effect in turn.effects {
            if case .planWanted = effect { planWanted = true } else { merged.effects.append(effect) }
        }
        shared.counters.change { $0.events += 1 }
    }

    /// `always`: even when nothing happened, so that there is a commit to wait for.
    private mutating func stage(_ turn: Turn, blobs: [Blob], at now: Timestamp, always: Bool = false) {
        guard always || !turn.changes.isEmpty || !turn.effects.isEmpty || !blobs.isEmpty else { return }
        var batch = CommitBatch(time: now)
        batch.changes = turn.changes
        batch.blobs = blobs
        let context = EffectContext(turn.effects, core: core)
        let number = shared.ledger.stage(turn)
        shared.commits.pushWaiting(StagedTurn(number: number, generation: generation, batch: batch, context: context))
    }

    private func offerView() {
        guard shared.views.isWanted else { return }
        shared.views.offer(core.view, at: shared.ledger.lastStaged)
        shared.counters.change { $0.views += 1 }
    }

    private mutating func startPlanning() {
        guard planWanted, !isPlanning, noPlanBefore <= shared.clock.now else { return }
        planWanted = false
        // Also when none of them can start: the core tells why only in answer to a plan.
        guard core.hasQueue else { return }
        let snapshot = core.planningSnapshot(at: shared.clock.now)
        isPlanning = true
        shared.planner.plan(snapshot, generation: generation)
    }

    // MARK: - Another configuration

    /// Once all that was decided is durable: the rows under the new configuration, and what only memory knows.
    private mutating func reconfigure(_ configuration: ClusterConfiguration, _ done: (StoreError?) -> Void) {
        let end = shared.clock.now.adding(.seconds(10))
        while !shared.ledger.isEmpty {
            guard shared.clock.now < end else {
                return done(StoreError(.unavailable, "what was decided before is not stored yet"))
            }
            usleep(1000)
        }
        do {
            let stored = try shared.store.load(indexOf: { configuration.node(named: $0) })
            core = ControllerCore(
                reconfiguring: core, as: configuration, stored: stored, now: shared.clock.now)
        } catch let error as StoreError { return done(error) } catch {
            return done(StoreError(.unavailable, "\(error)"))
        }
        generation += 1
        planWanted = true
        isPlanning = false
        begin()
        done(nil)
    }

    // MARK: - A failed commit

    /// Nothing staged and not durable happened: whoever waits is told, and the core is what the store says.
    private mutating func reload(after error: StoreError) {
        shared.logger.error("a commit failed; loading the state again", metadata: ["error": "\(error)"])
        _ = shared.ledger.failed()
        shared.views.discard()
        // What is in the inbox was promised nothing yet: it is told the same, and not half done.
        shared.replies.failAll(error) { _ = shared.inbox.take(max: .max, timeout: .zero) }
        generation += 1
        shared.onReload()
        guard let fresh = loaded() else { return }
        core = fresh
        planWanted = true
        isPlanning = false
        begin()
    }

    /// Tries until the store answers: a controller that cannot read its state can do nothing else. Nil when it is to end.
    private func loaded() -> ControllerCore? {
        var wait = Duration.milliseconds(100)
        while true {
            do {
                let configuration = shared.configuration.now
                let stored = try shared.store.load(indexOf: { configuration.node(named: $0) })
                var core = ControllerCore(
                    configuration: configuration, stored: stored, term: shared.term, now: shared.clock.now)
                core.timeZone = LocalTimeZone.offsets(around: shared.clock.now)
                return core
            } catch {
                shared.logger.critical("cannot load the state; trying again", metadata: ["error": "\(error)"])
            }
            guard refuseWhatComes(for: wait) else { return nil }
            wait = min(wait * 2, .seconds(5))
        }
    }

    /// Meanwhile requests are refused, not kept waiting; what nodes say is said again when they register.
    /// False when the inbox was closed.
    private func refuseWhatComes(for wait: Duration) -> Bool {
        let end = shared.clock.now.adding(wait)
        while shared.clock.now < end {
            guard shared.inbox.take(max: .max, timeout: end - shared.clock.now) != nil else { return false }
            shared.replies.failAll(StoreError(.unavailable, "the controller cannot read its state")) {
                _ = shared.inbox.take(max: .max, timeout: .zero)
            }
        }
        return true
    }
}
