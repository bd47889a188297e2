// The real core, ledger and planner among virtual nodes, clients, links and a disk, on a virtual clock.
//
// Everything that can go wrong is drawn from one seed: commits that fail, links that break and lose or delay what was on
// them, late and repeated messages, nodes that reboot, a controller killed at any point (only durable rows survive).
// A link keeps the order of its messages, as TCP does; loss always breaks it. After every event the World checks what
// must hold (World+Checks), against what the nodes really run rather than what the core believes. When faults end,
// everything must come to an end.
import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler

/// What a simulated run came to.
public struct Outcome: Sendable, Equatable {
    public var seed: UInt64
    /// The first violation; nil when all held.
    public var violation: String?
    /// Equal for equal runs.
    public var digest: UInt64
    public var events: Int
    public var jobs: Int
    public var restarts: Int
    public var failedCommits: Int
    public var reboots: Int
    public var brokenLinks: Int
    public var completed: Int
    public var suspensions: Int
    public var preemptions: Int
}

/// One run.
public struct World {
    enum Action {
        case deliver(Event, epoch: Int, link: Int, node: NodeIndex?)
        case order(NodeIndex, link: Int, term: UInt64, Incarnation, Order, Allocation?)
        case acknowledge(NodeIndex, link: Int, Incarnation, UInt64)
        case commitDone(epoch: Int)
        case plan(epoch: Int)
        case wake(epoch: Int)
        case startController
        case connect(NodeIndex, boot: Int)
        case becomePrepared(NodeIndex, boot: Int, AttemptKey, launchBatch: Bool)
        case endStep(NodeIndex, boot: Int, AttemptKey, StepID, ArgosyDomain.ExitStatus)
        case vanish(NodeIndex, boot: Int, AttemptKey)
        case powerOn(NodeIndex)
        case fault
        case client(Int)
        case clientGone(ReplyHandle)
        case administer
        case pause
    }

    let seed: UInt64
    let saboteur: Saboteur?
    let configuration: ClusterConfiguration
    var random: SeededGenerator
    var now = Timestamp(seconds: 1_000_000)
    var agenda = Agenda<Action>()
    var faultsUntil: Timestamp
    var isFaulty: Bool { now < faultsUntil }

    // Controller.
    var core: ControllerCore?
    var ledger = CommitLedger()
    var staged: [(CommitNumber, [RowChange])] = []
    var committing: CommitNumber?
    var disk = StoredState()
    var term: UInt64 = 0
    /// Grows whenever the controller's memory is lost: what was meant for an earlier life is not delivered.
    var epoch = 0
    var isPlanning = false
    var wakeAt = Timestamp.never

    // The rest of the world.
    var nodes: [VirtualNode]
    var lastLink = 0
    /// Broken links that lost what was under way to the controller; from the others it comes late.
    var lostLinks: Set<Int> = []
    /// Broken links that lost an order: later ones of them are lost too.
    var lostDownlinks: Set<Int> = []
    /// The controller's end of each node's link.
    var controllerLinks: [Int]
    /// Earliest delivery of the next message each way, so that order is kept.
    var downlink: [Timestamp]
    var uplink: [Timestamp]
    var clients: [VirtualClient] = []
    var lastHandle: UInt64 = 0
    var truth = Truth()
    var violation: String?
    var trace = TraceDigest()
    var events = 0
    var (restarts, failedCommits, reboots, brokenLinks) = (0, 0, 0, 0)
    var (suspensions, preemptions) = (0, 0)

    public init(seed: UInt64, saboteur: Saboteur? = nil) {
        self.seed = seed
        self.saboteur = saboteur
        random = SeededGenerator(seed: seed)
        configuration = Self.configuration(&random)
        nodes = configuration.nodes.enumerated().map {
            VirtualNode(index: NodeIndex($0), cpus: $1.cpus, memoryMiB: $1.memoryMiB)
        }
        controllerLinks = Array(repeating: 0, count: nodes.count)
        downlink = Array(repeating: .unset, count: nodes.count)
        uplink = downlink
        faultsUntil = now.adding(.seconds(240))
    }

    private static func configuration(_ random: inout SeededGenerator) -> ClusterConfiguration {
        var configuration = ClusterConfiguration()
        let nodes = random.in(2...4)
        configuration.nodes = (0..<nodes).map { .init(name: "n\($0)", cpus: 4, memoryMiB: 1000) }
        for node in configuration.nodes.indices where node % 2 == 0 { configuration.nodes[node].gres = "gpu:2" }
        var partition = ClusterConfiguration.Partition(name: "main")
        partition.isDefault = true
        partition.nodes = (0..<nodes).map { NodeIndex($0) }
        configuration.partitions = [partition]
        configuration.licenses = [LicenseRequest(name: "solver", count: UInt32(random.in(1...2)))]
        configuration.scheduling.preemptType = .partition
        configuration.returnToService = 1
        configuration.slurmdTimeout = .seconds(20)
        configuration.minJobAge = .seconds(15)
        configuration.killWait = .seconds(5)
        return configuration
    }

    /// Runs until everything has come to an end, or something is wrong.
    public mutating func run() -> Outcome {
        begin()
        while violation == nil, let (time, action) = agenda.pop() {
            now = max(now, time)
            events += 1
            perform(action)
            trace.mix(UInt64(bitPattern: now.microseconds))
            if let core { trace.mix(UInt64(core.view.term.rawValue)) }
            if events % 16 == 0, let core { trace.mix(core.digest) }
            checkCore()
            if isOver { break }
            if now > faultsUntil.adding(.seconds(3600)) || events > 60_000 { checkProgress() }
        }
        if violation == nil { checkEnd() }
        if let core { trace.mix(core.digest) }
        return Outcome(
            seed: seed, violation: violation, digest: trace.value, events: events, jobs: truth.acknowledged.count,
            restarts: restarts, failedCommits: failedCommits, reboots: reboots, brokenLinks: brokenLinks,
            completed: truth.finalStates.values.filter { $0 == .completed }.count, suspensions: suspensions,
            preemptions: preemptions)
    }

    private mutating func begin() {
        startController()
        for node in nodes.indices { after(.milliseconds(random.in(1...500)), .connect(NodeIndex(node), boot: 1)) }
        for index in 0..<random.in(6...14) {
            clients.append(VirtualClient(index, &random))
            after(.milliseconds(random.in(0...120_000)), .client(index))
        }
        for _ in 0..<random.in(4...16) { after(.milliseconds(random.in(1000...230_000)), .fault) }
        for _ in 0..<random.in(0...4) { after(.milliseconds(random.in(1000...230_000)), .administer) }
        for _ in 0..<random.in(0...6) { after(.milliseconds(random.in(1000...230_000)), .pause) }
        at(faultsUntil.adding(.seconds(1)), .administer)
    }

    mutating func after(_ delay: Duration, _ action: Action) { agenda.add(now.adding(delay), action) }
    mutating func at(_ time: Timestamp, _ action: Action) { agenda.add(max(time, now), action) }

    mutating func fail(_ text: String) { if violation == nil { violation = "t=\(now.seconds - 1_000_000)s: \(text)" } }

    private mutating func perform(_ action: Action) {
        switch action {
        case .deliver(let event, let epoch, let link, let node): deliver(event, epoch, link, node)
        case .order(let node, let link, let term, let incarnation, let order, let allocation):
            receive(order, on: node.int, link, term, incarnation, allocation)
        case .acknowledge(let node, let link, let incarnation, let sequence):
            acknowledged(node.int, link, incarnation, sequence)
        case .commitDone(let epoch): if epoch == self.epoch { finishCommit() }
        case .plan(let epoch): if epoch == self.epoch { plan() }
        case .wake(let epoch): if epoch == self.epoch { wake() }
        case .startController: if core == nil { startController() }
        case .connect(let node, let boot): connect(node.int, boot)
        case .becomePrepared(let node, let boot, let key, let launch): becomePrepared(node.int, boot, key, launch)
        case .endStep(let node, let boot, let key, let step, let exit): endStep(node.int, boot, key, step, exit)
        case .vanish(let node, let boot, let key): vanish(node.int, boot, key)
        case .powerOn(let node): powerOn(node.int)
        case .fault: if isFaulty { fault() }
        case .client(let index): wakeClient(index)
        case .clientGone(let handle): send(.clientLost(handle))
        case .administer: administer()
        case .pause: pauseSomething()
        }
    }
}

/// What is to happen, in order of time and then of planning it.
struct Agenda<Action> {
    private var heap: [(time: Timestamp, order: Int, action: Action)] = []
    private var count = 0

    mutating func add(_ time: Timestamp, _ action: Action) {
        count += 1
        heap.append((time, count, action))
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (Timestamp, Action)? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.action)
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool { (heap[a].time, heap[a].order) < (heap[b].time, heap[b].order) }
}

struct TraceDigest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    mutating func mix(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01b3 &+ (value >> 29) }
}
