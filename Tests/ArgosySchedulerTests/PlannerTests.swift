import ArgosyDomain
import ArgosyScheduler
import Testing

@Suite struct PlannerTests {
    struct TestJob {
        var id: UInt32
        var copies: Int32 = 1
        var shape = Shape(partitions: [0])
    }

    static func snapshot(nodes: Int = 2, cpus: Int = 4, threads: Int = 1, _ jobs: [TestJob]) -> PlanningSnapshot {
        var snapshot = PlanningSnapshot(version: 1, now: Timestamp(seconds: 1000))
        let hardware = NodeHardware(
            sockets: 1, coresPerSocket: cpus / threads, threadsPerCore: threads, memoryMiB: 1000)
        snapshot.kinds = [PlanningSnapshot.NodeKind(hardware: hardware)]
        snapshot.nodes = (0..<nodes).map {
            PlanningSnapshot.Node(
                index: NodeIndex($0), name: "n\($0)", kind: 0, availability: .up, freeCPUs: CPUSet(0..<cpus),
                freeMemoryMiB: 1000)
        }
        snapshot.partitions = [
            PlanningSnapshot.Partition(name: "all", nodes: snapshot.nodes.map(\.index)),
            PlanningSnapshot.Partition(name: "last", nodes: [NodeIndex(nodes - 1)]),
        ]
        snapshot.shapes = jobs.map(\.shape)
        snapshot.queue = jobs.enumerated().map { number, job in
            var waiting = PlanningSnapshot.Job(id: JobID(job.id), shape: Int32(number))
            waiting.copies = job.copies
            return waiting
        }
        return snapshot
    }

    static func job(
        _ id: UInt32, tasks: Int = 1, nodes: Int = 0, _ adjust: (inout TestJob) -> Void = { _ in }
    ) -> TestJob {
        var job = TestJob(id: id)
        job.shape.tasks = tasks
        job.shape.minNodes = max(nodes, 1)
        job.shape.maxNodes = nodes > 0 ? nodes : 100
        adjust(&job)
        return job
    }

    func plan(_ snapshot: PlanningSnapshot) -> Plan { FirstFitPlanner().plan(snapshot) }
    func shares(_ placement: Placement?) -> [[Int]] { placement?.allocation.nodes.map { $0.cpus.members } ?? [] }

    @Test func `jobs fill the first node that has room`() {
        let plan = plan(Self.snapshot([Self.job(1, tasks: 2), Self.job(2, tasks: 2), Self.job(3)]))
        #expect(plan.placements.map { shares($0) } == [[[0, 1]], [[2, 3]], [[0]]])
        #expect(plan.placements.map { $0.allocation.nodes[0].name } == ["n0", "n0", "n1"])
    }

    @Test func `tasks of a job with a fixed number of nodes are spread evenly`() {
        let placed = plan(Self.snapshot([Self.job(1, tasks: 4, nodes: 2)])).placements.first
        #expect(placed?.allocation.nodes.map(\.tasks) == [2, 2])
    }

    @Test func `a job takes no more nodes than it needs`() {
        let placed = plan(Self.snapshot(nodes: 3, [Self.job(1, tasks: 6)])).placements.first
        #expect(placed?.allocation.nodes.map(\.tasks) == [4, 2])
    }

    @Test func `whole cores are given on nodes with threads`() {
        let plan = plan(Self.snapshot(nodes: 1, cpus: 4, threads: 2, [Self.job(1), Self.job(2), Self.job(3)]))
        #expect(plan.placements.map { shares($0) } == [[[0, 1]], [[2, 3]]])
        #expect(plan.explanations.first?.reason == .resources)
    }

    @Test func `memory is counted`() {
        let jobs = (1...3).map { id in Self.job(UInt32(id), nodes: 1) { $0.shape.memoryPerNodeMiB = 600 } }
        let plan = plan(Self.snapshot(jobs))
        #expect(plan.placements.map { $0.allocation.nodes[0].name } == ["n0", "n1"])
        #expect(plan.explanations.first.map(plan.detail)?.contains("600 MiB of memory") == true)
    }

    @Test func `an exclusive job takes all CPUs of an empty node`() {
        let plan = plan(Self.snapshot([Self.job(1), Self.job(2) { $0.shape.sharing = .exclusive }]))
        #expect(shares(plan.placements.last) == [[0, 1, 2, 3]])
        #expect(plan.placements.last?.allocation.nodes[0].name == "n1")
    }

    @Test func `the head blocks its partition and its nodes, the rest wait for priority`() {
        let snapshot = Self.snapshot([
            Self.job(1, tasks: 5), Self.job(2, nodes: 2) { $0.shape.sharing = .exclusive }, Self.job(3),
            Self.job(4) { $0.shape.partitions = [1] },
        ])
        let plan = plan(snapshot)
        #expect(plan.placements.map(\.job) == [JobID(1)])
        #expect(plan.explanations.map(\.reason) == [.resources, .priority, .priority])
    }

    @Test func `a job that waits for nodes to come back blocks nobody`() {
        var snapshot = Self.snapshot([Self.job(1, nodes: 2), Self.job(2)])
        snapshot.nodes[1].availability = .down
        let plan = plan(snapshot)
        #expect(plan.placements.map(\.job) == [JobID(2)])
        #expect(plan.explanations.first?.reason == .reqNodeNotAvail)
        #expect(plan.explanations.first.map(plan.detail)?.contains("not: n1") == true)
    }

    @Test func `the head's expected start comes from the limits of what runs`() {
        var snapshot = Self.snapshot(nodes: 1, [Self.job(1, tasks: 4)])
        for (cpu, end) in [(0, 5000), (1, 3000)] {
            snapshot.nodes[0].freeCPUs.remove(cpu)
            let node = Allocation.Node(index: NodeIndex(0), name: "n0", cpus: CPUSet([cpu]), memoryMiB: 0, tasks: 1)
            var running = PlanningSnapshot.Running(
                job: JobID(9), partition: 0, allocation: Allocation(nodes: [node], cpusPerTask: 1))
            running.expectedEnd = Timestamp(seconds: Int64(end))
            snapshot.running.append(running)
        }
        #expect(plan(snapshot).explanations.first?.expectedStart == Timestamp(seconds: 5000))
    }

    @Test func `required nodes are taken, excluded ones are not`() {
        let plan = plan(
            Self.snapshot([
                Self.job(1) { $0.shape.requiredNodes = [NodeIndex(1)] },
                Self.job(2) { $0.shape.excludedNodes = [NodeIndex(0)] },
            ]))
        #expect(plan.placements.map { $0.allocation.nodes[0].name } == ["n1", "n1"])
    }

    @Test func `as many elements of an array start as fit`() {
        let plan = plan(Self.snapshot([Self.job(1, tasks: 2) { $0.copies = 9 }]))
        #expect(plan.placements.count == 4)
        #expect(plan.explanations.count == 1)
    }
}
