import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// What is planned beyond the reservations binds nobody and is coarser, but it must be possible.
@Suite struct ForecastTests {
    struct Use {
        var start: Int64
        var end: Int64
        var cpus: Int
    }

    /// Nodes of eight CPUs, half of them busy, and thousands of jobs of few kinds on one node, whole nodes and several.
    static func cluster(_ seed: UInt64, jobs: Int) -> PlannerCluster {
        var random = PlannerRandom(seed)
        var cluster = PlannerCluster(nodes: 12, cores: 8)
        for node in 0..<6 {
            cluster.run(UInt32(node + 1), on: node, cpus: 1 + random.below(8), ends: Int64(1 + random.below(400)))
        }
        for id in 0..<jobs {
            let kind = random.below(12)
            let cpus = [1, 2, 3, 5, 8, 1, 4, 2, 8, 8, 3, 6][kind]
            let nodes = kind < 8 ? 1 : 2 + kind % 3
            cluster.submit(UInt32(100 + id), tasks: nodes * cpus, seconds: Int64(50 + kind * 37)) {
                $0.minNodes = nodes
                $0.maxNodes = nodes
                if nodes > 1 { $0.tasksPerNode = cpus }
            }
        }
        return cluster
    }

    /// By node what holds it when: what runs, what the plan starts and what it expects.
    static func uses(_ plan: Plan, _ snapshot: PlanningSnapshot) throws -> [String: [Use]] {
        var uses: [String: [Use]] = [:]
        for running in snapshot.running {
            for part in running.allocation.nodes {
                uses[part.name, default: []].append(
                    Use(start: snapshot.now.seconds, end: running.expectedEnd.seconds, cpus: part.cpus.count))
            }
        }
        var jobs: [JobID: PlanningSnapshot.Job] = [:]
        for job in snapshot.queue { jobs[job.id] = job }
        for placement in plan.placements {
            let job = try #require(jobs[placement.job])
            for part in placement.allocation.nodes {
                uses[part.name, default: []].append(
                    Use(
                        start: snapshot.now.seconds, end: snapshot.now.seconds + job.expectedRun, cpus: part.cpus.count)
                )
            }
        }
        for one in plan.explanations {
            let job = try #require(jobs[one.job])
            let shape = snapshot.shapes[Int(job.shape)]
            let nodes = try Hostlist.expand(plan.nodeList(of: one))
            #expect(nodes.count == shape.minNodes && Set(nodes).count == nodes.count, "job \(one.job)")
            let start = one.expectedStart.seconds
            for node in nodes {
                uses[node, default: []].append(
                    Use(start: start, end: start + job.expectedRun, cpus: shape.tasks / shape.minNodes))
            }
        }
        return uses
    }

    @Test(arguments: 1...6) func `all expected starts are possible together on the nodes they name`(seed: UInt64) throws
    {
        let snapshot = Self.cluster(seed, jobs: 2500).snapshot
        var pass = PlanningPass(snapshot)
        pass.run()
        PlannerPropertyTests.checkProfiles(pass)
        let plan = pass.plan()
        #expect(plan.placements.count + plan.explanations.count == snapshot.queue.count)
        #expect(plan.explanations.allSatisfy { $0.expectedStart > snapshot.now && $0.nodes >= 0 })
        for (node, uses) in try Self.uses(plan, snapshot) {
            var changes: [(time: Int64, cpus: Int)] = []
            for use in uses { changes += [(use.start, use.cpus), (use.end, -use.cpus)] }
            changes.sort { ($0.time, $0.cpus) < ($1.time, $1.cpus) }
            var busy = 0
            for change in changes {
                busy += change.cpus
                #expect(busy <= 8, "node \(node) at \(change.time)")
            }
        }
    }

    @Test(arguments: 1...6) func `a forecast moves nothing that binds`(seed: UInt64) {
        let cluster = Self.cluster(seed, jobs: 2500)
        let plan = cluster.plan()
        guard let head = plan.explanations.first(where: { $0.isReserved }),
            let at = cluster.snapshot.queue.firstIndex(where: { $0.id == head.job })
        else { return #expect(Bool(false), "nothing is reserved") }
        var alone = cluster
        alone.snapshot.queue.removeSubrange((at + 1)...)
        #expect(alone.plan().explanations.first { $0.isReserved }?.expectedStart == head.expectedStart)
    }

    @Test func `the order of a forecast has each job once and moves none far`() {
        var random = PlannerRandom(3)
        let demands = (0..<9000).map { _ in Int32(random.below(40)) }
        let waiting = (0..<9000).map { Int32($0) }.filter { $0 % 7 != 0 }
        let order = ForecastOrder(waiting, demands: demands, classes: 40, isStrict: false)
        #expect(order.jobs.sorted() == waiting)
        #expect(Array(order.jobs.prefix(ForecastOrder.exact)) == Array(waiting.prefix(ForecastOrder.exact)))
        let places = Dictionary(uniqueKeysWithValues: order.jobs.enumerated().map { ($1, $0) })
        for (position, job) in waiting.enumerated() {
            let place = places[job] ?? -1
            #expect(abs(place - position) <= position / ForecastOrder.part + 1)
        }
        var first = 0
        for end in order.ends {
            #expect(Set(order.jobs[first..<Int(end)].map { demands[Int($0)] }).count == 1)
            first = Int(end)
        }
        #expect(first == waiting.count)
        #expect(ForecastOrder(waiting, demands: demands, classes: 40, isStrict: true).jobs == waiting)
    }

    @Test func `lists of nodes are hostlists`() {
        var random = PlannerRandom(5)
        let names =
            ["login", "rack7-a", "n1234567890"] + (0..<12).map { "n\($0)" } + ["n007", "n008", "n009", "n010", "n099"]
            + (95..<104).map { "gpu\($0)-x" } + ["n100", "n0100"] + (7..<12).map { "r1n0\($0)" }
        let table = NodeNames(names)
        for _ in 0..<3000 {
            var positions: [Int32] = []
            for position in names.indices where random.below(3) == 0 { positions.append(Int32(position)) }
            #expect(table.list(positions) == Hostlist.compress(positions.map { names[Int($0)] }))
        }
    }
}
