// The controller's decider: a deterministic state machine.
//
// An event and a time go in; row changes and effects come out; state moves nowhere else. It never waits, reads a clock,
// draws a random number or does I/O, and never lets the order of a hash table decide. Rules it keeps:
//
// - Placing is planned outside: `planningSnapshot` goes to a planner, its plan comes back as an event, and every
//   placement is checked again here against the books of that moment.
// - What a node holds for an attempt returns to the books only when the node says that the attempt is gone, or registers
//   again without it. A lost node's share leaves the job, but the node takes nothing new before it has registered and
//   has let go of every attempt that nobody knows any more.
// - Reports of an older incarnation or another attempt change nothing, and are acknowledged, so that nodes forget them.
// - Whoever waits for an answer (a ReplyHandle) lives in memory only: a restart ends the connection anyway.
//
// Files: +Load (rows in, rows again), +Submit, +Cancel, +Update, +Change, +Partitions, +Demand, +Dependencies, +Reservations, +ReservationChoice, +ReservationLife, +Snapshot, +Plan, +Policy, +Run (life of an attempt), +Nodes, +Steps,
// +Deadlines, +Warnings (signals and mail before the end), +Programs (PrologSlurmctld, mail), +ArrayParts, +Invariants. Commits and the release of effects are the CommitLedger's business.
public import ArgosyConfig
public import ArgosyDomain
import ArgosyScheduler

/// The whole state of a controller and its only transition, `apply`.
public struct ControllerCore: Sendable {
    public internal(set) var configuration: ClusterConfiguration
    public let term: Term
    public let life: LifeSettings

    /// The cluster with nothing on it.
    var cluster: PlanningSnapshot
    var tables: Tables
    /// Ids up to this one were given out.
    var lastJobID: JobID
    /// Grows with every change a planner should know of.
    var version: UInt64 = 0
    /// The earliest start that the last plan reserved: due for another plan, should nothing else happen before.
    var plannedStart = Timestamp.never
    /// Version at which something last ended before its time, and that of the snapshot of the last plan.
    var freedEarlyAt: UInt64 = 0
    var plannedVersion: UInt64 = 0
    /// The latest time seen: an event cannot be earlier.
    var now: Timestamp
    var queue = PendingQueue()
    var shapes = ShapeTable()
    var feasibility = Feasibility()
    /// Made when first needed, and anew each PriorityCalcPeriod; nil with priority/basic.
    var priorities: MultifactorPriority?
    /// Those that stand still.
    var suspended: [JobID] = []
    /// Of each license of the configuration, how many jobs hold.
    var licensesInUse: [UInt64]
    /// Who asked for what is being cancelled, while it is; nil: nobody did.
    var canceller: UInt32?
    var deadlines = DeadlineHeap()
    var dependencies = DependencyBook()
    /// Nodes of reservations may have to be replaced: one went down, or a job took one.
    var reservationsNeedMending = false
    var tokens: [String: JobID] = [:]
    var waiting = WaitingReplies()
    var liveJobs = 0
    /// What of each job stands in the accounting book.
    var counted = PagedTable<JobCount>()
    var limitedJobs = LimitedJobs()
    var usageKeeping = UsageKeeping()
    /// Of each node the time it is not at work, while it is not.
    var openEvents: [NodeIndex: RecordedEvent] = [:]
    var clusterEvent: RecordedEvent?
    /// Made from another core: nobody was without a controller.
    var isReconfigured = false
    /// Of nodes that are no longer configured, until the start.
    var lostEvents: [RecordedEvent] = []
    /// Offsets from UTC of the place the cluster is at, for crontabs. Set by whoever makes the core.
    public var timeZone = TimeZoneOffsets()
    /// While a cancellation with --cron is done.
    var cancelsCron = false
    var policy = PolicyMemory()
    /// Limits in seconds, for simulations of traces that have such: limits of jobs are whole minutes. Set when a job was
    /// admitted; without an entry the limit is as it is.
    public var exactLimits: [JobID: Int64] = [:]
    /// Uids that were told last.
    var administrators: [UInt32] = []
    var turn = Turn()
    /// Reconfigured: what the controller ran for jobs still runs, and its end is told to this core.
    var programsGoOn = false
    var dirtyJobs: [JobID] = []
    var dirtyNodes: [NodeIndex] = []

    /// What a start needs: the configuration and the stored rows. Nothing is ordered before `start`.
    public init(configuration: ClusterConfiguration, stored: StoredState, term: Term, now: Timestamp) {
        self.configuration = configuration
        self.term = term
        life = LifeSettings(configuration)
        self.now = max(now, stored.lastTime)
        tables = Tables(configuration: configuration)
        cluster = PlanningSnapshot(empty: configuration)
        licensesInUse = Array(repeating: 0, count: configuration.licenses.count)
        lastJobID = max(stored.lastJobID, JobID(max(configuration.firstJobID, 1) - 1))
        load(stored)
    }

    /// After loading: ends what no longer can be and sets the deadlines. Nodes are ordered anew when they register.
    public mutating func start(at time: Timestamp) -> Turn {
        begin(time)
        settleAfterLoad()
        settleKept()
        writeAccounting()
        tellAdministrators()
        return finish()
    }

    /// Takes in one fact. Never fails: a refusal is an answer among the effects.
    public mutating func apply(_ event: Event, at time: Timestamp) -> Turn {
        begin(time)
        passDeadlines()
        handle(event)
        return finish()
    }

    /// When `timePassed` is wanted at the latest; `.never` if nothing is due.
    public var nextDeadline: Timestamp { deadlines.next }

    /// False when no job waits: nobody needs a plan then.
    public var hasQueue: Bool { !queue.keys.isEmpty }

    /// A snapshot for queries. Publish it when the turn it includes is durable.
    public var view: CoreView { CoreView(term: term, nextJobID: lastJobID.rawValue &+ 1, tables: tables) }

    private mutating func handle(_ event: Event) {
        switch event {
        case .jobSubmitted(let fields, let token, let wait, let caller, let reply):
            submit(fields, token: token, waitForAllocation: wait, by: caller, reply: reply)
        case .jobTested(let fields, let caller, let reply): test(fields, by: caller, reply: reply)
        case .cancelRequested(let selection, let signal, let batchOnly, let full, let caller, let reply):
            canceller = caller.uid
            cancel(selection, signal: signal, batchOnly: batchOnly, full: full, by: caller, reply: reply)
            canceller = nil
        case .jobUpdateRequested(let selection, let action, let caller, let reply):
            update(selection, action, by: caller, reply: reply)
        case .jobChangeRequested(let selection, let changes, let caller, let reply):
            change(selection, changes, by: caller, reply: reply)
        case .nodeUpdateRequested(let nodes, let action, let caller, let reply):
            update(nodes, action, by: caller, reply: reply)
        case .partitionUpdateRequested(let name, let state, let caller, let reply):
            update(partition: name, state, by: caller, reply: reply)
        case .reservationRequested(let action, let names, let caller, let reply):
            handle(action, names, by: caller, reply: reply)
        case .accountingChangeRequested(let operations, let checkOnly, let actor, let caller, let reply):
            changeAccounting(operations, checkOnly: checkOnly, actor: actor, by: caller, reply: reply)
        case .stepRequested(let request, let caller, let reply): requestStep(request, by: caller, reply: reply)
        case .stepSignalRequested(let job, let step, let signal, let caller, let reply):
            signalStep(job, step, signal, by: caller, reply: reply)
        case .triggerSet(let trigger, let caller, let reply): set(trigger, by: caller, reply: reply)
        case .triggersCleared(let id, let job, let uid, let caller, let reply):
            clearTriggers(id: id, job: job, uid: uid, by: caller, reply: reply)
        case .crontabSet(let crontab, let lines, let entries, let caller, let reply):
            set(crontab, lines: lines, entries, by: caller, reply: reply)
        case .waitRequested(let job, let reply): wait(for: job, reply: reply)
        case .controlRequested(let request, let caller, let reply): control(request, by: caller, reply: reply)
        case .stepAttachRequested(let job, let step, let caller, let reply):
            attach(to: job, step, by: caller, reply: reply)
        case .interactiveJobFinished(let job, let exit, let caller, let reply):
            finishInteractive(job, exit, by: caller, reply: reply)
        case .clientLost(let reply): loseClient(reply)
        case .nodeRegistered(let node, let registration): register(node, registration)
        case .nodeDisconnected(let node, let incarnation): disconnect(node, incarnation)
        case .nodeReported(let node, let report): take(report, from: node)
        case .programEnded(let key, let failure): prologEnded(key, failure)
        case .planned(let plan):
            tables.lastPlan = now
            apply(plan)
        case .timePassed: break
        }
    }

    private mutating func begin(_ time: Timestamp) {
        now = max(now, time)
        turn = Turn()
    }

    /// Rows are whole and written once a turn, however often a record changed in it.
    private mutating func finish() -> Turn {
        settleDependencies()
        noteNodeEvents()
        mendReservations()
        settleFinishedJobs()
        learn()
        dirtyJobs.sort()
        var previous: JobID?
        for id in dirtyJobs where id != previous {
            previous = id
            recount(id)
            if let row = tables.row(id) { turn.changes.append(.job(row)) }
        }
        dirtyNodes.sort()
        var previousNode: NodeIndex?
        for node in dirtyNodes where node != previousNode {
            previousNode = node
            turn.changes.append(.node(tables.nodeRow(node)))
        }
        dirtyJobs.removeAll(keepingCapacity: true)
        dirtyNodes.removeAll(keepingCapacity: true)
        defer { turn = Turn() }
        return turn
    }
}

// Helpers that every transition uses.
extension ControllerCore {
    /// Changes a job's record; its row is written at the end of the turn.
    mutating func change(_ id: JobID, _ body: (inout JobRecord) -> Void) {
        tables.jobs.update(id.rawValue, body)
        dirtyJobs.append(id)
        version += 1
    }

    mutating func changeRun(_ id: JobID, _ body: (inout JobRun) -> Void) {
        tables.runs.update(id.rawValue, body)
        dirtyJobs.append(id)
    }

    mutating func changeNode(_ index: NodeIndex, _ body: (inout NodeRecord) -> Void) {
        tables.nodes.update(index.rawValue, body)
        version += 1
    }

    func record(_ id: JobID) -> JobRecord? { tables.jobs[id.rawValue] }

    mutating func reply(_ handle: ReplyHandle, _ answer: Answer) { turn.effects.append(.reply(handle, answer)) }

    mutating func refuse(_ handle: ReplyHandle, _ refusal: Refusal) { reply(handle, .refused(refusal)) }

    mutating func wantPlan() {
        version += 1
        let asked = turn.effects.contains { if case .planWanted = $0 { true } else { false } }
        if !asked { turn.effects.append(.planWanted) }
    }

    /// Orders a node, if its link is up; else registration orders again what is still wanted.
    mutating func order(_ node: NodeIndex, _ key: AttemptKey, _ body: Order.Body) {
        guard let record = tables.nodes[node.rawValue], record.isConnected,
            let incarnation = tables.facts[node.rawValue]?.incarnation
        else { return }
        turn.effects.append(.order(node, incarnation, Order(key: key, body: body)))
    }

    func nodeName(_ index: NodeIndex) -> String { configuration.nodes[index.int].name }
}
