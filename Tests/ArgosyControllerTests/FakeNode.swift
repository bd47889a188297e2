import ArgosyController
import ArgosyLink
import ArgosyWire
import Glibc
import Logging
import Synchronization

/// A node daemon that does what it is told at once, and runs nothing.
final class FakeNode: Sendable {
    struct Facts: Sendable {
        var orders: [WireOrder] = []
        var acknowledged: UInt64 = 0
        var sequence: UInt64 = 0
        var registrations = 0
        var attempts: [WireAttemptState] = []
        var replies: [WireRelayedReply] = []
        var disconnects: [String] = []
        var name = ""
        /// A new one each time it registers.
        var incarnation: WireIncarnation {
            .with {
                $0.bootID = "boot-\(name)"
                $0.registration = UInt64(registrations)
            }
        }
    }
    final class Shared: Sendable { let facts = Mutex(Facts()) }
    let shared = Shared()
    let name: String
    private let link: NodeLinkClient

    /// `exit`: of batch scripts; nil: they do not end by themselves.
    init(_ name: String, port: UInt16, exit: UInt32? = 0, after earlier: FakeNode? = nil) throws {
        self.name = name
        shared.facts.withLock { facts in
            facts.registrations = earlier?.facts.registrations ?? 0
            facts.attempts = earlier?.facts.attempts ?? []
        }
        var configuration = NodeLinkConfiguration(
            cluster: "test", node: name, controllers: [.init(host: "127.0.0.1", port: port)],
            authenticator: TestAuthenticator())
        configuration.backOff = .milliseconds(20)...(.milliseconds(200))
        let shared = shared
        let box = LinkBox()
        link = try NodeLinkClient(configuration, logger: Logger(label: "node") { _ in SwiftLogNoOpLogHandler() }) {
            event in
            guard let link = box.link.withLock({ $0 }) else { return }
            switch event {
            case .connected: Self.register(name, shared, link)
            case .received(let frame): Self.receive(frame, shared, link, exit)
            case .disconnected(let why): shared.facts.withLock { $0.disconnects.append(why) }
            }
        }
        box.link.withLock { $0 = link }
        link.start()
    }

    var facts: Facts { shared.facts.withLock { $0 } }
    func stop() { link.stop() }
    func relay(_ request: WireRelayedRequest) { link.send(.with { $0.relayed = request }) }
    func report(_ order: WireOrder, _ body: WireReport.OneOf_Body) {
        Self.report(order, body, shared, link)
    }

    private final class LinkBox: Sendable { let link = Mutex<NodeLinkClient?>(nil) }

    private static func register(_ name: String, _ shared: Shared, _ link: NodeLinkClient) {
        let facts = shared.facts.withLock { facts in
            facts.registrations += 1
            facts.name = name
            return facts
        }
        var frame = WireNodeToController()
        frame.register.node = name
        frame.register.incarnation = facts.incarnation
        frame.register.hardware.cpus = 4
        frame.register.hardware.sockets = 1
        frame.register.hardware.cores = 4
        frame.register.hardware.threadsPerCore = 1
        frame.register.hardware.memoryMib = 1000
        frame.register.ioPort = 7777
        frame.register.attempts = facts.attempts
        link.send(frame)
    }

    private static func receive(
        _ frame: WireControllerToNode, _ shared: Shared, _ link: NodeLinkClient, _ exit: UInt32?
    ) {
        switch frame.body {
        case .order(let order):
            shared.facts.withLock { $0.orders.append(order) }
            obey(order, shared, link, exit)
        case .ack(let ack): shared.facts.withLock { $0.acknowledged = max($0.acknowledged, ack.sequence) }
        case .relayed(let reply): shared.facts.withLock { $0.replies.append(reply) }
        case .welcome, .heartbeat, .rejected, .usage, .reboot, nil: break
        }
    }

    private static func obey(
        _ order: WireOrder, _ shared: Shared, _ link: NodeLinkClient, _ exit: UInt32?
    ) {
        let answer = { (body: WireReport.OneOf_Body) in report(order, body, shared, link) }
        switch order.body {
        case .prepare(let prepare):
            shared.facts.withLock {
                $0.attempts.append(
                    .with {
                        $0.job = order.job
                        $0.attempt = order.attempt
                        $0.prepared = true
                        $0.steps = [0xffff_fffb]
                    })
            }
            answer(.prepared(WirePrepared()))
            if prepare.hasBatch { launch(prepare.batch, answer, exit) }
        case .launch(let step): launch(step, answer, exit)
        case .terminate:
            shared.facts.withLock { $0.attempts.removeAll { $0.job == order.job } }
            answer(.gone(WireAttemptGone()))
        case .signal, .suspend, .resume, .setLimit, .notify, nil: break
        }
    }

    private static func launch(_ step: WireLaunchStep, _ answer: (WireReport.OneOf_Body) -> Void, _ exit: UInt32?) {
        answer(.stepStarted(.with { $0.step = step.step }))
        guard let exit else { return }
        answer(
            .stepEnded(
                .with {
                    $0.step = step.step
                    $0.exit.code = exit
                    $0.usage.userCpuUs = 1234
                }))
    }

    private static func report(
        _ order: WireOrder, _ body: WireReport.OneOf_Body, _ shared: Shared, _ link: NodeLinkClient
    ) {
        var frame = WireNodeToController()
        frame.report.term = order.term
        frame.report.incarnation = shared.facts.withLock { $0.incarnation }
        frame.report.sequence = shared.facts.withLock { facts in
            facts.sequence += 1
            return facts.sequence
        }
        frame.report.job = order.job
        frame.report.attempt = order.attempt
        frame.report.body = body
        link.send(frame)
    }
    deinit { link.stop() }
}
