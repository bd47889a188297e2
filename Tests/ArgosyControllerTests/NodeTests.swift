import ArgosyController
import ArgosyDomain
import ArgosyStore
import ArgosyWire
import Glibc
import Testing

@Suite struct NodeTests {
    private func controller(
        _ directory: TemporaryDirectory = TemporaryDirectory(), nodes: Int = 1, storage: SQLiteStore.Options = .init(),
        state: String? = nil
    ) throws -> TestController {
        var options = ControllerOptions()
        options.authenticator = TestAuthenticator()
        options.host = "127.0.0.1"
        options.port = 0
        return try TestController(directory, nodes: nodes, storage: storage, state: state, options: options)
    }

    @Test func `a batch job goes to its node with script and environment, and into accounting`() throws {
        let running = try controller()
        let node = try FakeNode("n1", port: running.controller.port, exit: 3)
        let client = try running.client()
        let job = try client.submit("wave").submitted.job
        #expect(eventually { (try? client.jobs().first?.state) == "FAILED" })
        let prepare = try #require(node.facts.orders.first { $0.prepare.hasBatch })
        #expect(prepare.job == job && prepare.term > 0 && prepare.incarnation == node.facts.incarnation)
        #expect(Array(prepare.prepare.batch.script) == Array("#!/bin/sh\necho wave\n".utf8))
        #expect(prepare.prepare.batch.environment == ["PATH=/bin", "NAME=wave"])
        #expect(prepare.prepare.spec.identity.user == "root")
        #expect(prepare.prepare.allocation.nodes.first?.ioPort == 7777)
        #expect(prepare.prepare.allocation.nodes.first?.address == "127.0.0.1")
        #expect(eventually { node.facts.acknowledged == node.facts.sequence })
        let record = try #require(try client.accounting().first)
        #expect(record.exit.code == 3 && record.steps.first?.usage.userCpuUs == 1234)
        #expect(try client.call(.listNodes(WireListNodes())).nodes.nodes.first?.state == "IDLE")
        node.stop()
    }

    @Test func `a hundred jobs pass through two nodes`() throws {
        let running = try controller(nodes: 2)
        let nodes = try ["n1", "n2"].map { try FakeNode($0, port: running.controller.port) }
        let client = try running.client()
        for number in 0..<100 { try client.send(.submit(submission("j\(number)"))) }
        for _ in 0..<100 { #expect(try client.receive()?.submitted.job ?? 0 > 0) }
        #expect(eventually { (try? client.jobs().allSatisfy { $0.state == "COMPLETED" }) == true })
        #expect(running.controller.figures.commits < running.controller.figures.turns + 1)
        for node in nodes { node.stop() }
    }

    @Test func `jobs outlive a controller and are found by its next term`() throws {
        let directory = TemporaryDirectory()
        var node: FakeNode
        let first = try controller(directory)
        node = try FakeNode("n1", port: first.controller.port, exit: nil)
        let job = try first.client().submit("long").submitted.job
        #expect(eventually { node.facts.orders.contains { $0.prepare.hasBatch } })
        #expect(eventually { (try? first.client().jobs().first?.state) == "RUNNING" })
        let term = try #require(node.facts.orders.first?.term)
        first.controller.stop()
        node.stop()
        let state = directory.path + "/state"
        try #require(system("cp -r \(state) \(directory.path)/copy") == 0)
        let second = try controller(directory, state: directory.path + "/copy")
        node = try FakeNode("n1", port: second.controller.port, exit: nil, after: node)
        #expect(eventually { node.facts.registrations >= 2 })
        usleep(200_000)
        #expect(try second.client().jobs().first?.state == "RUNNING")
        var cancel = WireCancelJobs()
        cancel.jobs = [WireJobSelector.with { $0.job = job }]
        _ = try second.client().call(.cancel(cancel))
        #expect(eventually { (try? second.client().jobs().first?.state) == "CANCELLED" })
        #expect(node.facts.orders.contains { $0.isTerminate && $0.term == term + 1 })
        node.stop()
    }

    @Test func `a relayed request speaks for its job's owner and no other`() throws {
        let running = try controller()
        let node = try FakeNode("n1", port: running.controller.port, exit: nil)
        let job = try running.client().submit("long").submitted.job
        #expect(eventually { (try? running.client().jobs().first?.state) == "RUNNING" })
        func ask(_ channel: UInt64, job: UInt32, uid: UInt32) throws -> WireReply {
            let request =
                try WireRequest.with {
                    $0.version = 1
                    $0.listJobs = WireListJobs()
                }.serializedBytes() as [UInt8]
            node.relay(
                .with {
                    $0.job = job
                    $0.channel = channel
                    $0.uid = uid
                    $0.request = .init(request)
                })
            _ = eventually { node.facts.replies.contains { $0.channel == channel } }
            let reply = try #require(node.facts.replies.first { $0.channel == channel })
            return try WireReply(serializedBytes: Array(reply.reply))
        }
        #expect(try ask(1, job: job, uid: 0).jobs.jobs.map(\.job) == [job])
        #expect(try ask(2, job: job, uid: 1000).refusal.code == Refusal.Code.accessDenied.rawValue)
        #expect(try ask(3, job: job + 1, uid: 0).refusal.code == Refusal.Code.accessDenied.rawValue)
        node.stop()
    }

    @Test func `an interactive job is answered when its nodes are ready and ends with its client`() throws {
        let running = try controller()
        let node = try FakeNode("n1", port: running.controller.port, exit: nil)
        var client: Client? = try running.client()
        let reply = try #require(
            try client?.submit("shell") {
                $0.waitForAllocation = true
                $0.job.script = .init()
            })
        #expect(reply.submitted.allocation.nodes.first?.ioPort == 7777, "\(reply)")
        #expect(reply.submitted.allocation.partition == "debug")
        client = nil
        #expect(eventually { node.facts.orders.contains { $0.isTerminate } })
        #expect(eventually { (try? running.client().jobs().first?.state) != "RUNNING" })
        node.stop()
    }

    /// The store's file system fills up under submissions: they are refused with the reason, the running job's end is
    /// recorded, and nothing is half done.
    @Test func `a full disk refuses submissions and records what ends`() throws {
        let directory = TemporaryDirectory()
        let mount = directory.path + "/small"
        mkdir(mount, 0o700)
        guard Glibc.mount("tmpfs", mount, "tmpfs", 0, "size=6m") == 0 else {
            try Test.cancel("cannot mount a small tmpfs: \(String(cString: strerror(errno)))")
        }
        defer { umount2(mount, 2) }
        var storage = SQLiteStore.Options()
        storage.reserve = 2 << 20
        storage.least = 0
        let running = try controller(directory, storage: storage, state: mount + "/state")
        let node = try FakeNode("n1", port: running.controller.port, exit: nil)
        let client = try running.client()
        let job = try client.submit("runs").submitted.job
        #expect(eventually { (try? client.jobs().first?.state) == "RUNNING" })
        let script = Array("#!/bin/sh\n# ".utf8) + [UInt8](repeating: 65, count: 700_000)
        var refusals: [WireRefusal] = []
        var taken = 1
        for number in 0..<12 {
            let reply = try client.submit("big\(number)") { $0.job.script = .init(script + Array("\(number)".utf8)) }
            if reply.submitted.job > 0 { taken += 1 } else { refusals.append(reply.refusal) }
        }
        #expect(refusals.contains { $0.message.contains("No space left on device") }, "\(refusals)")
        #expect(eventually { node.facts.registrations >= 2 }, "a failed commit makes nodes register again")
        #expect(eventually { (try? client.jobs().count) == taken })
        let order = try #require(node.facts.orders.first { $0.job == job && $0.prepare.hasBatch })
        // Again and again: a report is lost while the node's link is made anew.
        let isRecorded = eventually {
            node.report(order, .stepEnded(.with { $0.step = 0xffff_fffb }))
            usleep(300_000)
            return (try? client.accounting().first { $0.job == job }?.state) == "COMPLETED"
        }
        #expect(isRecorded)
        node.stop()
    }
}

extension WireOrder {
    var isTerminate: Bool { if case .terminate? = body { true } else { false } }
}
