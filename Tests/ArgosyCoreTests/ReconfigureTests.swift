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

/// What ReconfigFlags keeps of partitions that scontrol changed.
extension ReconfigureTests {
    private func changed(_ flags: String) -> Cluster {
        var cluster = Cluster(nodes: 2, cpus: 2)
        let root = cluster.root
        let settings: [ControlRequest.Setting] = [
            .init(key: "MaxTime", value: "30"), .init(key: "State", value: "DOWN"),
        ]
        for request in [
            ControlRequest.setPartition(name: "main", settings: settings, create: false),
            .setPartition(name: "made", settings: [.init(key: "Nodes", value: "n2")], create: true),
        ] { _ = cluster.ask { .controlRequested(request, by: root, reply: $0) } }
        cluster.reconfigure { configuration in
            if !flags.isEmpty { configuration.set("ReconfigFlags", flags) }
            configuration.partitions[0].priorityTier = 9
            configuration.partitions.append(.init(name: "added"))
        }
        #expect(cluster.core.checkInvariants() == [])
        return cluster
    }

    @Test func `without flags partitions are what the file says`() {
        let cluster = changed("")
        let partitions = cluster.core.configuration.partitions
        #expect(partitions.map(\.name) == ["main", "added"])
        #expect(partitions[0].maxTime == .unlimited && partitions[0].priorityTier == 9)
        #expect(cluster.core.view.partitions[0].state == "UP")
    }

    @Test func `KeepPartState keeps the state alone`() {
        let cluster = changed("KeepPartState")
        let partitions = cluster.core.configuration.partitions
        #expect(partitions.map(\.name) == ["main", "added"])
        #expect(partitions[0].maxTime == .unlimited && partitions[0].priorityTier == 9)
        #expect(cluster.core.view.partitions[0].state == "DOWN")
    }

    @Test func `KeepPartInfo keeps all that is known, and the file only adds partitions`() {
        let cluster = changed("KeepPartInfo")
        let partitions = cluster.core.configuration.partitions
        #expect(partitions.map(\.name) == ["main", "made", "added"])
        #expect(partitions[0].maxTime == TimeLimit(minutes: 30) && partitions[0].priorityTier != 9)
        #expect(cluster.core.view.partitions[0].state == "DOWN")
    }

    @Test func `a prolog of the controller that runs meanwhile is not run twice`() {
        var cluster = Cluster(nodes: 1, cpus: 2) { $0.set("PrologSlurmctld", "/prolog") }
        let job = cluster.submit()
        #expect(cluster.programs.map(\.kind) == [.prolog] && cluster.orders.isEmpty)
        cluster.reconfigure { $0.killWait = .seconds(99) }
        #expect(cluster.programs.count == 1)
        cluster.apply(.programEnded(AttemptKey(job, Attempt(0)), failure: ""))
        #expect(cluster.orders.contains { if case .prepare = $0.1.body { true } else { false } })
    }
}

extension ClusterConfiguration {
    mutating func set(_ key: String, _ value: String) {
        entries.append(.init(key: key, value: value, file: "test", line: 1))
    }
}
