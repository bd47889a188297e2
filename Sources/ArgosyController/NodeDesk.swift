// What the controller knows of its node links: which link speaks for a node, what the node registered with, and the
// frames that travel. A node's newest link is the one that counts.
internal import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyWire
internal import Logging
internal import Synchronization

final class NodeDesk: Sendable {
    struct Facts: Sendable {
        var ioPort: UInt16 = 0
        var hardware = WireHardware()
        var heartbeat = WireHeartbeat()
    }
    private struct Seat {
        var link: NodeLink
        var incarnation: Incarnation?
        /// Requests that came through this node's relays and wait.
        var relayed: [UInt64: (channel: UInt64, slot: ReplySlot)] = [:]
    }
    /// Nodes that may have links.
    private struct Numbers {
        var indices: [String: NodeIndex] = [:]
        var addresses: [String: String] = [:]
        init(_ configuration: ClusterConfiguration) {
            for (index, node) in configuration.nodes.enumerated() where indices[node.name] == nil {
                indices[node.name] = NodeIndex(index)
                addresses[node.name] = node.address
            }
        }
    }
    private struct State {
        var seats: [NodeIndex: Seat] = [:]
        var facts: [NodeIndex: Facts] = [:]
    }
    private let configuration: LiveConfiguration
    private let numbers: Mutex<Numbers>
    private let term: Term
    private let inbox: Mailbox<Input>
    private let logger: Logger
    private let state = Mutex(State())
    private let heartbeat: Duration

    init(_ configuration: LiveConfiguration, term: Term, heartbeat: Duration, inbox: Mailbox<Input>, logger: Logger) {
        self.configuration = configuration
        self.term = term
        self.heartbeat = heartbeat
        self.inbox = inbox
        self.logger = logger
        numbers = Mutex(Numbers(configuration.now))
    }

    /// The core goes by this configuration now: its new nodes may come, and those that are here are told.
    func adopt(_ configuration: ClusterConfiguration) {
        let new = Numbers(configuration)
        numbers.withLock { $0 = new }
        let seats = state.withLock { $0.seats.filter { $0.value.incarnation != nil } }
        for (node, seat) in seats.sorted(by: { $0.key < $1.key }) { seat.link.send(welcome(node)) }
    }

    var cluster: String { configuration.clusterName }
    func index(of node: String) -> NodeIndex? { numbers.withLock { $0.indices[node] } }
    func address(of node: String) -> String? { numbers.withLock { $0.addresses[node] } }
    func facts(of node: NodeIndex) -> Facts { state.withLock { $0.facts[node] ?? Facts() } }

    /// An allocation with the addresses and ports that srun needs.
    func wire(_ allocation: Allocation, partition: String) -> WireAllocation {
        var wire = WireAllocation(allocation)
        wire.partition = partition
        let ports = state.withLock { state in allocation.nodes.map { state.facts[$0.index]?.ioPort ?? 0 } }
        for (place, node) in allocation.nodes.enumerated() where node.index.int < configuration.nodes.count {
            let configured = configuration.nodes[node.index.int]
            wire.nodes[place].address = configured.address
            wire.nodes[place].ioPort = UInt32(ports[place] == 0 ? configured.port : ports[place])
        }
        return wire
    }

    // MARK: - To nodes

    /// Sends to the node if it is still the one meant; else it is given again when the node registers.
    func send(_ frame: WireControllerToNode, to node: NodeIndex, _ incarnation: Incarnation) {
        let seat = state.withLock { $0.seats[node] }
        guard let seat, seat.incarnation == incarnation else { return }
        seat.link.send(frame)
    }

    func reject(_ node: NodeIndex, _ why: String) {
        logger.warning("node refused", metadata: ["node": "\(name(node))", "why": "\(why)"])
        state.withLock { $0.seats[node]?.link }?.reject(why)
    }

    /// Makes the node register again.
    func drop(_ node: NodeIndex) { state.withLock { $0.seats[node]?.link }?.close() }

    func dropAll() {
        for link in state.withLock({ $0.seats.values.map(\.link) }) { link.close() }
    }

    // MARK: - From nodes

    /// `relay` gets requests of jobs.
    func handle(_ event: NodeLinkServerEvent, relay: (WireRelayedRequest, NodeIndex, NodeLink) -> Void) {
        switch event {
        case .opened(let link): open(link)
        case .received(let link, let frame): receive(frame, from: link, relay: relay)
        case .closed(let link, let why): close(link, why)
        case .refused(let address, let why):
            logger.warning("node link refused", metadata: ["from": "\(address)", "why": "\(why)"])
        }
    }

    private func open(_ link: NodeLink) {
        guard let node = index(of: link.node) else { return link.reject("node \(link.node) is not configured") }
        logger.debug("node link opened", metadata: ["node": "\(link.node)", "from": "\(link.peerAddress)"])
        let older = state.withLock { state -> Seat? in
            if let seat = state.seats[node], seat.link.serial > link.serial { return nil }
            return state.seats.updateValue(Seat(link: link), forKey: node)
        }
        if let older { leave(older, node) }
    }

    private func close(_ link: NodeLink, _ why: String) {
        guard let node = index(of: link.node) else { return }
        let seat = state.withLock { state -> Seat? in
            guard state.seats[node]?.link == link else { return nil }
            return state.seats.removeValue(forKey: node)
        }
        guard let seat else { return }
        logger.info("node link closed", metadata: ["node": "\(link.node)", "why": "\(why)"])
        leave(seat, node)
    }

    private func leave(_ seat: Seat, _ node: NodeIndex) {
        seat.link.close()
        if let incarnation = seat.incarnation { inbox.push(.event(.nodeDisconnected(node, incarnation))) }
        for entry in seat.relayed.values { onRelayLost.withLock { $0 }?(entry.slot) }
    }

    /// Set once, before links are served.
    let onRelayLost = Mutex<(@Sendable (ReplySlot) -> Void)?>(nil)
    /// What a node's steps use now, by its name; set once, too.
    let onUsage = Mutex<(@Sendable (WireUsageAnswer, String) -> Void)?>(nil)

    /// A question, to whatever life of the node there is. False: none.
    func ask(_ frame: WireControllerToNode, _ node: NodeIndex) -> Bool {
        let seat = state.withLock { $0.seats[node] }
        guard let seat, seat.incarnation != nil else { return false }
        seat.link.send(frame)
        return true
    }

    private func receive(
        _ frame: WireNodeToController, from link: NodeLink, relay: (WireRelayedRequest, NodeIndex, NodeLink) -> Void
    ) {
        guard let node = index(of: link.node) else { return }
        let current = state.withLock { $0.seats[node] }
        guard let current, current.link == link else { return }
        switch frame.body {
        case .register(let registration): register(registration, node, link)
        case .report(let report):
            guard let incarnation = current.incarnation else { return }
            guard let fact = Report(report), fact.incarnation == incarnation else { return }
            inbox.push(.event(.nodeReported(node, fact)))
        case .relayed(let request):
            guard current.incarnation != nil else { return }
            relay(request, node, link)
        case .heartbeat(let heartbeat): state.withLock { $0.facts[node, default: Facts()].heartbeat = heartbeat }
        case .usage(let answer): onUsage.withLock { $0 }?(answer, link.node)
        case nil: break  // Of a newer release.
        }
    }

    private func register(_ registration: WireRegister, _ node: NodeIndex, _ link: NodeLink) {
        guard registration.node == link.node, !registration.incarnation.bootID.isEmpty else {
            return link.reject("it registers as \(registration.node), its link is \(link.node)'s")
        }
        let facts = Registration(registration)
        let isCurrent = state.withLock { state -> Bool in
            guard state.seats[node]?.link == link else { return false }
            state.seats[node]?.incarnation = facts.incarnation
            state.facts[node, default: Facts()].ioPort = UInt16(clamping: registration.ioPort)
            state.facts[node]?.hardware = registration.hardware
            return true
        }
        guard isCurrent else { return }
        logger.info("node registered", metadata: ["node": "\(link.node)", "attempts": "\(facts.held.count)"])
        link.send(welcome(node))
        inbox.push(.event(.nodeRegistered(node, facts)))
    }

    private func welcome(_ node: NodeIndex) -> WireControllerToNode {
        let configured = configuration.nodes[node.int]
        var frame = WireControllerToNode()
        frame.welcome.term = term.rawValue
        frame.welcome.cluster = configuration.clusterName
        frame.welcome.settings.cpus = UInt32(clamping: configured.cpus)
        frame.welcome.settings.sockets = UInt32(clamping: configured.sockets)
        frame.welcome.settings.coresPerSocket = UInt32(clamping: configured.coresPerSocket)
        frame.welcome.settings.threadsPerCore = UInt32(clamping: configured.threadsPerCore)
        frame.welcome.settings.memoryMib = configured.memoryMiB
        frame.welcome.settings.configOverrides = configuration.configOverrides
        frame.welcome.settings.killWaitS = UInt32(clamping: configuration.killWait.components.seconds)
        frame.welcome.settings.heartbeatS = UInt32(clamping: max(heartbeat.components.seconds, 1))
        for entry in configuration.entries where entry.key.count <= 64 {
            frame.welcome.settings.parameters[entry.key] = entry.value
        }
        return frame
    }

    // MARK: - Relayed requests

    /// A place for the reply to a relayed request; nil when the link is gone.
    func relayedSlot(_ channel: UInt64, _ node: NodeIndex, _ link: NodeLink) -> ReplySlot? {
        let box = RelayIdentity()
        let slot = ReplySlot { [weak self] reply in
            var frame = WireControllerToNode()
            frame.relayed.channel = channel
            frame.relayed.reply = .init((try? reply.serializedBytes() as [UInt8]) ?? [])
            link.send(frame)
            self?.relayedDone(box.id, node)
        }
        box.set(slot.id)
        let isHeld = state.withLock { state -> Bool in
            guard state.seats[node]?.link == link else { return false }
            state.seats[node]?.relayed[slot.id] = (channel, slot)
            return true
        }
        return isHeld ? slot : nil
    }

    /// The client behind a channel has gone.
    func channelClosed(_ channel: UInt64, _ node: NodeIndex) {
        let lost = state.withLock { state -> [ReplySlot] in
            let mine = state.seats[node]?.relayed.filter { $0.value.channel == channel } ?? [:]
            for id in mine.keys { state.seats[node]?.relayed[id] = nil }
            return mine.values.map(\.slot)
        }
        for slot in lost { onRelayLost.withLock { $0 }?(slot) }
    }

    private func relayedDone(_ id: UInt64, _ node: NodeIndex) {
        state.withLock { state in
            guard let entry = state.seats[node]?.relayed[id], !entry.slot.isWatched else { return }
            state.seats[node]?.relayed[id] = nil
        }
    }

    private func name(_ node: NodeIndex) -> String {
        node.int < configuration.nodes.count ? configuration.nodes[node.int].name : "?"
    }
}

/// A slot's id, set right after the slot is made.
private final class RelayIdentity: Sendable {
    private let value = Atomic<UInt64>(0)
    func set(_ id: UInt64) { value.store(id, ordering: .releasing) }
    var id: UInt64 { value.load(ordering: .acquiring) }
}
