import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyCore

extension Cluster {
    /// As `scontrol reconfigure`.
    fileprivate mutating func reconfigure(_ adjust: (inout ClusterConfiguration) -> Void) {
        var next = configuration
        adjust(&next)
        configuration = next.following(configuration).configuration
        registrations += Array(repeating: 0, count: configuration.nodes.count - registrations.count)
        core = ControllerCore(reconfiguring: core, as: configuration, stored: stored, now: now)
        start()
    }
}

@Suite("a configuration read while the cluster works") struct ReconfigureTests {
    @Test func `a running job keeps its node, also when that is gone`() throws {
        var cluster = Cluster(nodes: 2, cpus: 4)
        let job = cluster.submit { $0.cpusPerTask = 4 }
        cluster.report(0, job, .prepared)
        let deadline = try cluster.row(job).deadline
        cluster.reconfigure { configuration in
            configuration.nodes.removeFirst()
            configuration.partitions[0].nodes = [NodeIndex(0)]
        }
        #expect(cluster.core.checkInvariants() == [])
        #expect(try cluster.row(job).deadline == deadline && cluster.state(job) == .running)
        #expect(cluster.core.view.nodes.map(\.name) == ["n2"])
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .completed)
        let next = cluster.submit()
        #expect(try cluster.row(next).allocation?.nodes.map(\.name) == ["n2"])
    }

    @Test func `nodes stay connected and take work at once`() throws {
        var cluster = Cluster(nodes: 1, cpus: 2)
        let waiting = cluster.submit { $0.cpusPerTask = 2 }
        let second = cluster.submit { $0.cpusPerTask = 2 }
        #expect(cluster.state(waiting) == .running && cluster.state(second) == .pending)
        cluster.reconfigure { $0.killWait = .seconds(99) }
        #expect(cluster.node(0).isConnected)
        cluster.finish(waiting)
        #expect(cluster.state(second) == .running)
        #expect(cluster.core.configuration.killWait == .seconds(99))
    }

    @Test func `a new node takes a job that waited for it`() throws {
        var cluster = Cluster(nodes: 1, cpus: 2)
        _ = cluster.submit { $0.cpusPerTask = 2 }
        let wide = cluster.submit { $0.cpusPerTask = 2 }
        #expect(cluster.state(wide) == .pending)
        cluster.reconfigure { configuration in
            configuration.nodes.append(.init(name: "n2", cpus: 2, memoryMiB: 1000))
            configuration.partitions[0].nodes = [NodeIndex(0), NodeIndex(1)]
        }
        #expect(cluster.state(wide) == .pending)
        cluster.register(1)
        #expect(cluster.state(wide) == .running)
        #expect(cluster.core.checkInvariants() == [])
    }

    @Test func `who waits for a job is told of its end afterwards`() {
        var cluster = Cluster(nodes: 1, cpus: 2)
        let job = cluster.submit()
        let handle = cluster.handle()
        cluster.apply(.waitRequested(job, reply: handle))
        cluster.reconfigure { $0.maxJobCount = 5 }
        #expect(cluster.answer(handle) == nil)
        cluster.finish(job)
        #expect(cluster.answer(handle) == .ended(job))
    }

    @Test func `jobs of a partition that is gone run on, and start no more`() {
        var cluster = Cluster(nodes: 1, cpus: 2)
        let running = cluster.submit { $0.cpusPerTask = 2 }
        let waiting = cluster.submit { $0.cpusPerTask = 2 }
        cluster.reconfigure { configuration in
            configuration.partitions[0].name = "other"
        }
        #expect(cluster.state(running) == .running)
        cluster.finish(running)
        #expect(cluster.state(waiting) == .pending)
        #expect(cluster.core.checkInvariants() == [])
    }

    @Test func `a node that the file calls DOWN now is down, one that an operator drained stays so`() {
        var cluster = Cluster(nodes: 2, cpus: 2)
        let root = cluster.root
        _ = cluster.ask { .nodeUpdateRequested([NodeIndex(1)], .drain(reason: "fan"), by: root, reply: $0) }
        cluster.reconfigure { configuration in
            configuration.nodes[0].state = "DOWN"
            configuration.nodes[0].reason = "moved"
        }
        #expect(cluster.node(0).state == "DOWN" && cluster.node(0).reason == "moved")
        #expect(cluster.node(1).flags.contains("DRAIN") && cluster.node(1).reason == "fan")
    }
}
