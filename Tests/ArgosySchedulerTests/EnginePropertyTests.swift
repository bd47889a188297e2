import ArgosyScheduler
import Testing

/// What holds in every queue; and that the fast machine is the plain one.
@Suite struct EnginePropertyTests {
    static let modes: [BackfillMode] = [.none, .reservations(1), .reservations(3), .reservations(.max), .conservative]

    @Test func `the profile of identical processors is what counting each second gives`() {
        var generator = SplitMix(seed: 11)
        for _ in 0..<60 {
            var fast = CountMachine(processors: 6, now: 0)
            var plain = PlainMachine(processors: 6, horizon: 3000)
            var holds: [(start: Int64, fast: CountMachine.Hold, plain: PlainMachine.Hold)] = []
            var now: Int64 = 0
            for _ in 0..<120 {
                let demand = Int32(generator.next(below: 6) + 1)
                let duration = Int64(generator.next(below: 30) + 1)
                let from = now + Int64(generator.next(below: 3) * 20)
                let start = fast.earliestStart(of: demand, from: from, duration: duration)
                #expect(start == plain.earliestStart(of: demand, from: from, duration: duration))
                guard let start else { return }
                if generator.next(below: 2) == 0 {
                    holds.append(
                        (
                            start, fast.reserve(demand, from: start, duration: duration),
                            plain.reserve(demand, from: start, duration: duration)
                        ))
                } else if !holds.isEmpty {
                    let hold = holds.remove(at: generator.next(below: holds.count))
                    fast.release(hold.fast, from: max(hold.start, now))
                    plain.release(hold.plain, from: max(hold.start, now))
                }
                now += Int64(generator.next(below: 5))
                fast.advance(to: now)
                guard Self.agree(fast, plain, from: now) else { return }
            }
        }
    }

    private static func agree(_ fast: CountMachine, _ plain: PlainMachine, from now: Int64) -> Bool {
        let profile = fast.profile
        var segment = 0
        for second in now..<now + 1000 {
            while segment + 1 < profile.count, profile[segment + 1].time <= second { segment += 1 }
            guard profile[segment].free == plain.free[Int(second)] else {
                Issue.record("at \(second): \(profile[segment].free), but \(plain.free[Int(second)]) is right")
                return false
            }
        }
        for (one, next) in zip(profile, profile.dropFirst()) where one.free == next.free {
            Issue.record("two segments of \(one.free) follow each other at \(next.time)")
            return false
        }
        return true
    }

    @Test(arguments: modes)
    func `what a machine adds to be fast changes no pass`(mode: BackfillMode) {
        for seed in 0..<40 {
            var fast = World(CountMachine(processors: 8, now: 0), mode, seed: UInt64(seed))
            var plain = World(PlainMachine(processors: 8, horizon: 20_000), mode, seed: UInt64(seed))
            fast.run()
            plain.run()
            #expect(fast.log == plain.log, "seed \(seed)")
            guard fast.log == plain.log else { return }
        }
    }

    @Test(arguments: modes)
    func `every job starts, and none before it is there`(mode: BackfillMode) {
        for seed in 0..<40 {
            var world = World(PlainMachine(processors: 8, horizon: 20_000), mode, seed: UInt64(seed))
            world.run()
            #expect(world.starts.count == world.jobs.count)
            for (job, start) in world.starts { #expect(start >= world.submits[Int(job)]) }
        }
    }

    @Test(arguments: [1, 2, 5])
    func `no backfilled job delays a reserved one by the plan's own estimates`(reservations: Int) {
        for seed in 0..<60 {
            var world = World(
                CountMachine(processors: 8, now: 0), .reservations(reservations), seed: UInt64(seed))
            // Queues are first come first served here, so the first job waiting stays first, and a start that was
            // promised to it is an upper bound for ever: all end by their estimates.
            var promised: [Int32: Int64] = [:]
            world.run { engine, now in
                if let head = engine.reserved.first {
                    #expect(head.start <= promised[head.job, default: .max], "seed \(seed), job \(head.job) at \(now)")
                    promised[head.job] = head.start
                }
            }
            for (job, start) in promised { #expect(world.starts[job] ?? .max <= start) }
        }
    }

    @Test func `a conservative reservation never moves back`() {
        for seed in 0..<60 {
            var world = World(CountMachine(processors: 8, now: 0), .conservative, seed: UInt64(seed))
            var promised: [Int32: Int64] = [:]
            world.run { engine, now in
                for one in engine.reserved {
                    #expect(one.start <= promised[one.job, default: .max], "seed \(seed), job \(one.job) at \(now)")
                    promised[one.job] = one.start
                }
            }
            for (job, start) in promised { #expect(world.starts[job] ?? .max <= start) }
        }
    }
}

/// A generated queue, first come first served, on some machine: every instant a whole pass.
struct World<M: Machine> where M.Demand == Int32 {
    private(set) var jobs: JobTable<Int32>
    private(set) var submits: [Int64] = []
    private(set) var starts: [Int32: Int64] = [:]
    /// Each pass: its time, what started, what is reserved for when.
    private(set) var log: [[Int64]] = []
    private var runs: [Int64] = []
    private var machine: M
    private var engine: BackfillEngine<M>
    private var running: [(end: Int64, plannedEnd: Int64, hold: M.Hold)] = []

    init(_ machine: M, _ mode: BackfillMode, seed: UInt64) {
        var generator = SplitMix(seed: seed)
        self.machine = machine
        engine = BackfillEngine(mode: mode)
        jobs = JobTable(demands: [], durations: [])
        var time: Int64 = 0
        for _ in 0..<60 {
            time += Int64(generator.next(below: 8))
            let duration = generator.next(below: 40) + 1
            submits.append(time)
            runs.append(Int64(generator.next(below: duration) + 1))
            jobs.demands.append(Int32(generator.next(below: 8) + 1))
            jobs.durations.append(Int64(duration))
        }
    }

    mutating func run(_ check: (BackfillEngine<M>, Int64) -> Void = { _, _ in }) {
        var arrived = 0
        var waiting: [Int32] = []
        while starts.count < jobs.count || !running.isEmpty {
            var now = min(running.map(\.end).min() ?? .max, engine.nextReservedStart)
            if arrived < submits.count { now = min(now, submits[arrived]) }
            var endedEarly = false
            for one in running where one.end == now {
                machine.release(one.hold, from: now)
                endedEarly = endedEarly || one.plannedEnd > now
                engine.freed(until: one.plannedEnd)
            }
            running.removeAll { $0.end == now }
            var arrivals: [Int32] = []
            while arrived < submits.count, submits[arrived] == now {
                arrivals.append(Int32(arrived))
                arrived += 1
            }
            waiting += arrivals
            let isConservative = engine.mode == .conservative
            engine.pass(
                PassQueue(
                    jobs: isConservative ? arrivals : waiting,
                    scope: isConservative && !endedEarly ? .continued : .whole), of: jobs, on: &machine, at: now)
            for one in engine.started {
                starts[one.job] = now
                running.append((now + runs[Int(one.job)], now + jobs.durations[Int(one.job)], one.hold))
            }
            waiting.removeAll { starts[$0] != nil }
            log.append([now] + engine.started.map { Int64($0.job) } + [-1])
            log.append(engine.reserved.flatMap { [Int64($0.job), $0.start] })
            check(engine, now)
        }
    }
}
