// A core with nodes that a test drives by hand: events in, effects out, every commit durable at once.
import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

/// Testing has one too.
typealias ExitStatus = ArgosyDomain.ExitStatus

struct Cluster: CustomStringConvertible, CustomTestStringConvertible {
    /// Short: a failed expectation prints it.
    var description: String { "a cluster of \(configuration.nodes.count) nodes" }
    var testDescription: String { description }

    var core: ControllerCore
    var now = Timestamp(seconds: 1_000_000)
    var configuration: ClusterConfiguration
    /// Everything durable, as a store would have it.
    var stored = StoredState()
    var replies: [(ReplyHandle, Answer)] = []
    var orders: [(NodeIndex, Order)] = []
    var acknowledged: [(NodeIndex, UInt64)] = []
    var mails: [MailNote] = []
    var programs: [JobProgram] = []
    var nextHandle: UInt64 = 0
    var sequence: UInt64 = 0
    var registrations: [UInt64]
    var plansAutomatically = true

    static func configuration(nodes: Int, cpus: Int, memoryMiB: UInt64 = 1000) -> ClusterConfiguration {
        var configuration = ClusterConfiguration()
        configuration.nodes = (1...nodes).map { .init(name: "n\($0)", cpus: cpus, memoryMiB: memoryMiB) }
        var partition = ClusterConfiguration.Partition(name: "main")
        partition.isDefault = true
        partition.nodes = (0..<nodes).map { NodeIndex($0) }
        configuration.partitions = [partition]
        configuration.returnToService = 1
        configuration.accounting.enforcePartLimits = .any
        return configuration
    }

    init(
        nodes: Int = 2, cpus: Int = 4, register: Bool = true, _ adjust: (inout ClusterConfiguration) -> Void = { _ in }
    ) {
        configuration = Self.configuration(nodes: nodes, cpus: cpus)
        adjust(&configuration)
        registrations = Array(repeating: 0, count: nodes)
        core = ControllerCore(configuration: configuration, stored: StoredState(), term: Term(1), now: now)
        absorb(core.start(at: now))
        if register { for node in 0..<nodes { self.register(node) } }
    }

    // MARK: Driving

    mutating func apply(_ event: Event) {
        absorb(core.apply(event, at: now))
        #expect(core.checkInvariants() == [])
    }

    private mutating func absorb(_ turn: Turn) {
        for change in turn.changes { stored.apply(change) }
        var plan = false
        for effect in turn.effects {
            switch effect {
            case .reply(let handle, let answer): replies.append((handle, answer))
            case .order(let node, _, let order): orders.append((node, order))
            case .acknowledge(let node, _, let sequence): acknowledged.append((node, sequence))
            case .planWanted: plan = true
            case .nodeRefused, .administratorsChanged, .triggerFired: break
            case .mail(let note): mails.append(note)
            case .runProgram(let program): programs.append(program)
            }
        }
        if plan && plansAutomatically { self.plan() }
    }

    mutating func plan() {
        let plan = BackfillPlanner().plan(core.planningSnapshot(at: now))
        absorb(core.apply(.planned(plan), at: now))
        #expect(core.checkInvariants() == [])
    }

    mutating func pass(_ duration: Duration) {
        now = now.adding(duration)
        apply(.timePassed)
    }

    mutating func register(
        _ node: Int, boot: String = "boot", held: [Registration.Held] = [], cpus: Int? = nil, memory: UInt64? = nil
    ) {
        registrations[node] += 1
        let registration = Registration(
            incarnation: incarnation(node, boot: boot), cpus: cpus ?? configuration.nodes[node].cpus,
            memoryMiB: memory ?? configuration.nodes[node].memoryMiB, held: held)
        apply(.nodeRegistered(NodeIndex(node), registration))
    }

    func incarnation(_ node: Int, boot: String = "boot") -> Incarnation {
        Incarnation(bootID: boot, registration: registrations[node])
    }

    mutating func report(_ node: Int, _ job: JobID, _ body: Report.Body, attempt: UInt32 = 0, boot: String = "boot") {
        sequence += 1
        apply(
            .nodeReported(
                NodeIndex(node),
                Report(
                    incarnation: incarnation(node, boot: boot), sequence: sequence,
                    key: AttemptKey(job, Attempt(attempt)), body: body)))
    }

    mutating func handle() -> ReplyHandle {
        nextHandle += 1
        return ReplyHandle(rawValue: nextHandle)
    }

    mutating func ask(_ event: (ReplyHandle) -> Event) -> Answer? {
        let handle = self.handle()
        apply(event(handle))
        return answer(handle)
    }

    func answer(_ handle: ReplyHandle) -> Answer? { replies.last { $0.0 == handle }?.1 }

    // MARK: Requests

    static let user = Identity(uid: 1000, gid: 1000, user: "ann", group: "ann")
    let caller = Caller(uid: 1000, gid: 1000, isOperator: false)
    let root = Caller(uid: 0, gid: 0, isOperator: true)

    static func batch(_ adjust: (inout JobSpec.Fields) -> Void = { _ in }) -> JobSpec.Fields {
        var fields = JobSpec.Fields(identity: user)
        fields.scriptDigest = "aa"
        fields.timeLimit = TimeLimit(minutes: 10)
        adjust(&fields)
        return fields
    }

    mutating func trySubmit(token: String = "", _ adjust: (inout JobSpec.Fields) -> Void = { _ in }) -> Answer? {
        let fields = Self.batch(adjust)
        let caller = caller
        return ask { .jobSubmitted(fields, token: token, waitForAllocation: false, by: caller, reply: $0) }
    }

    mutating func submit(token: String = "", _ adjust: (inout JobSpec.Fields) -> Void = { _ in }) -> JobID {
        guard case .submitted(let id) = trySubmit(token: token, adjust) else {
            Issue.record("not submitted: \(String(describing: replies.last))")
            return JobID(0)
        }
        return id
    }

    mutating func cancel(_ job: JobID, _ indices: [IndexRange] = [], by caller: Caller? = nil) -> [CancelOutcome] {
        let selection = JobSelection(items: [.init(job: job, indices: indices)])
        let who = caller ?? self.caller
        let answer = ask { .cancelRequested(selection, signal: 0, batchOnly: false, full: false, by: who, reply: $0) }
        guard case .cancelled(let outcomes) = answer else { return [] }
        return outcomes
    }

    /// Runs a one-node job from prepared to gone.
    mutating func finish(_ job: JobID, on node: Int = 0, exit: ExitStatus = .success, attempt: UInt32 = 0) {
        report(node, job, .prepared, attempt: attempt)
        report(node, job, .stepEnded(.batch, StepEnd(exit: exit)), attempt: attempt)
        report(node, job, .gone(Usage()), attempt: attempt)
    }

    func state(_ job: JobID) -> JobState? { core.view.job(job)?.state }
    func row(_ job: JobID) throws -> JobRow { try #require(core.view.job(job)) }
    func orders(to node: Int, of job: JobID) -> [Order.Body] {
        orders.filter { $0.0 == NodeIndex(node) && $0.1.key.job == job }.map(\.1.body)
    }
    func node(_ index: Int) -> NodeView { core.view.nodes[index] }

    /// Another controller over the same rows; nodes have yet to register.
    mutating func restart() {
        core = ControllerCore(
            configuration: configuration, stored: stored, term: Term(core.term.rawValue + 1), now: now)
        start()
    }

    mutating func start() { absorb(core.start(at: now)) }
}
