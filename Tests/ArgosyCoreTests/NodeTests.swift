import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct NodeTests {
    static func held(_ job: JobID, _ attempt: UInt32 = 0, steps: [StepID] = []) -> Registration.Held {
        .init(key: AttemptKey(job, Attempt(attempt)), prepared: true, steps: steps, terminating: false)
    }

    @Test func `a node that stops answering is DOWN after SlurmdTimeout and its job runs elsewhere`() throws {
        var cluster = Cluster(nodes: 2, cpus: 4)
        let job = cluster.submit { $0.tasks = 4 }
        cluster.apply(.nodeDisconnected(NodeIndex(0), cluster.incarnation(0)))
        #expect(cluster.node(0).flags == ["NOT_RESPONDING"])
        cluster.pass(.seconds(299))
        #expect(cluster.state(job) == .running)
        cluster.pass(.seconds(1))
        #expect(cluster.node(0).state == "DOWN" && cluster.node(0).reason == "Not responding")
        #expect(try cluster.row(job).attempt == Attempt(1))
        #expect(try cluster.row(job).allocation?.nodes.first?.name == "n2")
        cluster.register(0, held: [Self.held(job, 0, steps: [.batch])])
        #expect(
            cluster.orders(to: 0, of: job).last
                == .terminate(grace: .zero, why: "the controller does not know this attempt"))
        let other = cluster.submit { $0.tasks = 4 }
        #expect(cluster.state(other) == .pending)
        cluster.report(0, job, .gone(Usage()), attempt: 0)
        #expect(cluster.state(other) == .running)
        #expect(cluster.state(job) == .running)
    }

    @Test func `a job that must not run again ends as NODE_FAIL`() throws {
        var cluster = Cluster()
        let job = cluster.submit { $0.requeue = false }
        cluster.report(0, job, .prepared)
        cluster.register(0, boot: "second")
        #expect(cluster.state(job) == .nodeFail)
        #expect(try cluster.row(job).reasonDetail == "node n1 was rebooted")
    }

    @Test func `an order that got lost is given again`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.orders = []
        cluster.register(0)
        #expect(cluster.orders(to: 0, of: job) == [.prepare(launchBatch: true)])
        cluster.report(0, job, .prepared)
        cluster.orders = []
        cluster.register(0, held: [Self.held(job)])
        #expect(cluster.orders(to: 0, of: job) == [.launch(.batch)])
    }

    @Test func `jobs survive a restart of the controller`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.report(0, job, .prepared)
        cluster.restart()
        #expect(cluster.state(job) == .running && cluster.node(0).state == "UNKNOWN")
        cluster.register(0, held: [Self.held(job, steps: [.batch])])
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .completed)
    }

    @Test func `reports of an earlier registration are acknowledged and ignored`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.report(0, job, .prepared)
        let old = cluster.incarnation(0)
        cluster.register(0, held: [Self.held(job, steps: [.batch])])
        let late = Report(incarnation: old, sequence: 77, key: AttemptKey(job, Attempt(0)), body: .gone(Usage()))
        cluster.apply(.nodeReported(NodeIndex(0), late))
        #expect(cluster.state(job) == .running)
        #expect(cluster.acknowledged.last?.1 == 77)
    }

    @Test func `a node with less than configured is drained with the numbers`() throws {
        var cluster = Cluster(register: false)
        cluster.register(0, cpus: 2)
        #expect(cluster.node(0).flags == ["DRAIN"])
        #expect(cluster.node(0).reason == "Low CPUs (reported:2 < 100.00% of configured:4)")
        cluster.register(1, memory: 999)
        #expect(cluster.node(1).reason == "Low RealMemory (reported:999 < 100.00% of configured:1000)")
    }

    @Test func `CPUs may be declared with config_overrides`() throws {
        var cluster = Cluster(register: false) { $0.configOverrides = true }
        cluster.register(0, cpus: 2)
        #expect(cluster.node(0).flags == [] && cluster.node(0).state == "IDLE")
    }

    @Test func `a drained node keeps its running job and takes no other`() throws {
        var cluster = Cluster(nodes: 1)
        let job = cluster.submit()
        let root = cluster.root
        #expect(
            cluster.ask { .nodeUpdateRequested([NodeIndex(0)], .drain(reason: "disk"), by: root, reply: $0) } == .done)
        let other = cluster.submit()
        #expect(cluster.state(job) == .running && cluster.state(other) == .pending)
        #expect(try cluster.row(other).reason == .reqNodeNotAvail)
        #expect(cluster.ask { .nodeUpdateRequested([NodeIndex(0)], .resume, by: root, reply: $0) } == .done)
        #expect(cluster.state(other) == .running)
        let user = cluster.caller
        guard case .refused = cluster.ask({ .nodeUpdateRequested([NodeIndex(0)], .resume, by: user, reply: $0) }) else {
            Issue.record("a user may change nodes")
            return
        }
    }

    @Test func `a node at fault is drained and its job held`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.report(0, job, .prepareFailed(message: "disk full", nodeAtFault: true))
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .pending)
        #expect(try cluster.row(job).reason == .launchFailedRequeuedHeld)
        #expect(cluster.node(0).flags == ["DRAIN"])
    }

    @Test func `a job at fault fails with the message`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.report(0, job, .prepareFailed(message: "no such image", nodeAtFault: false))
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .failed)
        #expect(try cluster.row(job).reasonDetail.contains("no such image"))
    }

    @Test func `a job that ended while the controller was away is not ended by its limit`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.report(0, job, .prepared)
        cluster.now = cluster.now.adding(.seconds(7200))
        cluster.restart()
        cluster.register(0, held: [Self.held(job, steps: [.batch])])
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .completed)
    }
}
