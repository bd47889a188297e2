import ArgosyDomain

@testable import ArgosyScheduler

/// Small clusters and queues in few words.
struct PlannerCluster {
    static let now: Int64 = 1_000_000
    var snapshot = PlanningSnapshot(version: 1, now: Timestamp(seconds: PlannerCluster.now))

    init(nodes: Int = 0, cores: Int = 4, memoryMiB: UInt64 = 1000, gpus: Int = 0, features: [String] = []) {
        snapshot.settings.usesDefaultPolicy = false
        snapshot.settings.backfill = .reservations(1)
        snapshot.settings.resolution = 1
        snapshot.settings.window = 0
        snapshot.partitions = [PlanningSnapshot.Partition(name: "batch", nodes: [])]
        if nodes > 0 { add(nodes: nodes, cores: cores, memoryMiB: memoryMiB, gpus: gpus, features: features) }
    }

    mutating func add(
        nodes: Int, cores: Int, memoryMiB: UInt64 = 1000, gpus: Int = 0, features: [String] = [], threads: Int = 1
    ) {
        let gres = gpus > 0 ? [NodeHardware.GRES(name: "gpu", count: gpus)] : []
        let hardware = NodeHardware(
            sockets: 1, coresPerSocket: cores, threadsPerCore: threads, memoryMiB: memoryMiB, gres: gres)
        snapshot.kinds.append(PlanningSnapshot.NodeKind(hardware: hardware, features: features))
        for _ in 0..<nodes {
            let number = snapshot.nodes.count
            snapshot.nodes.append(
                PlanningSnapshot.Node(
                    index: NodeIndex(number), name: "n\(number)", kind: snapshot.kinds.count - 1, availability: .up,
                    freeCPUs: CPUSet(0..<cores * threads), freeMemoryMiB: memoryMiB,
                    freeGRES: gpus > 0 ? [PlanningSnapshot.FreeGRES(count: UInt64(gpus))] : []))
            snapshot.partitions[0].nodes.append(NodeIndex(number))
        }
    }

    /// A waiting job; `adjust` changes its shape.
    @discardableResult
    mutating func submit(
        _ id: UInt32, tasks: Int = 1, seconds: Int64 = 3600, _ adjust: (inout Shape) -> Void = { _ in }
    ) -> Int {
        var shape = Shape(partitions: [0])
        shape.tasks = tasks
        shape.maxNodes = 1
        adjust(&shape)
        let number = snapshot.shapes.firstIndex(of: shape) ?? snapshot.shapes.count
        if number == snapshot.shapes.count { snapshot.shapes.append(shape) }
        var job = PlanningSnapshot.Job(id: JobID(id), shape: Int32(number))
        job.expectedRun = seconds
        job.timeLimit = TimeLimit(minutes: UInt32(clamping: (seconds + 59) / 60))
        job.submit = Timestamp(seconds: Self.now)
        snapshot.queue.append(job)
        return snapshot.queue.count - 1
    }

    /// A running job on the first `cpus` free CPUs of `node`.
    mutating func run(_ id: UInt32, on node: Int, cpus: Int, ends: Int64, memoryMiB: UInt64 = 0) {
        let held = CPUSet(snapshot.nodes[node].freeCPUs.members.prefix(cpus))
        snapshot.nodes[node].freeCPUs.subtract(held)
        snapshot.nodes[node].freeMemoryMiB -= memoryMiB
        let part = Allocation.Node(
            index: NodeIndex(node), name: snapshot.nodes[node].name, cpus: held, memoryMiB: memoryMiB,
            tasks: UInt32(cpus))
        var running = PlanningSnapshot.Running(
            job: JobID(id), partition: 0, allocation: Allocation(nodes: [part], cpusPerTask: 1))
        running.start = snapshot.now
        running.expectedEnd = Timestamp(seconds: Self.now + ends)
        running.limit = running.expectedEnd
        snapshot.running.append(running)
    }

    func plan() -> Plan { BackfillPlanner().plan(snapshot) }
}

extension Plan {
    /// Seconds from now; nil: unknown.
    func start(_ id: UInt32) -> Int64? {
        if placements.contains(where: { $0.job == JobID(id) }) { return 0 }
        return explanations.first { $0.job == JobID(id) }.flatMap {
            $0.expectedStart.isSet ? $0.expectedStart.seconds - PlannerCluster.now : nil
        }
    }
    func explanation(_ id: UInt32) -> Explanation? { explanations.first { $0.job == JobID(id) } }
    func reason(_ id: UInt32) -> PendingReason? { explanation(id)?.reason }
    func sentence(_ id: UInt32) -> String { explanation(id).map { detail(of: $0) } ?? "" }
    func nodes(_ id: UInt32) -> String { explanation(id).map { nodeList(of: $0) } ?? "" }
    func placement(_ id: UInt32) -> Placement? { placements.first { $0.job == JobID(id) } }
}

/// A small generator; equal seeds give equal numbers.
struct PlannerRandom {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func of<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}
