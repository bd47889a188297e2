import ArgosyScheduler
import Testing

/// What a pass says and does.
@Suite struct EngineTests {
    typealias Engine = BackfillEngine<RuledMachine>

    /// Processors and durations of jobs 0, 1, ...
    static func table(_ jobs: [(Int32, Int64)], shapes: [Int32] = []) -> JobTable<Int32> {
        JobTable(
            demands: jobs.map(\.0), durations: jobs.map(\.1), shapes: shapes,
            shapeCount: Int((shapes.max() ?? -1) + 1))
    }

    /// Four processors of which three are busy until 100.
    static func machine() -> RuledMachine {
        var machine = RuledMachine(processors: 4)
        _ = machine.reserve(3, from: 0, duration: 100)
        return machine
    }

    @Test func `each job gets its verdict`() {
        var machine = Self.machine()
        machine.refused = [4]
        var engine = Engine(mode: .reservations(1), plansAll: true)
        let jobs = Self.table([(1, 10), (3, 50), (9, 1), (1, 60), (1, 5), (2, 5), (4, 5)])
        engine.pass(PassQueue(jobs: Array(0..<7)), of: jobs, on: &machine, at: 0)
        // Job 0 takes the free processor until 10, job 1 holds three from 100 on; nobody has nine.
        #expect(
            engine.verdicts == [
                .started, .reserved(100), .never, .planned(10), .notAdmitted, .planned(150), .planned(150),
            ])
        #expect(engine.started.map(\.job) == [0])
        #expect(engine.reserved.map(\.start) == [100])
        #expect(machine.started == [0])
        #expect(engine.looked == 7)
    }

    @Test func `without a reservation the first that does not fit stops the pass, and who never fits does not`() {
        var machine = Self.machine()
        var engine = Engine(mode: .none, keepsVerdicts: true)
        let jobs = Self.table([(9, 1), (2, 1), (1, 1)])
        engine.pass(PassQueue(jobs: [0, 1, 2]), of: jobs, on: &machine, at: 0)
        #expect(engine.verdicts == [.never, .waits, .notLooked])
        engine.pass(PassQueue(jobs: [2], scope: .continued), of: jobs, on: &machine, at: 0)
        #expect(engine.started.isEmpty, "the pass goes on being stopped")
    }

    @Test func `a refused job holds nobody up and gets no reservation`() {
        for mode in [BackfillMode.none, .reservations(1), .conservative] {
            var machine = Self.machine()
            machine.refused = [0]
            var engine = Engine(mode: mode, keepsVerdicts: true)
            let jobs = Self.table([(4, 10), (1, 500)])
            engine.pass(PassQueue(jobs: [0, 1]), of: jobs, on: &machine, at: 0)
            #expect(engine.verdicts == [.notAdmitted, .started])
            #expect(engine.reserved.isEmpty)
        }
    }

    @Test func `the number of reservations is the number of jobs that are protected`() {
        // Job 2 would end at 120; jobs 0 and 1 hold all processors from 100 and 110 on.
        let jobs = Self.table([(3, 10), (4, 10), (1, 120)])
        for (count, starts) in [(1, [2]), (2, []), (Int.max, [])] as [(Int, [Int32])] {
            var machine = Self.machine()
            var engine = Engine(mode: .reservations(count))
            engine.pass(PassQueue(jobs: [0, 1, 2]), of: jobs, on: &machine, at: 0)
            #expect(engine.started.map(\.job) == starts, "\(count) reservations")
        }
    }

    @Test func `candidates are tried in their own order, those already dealt with passed over`() {
        var machine = Self.machine()
        var engine = Engine(mode: .reservations(1))
        let jobs = Self.table([(2, 10), (1, 50), (1, 20)])
        engine.pass(PassQueue(jobs: [0, 1, 2], candidates: [2, 0, 1]), of: jobs, on: &machine, at: 0)
        #expect(engine.started.map(\.job) == [2])
        #expect(engine.started[0].isBackfilled)
        #expect(engine.reserved.map(\.job) == [0])
    }

    @Test func `a whole pass gives reservations back before it makes new ones`() {
        var machine = Self.machine()
        var engine = Engine(mode: .reservations(2))
        let jobs = Self.table([(4, 10), (2, 10), (1, 90)])
        for now in Int64(0)..<20 {
            engine.pass(PassQueue(jobs: [0, 1]), of: jobs, on: &machine, at: now)
            #expect(engine.reserved.map(\.start) == [100, 110])
            #expect(engine.nextReservedStart == 100)
        }
        engine.pass(PassQueue(jobs: [1]), of: jobs, on: &machine, at: 20)
        #expect(engine.reserved.map(\.start) == [100])
    }

    @Test func `a pass that ran out of its budget goes on where it stopped`() {
        let jobs = Self.table((0..<500).map { (Int32($0 % 4 + 1), Int64($0 % 7 + 1)) })
        for mode in [BackfillMode.reservations(1), .reservations(70), .conservative] {
            var patient = Self.machine()
            var whole = Engine(mode: mode, keepsVerdicts: true)
            whole.pass(PassQueue(jobs: Array(0..<500)), of: jobs, on: &patient, at: 0)
            var hasty = Self.machine()
            hasty.budget = 63
            var pieces = Engine(mode: mode, keepsVerdicts: true)
            pieces.pass(PassQueue(jobs: Array(0..<500)), of: jobs, on: &hasty, at: 0)
            var passes = 1
            while !pieces.unlooked.isEmpty {
                #expect(pieces.looked == 63)
                pieces.pass(PassQueue(jobs: pieces.unlooked, scope: .continued), of: jobs, on: &hasty, at: 0)
                passes += 1
            }
            #expect(passes == 8)
            #expect(hasty.started == patient.started)
            #expect(pieces.verdicts == whole.verdicts)
            #expect(hasty.machine.profile.map(\.free) == patient.machine.profile.map(\.free))
        }
    }

    @Test func `jobs of equal shape are searched for once, and fare as if they were not`() {
        let count = 600
        let list = (0..<count).map { (Int32($0 % 3 + 2), Int64(60)) }
        let shapes = (0..<count).map { Int32($0 % 3) }
        var plain = Self.machine()
        var one = Engine(mode: .reservations(1), plansAll: true)
        one.pass(PassQueue(jobs: Array(0..<Int32(count))), of: Self.table(list), on: &plain, at: 0)
        var grouped = Self.machine()
        var other = Engine(mode: .reservations(1), plansAll: true)
        other.pass(PassQueue(jobs: Array(0..<Int32(count))), of: Self.table(list, shapes: shapes), on: &grouped, at: 0)
        #expect(other.verdicts == one.verdicts)
        #expect(grouped.searches <= 10, "\(grouped.searches) searches for three shapes")
        #expect(plain.searches > count)
    }

    @Test func `a shorter job of a shape that did not fit is still tried`() {
        var machine = Self.machine()
        var engine = Engine(mode: .reservations(1))
        let jobs = Self.table([(4, 10), (1, 101), (1, 102), (1, 100)], shapes: [0, 1, 1, 1])
        engine.pass(PassQueue(jobs: [0, 1, 2, 3]), of: jobs, on: &machine, at: 0)
        #expect(engine.started.map(\.job) == [3])
    }

    @Test func `a withdrawn job leaves its place to those behind it`() {
        var machine = Self.machine()
        var engine = Engine(mode: .conservative)
        let jobs = Self.table([(4, 10), (2, 10)])
        engine.pass(PassQueue(jobs: [0, 1]), of: jobs, on: &machine, at: 0)
        #expect(engine.reserved.map(\.start) == [100, 110])
        engine.withdraw(0, from: &machine)
        engine.pass(PassQueue(jobs: []), of: jobs, on: &machine, at: 1)
        #expect(engine.reserved.map(\.job) == [1])
        #expect(engine.reserved.map(\.start) == [100])
    }

    @Test func `reservations made before are taken over with their starts`() {
        var machine = Self.machine()
        let jobs = Self.table([(4, 10), (1, 200), (1, 100)])
        var engine = Engine(mode: .conservative)
        engine.adopt(0, start: 150, hold: machine.reserve(4, from: 150, duration: 10))
        engine.pass(PassQueue(jobs: [1, 2], scope: .continued), of: jobs, on: &machine, at: 0)
        #expect(engine.started.map(\.job) == [2])
        #expect(engine.reserved.map(\.start) == [150, 160], "nothing was freed, so nothing moves")
        engine.pass(PassQueue(jobs: []), of: jobs, on: &machine, at: 1)
        #expect(engine.reserved.map(\.start) == [100, 110])
    }
}
