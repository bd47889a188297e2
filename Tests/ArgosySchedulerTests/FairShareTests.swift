import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

private func share(
    _ builder: RecordsBuilder, _ usage: [(String, Double)], flags: PrioritySettings.Flags = [], dampening: UInt16 = 1
) -> (AccountingRecords, FairShare) {
    let records = builder.records
    var ledger = UsageLedger(records: records, halfLife: .zero, epoch: .at(0))
    for (user, seconds) in usage {
        ledger.add(
            .init(association: records.of(user), qos: -1, billing: seconds, tres: [:], from: .at(0), to: .at(1)))
    }
    return (records, FairShare(ledger, flags: flags, dampening: dampening))
}

@Suite struct FairShareTests {
    /// Two accounts with equal shares, one of which used three quarters: all users of the other come first, whatever
    /// they used themselves.
    @Test func whoStandsInABetterAccountComesFirst() {
        var builder = RecordsBuilder()
        builder.account("x")
        builder.account("y")
        for name in ["x1", "x2"] { builder.user(name, in: "x") }
        for name in ["y1", "y2"] { builder.user(name, in: "y") }
        let (records, share) = share(builder, [("x1", 70), ("x2", 5), ("y1", 24), ("y2", 1)])
        let factors = ["y2", "y1", "x2", "x1"].map { share.factor(association: records.of($0)) }
        #expect(factors == [1, 0.75, 0.5, 0.25])
        #expect(share.rows[records.ofAccount("y")].levelFS == 0.5 / 0.25)
        #expect(share.rows[records.of("x2")].effectiveUsage == 5.0 / 75)
    }

    @Test func equalsShareTheBetterRank() {
        var builder = RecordsBuilder()
        for name in ["u1", "u2", "u3"] { builder.user(name, in: "root") }
        let (records, share) = share(builder, [("u1", 5), ("u2", 5), ("u3", 1)])
        let factors = ["u1", "u2", "u3"].map { share.factor(association: records.of($0)) }
        #expect(factors == [2.0 / 3, 2.0 / 3, 1])
    }

    /// Children of tied accounts are ranked against each other, as if the accounts were one.
    @Test func tiedAccountsAreOne() {
        var builder = RecordsBuilder()
        builder.account("x")
        builder.account("y")
        builder.user("x1", in: "x", shares: .count(3))
        builder.user("x2", in: "x")
        builder.user("y1", in: "y", shares: .count(2))
        builder.user("y2", in: "y", shares: .count(2))
        let (records, share) = share(builder, [("x1", 5), ("x2", 5), ("y1", 8), ("y2", 2)])
        // Level FS: x1 .75/.5, x2 .25/.5, y1 .5/.8, y2 .5/.2.
        let factors = ["y2", "x1", "y1", "x2"].map { share.factor(association: records.of($0)) }
        #expect(factors == [1, 0.75, 0.5, 0.25])
    }

    @Test func noSharesComeLastAndNoUsageFirst() {
        var builder = RecordsBuilder()
        builder.user("none", in: "root", shares: .count(0))
        builder.user("idle", in: "root")
        builder.user("busy", in: "root")
        let (records, share) = share(builder, [("busy", 10)])
        let factors = ["idle", "busy", "none"].map { share.factor(association: records.of($0)) }
        #expect(factors == [1, 2.0 / 3, 1.0 / 3])
        #expect(share.factor(association: -1) == 0)
    }

    /// By hand: A has 1 of 2 shares and used 8 of 10; its users u (1 of 2 shares, 2 used) and v (6 used).
    /// UE(u) = 0.2 + (0.8 - 0.2) x 1/2 = 0.5, S(u) = 1/4, F = 2^-2; dampened by 2: 2^-1.
    @Test func theClassicFormulaSharesTheBlameOfAnAccount() {
        var builder = RecordsBuilder()
        builder.account("a")
        builder.account("b")
        builder.user("u", in: "a")
        builder.user("v", in: "a")
        builder.user("w", in: "b")
        let usage: [(String, Double)] = [("u", 2), ("v", 6), ("w", 2)]
        let (records, plain) = share(builder, usage, flags: .noFairTree)
        #expect(abs(plain.factor(association: records.of("u")) - 0.25) < 1e-12)
        let (_, dampened) = share(builder, usage, flags: .noFairTree, dampening: 2)
        #expect(abs(dampened.factor(association: records.of("u")) - 0.5) < 1e-12)
        #expect(plain.rows[records.of("w")].levelFS == nil && !plain.isFairTree)
    }

    /// By hand: R(a) = 0.8/0.5 = 1.6; u used 2 of a's 8 with half its shares, so r = 0.5; the signs differ, so
    /// k = 1 / (1 + (5 ln 1.6)^2) = 0.153313..., R = 1.6 x 0.5^k.
    @Test func depthObliviousDampensTheParent() {
        var builder = RecordsBuilder()
        builder.account("a")
        builder.account("b")
        builder.user("u", in: "a")
        builder.user("v", in: "a")
        builder.user("w", in: "b")
        let (records, share) = share(
            builder, [("u", 2), ("v", 6), ("w", 2)], flags: [.depthOblivious, .noFairTree])
        let row = share.rows[records.of("u")]
        #expect(abs(row.effectiveUsage / row.normShares - 1.6 * ExactMath.pow(0.5, 0.1533134)) < 1e-5)
        // v errs to the same side as its account: nothing is dampened.
        let other = share.rows[records.of("v")]
        #expect(abs(other.effectiveUsage - 0.6) < 1e-12)
    }

    /// One machine, two users with shares 3:1 and always work waiting: each time it is free, whose priority is higher
    /// runs for ten minutes.
    @Test(arguments: [PrioritySettings.Flags(), .noFairTree])
    func usersConvergeToTheirShares(flags: PrioritySettings.Flags) {
        var builder = RecordsBuilder()
        builder.user("big", in: "root", shares: .count(3))
        builder.user("small", in: "root", shares: .count(1))
        let records = builder.records
        let users = [records.of("big"), records.of("small")]
        var ledger = UsageLedger(records: records, halfLife: .seconds(86_400), epoch: .at(0))
        // The small one begins with a day of its own.
        ledger.add(.init(association: users[1], qos: -1, billing: 1, tres: [:], from: .at(0), to: .at(86_400)))
        var ran = [0, 0]
        for turn: Int64 in 0..<4000 {
            let share = FairShare(ledger, flags: flags)
            let first = share.factor(association: users[0]) >= share.factor(association: users[1]) ? 0 : 1
            let from = 86_400 + turn * 600
            ledger.add(
                .init(association: users[first], qos: -1, billing: 1, tres: [:], from: .at(from), to: .at(from + 600)))
            if turn >= 2000 { ran[first] += 1 }
        }
        let ratio = Double(ran[0]) / Double(ran[1])
        #expect(abs(ratio - 3) < 0.05, "\(ran)")
    }

    @Test func theOrderOfTheRecordsNeverMatters() {
        var builder = RecordsBuilder()
        for account in ["a", "b", "c"] {
            builder.account(account, shares: .count(2))
            for user in 1...4 { builder.user("\(account)\(user)", in: account, shares: .count(UInt32(user))) }
        }
        let usage = builder.associations.filter(\.isUser).enumerated().map { ($1.user, Double($0 % 5)) }
        let (_, first) = share(builder, usage)
        builder.associations.reverse()
        builder.qos.reverse()
        let (_, second) = share(builder, usage)
        #expect(first.rows == second.rows)
    }
}
