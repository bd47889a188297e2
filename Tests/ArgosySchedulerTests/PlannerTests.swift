import ArgosyDomain
import ArgosyScheduler
import Testing

@Suite struct PlannerTests {
    static func snapshot(nodes: Int = 2, cpus: Int = 4, threads: Int = 1, _ jobs: [PlanningSnapshot.Job])
        -> PlanningSnapshot
    {
        var snapshot = PlanningSnapshot(version: 1, now: Timestamp(seconds: 1000))
        snapshot.nodes = (0..<nodes).map {
            PlanningSnapshot.Node(
                index: NodeIndex($0), name: "n\($0)", isAvailable: true, cpus: cpus, threadsPerCore: threads,
                freeCPUs: CPUSet(0..<cpus), memoryMiB: 1000, freeMemoryMiB: 1000, weight: 1)
        }
        snapshot.partitionNodes = [snapshot.nodes.map(\.index), [NodeIndex(nodes - 1)]]
        snapshot.queue = jobs
        return snapshot
    }

    static func job(
        _ id: UInt32, tasks: Int = 1, nodes: Int = 0, _ adjust: (inout PlanningSnapshot.Job) -> Void = { _ in }
    )
        -> PlanningSnapshot.Job
    {
        var job = PlanningSnapshot.Job(id: JobID(id))
        job.tasks = tasks
        job.minNodes = max(nodes, 1)
        job.maxNodes = nodes > 0 ? nodes : 100
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
        let jobs = (1...3).map { id in Self.job(UInt32(id), nodes: 1) { $0.memoryPerNodeMiB = 600 } }
        let plan = plan(Self.snapshot(jobs))
        #expect(plan.placements.map { $0.allocation.nodes[0].name } == ["n0", "n1"])
        #expect(plan.explanations.first?.detail.contains("600 MiB of memory") == true)
    }

    @Test func `an exclusive job takes all CPUs of an empty node`() {
        let plan = plan(Self.snapshot([Self.job(1), Self.job(2) { $0.exclusive = true }]))
        #expect(shares(plan.placements.last) == [[0, 1, 2, 3]])
        #expect(plan.placements.last?.allocation.nodes[0].name == "n1")
    }

    @Test func `the head blocks its partition and its nodes, the rest wait for priority`() {
        var snapshot = Self.snapshot([
            Self.job(1, tasks: 5), Self.job(2, nodes: 2) { $0.exclusive = true }, Self.job(3),
            Self.job(4) { $0.partition = 1 },
        ])
        snapshot.partitionNodes[1] = [NodeIndex(1)]
        let plan = plan(snapshot)
        #expect(plan.placements.map(\.job) == [JobID(1)])
        #expect(plan.explanations.map(\.reason) == [.resources, .priority, .priority])
    }

    @Test func `a job that waits for nodes to come back blocks nobody`() {
        var snapshot = Self.snapshot([Self.job(1, nodes: 2), Self.job(2)])
        snapshot.nodes[1].isAvailable = false
        let plan = plan(snapshot)
        #expect(plan.placements.map(\.job) == [JobID(2)])
        #expect(plan.explanations.first?.reason == .reqNodeNotAvail)
        #expect(plan.explanations.first?.detail.contains("not: n1") == true)
    }

    @Test func `the head's expected start comes from the limits of what runs`() {
        var snapshot = Self.snapshot(nodes: 1, [Self.job(1, tasks: 4)])
        for (cpu, end) in [(0, 5000), (1, 3000)] {
            snapshot.nodes[0].freeCPUs.remove(cpu)
            let node = Allocation.Node(index: NodeIndex(0), name: "n0", cpus: CPUSet([cpu]), memoryMiB: 0, tasks: 1)
            snapshot.running.append((Timestamp(seconds: Int64(end)), Allocation(nodes: [node], cpusPerTask: 1)))
        }
        #expect(plan(snapshot).explanations.first?.expectedStart == Timestamp(seconds: 5000))
    }

    @Test func `required nodes are taken, excluded ones are not`() {
        let plan = plan(
            Self.snapshot([
                Self.job(1) { $0.requiredNodes = [NodeIndex(1)] }, Self.job(2) { $0.excludedNodes = [NodeIndex(0)] },
            ]))
        #expect(plan.placements.map { $0.allocation.nodes[0].name } == ["n1", "n1"])
    }

    @Test func `as many elements of an array start as fit`() {
        let plan = plan(Self.snapshot([Self.job(1, tasks: 2) { $0.copies = 9 }]))
        #expect(plan.placements.count == 4)
        #expect(plan.explanations.count == 1)
    }
}
