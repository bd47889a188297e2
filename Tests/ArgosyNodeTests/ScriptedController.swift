import ArgosyDomain
import ArgosyStep
import ArgosySystem
import ArgosyTransport
import ArgosyWire
import Glibc
import Logging
import Synchronization

@testable import ArgosyNode

/// A controller that does what a test tells it, on a node daemon that runs in this process with real step daemons.
final class ScriptedController: Sendable {
    /// Keeps what the node sends; acknowledges like the real one when asked to.
    final class Link: ControllerLink {
        struct State {
            var frames: [WireNodeToController] = []
            var isUp = false
        }
        let state = Mutex(State())
        let mailbox: Mailbox<ArgosyNode.NodeEvent>
        init(_ mailbox: Mailbox<ArgosyNode.NodeEvent>) { self.mailbox = mailbox }
        func send(_ frame: WireNodeToController) -> Bool {
            state.withLock { state in
                guard state.isUp else { return false }
                state.frames.append(frame)
                return true
            }
        }
        func start() {
            state.withLock { $0.isUp = true }
            mailbox.post(.link(.connected(controller: "script", term: 1)))
        }
        func stop() { state.withLock { $0.isUp = false } }
        func reconnect() {}
    }

    static let user = Identity(uid: 65534, gid: 65534, groups: [], user: "nobody", group: "nogroup", home: "/tmp")
    let context: NodeContext
    let mailbox = Mailbox<NodeEvent>()
    let link: Link
    let directory: String
    private let acknowledged = Mutex<UInt64>(0)
    private let ended = Mutex(false)
    private let sequence = Mutex<UInt64>(0)

    /// Nil with the reason when this machine cannot run jobs.
    static var obstacle: String? {
        if geteuid() != 0 { return "needs root" }
        if (try? CgroupLayout.discover()) == nil { return "needs cgroups" }
        return access(stepDaemon, X_OK) == 0 ? nil : "needs \(stepDaemon)"
    }
    static var stepDaemon: String {
        let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(tests)/.build/debug/argosystepd"
    }

    /// - Parameter spool: of an earlier one, to be its successor.
    init(directory: String? = nil, registration: UInt64 = 1, killWait: Duration = .seconds(1)) throws {
        self.directory = directory ?? "/tmp/argosy-node-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        chmod(self.directory, 0o755)
        let spool = SpoolLayout(root: self.directory + "/spool")
        for path in [spool.run, spool.bin] { try SpoolFile.makePath(path) }
        try SpoolFile.makeDirectory(self.directory + "/work", mode: 0o777)
        let name = "n" + self.directory.split(separator: "-").suffix(2).joined()
        context = NodeContext(
            cluster: "test\(name)", node: name, spool: spool, killWait: killWait, ioAddress: "",
            ioPort: 0, munge: Munge(),
            processors: (0..<UInt32(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))).map { $0 },
            hardware: WireHardware(), stepDaemon: Self.stepDaemon, layout: try CgroupLayout.discover(),
            incarnation: Incarnation(bootID: "boot", registration: registration), daemonStart: 0)
        link = Link(mailbox)
        var logger = Logger(label: "argosyd")
        logger.logLevel = .error
        let daemonLogger = logger
        detachThread { [self] in
            let daemon = NodeDaemon(
                context: context, mailbox: mailbox, link: link, highestTerm: 0, logger: daemonLogger)
            do { try daemon.run() } catch { print("node daemon: \(error)") }
            ended.withLock { $0 = true }
        }
        guard wait(for: { $0.contains { $0.register.node == name } }) else { throw Trouble("no registration") }
        var frame = WireControllerToNode()
        frame.welcome.term = 1
        mailbox.post(.link(.received(frame)))
    }

    struct Trouble: Error { init(_ text: String) { self.text = text }; let text: String }

    var work: String { directory + "/work" }

    func stop() {
        mailbox.post(.stop)
        while !ended.withLock({ $0 }) { usleep(10_000) }
    }

    /// Removes everything: cgroups and files.
    func cleanUp() {
        stop()
        _ = try? context.cgroup.kill(timeout: .seconds(5))
        try? context.layout.cgroup("argosy/\(context.cluster)").remove(timeout: .seconds(5))
        SpoolFile.removeTree(directory)
    }

    func send(_ id: AttemptID, term: UInt64 = 1, registration: UInt64? = nil, _ body: WireOrder.OneOf_Body) {
        var order = WireOrder()
        order.term = term
        order.incarnation = WireIncarnation(context.incarnation)
        if let registration { order.incarnation.registration = registration }
        order.sequence = sequence.withLock { number in
            number += 1
            return number
        }
        order.job = id.job.rawValue
        order.attempt = id.attempt.rawValue
        order.body = body
        var frame = WireControllerToNode()
        frame.order = order
        mailbox.post(.link(.received(frame)))
    }

    var frames: [WireNodeToController] { link.state.withLock { $0.frames } }
    var reports: [WireReport] {
        frames.compactMap { if case .report(let report)? = $0.body { report } else { nil } }
    }

    func wait(seconds: Double = 15, for condition: ([WireNodeToController]) -> Bool) -> Bool {
        for _ in 0..<Int(seconds * 100) {
            if condition(frames) { return true }
            usleep(10_000)
        }
        return false
    }

    /// The first report of `id` for which `pick` has a value.
    func report<Value>(of id: AttemptID, seconds: Double = 15, _ pick: (WireReport.OneOf_Body) -> Value?) throws
        -> Value
    {
        for _ in 0..<Int(seconds * 100) {
            for report in reports where report.job == id.job.rawValue && report.attempt == id.attempt.rawValue {
                if let body = report.body, let value = pick(body) { return value }
            }
            usleep(10_000)
        }
        throw Trouble("no such report of \(id); got \(reports)")
    }

    func stepEnd(of id: AttemptID, _ step: StepID = .batch, seconds: Double = 15) throws -> WireStepEnded {
        try report(of: id, seconds: seconds) { body in
            if case .stepEnded(let ended) = body, ended.step == step.rawValue { ended } else { nil }
        }
    }

    func gone(_ id: AttemptID, seconds: Double = 15) throws -> WireAttemptGone {
        try report(of: id, seconds: seconds) { if case .gone(let gone) = $0 { gone } else { nil } }
    }

    func acknowledgeAll() {
        var frame = WireControllerToNode()
        frame.ack.sequence = reports.map(\.sequence).max() ?? 0
        mailbox.post(.link(.received(frame)))
    }

    // MARK: orders

    func job(_ id: AttemptID, cpus: [UInt32] = [0], memoryMiB: UInt64 = 0, identity: Identity = user) -> WirePrepare {
        var job = WirePrepare()
        job.spec.name = "test"
        job.spec.identity = WireIdentity(identity)
        job.spec.workDir = work
        job.spec.scriptDigest = "x"
        job.spec.umask = 0o022
        var node = WireAllocatedNode()
        node.name = context.node
        node.address = "127.0.0.1"
        node.cpus = UInt32(cpus.count)
        node.cpuIds = cpus
        node.tasks = 1
        node.memoryMib = memoryMiB
        job.allocation.nodes = [node]
        job.allocation.tasks = 1
        job.allocation.nodeList = context.node
        job.allocation.partition = "main"
        return job
    }

    func batch(_ job: WirePrepare, _ script: String, limit: UInt64 = 0) -> WirePrepare {
        var job = job
        job.batch.step = StepID.batch.rawValue
        job.batch.layout = job.allocation
        job.batch.arguments = ["job.sh"]
        job.batch.environment = ["PATH=/usr/bin:/bin", "GREETING=hello"]
        job.batch.workDir = job.spec.workDir
        job.batch.script = .init(("#!/bin/sh\n" + script).utf8)
        job.batch.remainingMs = limit
        return job
    }

    func text(_ name: String) -> String {
        String(decoding: SpoolFile.read(work + "/" + name) ?? [], as: UTF8.self)
    }
}
