// argosyd's heart: one thread that owns all state of a node, one poll loop.
//
// Orders come from the controller's link, words from step daemons, bytes from relays; whatever blocks (images, mounts,
// kills) runs on threads that post what came of it to the mailbox. An accepted order is on disk (in /run: one boot's
// worth) before anything is done about it, and every outcome is on disk until the controller has acknowledged it, so
// that `kill -9` at any point loses nothing: the next argosyd reads the run directory and goes on.
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire
internal import Glibc
internal import Logging

final class NodeDaemon {
    let context: NodeContext
    /// Counts up with each link: the controller believes a registration only when it is newer than what it had, for one
    /// that was long under way may say what is no longer so.
    private(set) var incarnation: Incarnation
    private var hasRegistered = false
    let mailbox: Mailbox<NodeEvent>
    let link: any ControllerLink
    let logger: Logger
    var attempts: [AttemptID: NodeAttempt] = [:]
    var outbox = ReportOutbox()
    var highestTerm: UInt64
    /// Between a welcome and the loss of its link.
    var isWelcome = false
    var killWait: Duration
    /// TaskProlog and TaskEpilog of the configuration; empty: none.
    var taskPrograms = (prolog: "", epilog: "")
    var stepListener: Descriptor?
    /// Step daemons' lines, by descriptor number; nil before their hello.
    var stepLines: [Int32: StepLine] = [:]
    var relayCalls = RelayCalls()
    var waitingClients: [WaitingClient] = []
    var isStopping = false
    /// Step daemons of ours that said goodbye and were not gone yet.
    var unreaped: Set<Int32> = []
    /// When the node's health is looked at next; nil: while that is done, or never.
    var healthAt: Duration?

    struct StepLine {
        var socket: Descriptor
        var step: (AttemptID, StepID)?
    }
    struct WaitingClient {
        var client: IOPort.Client
        var until: Duration
    }

    init(
        context: NodeContext, mailbox: Mailbox<NodeEvent>, link: any ControllerLink, highestTerm: UInt64, logger: Logger
    ) {
        self.context = context
        incarnation = context.incarnation
        self.mailbox = mailbox
        self.link = link
        self.highestTerm = highestTerm
        self.logger = logger
        killWait = context.killWait
    }

    /// Runs until a `.stop` is posted; jobs go on without it. Throws when the node cannot be set up.
    func run() throws {
        stepListener = try UnixSocket.listenSequenced(context.spool.stepSocket, mode: 0o600)
        try context.cgroup.create()
        try context.daemonsCgroup.create()
        recover()
        checkHealthAtStart()
        link.start()
        while !isStopping { try turn() }
        link.stop()
    }

    // MARK: one turn

    private struct Watch {
        var descriptor: Int32
        var act: () -> Void
    }

    private func turn() throws {
        let watches = self.watches()
        let now = BootClock.now
        let wait = nextDeadline.map { max($0 - now, .zero) }
        let ready = try Poll.wait(watches.map { Poll.Interest($0.descriptor) }, timeout: wait)
        for (watch, readiness) in zip(watches, ready) where readiness.any { watch.act() }
        for event in mailbox.drain() { take(event) }
        fireDeadlines(BootClock.now)
    }

    private func watches() -> [Watch] {
        var list = [Watch(descriptor: mailbox.readEnd) {}]
        if let listener = stepListener {
            list.append(Watch(descriptor: listener.raw) { [self] in acceptStepDaemons() })
        }
        for descriptor in stepLines.keys {
            list.append(Watch(descriptor: descriptor) { [self] in hearStepDaemon(descriptor) })
        }
        for (id, attempt) in attempts {
            if let upstream = attempt.relay.upstream {
                list.append(Watch(descriptor: upstream.raw) { [self] in hearRelay(id) })
            } else if let listener = attempt.relay.listener, attempt.phase == .ready, attempt.relay.process == nil {
                list.append(Watch(descriptor: listener.raw) { [self] in startRelay(id) })
            }
            if let relay = attempt.relay.process {
                list.append(Watch(descriptor: relay.pidfd.raw) { [self] in relayEnded(id) })
            }
        }
        return list
    }

    private func take(_ event: NodeEvent) {
        switch event {
        case .link(.connected(let controller, let term)): linkUp(controller, term)
        case .link(.received(let frame)): take(frame)
        case .link(.disconnected(let why)): linkDown(why)
        case .prepared(let id, let result): preparationEnded(id, result)
        case .emptied(let id, let usage): attemptEmptied(id, usage)
        case .stepCleaned(let id, let step, let usage): lostStepCleaned(id, step, usage)
        case .ioConnection(let client): route(client, until: BootClock.now + .seconds(30))
        case .unkillable(let id): giveUp(id)
        case .epilogEnded(let id, let failure): epilogEnded(id, failure)
        case .healthChecked(let failure): healthChecked(failure)
        case .stop: isStopping = true
        }
    }

    // MARK: time

    private var nextDeadline: Duration? {
        var deadlines = waitingClients.map(\.until)
        if let at = healthAt { deadlines.append(at) }
        for attempt in attempts.values {
            if let at = attempt.killAt { deadlines.append(at) }
            if let at = attempt.abandonAt { deadlines.append(at) }
            deadlines += attempt.steps.values.compactMap(\.helloBy)
        }
        return deadlines.min()
    }

    private func fireDeadlines(_ now: Duration) {
        if let at = healthAt, now >= at { checkHealth() }
        for (id, attempt) in attempts {
            if let at = attempt.killAt, now >= at { killAttempt(id) }
            if let at = attempt.abandonAt, now >= at { abandonSteps(id) }
            for step in attempt.steps.values {
                if let by = step.helloBy, now >= by { checkSilentStep(id, step.id) }
            }
        }
        if waitingClients.contains(where: { now >= $0.until }) {
            let late = waitingClients.filter { now >= $0.until }
            waitingClients.removeAll { now >= $0.until }
            for waiting in late { waiting.client.refuse("there is no such step on node \(context.node)") }
        }
    }

    // MARK: the link

    private func linkUp(_ controller: String, _ term: UInt64) {
        logger.info("connected", metadata: ["controller": "\(controller)", "term": "\(term)"])
        remember(term: term)
        countRegistration()
        var frame = WireNodeToController()
        frame.register = registration
        link.send(frame)
    }

    private func countRegistration() {
        defer { hasRegistered = true }
        guard hasRegistered else { return }
        incarnation.registration += 1
        _ = try? SpoolFile.write(Array("\(incarnation.registration)\n".utf8), to: context.spool.registrationFile)
    }

    private func linkDown(_ why: String) {
        if isWelcome { logger.warning("lost the controller", metadata: ["why": "\(why)"]) }
        isWelcome = false
        refuseRelayCalls("the node lost its connection to the controller; try again")
    }

    private func take(_ frame: WireControllerToNode) {
        switch frame.body {
        case .welcome(let welcome):
            isWelcome = true
            for (key, value) in welcome.settings.parameters {
                switch key.lowercased() {
                case "taskprolog": taskPrograms.prolog = value
                case "taskepilog": taskPrograms.epilog = value
                default: break
                }
            }
            if welcome.settings.killWaitS > 0 { killWait = .seconds(Int64(welcome.settings.killWaitS)) }
            logger.info("registered", metadata: ["term": "\(welcome.term)", "attempts": "\(attempts.count)"])
            for report in outbox.reports(term: highestTerm, incarnation) { send(report) }
            sendWaitingRelayCalls()
        case .order(let order): take(order)
        case .ack(let ack): acknowledged(upTo: ack.sequence)
        case .relayed(let reply): relay(reply)
        case .usage(let question): answer(question)
        case .rejected(let rejected):
            logger.error("the controller refuses this node", metadata: ["why": "\(rejected.why)"])
        case .reboot(let order): reboot(order)
        case .heartbeat, nil: break
        }
    }

    private func remember(term: UInt64) {
        guard term > highestTerm else { return }
        highestTerm = term
        _ = try? SpoolFile.write(Array("\(term)\n".utf8), to: context.spool.termFile)
    }

    private var registration: WireRegister {
        var register = WireRegister()
        register.node = context.node
        register.incarnation = WireIncarnation(incarnation)
        register.hardware = context.hardware
        register.version = NodeContext.version
        register.ioPort = UInt32(context.ioPort)
        register.daemonStartUs = context.daemonStart
        register.attempts = attempts.values.sorted { ($0.id.job, $0.id.attempt) < ($1.id.job, $1.id.attempt) }.map {
            var state = WireAttemptState()
            state.job = $0.id.job.rawValue
            state.attempt = $0.id.attempt.rawValue
            state.prepared = $0.phase == .ready
            state.steps = $0.steps.keys.sorted().map(\.rawValue)
            state.terminating = $0.phase == .terminating || $0.phase == .gone
            return state
        }
        return register
    }

    // MARK: orders

    private func take(_ order: WireOrder) {
        let id = AttemptID(order.job, order.attempt)
        guard order.term >= highestTerm else {
            logger.warning(
                "order of an older controller refused", metadata: ["term": "\(order.term)", "attempt": "\(id)"])
            return link.reconnect()
        }
        guard order.incarnation == WireIncarnation(incarnation) else {
            logger.warning("order for an earlier life of this node refused", metadata: ["attempt": "\(id)"])
            return
        }
        switch order.body {
        case .prepare(let prepare): self.prepare(id, prepare)
        case .launch(let launch): self.launch(id, launch)
        case .signal(let signal): self.signal(id, signal)
        case .suspend(let order): pause(id, number: order.number, suspended: true)
        case .resume(let order): pause(id, number: order.number, suspended: false)
        case .terminate(let terminate): self.terminate(id, terminate)
        case .setLimit(let limit): setLimit(id, limit)
        case .notify(let notice): notify(id, notice.text)
        case nil: break
        }
    }

    // MARK: reports

    /// Puts a fact in line for the controller; kept and repeated until acknowledged.
    func report(_ id: AttemptID, _ body: WireReport.OneOf_Body) {
        outbox.append(id, body)
        guard isWelcome, let last = outbox.reports(term: highestTerm, incarnation).last else { return }
        send(last)
    }

    private func send(_ report: WireReport) {
        var frame = WireNodeToController()
        frame.report = report
        link.send(frame)
    }

    private func acknowledged(upTo sequence: UInt64) {
        for entry in outbox.acknowledge(upTo: sequence) {
            switch entry.body {
            case .stepEnded(let ended): forgetStep(entry.id, StepID(ended.step))
            case .gone: forgetAttempt(entry.id)
            case .prepared, .prepareFailed, .stepStarted, .unfit: break
            }
        }
    }
}
