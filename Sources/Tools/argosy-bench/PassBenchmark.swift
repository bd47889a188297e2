// A full planning pass over a generated cluster and queue: `argosy-bench pass [JOBS [NODES [SHAPES [MODE]]]]`.
//
// Nodes of 16 to 64 cores run mixed loads up to nine tenths; the queue mixes jobs of one node, of whole nodes, of parts
// of several nodes and of GPUs, in SHAPES different demands. Prints processor time, and how it grows with the jobs.
import ArgosyDomain
import ArgosyScheduler
import Glibc

struct PassBenchmark {
    var jobs = 50_000
    var nodes = 1000
    var shapes = 500
    var mode = "easy"

    init(_ arguments: some Collection<String>) {
        let numbers = arguments.compactMap { Int($0) }
        if numbers.count > 0 { jobs = numbers[0] }
        if numbers.count > 1 { nodes = numbers[1] }
        if numbers.count > 2 { shapes = max(1, numbers[2]) }
        if let word = arguments.first(where: { Int($0) == nil }) { mode = word }
    }

    func run() {
        for part in [4, 2, 1] {
            let snapshot = snapshot(jobs: jobs / part)
            var best = Double.infinity
            var plan = Plan(version: 0)
            for _ in 0..<3 {
                let before = Self.processorSeconds()
                plan = BackfillPlanner().plan(snapshot)
                best = min(best, Self.processorSeconds() - before)
            }
            report(plan, snapshot, best)
        }
    }

    private func report(_ plan: Plan, _ snapshot: PlanningSnapshot, _ seconds: Double) {
        let known = plan.explanations.count { $0.expectedStart.isSet }
        let placed = plan.explanations.count { $0.nodes >= 0 }
        let waits = plan.explanations.compactMap { one in
            one.expectedStart.isSet ? one.expectedStart.seconds - snapshot.now.seconds : nil
        }
        let mean = waits.reduce(0, +) / Int64(max(waits.count, 1))
        print(
            "\(mode): \(snapshot.queue.count) jobs of \(plan.statistics.shapes) shapes on \(nodes) nodes, "
                + "\(snapshot.running.count) running: \(Int(seconds * 1000)) ms of processor time, "
                + "\(Int(seconds * 1e9 / Double(max(snapshot.queue.count, 1)))) ns a job; "
                + "\(plan.placements.count) started, \(plan.statistics.reservations) reserved, "
                + "\(known) with expected start (mean \(mean / 60) min, last \((waits.max() ?? 0) / 60) min), \(placed) with nodes, \(plan.explanations.count) with reasons; "
                + "digest \(Self.digest(plan))")
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// FNV-1a over all that the plan says: equal in every process.
    static func digest(_ plan: Plan) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ number: UInt64) { hash = (hash ^ number) &* 0x100_0000_01b3 }
        func add(_ text: String) { for byte in text.utf8 { add(UInt64(byte)) } }
        for placement in plan.placements {
            add(UInt64(placement.job.rawValue))
            for node in placement.allocation.nodes {
                add(UInt64(node.index.rawValue))
                for word in node.cpus.words { add(word) }
            }
        }
        for explanation in plan.explanations {
            add(UInt64(explanation.job.rawValue))
            add(UInt64(bitPattern: explanation.expectedStart.microseconds))
            add(plan.detail(of: explanation))
            add(plan.nodeList(of: explanation))
        }
        return String(hash, radix: 16)
    }
}

/// The generated cluster and queue.
extension PassBenchmark {
    private struct Random {
        var state: UInt64 = 88_172_645_463_325_252
        mutating func below(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        mutating func of<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
    }
    private static let sizes = [16, 32, 48, 64]
    private static let start: Int64 = 1_700_000_000

    private func snapshot(jobs: Int) -> PlanningSnapshot {
        var random = Random()
        var snapshot = PlanningSnapshot(version: 1, now: Timestamp(seconds: Self.start))
        addNodes(&snapshot)
        addRunning(&snapshot, &random)
        addQueue(&snapshot, jobs, &random)
        snapshot.settings.usesDefaultPolicy = false
        snapshot.settings.window = 0
        snapshot.settings.backfill =
            switch mode {
            case "conservative": .conservative
            case "all": .reservations(.max)
            default: .reservations(1)
            }
        return snapshot
    }

    private func addNodes(_ snapshot: inout PlanningSnapshot) {
        for size in Self.sizes {
            let gres = size == 64 ? [NodeHardware.GRES(name: "gpu", type: "a100", count: 4)] : []
            let hardware = NodeHardware(
                sockets: 2, coresPerSocket: size / 2, threadsPerCore: 1, memoryMiB: UInt64(size) * 4096, gres: gres)
            snapshot.kinds.append(
                PlanningSnapshot.NodeKind(hardware: hardware, features: [size >= 48 ? "big" : "small"]))
        }
        for number in 0..<nodes {
            let kind = number % Self.sizes.count
            let size = Self.sizes[kind]
            snapshot.nodes.append(
                PlanningSnapshot.Node(
                    index: NodeIndex(number), name: "n\(number)", kind: kind,
                    availability: number % 97 == 96 ? .drained : .up, freeCPUs: CPUSet(0..<size),
                    freeMemoryMiB: UInt64(size) * 4096,
                    freeGRES: kind == 3 ? [PlanningSnapshot.FreeGRES(count: 4, devices: CPUSet(0..<4))] : []))
        }
        snapshot.partitions = [
            PlanningSnapshot.Partition(name: "batch", nodes: (0..<nodes).map { NodeIndex($0) }),
            PlanningSnapshot.Partition(
                name: "big", nodes: (0..<nodes).filter { $0 % Self.sizes.count >= 2 }.map { NodeIndex($0) }),
        ]
    }

    private func addRunning(_ snapshot: inout PlanningSnapshot, _ random: inout Random) {
        var id: UInt32 = 1
        for node in 0..<nodes where snapshot.nodes[node].availability == .up {
            let size = Self.sizes[node % Self.sizes.count]
            var at = 0
            while at < size {
                let cpus = min(size - at, random.of([1, 2, 4, 8, 16, 32, 64]))
                defer { at += cpus }
                if random.below(10) == 0 { continue }
                let held = CPUSet(at..<at + cpus)
                let memory = UInt64(cpus) * 2048
                let part = Allocation.Node(
                    index: NodeIndex(node), name: snapshot.nodes[node].name, cpus: held, memoryMiB: memory,
                    tasks: UInt32(cpus))
                var running = PlanningSnapshot.Running(
                    job: JobID(id), partition: 0, allocation: Allocation(nodes: [part], cpusPerTask: 1))
                id += 1
                running.start = snapshot.now
                running.expectedEnd = Timestamp(seconds: Self.start + Int64(60 + random.below(24 * 60) * 60))
                running.limit = running.expectedEnd
                snapshot.running.append(running)
                snapshot.nodes[node].freeCPUs.subtract(held)
                snapshot.nodes[node].freeMemoryMiB -= memory
            }
        }
    }

    private func addQueue(_ snapshot: inout PlanningSnapshot, _ jobs: Int, _ random: inout Random) {
        var limits: [UInt32] = []
        for number in 0..<shapes {
            snapshot.shapes.append(shape(&random))
            limits.append(random.of([30, 60, 120, 240, 480, 720, 1440]) + UInt32(number % 7 * 5))
        }
        for number in 0..<jobs {
            let shape = random.below(shapes)
            var job = PlanningSnapshot.Job(id: JobID(1_000_000 + UInt32(number)), shape: Int32(shape))
            job.uid = UInt32(1000 + random.below(200))
            job.timeLimit = TimeLimit(minutes: limits[shape])
            job.submit = snapshot.now
            snapshot.queue.append(job)
        }
    }

    private func shape(_ random: inout Random) -> Shape {
        var shape = Shape(partitions: random.below(4) == 0 ? [1] : [0])
        switch random.below(10) {
        case 0..<6:
            shape.tasks = random.of([1, 1, 2, 4, 8, 16, 32])
            shape.memoryPerCPUMiB = random.of([1024, 2048, 4096, 6000])
        case 6, 7:
            shape.minNodes = 1 << random.below(5)
            shape.maxNodes = shape.minNodes
            shape.tasks = shape.minNodes
            shape.sharing = .exclusive
        case 8:
            shape.minNodes = 2 + random.below(6)
            shape.maxNodes = shape.minNodes
            shape.tasksPerNode = random.of([4, 8, 16])
            shape.tasks = shape.minNodes * shape.tasksPerNode
            shape.memoryPerCPUMiB = 2000
        default:
            shape.tasks = 2
            shape.cpusPerTask = 4
            shape.partitions = [1]
            shape.gres = [GRESRequest(name: "gpu", count: UInt64(1 + random.below(4)))]
        }
        if random.below(10) == 0 { shape.constraint = .feature("big") }
        return shape
    }
}
