import ArgosyDomain
import Testing

@testable import ArgosyScheduler

@Suite struct BackfillPlannerTests {
    @Test func `a job that fits starts, with cores of its own`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        cluster.submit(1, tasks: 3)
        cluster.submit(2, tasks: 3)
        cluster.submit(3)
        let plan = cluster.plan()
        #expect(plan.placements.map(\.job.rawValue) == [1, 2, 3])
        #expect(plan.placement(1)?.allocation.nodes.map(\.name) == ["n0"])
        #expect(plan.placement(2)?.allocation.nodes.map(\.name) == ["n1"])
        #expect(plan.placement(3)?.allocation.nodes.first?.cpus.members == [3])
    }

    @Test func `the first that does not fit waits for resources, those behind it for their turn`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        cluster.run(100, on: 0, cpus: 4, ends: 600)
        cluster.submit(1, tasks: 8) {
            $0.minNodes = 2
            $0.maxNodes = 2
        }
        cluster.submit(2, tasks: 4, seconds: 900)
        cluster.submit(3, tasks: 4, seconds: 600)
        let plan = cluster.plan()
        #expect(plan.start(1) == 600)
        #expect(plan.reason(1) == .resources)
        #expect(plan.explanation(1)?.isReserved == true)
        #expect(plan.nodes(1) == "n[0-1]")
        // Ends in time, so it goes before; the longer one would push the first back.
        #expect(plan.placements.map(\.job.rawValue) == [3])
        #expect(plan.reason(2) == .priority)
        #expect(plan.start(2) == 4200)
        #expect(plan.sentence(1).contains("2 nodes"))
    }

    @Test func `memory that is not there makes a job wait`() {
        var cluster = PlannerCluster(nodes: 1, cores: 4, memoryMiB: 1000)
        cluster.run(100, on: 0, cpus: 1, ends: 50, memoryMiB: 800)
        cluster.submit(1) { $0.memoryPerNodeMiB = 500 }
        let plan = cluster.plan()
        #expect(plan.start(1) == 50)
        #expect(plan.sentence(1).contains("1 with too little free memory"))
    }

    @Test func `devices are given out once`() {
        var cluster = PlannerCluster(nodes: 1, cores: 8, gpus: 2)
        for id in 1...3 { cluster.submit(UInt32(id), seconds: 100) { $0.gres = [GRESRequest(name: "gpu", count: 1)] } }
        let plan = cluster.plan()
        #expect(plan.placements.map(\.job.rawValue) == [1, 2])
        #expect(plan.start(3) == 100)
        #expect(plan.sentence(3).contains("1 with too few free GRES"))
    }

    @Test func `whole nodes are not shared`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        cluster.run(100, on: 0, cpus: 1, ends: 70)
        cluster.submit(1) { $0.sharing = .exclusive }
        cluster.submit(2, seconds: 30) { $0.sharing = .exclusive }
        let plan = cluster.plan()
        #expect(plan.placement(1)?.allocation.nodes.map(\.name) == ["n1"])
        #expect(plan.placement(1)?.allocation.cpuCount == 4)
        #expect(plan.start(2) == 70)
    }

    @Test func `held jobs and those that wait for others get their reasons`() {
        var cluster = PlannerCluster(nodes: 1)
        cluster.submit(1)
        cluster.snapshot.queue[0].waits = [.heldByUser, .dependency]
        cluster.submit(2)
        cluster.snapshot.queue[1].waits = .dependencyNever
        cluster.submit(3)
        cluster.snapshot.queue[2].begin = Timestamp(seconds: PlannerCluster.now + 500)
        let plan = cluster.plan()
        #expect(plan.reason(1) == .jobHeldUser)
        #expect(plan.explanation(1)?.reasons.members == [.dependency, .jobHeldUser])
        #expect(plan.reason(2) == .dependencyNeverSatisfied)
        #expect(plan.reason(3) == .beginTime)
        #expect(plan.start(3) == 500)
    }

    @Test func `constraints of partitions are told with their numbers`() {
        var cluster = PlannerCluster(nodes: 2)
        cluster.snapshot.partitions[0].maxTime = TimeLimit(minutes: 60)
        cluster.snapshot.partitions[0].maxNodes = 1
        cluster.submit(1, seconds: 7200)
        cluster.submit(2, tasks: 2) {
            $0.minNodes = 2
            $0.maxNodes = 2
        }
        let plan = cluster.plan()
        #expect(plan.reason(1) == .partitionTimeLimit)
        #expect(plan.sentence(1).contains("120 minutes"))
        #expect(plan.reason(2) == .partitionNodeLimit)
        #expect(plan.start(1) == nil)
    }

    @Test func `nodes that are down are told from nodes that do not exist`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        cluster.snapshot.nodes[1].availability = .down
        cluster.submit(1, tasks: 8) {
            $0.minNodes = 2
            $0.maxNodes = 2
        }
        cluster.submit(2, tasks: 12) {
            $0.minNodes = 3
            $0.maxNodes = 3
        }
        let plan = cluster.plan()
        #expect(plan.reason(1) == .reqNodeNotAvail)
        #expect(plan.sentence(1).contains("1 down"))
        #expect(plan.reason(2) == .partitionNodeLimit)
    }

    @Test func `licences are counted over time`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        cluster.snapshot.licenses = [PlanningSnapshot.License(name: "matlab", total: 2, free: 2)]
        for id in 1...3 {
            cluster.submit(UInt32(id), seconds: 200) { $0.licenses = [Shape.LicenseDemand(license: 0, count: 1)] }
        }
        let plan = cluster.plan()
        #expect(plan.placements.count == 2)
        #expect(plan.reason(3) == .licenses)
        #expect(plan.start(3) == 200)
        #expect(plan.sentence(3).contains("0 of 2 are free"))
    }

    @Test func `an advance reservation keeps others out, and its own jobs in`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        var reservation = PlanningSnapshot.Reservation(
            name: "course", start: Timestamp(seconds: PlannerCluster.now + 1000),
            end: Timestamp(seconds: PlannerCluster.now + 2000), nodes: [NodeIndex(0)])
        reservation.allowedUsers = [7]
        cluster.snapshot.reservations = [reservation]
        cluster.submit(1, tasks: 4, seconds: 1500)
        cluster.submit(2, tasks: 4, seconds: 1500)
        cluster.submit(3, tasks: 4, seconds: 1000)
        cluster.submit(4, tasks: 4, seconds: 500) { $0.reservations = [0] }
        let plan = cluster.plan()
        #expect(plan.placement(1)?.allocation.nodes.map(\.name) == ["n1"])
        #expect(plan.start(2) == 1500)
        #expect(plan.nodes(2) == "n1")
        #expect(plan.placement(3)?.allocation.nodes.map(\.name) == ["n0"])
        #expect(plan.start(4) == 1000)
        #expect(plan.reason(4) == .reservation)
        #expect(plan.nodes(4) == "n0")
    }

    @Test func `a job with time-min is shortened to start before a reservation`() {
        var cluster = PlannerCluster(nodes: 1, cores: 4)
        cluster.snapshot.reservations = [
            PlanningSnapshot.Reservation(
                name: "work", start: Timestamp(seconds: PlannerCluster.now + 1800),
                end: Timestamp(seconds: PlannerCluster.now + 3600), nodes: [NodeIndex(0)])
        ]
        let at = cluster.submit(1, seconds: 7200)
        cluster.snapshot.queue[at].timeMin = TimeLimit(minutes: 10)
        let plan = cluster.plan()
        #expect(plan.placement(1)?.timeLimit == TimeLimit(minutes: 30))
    }

    @Test func `a job that cannot end before its deadline is not planned`() {
        var cluster = PlannerCluster(nodes: 1)
        let at = cluster.submit(1, seconds: 7200)
        cluster.snapshot.queue[at].deadline = Timestamp(seconds: PlannerCluster.now + 3600)
        let plan = cluster.plan()
        #expect(plan.placements.isEmpty)
        #expect(plan.reason(1) == .deadLine)
    }

    @Test func `an array starts as many elements as fit`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        let at = cluster.submit(1, seconds: 100)
        cluster.snapshot.queue[at].copies = 1000
        let plan = cluster.plan()
        #expect(plan.placements.count == 8)
        #expect(plan.explanations.count == 1)
        #expect(plan.start(1) == 0)
        #expect(plan.explanation(1)?.expectedStart == Timestamp(seconds: PlannerCluster.now + 100))
    }

    @Test func `components start together or not at all`() {
        var cluster = PlannerCluster(nodes: 2, cores: 4)
        cluster.run(100, on: 0, cpus: 3, ends: 300)
        cluster.submit(10, tasks: 4)
        cluster.submit(11, tasks: 2)
        cluster.submit(12, seconds: 60)
        for at in 0...1 { cluster.snapshot.queue[at].hetLeader = 10 }
        var plan = cluster.plan()
        #expect(plan.placements.map(\.job.rawValue) == [12])
        #expect(plan.explanation(10)?.expectedStart == Timestamp(seconds: PlannerCluster.now + 300))
        #expect(plan.explanation(11)?.expectedStart == Timestamp(seconds: PlannerCluster.now + 300))
        cluster.snapshot.running = []
        cluster.snapshot.nodes[0].freeCPUs = CPUSet(0..<4)
        plan = cluster.plan()
        #expect(plan.placements.map(\.job.rawValue) == [10, 11, 12])
    }

    @Test func `a pass goes on where its budget ended`() {
        var cluster = PlannerCluster(nodes: 4, cores: 4)
        for id in 1...500 {
            cluster.submit(UInt32(id), tasks: 1 + id % 4, seconds: Int64(100 + id)) { $0.cpusPerTask = 1 }
        }
        cluster.snapshot.settings.backfill = .reservations(.max)
        cluster.snapshot.settings.passBudget = 20
        var plan = cluster.plan()
        #expect(plan.statistics.hitBudget)
        var seen = Set(plan.explanations.map(\.job) + plan.placements.map(\.job))
        #expect(seen.count < 500)
        var passes = 1
        while let next = plan.resumeAt, passes < 200 {
            for explanation in plan.explanations where explanation.isReserved {
                if let at = cluster.snapshot.queue.firstIndex(where: { $0.id == explanation.job }) {
                    cluster.snapshot.queue[at].reservedStart = explanation.expectedStart
                }
            }
            // What has started runs.
            for placement in plan.placements {
                guard let at = cluster.snapshot.queue.firstIndex(where: { $0.id == placement.job }) else { continue }
                let job = cluster.snapshot.queue.remove(at: at)
                var running = PlanningSnapshot.Running(job: job.id, partition: 0, allocation: placement.allocation)
                running.expectedEnd = Timestamp(seconds: PlannerCluster.now + job.expectedRun)
                cluster.snapshot.running.append(running)
                for node in placement.allocation.nodes {
                    cluster.snapshot.nodes[node.index.int].freeCPUs.subtract(node.cpus)
                }
            }
            cluster.snapshot.resumeAt = next
            plan = cluster.plan()
            seen.formUnion(plan.explanations.map(\.job) + plan.placements.map(\.job))
            passes += 1
        }
        #expect(plan.resumeAt == nil)
        #expect(seen.count == 500)
    }
}
