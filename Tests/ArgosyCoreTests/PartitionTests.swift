import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct PartitionTests {
    private func set(_ cluster: inout Cluster, _ state: PartitionState) -> Answer? {
        let root = cluster.root
        return cluster.ask { .partitionUpdateRequested("main", state, by: root, reply: $0) }
    }

    @Test func `a partition that is DOWN queues jobs and starts them when it is UP again`() throws {
        var cluster = Cluster()
        #expect(set(&cluster, .down) == .done)
        let job = cluster.submit()
        #expect(cluster.state(job) == .pending)
        #expect(try cluster.row(job).reason == .partitionDown)
        #expect(cluster.core.view.partitions.map(\.state) == ["DOWN"])
        #expect(set(&cluster, .up) == .done)
        #expect(cluster.state(job) == .running)
        #expect(try cluster.row(job).reason == .none)
    }

    @Test func `jobs that wait already are told when their partition goes down`() throws {
        var cluster = Cluster(nodes: 1, cpus: 4)
        let first = cluster.submit { $0.tasks = 4 }
        let second = cluster.submit { $0.tasks = 4 }
        #expect(try cluster.row(second).reason == .resources)
        #expect(set(&cluster, .inactive) == .done)
        #expect(try cluster.row(second).reason == .partitionDown)
        cluster.finish(first)
        #expect(cluster.state(second) == .pending, "what runs ends, nothing new starts")
    }

    @Test(arguments: [PartitionState.drain, .inactive])
    func `a partition that takes no jobs refuses them with Slurm's words`(_ state: PartitionState) throws {
        var cluster = Cluster(nodes: 1, cpus: 4)
        let first = cluster.submit { $0.tasks = 4 }
        let second = cluster.submit { $0.tasks = 4 }
        #expect(set(&cluster, state) == .done)
        guard case .refused(let refusal) = cluster.trySubmit() else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.message == "Required partition not available (inactive or drain)")
        cluster.finish(first)
        #expect(cluster.state(second) == (state == .drain ? .running : .pending))
    }

    @Test func `the state survives a restart until the configuration says another`() throws {
        var cluster = Cluster()
        _ = set(&cluster, .down)
        cluster.restart()
        #expect(cluster.core.view.partitions.map(\.state) == ["DOWN"])
        cluster.configuration.partitions[0].state = "DRAIN"
        cluster.restart()
        #expect(cluster.core.view.partitions.map(\.state) == ["DRAIN"])
    }

    @Test func `only operators change partitions, and only those there are`() throws {
        var cluster = Cluster()
        let (user, root) = (cluster.caller, cluster.root)
        guard
            case .refused(let denied) = cluster.ask({
                .partitionUpdateRequested("main", .down, by: user, reply: $0)
            }),
            case .refused(let unknown) = cluster.ask({ .partitionUpdateRequested("x", .down, by: root, reply: $0) })
        else {
            Issue.record("not refused")
            return
        }
        #expect(denied.code == .accessDenied)
        #expect(unknown.message == "Invalid partition name specified")
        #expect(cluster.stored.partitions.isEmpty)
    }
}
