import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// The default policy's order over snapshots.
@Suite struct PolicyOrderTests {
    private static func cluster(nodes: Int = 1, cores: Int = 4) -> PlannerCluster {
        var cluster = PlannerCluster(nodes: nodes, cores: cores)
        cluster.snapshot.settings.usesDefaultPolicy = true
        return cluster
    }

    private static func order(_ cluster: PlannerCluster) -> [UInt32] {
        var snapshot = cluster.snapshot
        _ = snapshot.orderByPolicy()
        return snapshot.queue.map(\.id.rawValue)
    }

    @Test func `short jobs pass long ones, and what is predicted counts`() {
        var cluster = Self.cluster()
        cluster.submit(1, seconds: 36_000)
        cluster.submit(2, seconds: 600)
        cluster.submit(3, seconds: 36_000)
        #expect(Self.order(cluster) == [2, 1, 3])
        cluster.snapshot.queue[2].predictedRun = 60
        #expect(Self.order(cluster) == [3, 2, 1])
        // The plan still goes by what was asked for.
        cluster.run(9, on: 0, cpus: 4, ends: 100)
        #expect(cluster.plan().start(3) == 100)
    }

    @Test func `tiers and priorities that somebody gave stay before the policy, jobs that are held come last`() {
        var cluster = Self.cluster()
        var urgent = PlanningSnapshot.Partition(name: "urgent", nodes: cluster.snapshot.partitions[0].nodes)
        urgent.tier = 2
        cluster.snapshot.partitions.append(urgent)
        for (id, seconds) in [(1, 100), (2, 200), (3, 300), (4, 50)] as [(UInt32, Int64)] {
            cluster.submit(id, seconds: seconds)
        }
        cluster.submit(5, seconds: 90_000) { $0.partitions = [1] }
        cluster.snapshot.queue[0].standing = -1
        cluster.snapshot.queue[2].standing = 1
        cluster.snapshot.queue[3].waits = .heldByUser
        #expect(Self.order(cluster) == [5, 3, 2, 1, 4])
    }

    @Test func `a job that needs an empty machine goes when it is empty`() {
        var cluster = Self.cluster()
        cluster.submit(1, tasks: 4, seconds: 60)
        cluster.submit(2, tasks: 1, seconds: 600)
        #expect(Self.order(cluster) == [1, 2])
        cluster.run(9, on: 0, cpus: 1, ends: 20_000)
        #expect(Self.order(cluster) == [2, 1])
        cluster.snapshot.running[0].predictedEnd = Timestamp(seconds: PlannerCluster.now + 10)
        #expect(Self.order(cluster) == [1, 2])
    }

    @Test func `who waited longer than twice the largest backlog goes first`() {
        var cluster = Self.cluster()
        cluster.submit(1, tasks: 4, seconds: 90_000)
        cluster.submit(2, seconds: 10)
        cluster.snapshot.queue[0].submit = Timestamp(seconds: PlannerCluster.now - 1000)
        let entry = BacklogNote.Entry(group: 0, backlog: 600, oldest: PlannerCluster.now - 1000)
        cluster.snapshot.backlogs.take(.init(time: cluster.snapshot.now, entries: [entry]))
        #expect(Self.order(cluster) == [2, 1])
        cluster.snapshot.now = Timestamp(seconds: PlannerCluster.now + 201)
        #expect(Self.order(cluster) == [1, 2])
    }

    @Test func `the backlog is told once for each arrival`() throws {
        var cluster = Self.cluster(nodes: 2)
        cluster.submit(1, tasks: 4, seconds: 800)
        cluster.run(9, on: 0, cpus: 2, ends: 400)
        var snapshot = cluster.snapshot
        let noted = snapshot.orderByPolicy()
        let note = try #require(noted)
        #expect(note.entries == [.init(group: 0, backlog: 500, oldest: PlannerCluster.now)])
        cluster.snapshot.backlogs.take(note)
        cluster.snapshot.now = Timestamp(seconds: PlannerCluster.now + 1)
        #expect(cluster.plan().backlog == nil)
    }

    @Test func `a job that waits for some nodes takes no reservation from those that wait for others`() {
        var cluster = Self.cluster(nodes: 2)
        cluster.snapshot.partitions[0].nodes = [NodeIndex(0)]
        cluster.snapshot.partitions.append(PlanningSnapshot.Partition(name: "other", nodes: [NodeIndex(1)]))
        cluster.run(8, on: 0, cpus: 1, ends: 1000)
        cluster.run(9, on: 1, cpus: 1, ends: 1000)
        cluster.submit(1, tasks: 4, seconds: 100)
        cluster.submit(2, tasks: 4, seconds: 200) { $0.partitions = [1] }
        // It would be in the way of the second.
        cluster.submit(3, tasks: 1, seconds: 9000) { $0.partitions = [1] }
        cluster.snapshot.running[0].partition = 0
        cluster.snapshot.running[1].partition = 1
        let plan = cluster.plan()
        #expect(plan.explanation(1)?.isReserved == true && plan.explanation(2)?.isReserved == true)
        #expect(plan.start(2) == 1000)
        #expect(plan.placements.isEmpty)
    }

    @Test func `partitions that share nodes, even through others, are one group`() {
        var snapshot = PlanningSnapshot(version: 1, now: Timestamp(seconds: 1))
        for nodes in [[0, 1], [4], [2, 3], [1, 2], []] {
            snapshot.partitions.append(.init(name: "", nodes: nodes.map { NodeIndex($0) }))
        }
        let groups = PartitionGroups(snapshot)
        #expect((0..<5).map { groups.group(of: $0) } == [0, 1, 0, 0, 4])
    }

    @Test func `each order is a permutation, and the same again`() {
        var generator = SplitMix(seed: 4)
        for _ in 0..<50 {
            var cluster = Self.cluster(nodes: 3)
            for id in 1...40 as ClosedRange<UInt32> {
                let place = cluster.submit(
                    id, tasks: Int(generator.next(below: 4)) + 1, seconds: Int64(generator.next(below: 5)) * 600 + 1)
                cluster.snapshot.queue[place].submit = Timestamp(
                    seconds: PlannerCluster.now - Int64(generator.next(below: 3)) * 500)
            }
            let order = Self.order(cluster)
            #expect(order.sorted() == Array(1...40))
            #expect(order == Self.order(cluster))
        }
    }
}
