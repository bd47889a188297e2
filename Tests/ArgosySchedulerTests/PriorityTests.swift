import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

// The cluster of the golden numbers: a real Slurm 22.05.8 with 2 nodes of 8 CPUs and 800 MiB, partitions main, short, long
// and heavy with PriorityJobFactor 1, 10, 40 and 20, QOS normal and high with priorities 10 and 40, associations of daemon
// and bin with priorities 30 and 60, and PriorityMaxAge=1-0, Age=1000, Assoc=700, Fairshare=1000, JobSize=1000,
// Partition=500, QOS=1000, TRES=CPU=1000,Mem=2000. Six jobs waited behind a full cluster; priorities are those of
// `scontrol show job`, ages (seconds) those of `sprio -n`, fair shares those that Fair Tree gave there.
private struct Waiting {
    var association: Int32
    var share: Double
    var partition: Int32
    var qos: Int32
    var cpus: UInt64
    var nodes: UInt64
    var mem: UInt64
    var limit: TimeLimit
    var nice: Int32 = 0
}

private let waiting: [Waiting] = [
    .init(
        association: 1, share: 7.0 / 12, partition: 3, qos: 0, cpus: 3, nodes: 1, mem: 100, limit: .init(minutes: 10)),
    .init(
        association: 2, share: 6.0 / 12, partition: 2, qos: 0, cpus: 5, nodes: 1, mem: 200, limit: .init(minutes: 100),
        nice: 100),
    .init(
        association: 3, share: 8.0 / 12, partition: 0, qos: 1, cpus: 12, nodes: 2, mem: 100,
        limit: .init(minutes: 1000)),
    .init(
        association: 4, share: 12.0 / 12, partition: 1, qos: 0, cpus: 1, nodes: 1, mem: 700, limit: .init(minutes: 5)),
    .init(
        association: 5, share: 1.0 / 12, partition: 2, qos: 1, cpus: 8, nodes: 1, mem: 10, limit: .unlimited, nice: -50),
    .init(association: 6, share: 3.0 / 12, partition: 3, qos: 0, cpus: 2, nodes: 2, mem: 100, limit: .unlimited),
]

private func settings(_ change: (inout PrioritySettings) -> Void = { _ in }) -> PrioritySettings {
    var settings = PrioritySettings()
    settings.kind = .multifactor
    settings.maxAge = .seconds(86_400)
    settings.weights.age = 1000
    settings.weights.assoc = 700
    settings.weights.fairshare = 1000
    settings.weights.jobSize = 1000
    settings.weights.partition = 500
    settings.weights.qos = 1000
    settings.weights.tres = [.init("cpu", 1000), .init("mem", 2000)]
    change(&settings)
    return settings
}

private func priority(_ settings: PrioritySettings) -> MultifactorPriority {
    var builder = RecordsBuilder()
    for (name, value) in [("daemon", 30), ("bin", 60), ("sys", 0), ("uucp", 0), ("man", 0), ("lp", 0)] {
        builder.user(name, in: "root") { $0.priority = value == 0 ? nil : UInt32(value) }
    }
    builder.qos[0].priority = 10
    builder.qos("high") { $0.priority = 40 }
    let all: TRESCounts = [.cpu: 16, .mem: 1600, .node: 2]
    let scale = PriorityScale(
        cpus: 16, nodes: 2, partitions: [1, 10, 40, 20].map { PriorityScale.Partition(jobFactor: $0, tres: all) })
    let records = builder.records
    let ledger = UsageLedger(records: records, halfLife: .zero, epoch: .at(0))
    return MultifactorPriority(
        settings: settings, scale: scale, records: records,
        fairShare: FairShare(ledger).replacingFactors([0] + waiting.map(\.share)))
}

extension FairShare {
    fileprivate func replacingFactors(_ factors: [Double]) -> FairShare {
        var rows = self.rows
        for (index, factor) in factors.enumerated() { rows[index].factor = factor }
        return FairShare(rows: rows, isFairTree: isFairTree)
    }
}

private func inputs(_ job: Waiting) -> PriorityInputs {
    var inputs = PriorityInputs(submit: .at(1000), accrueStart: .at(1000))
    inputs.association = job.association
    inputs.qos = job.qos
    inputs.partition = job.partition
    inputs.cpus = job.cpus
    inputs.minNodes = job.nodes
    inputs.timeLimit = job.limit
    inputs.tres = [.cpu: job.cpus, .mem: job.mem, .node: job.nodes]
    inputs.nice = job.nice
    return inputs
}

@Suite struct PriorityTests {
    @Test func prioritiesAreThoseSlurmGave() {
        let priority = priority(settings())
        let found = waiting.map { priority.priority(of: inputs($0), at: .at(1000 + 51)) }
        #expect(found == [2090, 2819, 3429, 2594, 2646, 1563])
    }

    @Test func smallJobsFirstAsSlurmOrdersThem() {
        let priority = priority(settings { $0.favorSmall = true })
        let found = waiting.map { priority.priority(of: inputs($0), at: .at(1000 + 335)) }
        #expect(found == [2405, 3010, 2683, 3035, 2649, 1441])
    }

    @Test func sizeByTimeWithoutNormalizingIsWhatSlurmGave() {
        let priority = priority(settings { $0.flags = [.smallRelativeToTime, .noNormalAll] })
        let found = waiting.map { priority.priority(of: inputs($0), at: .at(1000 + 265)) }
        #expect(found == [244_636, 477_408, 253_170, 1_417_103, 88_136, 222_253])
    }

    @Test func eachTermIsShownAsSprioShowsIt() {
        let terms = priority(settings()).terms(of: inputs(waiting[1]), at: .at(1051))
        #expect(terms.assoc.factor == 1 && terms.assoc.weighted == 700)
        #expect(terms.jobSize.factor == 0.40625 && terms.partition.factor == 1 && terms.qos.factor == 0.25)
        #expect(terms.tres.map(\.tres) == ["cpu", "mem"])
        #expect(terms.tres.map(\.term.weighted) == [312.5, 250])
        #expect(abs(terms.age.factor - 0.0005903) < 1e-7 && terms.nice == 100 && terms.priority == 2819)
    }

    @Test func ageCountsWhileTheJobIsEligibleAndUpToItsMaximum() {
        let plain = priority(settings())
        var job = inputs(waiting[0])
        job.accrueStart = .unset
        #expect(plain.terms(of: job, at: .at(90_000)).age.factor == 0)
        #expect(priority(settings { $0.flags = .accrueAlways }).terms(of: job, at: .at(44_200)).age.factor == 0.5)
        job.accrueStart = .at(1)
        #expect(plain.terms(of: job, at: .at(500_000)).age.factor == 1)
        #expect(plain.terms(of: job, at: .at(-5)).age.factor == 0)
    }

    @Test func heldIsZeroFixedStaysAndNothingElseIsBelowOne() {
        let plain = priority(settings())
        var job = inputs(waiting[0])
        job.nice = 1_000_000
        #expect(plain.priority(of: job, at: .at(1051)) == 1)
        job.fixed = 77
        #expect(plain.priority(of: job, at: .at(1051)) == 77 && plain.terms(of: job, at: .at(1051)).priority == 77)
        job.isHeld = true
        #expect(plain.priority(of: job, at: .at(1051)) == 0)
        job = inputs(waiting[0])
        job.siteFactor = 500
        #expect(plain.priority(of: job, at: .at(1051)) == 2590)
        job.siteFactor = .max
        #expect(plain.priority(of: job, at: .at(1051)) < 0xffff_fffe)
    }

    @Test func withIncrementOnlyAPriorityNeverFalls() {
        var job = inputs(waiting[0])
        job.previous = 5000
        #expect(priority(settings { $0.flags = .incrementOnly }).priority(of: job, at: .at(1051)) == 5000)
        #expect(priority(settings()).priority(of: job, at: .at(1051)) == 2090)
    }

    @Test func theQueueHasATotalOrder() {
        var keys: [PriorityOrder] = []
        for id in 1...64 {
            keys.append(
                PriorityOrder(
                    job: JobID(UInt32(id)), submit: .at(Int64(id % 2)), priority: UInt32(id / 4 % 2),
                    tier: UInt32(id / 8 % 2), hasReservation: id / 16 % 2 == 1, canPreempt: id / 32 % 2 == 1))
        }
        for a in keys {
            for b in keys { #expect((a < b) != (b < a) || a == b) }
        }
        let sorted = keys.sorted()
        #expect(sorted == keys.reversed().sorted())
        #expect(sorted.first.map { $0.canPreempt && $0.hasReservation && $0.tier == 1 && $0.priority == 1 } == true)
        #expect(sorted.last?.job == JobID(3))
    }

    @Test func basicPriorityKeepsTheOrderOfSubmission() {
        var basic = BasicPriority()
        let first = basic.take()
        let second = basic.take(nice: -5)
        let third = basic.take(isHeld: true)
        let fourth = basic.take()
        #expect(first == 0xffff_0000 && second == first + 4 && third == 0 && fourth == first - 3)
        var last = BasicPriority(next: 1)
        let numbers = [last.take(), last.take()]
        #expect(numbers == [1, 1])
    }
}

@Suite struct BillingTests {
    private let weights: [TRESWeight] = [.init("cpu", 1), .init("mem", 0.25 / 1024), .init("gres/gpu", 2)]

    /// The example of slurm.conf(5).
    @Test func sumsAndMaximaAreThoseOfTheManual() {
        var table = TRESTable()
        table.add("gres/gpu")
        let held: TRESCounts = [.cpu: 1, .mem: 8192]
        #expect(Billing(weights: weights, table: table).units(held) == 3)
        #expect(Billing(weights: weights, table: table, flags: .maxTRES).units(held) == 2)
        #expect(Billing(weights: [], table: table).units(held) == 1)
    }

    @Test func licensesCountBesideTheMaximumAndNothingIsBelowZero() throws {
        var table = TRESTable()
        let license = table.add("license/matlab")
        let billing = Billing(
            weights: weights + [.init("license/matlab", 10)], table: table, flags: .maxTRES)
        #expect(billing.units([.cpu: 4, .mem: 1024, license: 2]) == 24)
        #expect(Billing(weights: [.init("cpu", -1)], table: table).units([.cpu: 4]) == 0)
        // What real Slurm showed: 5 CPUs at 2.0 and 200 MiB at 0.25G are billing=10.
        let real = Billing(weights: [.init("cpu", 2), .init("mem", 0.25 / 1024)], table: table)
        #expect(real.count([.cpu: 5, .mem: 200]) == 10)
    }
}
