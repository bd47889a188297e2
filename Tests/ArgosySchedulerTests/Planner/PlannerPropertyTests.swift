import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// Generated clusters and queues: what must hold for every plan.
@Suite struct PlannerPropertyTests {
    static func cluster(_ seed: UInt64, jobs: Int = 60) -> PlannerCluster {
        var random = PlannerRandom(seed)
        var cluster = PlannerCluster()
        for _ in 0..<1 + random.below(3) {
            cluster.add(
                nodes: 1 + random.below(4), cores: random.of([1, 2, 4, 8]), memoryMiB: random.of([500, 1000, 4000]),
                gpus: random.of([0, 0, 2]), features: random.of([[], ["fast"]]), threads: random.of([1, 1, 2]))
        }
        cluster.snapshot.settings.backfill = random.of([
            .reservations(1), .reservations(3), .reservations(.max), .conservative,
        ])
        cluster.snapshot.licenses = [PlanningSnapshot.License(name: "a", total: 3, free: 3)]
        for node in cluster.snapshot.nodes.indices where random.below(2) == 0 {
            let kind = cluster.snapshot.kinds[cluster.snapshot.nodes[node].kind].hardware
            let threads = kind.cpus / kind.cores.count
            let cpus = threads * (1 + random.below(kind.cores.count))
            cluster.run(
                UInt32(1000 + node), on: node, cpus: cpus, ends: Int64(1 + random.below(500)),
                memoryMiB: UInt64(random.below(400)))
        }
        if random.below(3) == 0 {
            var reservation = PlanningSnapshot.Reservation(
                name: "r", start: Timestamp(seconds: PlannerCluster.now + Int64(random.below(400))),
                end: Timestamp(seconds: PlannerCluster.now + 400 + Int64(random.below(400))),
                nodes: [NodeIndex(random.below(cluster.snapshot.nodes.count))])
            reservation.allowedUsers = [0]
            cluster.snapshot.reservations = [reservation]
        }
        for id in 1...jobs { submit(UInt32(id), &cluster, &random) }
        return cluster
    }

    static func submit(_ id: UInt32, _ cluster: inout PlannerCluster, _ random: inout PlannerRandom) {
        let hasReservation = !cluster.snapshot.reservations.isEmpty
        let nodes = cluster.snapshot.nodes.count
        var draw = random
        cluster.submit(id, tasks: 1 + draw.below(4), seconds: Int64(1 + draw.below(300))) {
            $0.cpusPerTask = 1 + draw.below(2)
            switch draw.below(6) {
            case 0:
                $0.minNodes = 1 + draw.below(nodes)
                $0.maxNodes = $0.minNodes
                $0.tasks = $0.minNodes * (1 + draw.below(2))
            case 1: $0.sharing = .exclusive
            case 2: $0.maxNodes = nodes
            default: break
            }
            if draw.below(3) == 0 { $0.memoryPerNodeMiB = UInt64(100 + draw.below(600)) }
            if draw.below(5) == 0 { $0.gres = [GRESRequest(name: "gpu", count: 1)] }
            if draw.below(6) == 0 { $0.constraint = .feature("fast") }
            if draw.below(6) == 0 { $0.licenses = [Shape.LicenseDemand(license: 0, count: 1)] }
            if hasReservation, draw.below(5) == 0 { $0.reservations = [0] }
            if draw.below(8) == 0 { $0.excludedNodes = [NodeIndex(draw.below(nodes))] }
        }
        random = draw
    }

    /// What each start takes was free, and is taken once.
    static func check(_ plan: Plan, _ snapshot: PlanningSnapshot) {
        var nodes = snapshot.nodes
        var licenses = snapshot.licenses.map { Int($0.free) }
        for placement in plan.placements {
            guard let job = snapshot.queue.first(where: { $0.id == placement.job }) else {
                Issue.record("a start of job \(placement.job), which does not wait")
                continue
            }
            let shape = snapshot.shapes[Int(job.shape)]
            #expect(
                placement.allocation.nodes.count >= shape.minNodes && placement.allocation.nodes.count <= shape.maxNodes
            )
            #expect(Int(placement.allocation.tasks) >= shape.tasks)
            for part in placement.allocation.nodes {
                let at = part.index.int
                #expect(!shape.excludedNodes.contains(part.index))
                #expect(
                    part.cpus.members.allSatisfy { nodes[at].freeCPUs.contains($0) }, "CPUs given twice on \(part.name)"
                )
                #expect(part.memoryMiB <= nodes[at].freeMemoryMiB)
                #expect(shape.memoryPerNodeMiB == 0 || part.memoryMiB >= shape.memoryPerNodeMiB)
                if shape.constraint != nil { #expect(snapshot.kinds[nodes[at].kind].features == ["fast"]) }
                nodes[at].freeCPUs.subtract(part.cpus)
                nodes[at].freeMemoryMiB -= min(part.memoryMiB, nodes[at].freeMemoryMiB)
                for grant in part.gres {
                    #expect(grant.count <= nodes[at].freeGRES[0].count)
                    nodes[at].freeGRES[0].count -= min(grant.count, nodes[at].freeGRES[0].count)
                }
                checkReservations(snapshot, job, shape, placement, part.index)
            }
            for license in placement.licenses { licenses[license.license] -= Int(license.count) }
        }
        #expect(licenses.allSatisfy { $0 >= 0 })
    }

    static func checkReservations(
        _ snapshot: PlanningSnapshot, _ job: PlanningSnapshot.Job, _ shape: Shape, _ placement: Placement,
        _ node: NodeIndex
    ) {
        for (number, reservation) in snapshot.reservations.enumerated() where reservation.nodes.contains(node) {
            let end = snapshot.now.seconds + job.expectedRun
            if shape.reservations.contains(number) {
                #expect(reservation.start <= snapshot.now && end <= reservation.end.seconds)
            } else {
                #expect(end <= reservation.start.seconds || reservation.end <= snapshot.now)
            }
        }
    }

    /// All bins and counts of a finished pass are within what the pools have, at every time.
    static func checkProfiles(_ pass: PlanningPass) {
        for pool in pass.cluster.pools {
            #expect(pool.whole.values.allSatisfy { $0 >= 0 && $0 <= pool.nodes.count })
            for bin in pool.bins where !bin.isEmpty {
                #expect(bin.free.allSatisfy { $0.covers(.zero) }, "more taken than a node has")
                #expect(bin.free.allSatisfy { pool.capacity.covers($0) }, "more free than a node has")
            }
            for time in pool.whole.times {
                let busy = pool.bins.count { !$0.isEmpty && $0.contains(time) }
                #expect(busy + Int(pool.whole.value(at: time)) <= pool.nodes.count)
            }
        }
        for profile in pass.cluster.licenses { #expect(profile.values.allSatisfy { $0 >= 0 }) }
    }

    @Test(arguments: 1...60) func `nothing is given twice and no rule is broken`(seed: UInt64) {
        let snapshot = Self.cluster(seed).snapshot
        var pass = PlanningPass(snapshot)
        pass.run()
        Self.checkProfiles(pass)
        let plan = pass.plan()
        Self.check(plan, snapshot)
        #expect(plan.placements.count + plan.explanations.count == snapshot.queue.count)
    }

    @Test(arguments: 1...40) func `a job that starts out of turn delays no reservation`(seed: UInt64) {
        var cluster = Self.cluster(seed)
        cluster.snapshot.settings.backfill = .reservations(1)
        let plan = cluster.plan()
        guard let head = plan.explanations.first(where: { $0.isReserved }) else { return }
        // The queue up to the head alone gives it the same start.
        guard let at = cluster.snapshot.queue.firstIndex(where: { $0.id == head.job }) else { return }
        cluster.snapshot.queue.removeSubrange((at + 1)...)
        let alone = cluster.plan()
        #expect(alone.explanation(head.job.rawValue)?.expectedStart == head.expectedStart)
    }

    @Test(arguments: 1...40) func `a job that fits the idle cluster starts on it`(seed: UInt64) {
        var cluster = Self.cluster(seed)
        cluster.snapshot.running = []
        cluster.snapshot.reservations = []
        for node in cluster.snapshot.nodes.indices {
            let hardware = cluster.snapshot.kinds[cluster.snapshot.nodes[node].kind].hardware
            cluster.snapshot.nodes[node].freeCPUs = CPUSet(0..<hardware.cpus)
            cluster.snapshot.nodes[node].freeMemoryMiB = hardware.memoryMiB
        }
        for number in cluster.snapshot.shapes.indices { cluster.snapshot.shapes[number].reservations = [] }
        let jobs = cluster.snapshot.queue
        for job in jobs {
            cluster.snapshot.queue = [job]
            let plan = cluster.plan()
            let reason = plan.explanations.first?.reason
            #expect(
                plan.placements.count == 1 || [.partitionConfig, .partitionNodeLimit].contains(reason),
                "job \(job.id) of seed \(seed): \(plan.sentence(job.id.rawValue))")
        }
    }

    @Test(arguments: 1...20) func `planned starts are kept when time goes on and nothing else happens`(seed: UInt64) {
        var cluster = Self.cluster(seed, jobs: 20)
        cluster.snapshot.settings.backfill = .reservations(.max)
        let plan = cluster.plan()
        let starts = plan.explanations.compactMap { $0.expectedStart.isSet ? $0.expectedStart.seconds : nil }
        guard let next = starts.min() else { return }
        var later = cluster
        later.snapshot.now = Timestamp(seconds: next)
        later.snapshot.running.removeAll { $0.expectedEnd.seconds <= next }
        for placement in plan.placements {
            guard let job = cluster.snapshot.queue.first(where: { $0.id == placement.job }) else { continue }
            later.snapshot.queue.removeAll { $0.id == job.id }
            guard PlannerCluster.now + job.expectedRun > next else { continue }
            var running = PlanningSnapshot.Running(job: job.id, partition: 0, allocation: placement.allocation)
            running.expectedEnd = Timestamp(seconds: PlannerCluster.now + job.expectedRun)
            running.licenses = placement.licenses
            later.snapshot.running.append(running)
        }
        Self.recount(&later.snapshot)
        let due = plan.explanations.filter { $0.expectedStart.seconds == next }.map(\.job)
        let started = later.plan().placements.map(\.job)
        #expect(due.allSatisfy { started.contains($0) }, "due \(due), started \(started)")
    }

    /// What is free, from what runs.
    static func recount(_ snapshot: inout PlanningSnapshot) {
        for node in snapshot.nodes.indices {
            let hardware = snapshot.kinds[snapshot.nodes[node].kind].hardware
            snapshot.nodes[node].freeCPUs = CPUSet(0..<hardware.cpus)
            snapshot.nodes[node].freeMemoryMiB = hardware.memoryMiB
            for unit in snapshot.nodes[node].freeGRES.indices {
                snapshot.nodes[node].freeGRES[unit].count = UInt64(hardware.gres[unit].count)
            }
        }
        snapshot.licenses[0].free = snapshot.licenses[0].total
        for running in snapshot.running {
            for part in running.allocation.nodes {
                snapshot.nodes[part.index.int].freeCPUs.subtract(part.cpus)
                snapshot.nodes[part.index.int].freeMemoryMiB -= part.memoryMiB
                for grant in part.gres { snapshot.nodes[part.index.int].freeGRES[0].count -= grant.count }
            }
            for license in running.licenses { snapshot.licenses[0].free -= license.count }
        }
    }
}
