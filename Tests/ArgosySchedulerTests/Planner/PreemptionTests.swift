import ArgosyDomain
import Testing

@testable import ArgosyScheduler

@Suite struct PreemptionTests {
    static func cluster() -> PlannerCluster {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        cluster.snapshot.partitions.append(cluster.snapshot.partitions[0])
        cluster.snapshot.partitions[1].name = "urgent"
        cluster.snapshot.partitions[1].tier = 10
        cluster.snapshot.partitions[0].preemptMode = .requeue
        cluster.snapshot.partitions[0].graceTime = 30
        cluster.snapshot.settings.preemption = .partitionPriority
        return cluster
    }

    @Test func `a job of a higher tier takes the place of the fewest, lowest jobs`() {
        var cluster = Self.cluster()
        cluster.run(1, on: 0, cpus: 4, ends: 5000)
        cluster.run(2, on: 1, cpus: 2, ends: 5000)
        cluster.run(3, on: 1, cpus: 2, ends: 5000)
        cluster.snapshot.running[0].priority = 50
        cluster.snapshot.running[1].priority = 10
        cluster.snapshot.running[2].priority = 20
        cluster.submit(9, tasks: 2) { $0.partitions = [1] }
        let plan = cluster.plan()
        #expect(plan.preemptions.map(\.victim.rawValue) == [2])
        #expect(plan.preemptions.first?.mode == .requeue)
        #expect(plan.preemptions.first?.grace == 30)
        #expect(plan.preemptions.first?.beneficiary == JobID(9))
        #expect(plan.placements.isEmpty)
        #expect(plan.start(9) == 30)
    }

    @Test func `nothing is preempted that would not make the job start`() {
        var cluster = Self.cluster()
        cluster.run(1, on: 0, cpus: 2, ends: 5000)
        cluster.run(2, on: 0, cpus: 2, ends: 5000)
        cluster.snapshot.running[1].partition = 1
        cluster.run(3, on: 1, cpus: 4, ends: 5000)
        cluster.snapshot.running[2].partition = 1
        cluster.submit(9, tasks: 4) { $0.partitions = [1] }
        let plan = cluster.plan()
        #expect(plan.preemptions.isEmpty)
        #expect(plan.start(9) == 5000)
    }

    @Test func `jobs of the same tier, young ones and those that end are left alone`() {
        var cluster = Self.cluster()
        cluster.snapshot.settings.preemptExemptTime = 100
        cluster.run(1, on: 0, cpus: 4, ends: 5000)
        cluster.run(2, on: 1, cpus: 4, ends: 5000)
        cluster.snapshot.running[0].isEnding = true
        cluster.snapshot.running[0].start = Timestamp(seconds: PlannerCluster.now - 1000)
        cluster.submit(8, tasks: 4)
        cluster.submit(9, tasks: 4) { $0.partitions = [1] }
        #expect(cluster.plan().preemptions.isEmpty)
        cluster.snapshot.running[1].start = Timestamp(seconds: PlannerCluster.now - 100)
        #expect(cluster.plan().preemptions.map(\.victim.rawValue) == [2])
    }

    @Test func `two jobs do not count on one victim's room`() {
        var cluster = Self.cluster()
        cluster.run(1, on: 0, cpus: 4, ends: 5000)
        cluster.run(2, on: 1, cpus: 4, ends: 5000)
        for id in 7...9 { cluster.submit(UInt32(id), tasks: 3) { $0.partitions = [1] } }
        let plan = cluster.plan()
        #expect(Set(plan.preemptions.map(\.victim.rawValue)) == [1, 2])
        #expect(Set(plan.preemptions.map(\.beneficiary.rawValue)) == [7, 8])
    }
}
