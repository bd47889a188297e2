import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

private func close(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
    a == b || abs(a - b) <= tolerance * max(abs(a), abs(b))
}

private func twoUsers() -> RecordsBuilder {
    var builder = RecordsBuilder()
    builder.account("a")
    builder.user("alice", in: "a")
    builder.user("bob", in: "a")
    builder.qos("long") { $0.usageFactor = 2 }
    builder.qos("quota") { $0.flags = .noDecay }
    return builder
}

private func piece(
    _ association: Int, _ from: Int64, _ to: Int64, billing: Double = 1, qos: Int = -1
) -> UsageLedger.Piece {
    .init(
        association: association, qos: qos, billing: billing, tres: [.cpu: 4, .mem: 100], from: .at(from), to: .at(to))
}

@Suite struct UsageLedgerTests {
    private let week: Int64 = 604_800

    @Test func usageGoesToTheUserAndAllAboveIt() {
        let records = twoUsers().records
        var ledger = UsageLedger(records: records, halfLife: .zero, epoch: .at(0))
        ledger.add(piece(records.of("alice"), 0, 100, billing: 3))
        ledger.add(piece(records.of("bob"), 0, 10))
        let now = Timestamp.at(1000)
        #expect(ledger.raw(association: records.of("alice"), at: now) == 300)
        #expect(ledger.raw(association: records.ofAccount("a"), at: now) == 310)
        #expect(ledger.raw(association: records.ofAccount("root"), at: now) == 310)
        #expect(ledger.tresSeconds(association: records.ofAccount("root"), .mem, at: now) == 11_000)
        #expect(ledger.wallSeconds(association: records.of("alice"), at: now) == 100)
    }

    @Test func usageIsHalvedInEachHalfLife() {
        let records = twoUsers().records
        let alice = records.of("alice")
        var ledger = UsageLedger(records: records, halfLife: .seconds(week), epoch: .at(0))
        ledger.add(piece(alice, 0, 60, billing: 1000))
        let full = ledger.raw(association: alice, at: .at(60))
        #expect(close(full, 60_000, 1e-4))
        for halves in 1...5 {
            let part = ledger.raw(association: alice, at: .at(60 + Int64(halves) * week))
            #expect(close(part * Double(1 << halves), full))
        }
    }

    /// Slurm itself multiplies all usage by a factor each PriorityCalcPeriod, so its sums depend on the period.
    @Test func howOftenUsageIsAddedMakesNoDifference() {
        let records = twoUsers().records
        let alice = records.of("alice")
        var whole = UsageLedger(records: records, halfLife: .seconds(week), epoch: .at(0))
        whole.add(piece(alice, 0, 10 * week))
        let now = Timestamp.at(11 * week)
        for parts: Int64 in [7, 60, 2016] {
            var cut = UsageLedger(records: records, halfLife: .seconds(week), epoch: .at(0))
            for part in 0..<parts {
                cut.add(piece(alice, 10 * week * part / parts, 10 * week * (part + 1) / parts))
            }
            #expect(close(cut.raw(association: alice, at: now), whole.raw(association: alice, at: now), 1e-12))
        }
        // The integral by hand: week / ln 2 x (1 - 2^-10) x 1/2.
        #expect(close(whole.raw(association: alice, at: now), Double(week) / 0.6931471805599453 * (1 - 1.0 / 1024) / 2))
    }

    @Test func movingTheEpochKeepsEveryBit() {
        let records = twoUsers().records
        let alice = records.of("alice")
        var ledger = UsageLedger(records: records, halfLife: .seconds(60), epoch: .at(0))
        ledger.add(piece(alice, 0, 30))
        let now = Timestamp.at(60 * 70)
        let before = ledger.raw(association: alice, at: now)
        ledger.add(piece(records.of("bob"), 60 * 69, 60 * 69 + 1))
        #expect(ledger.epoch == .at(60 * 69))
        #expect(ledger.raw(association: alice, at: now) == before)
        // Years later nothing has overflowed.
        ledger.add(piece(alice, 1_000_000_000, 1_000_000_060))
        #expect(close(ledger.raw(association: alice, at: .at(1_000_000_060)), 60 / 0.6931471805599453 / 2))
    }

    @Test func whatIsStoredComesBackBitForBit() {
        let records = twoUsers().records
        var ledger = UsageLedger(records: records, halfLife: .seconds(week), epoch: .at(5))
        for step: Int64 in 0..<50 { ledger.add(piece(records.of("bob"), step * 977, step * 977 + 311, qos: 1)) }
        let copy = UsageLedger(
            records: records, halfLife: .seconds(week), epoch: .at(99_999),
            associations: records.associations.indices.map { ledger.stored(association: $0) },
            qos: records.qos.indices.map { ledger.stored(qos: $0) })
        for row in records.associations.indices {
            #expect(copy.stored(association: row) == ledger.stored(association: row))
        }
        for row in records.qos.indices { #expect(copy.stored(qos: row) == ledger.stored(qos: row)) }
    }

    @Test func aQOSCountsByItsFactorAndKeepsItsUsageWithNoDecay() {
        let records = twoUsers().records
        var ledger = UsageLedger(records: records, halfLife: .seconds(week), epoch: .at(0))
        ledger.add(piece(records.of("alice"), 0, 100, qos: 1))
        ledger.add(piece(records.of("alice"), 0, 100, qos: 2))
        #expect(close(ledger.raw(association: records.of("alice"), at: .at(100)), 300, 1e-3))
        #expect(ledger.raw(qos: 2, at: .at(50 * week)) == 100)
        #expect(ledger.raw(qos: 1, at: .at(50 * week)) < 1e-9)
        ledger.reset()
        #expect(ledger.raw(qos: 2, at: .at(100)) == 100 && ledger.raw(qos: 1, at: .at(100)) == 0)
        #expect(ledger.raw(association: 0, at: .at(100)) == 0)
    }

    @Test func resettingOneAssociationTakesItOffThoseAbove() {
        let records = twoUsers().records
        var ledger = UsageLedger(records: records, halfLife: .zero, epoch: .at(0))
        ledger.add(piece(records.of("alice"), 0, 100))
        ledger.add(piece(records.of("bob"), 0, 10))
        ledger.reset(association: records.of("alice"))
        #expect(ledger.raw(association: records.of("alice"), at: .at(100)) == 0)
        #expect(ledger.raw(association: records.ofAccount("root"), at: .at(100)) == 10)
        #expect(ledger.tresSeconds(association: records.ofAccount("a"), .cpu, at: .at(100)) == 40)
    }

    @Test func anotherHalfLifeCountsFromNowOn() {
        let records = twoUsers().records
        let alice = records.of("alice")
        var ledger = UsageLedger(records: records, halfLife: .seconds(100), epoch: .at(0))
        ledger.add(piece(alice, 0, 100))
        let before = ledger.raw(association: alice, at: .at(200))
        ledger.changeHalfLife(to: .seconds(1000), at: .at(200))
        #expect(close(ledger.raw(association: alice, at: .at(200)), before))
        #expect(close(ledger.raw(association: alice, at: .at(1200)), before / 2))
    }

    @Test func usageGoesAlongWhenRecordsChange() {
        var builder = twoUsers()
        let records = builder.records
        var ledger = UsageLedger(records: records, halfLife: .seconds(week), epoch: .at(0))
        ledger.add(piece(records.of("alice"), 0, 100))
        ledger.add(piece(records.of("bob"), 0, 50))
        builder.associations.removeAll { $0.user == "alice" }
        builder.user("carol", in: "a")
        let changed = builder.records
        let moved = ledger.moved(to: changed)
        #expect(moved.stored(association: changed.of("bob")) == ledger.stored(association: records.of("bob")))
        #expect(moved.raw(association: changed.of("carol"), at: .at(100)) == 0)
        #expect(
            moved.raw(association: changed.ofAccount("a"), at: .at(100))
                == ledger.raw(association: records.ofAccount("a"), at: .at(100)))
    }

    @Test func powersAndLogarithmsAreExactEnough() {
        #expect(ExactMath.exp2(0) == 1 && ExactMath.exp2(10) == 1024 && ExactMath.exp2(-3) == 0.125)
        #expect(close(ExactMath.exp2(0.5), 2.0.squareRoot(), 1e-15))
        #expect(close(ExactMath.exp2MinusOne(1e-9), 6.931471808e-10, 1e-9))
        #expect(close(ExactMath.ln(10), 2.302585092994046, 1e-15) && ExactMath.ln(1) == 0)
        #expect(close(ExactMath.pow(7, 2.5), 49 * 7.0.squareRoot(), 1e-14))
        #expect(ExactMath.exp2(2000) == .infinity && ExactMath.exp2(-2000) == 0)
    }
}

@Suite struct UsageResetTests {
    /// 2026-11-21 12:16:35 UTC, a Saturday.
    private let now = Timestamp.at(1_795_263_395)

    @Test(
        arguments: [
            (.daily, 1_795_219_200, 1_795_305_600),  // 2026-11-21, 22
            (.weekly, 1_794_700_800, 1_795_305_600),  // Sundays 2026-11-15, 22
            (.monthly, 1_793_491_200, 1_796_083_200),  // 2026-11-01, 12-01
            (.quarterly, 1_790_812_800, 1_798_761_600),  // 2026-10-01, 2027-01-01
            (.yearly, 1_767_225_600, 1_798_761_600),  // 2026-01-01, 2027-01-01
        ] as [(PrioritySettings.UsageReset, Int64, Int64)])
    func periodsBeginAtMidnight(reset: PrioritySettings.UsageReset, latest: Int64, next: Int64) {
        #expect(reset.latest(at: now) == .at(latest))
        #expect(reset.next(after: now) == .at(next))
        #expect(reset.latest(at: .at(next)) == .at(next))
        #expect(reset.latest(at: .at(next - 1)) == .at(latest))
    }

    @Test func localTimeCounts() {
        // 2026-11-21 23:30 UTC is the 22nd, a Sunday, one hour to the east.
        let late = Timestamp.at(1_795_303_800)
        #expect(PrioritySettings.UsageReset.weekly.latest(at: late, secondsEastOfUTC: 3600) == .at(1_795_302_000))
        #expect(PrioritySettings.UsageReset.weekly.latest(at: late) == .at(1_794_700_800))
    }

    @Test func leapDaysAreDays() {
        // 2028-03-01 and 2028-02-29.
        #expect(
            PrioritySettings.UsageReset.monthly.latest(at: .at(1_835_395_200 + 86_400)) == .at(1_835_395_200 + 86_400))
        #expect(PrioritySettings.UsageReset.daily.next(after: .at(1_835_395_200)) == .at(1_835_395_200 + 86_400))
        #expect(PrioritySettings.UsageReset.none.latest(at: now) == nil)
        #expect(PrioritySettings.UsageReset.now.next(after: now) == nil)
    }
}
