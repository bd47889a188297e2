import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// On nodes of one core each the planner must make the schedules of the machine of identical processors.
@Suite struct CountEqualityTests {
    struct Job {
        var submit: Int64
        var run: Int64
        var request: Int64
        var processors: Int
    }

    static func trace(_ seed: UInt64, processors: Int, jobs: Int) -> [Job] {
        var random = PlannerRandom(seed)
        var time: Int64 = 0
        return (0..<jobs).map { _ in
            time += Int64(random.below(40))
            let request = Int64(1 + random.below(120))
            let run = random.below(3) == 0 ? request : 1 + Int64(random.below(Int(request)))
            let wide = random.below(4) == 0 ? 1 + random.below(processors) : 1 + random.below(max(1, processors / 4))
            return Job(submit: time, run: run, request: request, processors: wide)
        }
    }

    /// Starts by the reference machine: all completions, then all arrivals, then one pass.
    static func reference(_ trace: [Job], processors: Int, _ mode: BackfillMode) -> [Int64] {
        var machine = CountMachine(processors: Int32(processors))
        var engine = BackfillEngine<CountMachine>(mode: mode)
        let table = JobTable(demands: trace.map { Int32($0.processors) }, durations: trace.map(\.request))
        var starts = Array(repeating: Int64(-1), count: trace.count)
        var running: [(end: Int64, job: Int, hold: CountMachine.Hold)] = []
        var waiting: [Int32] = []
        var next = 0
        while starts.contains(-1) {
            var now = Int64.max
            if next < trace.count { now = trace[next].submit }
            for one in running { now = min(now, one.end) }
            if mode == .conservative { now = min(now, engine.nextReservedStart) }
            machine.advance(to: now)
            var freed = false
            for one in running where one.end == now {
                machine.release(one.hold, from: now)
                if trace[one.job].run < trace[one.job].request { freed = true }
            }
            running.removeAll { $0.end == now }
            var arrived: [Int32] = []
            while next < trace.count, trace[next].submit == now {
                arrived.append(Int32(next))
                next += 1
            }
            waiting += arrived
            let jobs = mode == .conservative ? arrived : waiting
            let scope: PassQueue.Scope = mode == .conservative && !freed ? .continued : .whole
            engine.pass(PassQueue(jobs: jobs, scope: scope), of: table, on: &machine, at: now)
            for one in engine.started {
                let job = Int(one.job)
                starts[job] = now
                running.append((now + trace[job].run, job, one.hold))
                waiting.removeAll { $0 == one.job }
            }
        }
        return starts
    }

    /// The same by whole snapshots and plans.
    static func planned(_ trace: [Job], processors: Int, _ backfill: SchedulerSettings.Backfill) -> [Int64] {
        var starts = Array(repeating: Int64(-1), count: trace.count)
        var reserved = Array(repeating: Timestamp.unset, count: trace.count)
        var running: [(end: Int64, job: Int, allocation: Allocation)] = []
        var waiting: [Int] = []
        var next = 0
        while starts.contains(-1) {
            var now = Int64.max
            if next < trace.count { now = trace[next].submit }
            for one in running { now = min(now, one.end) }
            if backfill == .conservative {
                for job in waiting where reserved[job].isSet {
                    now = min(now, reserved[job].seconds - PlannerCluster.now)
                }
            }
            let freed = running.contains { $0.end == now && trace[$0.job].run < trace[$0.job].request }
            running.removeAll { $0.end == now }
            while next < trace.count, trace[next].submit == now {
                waiting.append(next)
                next += 1
            }
            var cluster = PlannerCluster(nodes: processors, cores: 1)
            cluster.snapshot.now = Timestamp(seconds: PlannerCluster.now + now)
            cluster.snapshot.settings.backfill = backfill
            cluster.snapshot.freedEarly = freed
            for one in running {
                var entry = PlanningSnapshot.Running(
                    job: JobID(UInt32(one.job)), partition: 0, allocation: one.allocation)
                entry.expectedEnd = Timestamp(seconds: PlannerCluster.now + starts[one.job] + trace[one.job].request)
                cluster.snapshot.running.append(entry)
                for node in one.allocation.nodes { cluster.snapshot.nodes[node.index.int].freeCPUs = CPUSet() }
            }
            for job in waiting {
                let at = cluster.submit(UInt32(job), tasks: trace[job].processors, seconds: trace[job].request) {
                    $0.maxNodes = trace[job].processors
                }
                cluster.snapshot.queue[at].reservedStart = reserved[job]
            }
            let plan = cluster.plan()
            for placement in plan.placements {
                let job = Int(placement.job.rawValue)
                starts[job] = now
                running.append((now + trace[job].run, job, placement.allocation))
                waiting.removeAll { $0 == job }
            }
            for explanation in plan.explanations where explanation.isReserved {
                reserved[Int(explanation.job.rawValue)] = explanation.expectedStart
            }
        }
        return starts
    }

    @Test(arguments: 1...12) func `EASY on one-core nodes is EASY on processors`(seed: UInt64) {
        let processors = [4, 7, 16, 40][Int(seed % 4)]
        let trace = Self.trace(seed, processors: processors, jobs: 70)
        #expect(
            Self.planned(trace, processors: processors, .reservations(1))
                == Self.reference(trace, processors: processors, .reservations(1)))
    }

    @Test(arguments: 1...12) func `conservative on one-core nodes is conservative on processors`(seed: UInt64) {
        let processors = [4, 7, 16, 40][Int(seed % 4)]
        let trace = Self.trace(seed, processors: processors, jobs: 70)
        #expect(
            Self.planned(trace, processors: processors, .conservative)
                == Self.reference(trace, processors: processors, .conservative))
    }

    @Test(arguments: 1...4) func `no backfill on one-core nodes is first come, first served`(seed: UInt64) {
        let trace = Self.trace(seed, processors: 9, jobs: 100)
        #expect(Self.planned(trace, processors: 9, .none) == Self.reference(trace, processors: 9, .none))
    }

    @Test(arguments: 1...4) func `a reservation for everybody is the same on both`(seed: UInt64) {
        let trace = Self.trace(seed, processors: 12, jobs: 100)
        #expect(
            Self.planned(trace, processors: 12, .reservations(.max))
                == Self.reference(trace, processors: 12, .reservations(.max)))
    }
}
