import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

private let now = Timestamp.at(1_000_000)

/// A cluster with account d (user proxy, root's) and QOS t, both changed as a case wants.
private struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var qos: @Sendable (inout QOSLimits) -> Void = { _ in }
    var user: @Sendable (inout AssociationLimits) -> Void = { _ in }
    var account: @Sendable (inout AssociationLimits) -> Void = { _ in }
    /// The second job; the first has 2 CPUs, 20 MiB, 10 minutes.
    var job: @Sendable (inout LimitedJob) -> Void = { _ in }
    var reason: PendingReason
    var testDescription: String { name }
}

private func builder(_ test: Case) -> RecordsBuilder {
    var builder = RecordsBuilder()
    builder.tres.add("license/matlab")
    builder.account("d") { test.account(&$0.limits) }
    builder.user("proxy", in: "d") { test.user(&$0.limits) }
    builder.qos("t") { test.qos(&$0.limits) }
    return builder
}

private func job(_ records: AccountingRecords, user: String = "proxy", qos: Int = 1, cpus: UInt64 = 2) -> LimitedJob {
    LimitedJob(
        association: records.of(user), qos: qos, uid: 13, tres: [.cpu: cpus, .mem: 20, .node: 1, .billing: cpus],
        tresPerNode: [.cpu: cpus, .mem: 20], timeLimit: TimeLimit(minutes: 10))
}

// Every case was put to a real Slurm 22.05.8: the limit set with sacctmgr, one job of 2 CPUs, 20 MiB and 10 minutes
// running, the second submitted; `reason` is what squeue showed for it.
private let cases: [Case] = [
    .init(name: "QOS GrpTRES=cpu=3", qos: { $0.grpTRES = [.cpu: 3] }, reason: .qosGrpCpuLimit),
    .init(name: "QOS GrpTRES=mem=30", qos: { $0.grpTRES = [.mem: 30] }, reason: .qosGrpMemLimit),
    .init(name: "QOS GrpTRES=node=1", qos: { $0.grpTRES = [.node: 1] }, reason: .qosGrpNodeLimit),
    .init(
        name: "QOS GrpTRESRunMins=cpu=30", qos: { $0.grpTRESRunMins = [.cpu: 30] }, reason: .qosGrpCPURunMinutesLimit),
    .init(name: "QOS MaxTRESPU=cpu=3", qos: { $0.maxTRESPerUser = [.cpu: 3] }, reason: .qosMaxCpuPerUserLimit),
    .init(name: "QOS MaxTRESPU=mem=30", qos: { $0.maxTRESPerUser = [.mem: 30] }, reason: .qosMaxMemoryPerUser),
    .init(name: "QOS MaxTRESPA=cpu=3", qos: { $0.maxTRESPerAccount = [.cpu: 3] }, reason: .maxCpuPerAccount),
    .init(
        name: "QOS MaxTRESPA=billing=3", qos: { $0.maxTRESPerAccount = [.billing: 3] }, reason: .maxBillingPerAccount),
    .init(
        name: "QOS MaxTRESPerNode=cpu=2", qos: { $0.maxTRESPerNode = [.cpu: 2] }, job: { $0.tresPerNode[.cpu] = 3 },
        reason: .qosMaxCpuPerNode),
    .init(
        name: "QOS MaxTRESMins=cpu=20", qos: { $0.maxTRESMinsPerJob = [.cpu: 20] }, job: { $0.tres[.cpu] = 3 },
        reason: .qosMaxCpuMinutesPerJobLimit),
    .init(
        name: "QOS MaxWall=10", qos: { $0.maxWallDurationPerJob = TimeLimit(minutes: 10) },
        job: { $0.timeLimit = TimeLimit(minutes: 11) }, reason: .qosMaxWallDurationPerJobLimit),
    .init(
        name: "QOS MinTRES=cpu=2", qos: { $0.minTRESPerJob = [.cpu: 2] }, job: { $0.tres[.cpu] = 1 },
        reason: .qosMinCpuNotSatisfied),
    .init(name: "QOS MaxJobsPU=1", qos: { $0.maxJobsPerUser = 1 }, reason: .qosMaxJobsPerUserLimit),
    .init(name: "QOS MaxJobsPA=1", qos: { $0.maxJobsPerAccount = 1 }, reason: .maxJobsPerAccount),
    .init(name: "user GrpTRES=cpu=3", user: { $0.grpTRES = [.cpu: 3] }, reason: .assocGrpCpuLimit),
    .init(
        name: "account GrpTRESRunMins=mem=300", account: { $0.grpTRESRunMins = [.mem: 300] },
        reason: .assocGrpMemRunMinutes),
    .init(
        name: "account MaxTRES=node=1", account: { $0.maxTRESPerJob = [.node: 1] }, job: { $0.tres[.node] = 2 },
        reason: .assocMaxNodePerJobLimit),
    .init(
        name: "account MaxTRESMins=cpu=20", account: { $0.maxTRESMinsPerJob = [.cpu: 20] }, job: { $0.tres[.cpu] = 3 },
        reason: .assocMaxCpuMinutesPerJobLimit),
    .init(
        name: "account GrpTRES=license/matlab=1", account: { $0.grpTRES = [TRESID(1001): 1] },
        job: { $0.tres[TRESID(1001)] = 2 }, reason: .assocGrpLicense),
]

@Suite struct LimitTests {
    @Test(arguments: cases)
    private func aLimitHoldsTheSecondJobWithTheWordSlurmShows(_ test: Case) {
        let records = builder(test).records
        var book = builder(test).book()
        let first = job(records)
        #expect(book.blockers(first, at: now).isEmpty)
        book.submitted(first)
        let end = AccountingBook.end(of: first, start: now)
        book.started(first, end: end)
        var second = job(records)
        test.job(&second)
        #expect(book.blockers(second, at: now).map(\.reason) == [test.reason])
        #expect(!book.mayStart(second, at: now))
        book.ended(first, end: end)
        book.withdrawn(first)
        #expect(book.isIdle)
        let alone = book.blockers(second, at: now)
        #expect(!alone.contains { !$0.isOfTheJobAlone }, "\(alone)")
    }

    @Test func reasonsComeInSlurmsOrderAndAllOfThem() {
        // Account b with GrpTRES=cpu=1 MaxJobs=0 GrpTRESMins=cpu=1: squeue showed AssocMaxJobsLimit.
        let test = Case(
            name: "",
            account: {
                $0.grpTRES = [.cpu: 1]
                $0.maxJobs = 0
                $0.grpTRESMins = [.cpu: 1]
            }, reason: .none)
        var book = builder(test).book()
        let job = job(book.records)
        book.usage.add(
            .init(association: Int(job.association), qos: -1, billing: 1, tres: [.cpu: 1], from: .at(0), to: .at(60)))
        #expect(
            book.blockers(job, at: now).map(\.reason) == [
                .assocMaxJobsLimit, .assocGrpCPUMinutesLimit, .assocGrpCpuLimit,
            ])
        // User bin with GrpJobs=0 MaxTRES=cpu=1 MaxWall=5: it showed AssocGrpJobsLimit.
        let other = Case(
            name: "",
            user: {
                $0.grpJobs = 0
                $0.maxTRESPerJob = [.cpu: 1]
                $0.maxWallDurationPerJob = TimeLimit(minutes: 5)
            }, reason: .none)
        let reasons = builder(other).book().blockers(self.job(builder(other).records), at: now).map(\.reason)
        #expect(reasons == [.assocGrpJobsLimit, .assocMaxWallDurationPerJobLimit, .assocMaxCpuPerJobLimit])
    }

    private func job(_ records: AccountingRecords) -> LimitedJob { ArgosySchedulerTests.job(records) }

    @Test func groupLimitsHoldOnEveryLevelAndOthersAreInherited() {
        var builder = RecordsBuilder()
        builder.change("root") { $0.limits.maxWallDurationPerJob = TimeLimit(minutes: 5) }
        builder.account("top") { $0.limits.grpTRES = [.cpu: 10] }
        builder.account("mid", in: "top") { $0.limits.grpTRES = [.cpu: 6] }
        builder.user("u", in: "mid") { $0.limits.maxTRESPerJob = [.cpu: 4] }
        builder.user("v", in: "top")
        let records = builder.records
        var book = builder.book()
        book.started(ArgosySchedulerTests.job(records, user: "v", qos: 0, cpus: 8), end: .at(2_000_000))
        let blockers = book.blockers(ArgosySchedulerTests.job(records, user: "u", qos: 0, cpus: 7), at: now)
        #expect(
            blockers.map(\.scope) == [
                .association(records.of("u")), .association(records.of("u")),
                .association(records.ofAccount("mid")), .association(records.ofAccount("top")),
            ])
        #expect(
            blockers.map(\.reason) == [
                .assocMaxWallDurationPerJobLimit, .assocMaxCpuPerJobLimit, .assocGrpCpuLimit, .assocGrpCpuLimit,
            ])
        #expect(blockers.map(\.isOfTheJobAlone) == [true, true, true, false])
        #expect(
            book.sentence(for: blockers[3]) == "account top: GrpTRES cpu is 10; 8 in use and the job asks for 7")
        #expect(
            book.sentence(for: blockers[0])
                == "user u of account mid: MaxWallDurationPerJob is 5; the job's time limit is 10 minutes")
    }

    @Test func aLimitOfTheQOSTakesThePlaceOfTheAssociations() {
        var builder = RecordsBuilder()
        builder.user("u", in: "root") {
            $0.limits.maxTRESPerJob = [.cpu: 1, .mem: 10]
            $0.limits.maxJobs = 0
            $0.limits.grpTRES = [.cpu: 1]
        }
        builder.qos("big") {
            $0.limits.maxTRESPerJob = [.cpu: 100]
            $0.limits.maxJobsPerUser = 5
            $0.limits.grpTRES = [.cpu: 50]
        }
        let book = builder.book()
        let plain = book.blockers(ArgosySchedulerTests.job(book.records, user: "u", qos: 0), at: now).map(\.reason)
        #expect(plain == [.assocMaxJobsLimit, .assocGrpCpuLimit, .assocMaxCpuPerJobLimit, .assocMaxMemPerJob])
        let big = book.blockers(ArgosySchedulerTests.job(book.records, user: "u", qos: 1), at: now).map(\.reason)
        #expect(big == [.assocMaxMemPerJob])
    }

    @Test func thePartitionsQOSGoesFirstUnlessTheJobsOverridesIt() {
        func reasons(_ flags: QOSFlags) -> [PendingReason] {
            var builder = RecordsBuilder()
            builder.user("u", in: "root")
            builder.qos("part") { $0.limits.maxTRESPerJob = [.cpu: 1] }
            builder.qos("own") {
                $0.limits.maxTRESPerJob = [.cpu: 8, .mem: 10]
                $0.flags = flags
            }
            let book = builder.book()
            var job = ArgosySchedulerTests.job(book.records, user: "u", qos: 2)
            job.partitionQOS = 1
            return book.blockers(job, at: now).map(\.reason)
        }
        #expect(reasons([]) == [.qosMaxCpuPerJobLimit, .qosMaxMemoryPerJob])
        #expect(reasons(.overPartQOS) == [.qosMaxMemoryPerJob])
    }

    @Test func usedUpMinutesHoldAndSafeAlsoLooksAhead() {
        func reasons(_ enforce: AccountingSettings.Enforce, used: Double) -> [PendingReason] {
            var builder = RecordsBuilder()
            builder.enforce = enforce
            builder.user("u", in: "root") { $0.limits.grpTRESMins = [.cpu: 100] }
            var book = builder.book()
            book.usage.add(
                .init(
                    association: book.records.of("u"), qos: -1, billing: 0, tres: [.cpu: 1], from: .at(0),
                    to: .at(Int64(used * 60))))
            book.started(ArgosySchedulerTests.job(book.records, user: "u", qos: 0), end: now.adding(.seconds(600)))
            return book.blockers(ArgosySchedulerTests.job(book.records, user: "u", qos: 0), at: now).map(\.reason)
        }
        // 20 minutes run, 20 are asked for.
        #expect(reasons([.limits], used: 99) == [])
        #expect(reasons([.limits], used: 100) == [.assocGrpCPUMinutesLimit])
        #expect(reasons([.limits, .safe], used: 60) == [])
        #expect(reasons([.limits, .safe], used: 61) == [.assocGrpCPUMinutesLimit])
        #expect(reasons([.associations, .qos], used: 1000) == [])
    }

    @Test func runMinutesFallAsTimePasses() {
        var builder = RecordsBuilder()
        builder.user("u", in: "root") { $0.limits.grpTRESRunMins = [.cpu: 30] }
        var book = builder.book()
        let job = ArgosySchedulerTests.job(book.records, user: "u", qos: 0)
        book.started(job, end: AccountingBook.end(of: job, start: now))
        #expect(book.runSeconds(association: book.records.of("u"), at: now)[.cpu] == 1200)
        #expect(book.blockers(job, at: now).map(\.reason) == [.assocGrpCPURunMinutesLimit])
        #expect(book.blockers(job, at: now.adding(.seconds(270))).map(\.used) == [11])
        #expect(book.blockers(job, at: now.adding(.seconds(300))).map(\.used) == [])
    }

    @Test func aLimitFactorStretchesTheLimitsOfAssociations() {
        var builder = RecordsBuilder()
        builder.user("u", in: "root") { $0.limits.grpTRES = [.cpu: 3] }
        builder.qos("wide") { $0.limitFactor = 2 }
        var book = builder.book()
        book.started(ArgosySchedulerTests.job(book.records, user: "u", qos: 1), end: .at(2_000_000))
        let job = ArgosySchedulerTests.job(book.records, user: "u", qos: 1)
        #expect(book.mayStart(job, at: now))
        #expect(!book.mayStart(ArgosySchedulerTests.job(book.records, user: "u", qos: 0), at: now))
    }

    /// On a real Slurm with GrpTRES=node=1 two more jobs joined the first on n1, and one for n2 waited.
    @Test func nodesThatJobsShareAreCountedOnce() {
        let test = Case(name: "", qos: { $0.grpTRES = [.node: 1] }, reason: .none)
        var book = builder(test).book()
        let job = job(book.records)
        let first = [NodeIndex(0)]
        book.started(job, end: .at(2_000_000), on: first)
        #expect(book.countsNodes)
        #expect(book.mayStart(job, at: now) && book.mayStart(job, at: now, on: first))
        #expect(book.blockers(job, at: now, on: [NodeIndex(1)]).map(\.reason) == [.qosGrpNodeLimit])
        book.started(job, end: .at(2_000_000), on: first)
        #expect(book.mayStart(job, at: now, on: first) && !book.mayStart(job, at: now, on: [NodeIndex(1)]))
        var wide = job
        wide.tres[.node] = 2
        #expect(book.blockers(wide, at: now).map(\.reason) == [.qosGrpNodeLimit])
        for _ in 0..<2 { book.ended(job, end: .at(2_000_000), on: first) }
        #expect(book.isIdle && book.mayStart(job, at: now, on: [NodeIndex(1)]))
    }

    @Test func aUsageThresholdHoldsWhoIsBelowIt() {
        var builder = RecordsBuilder()
        builder.user("u", in: "root")
        builder.user("v", in: "root")
        builder.qos("fair") {
            $0.flags = .enforceUsageThreshold
            $0.usageThreshold = 0.6
        }
        var book = builder.book()
        let user = book.records.of("u")
        book.usage.add(.init(association: user, qos: -1, billing: 1, tres: [:], from: .at(0), to: .at(60)))
        let share = FairShare(book.usage)
        let held = book.usageThresholdSentence(ArgosySchedulerTests.job(book.records, user: "u", qos: 1), share)
        #expect(held == "QOS fair: UsageThreshold is 0.6; the fair share of this association is 0.5")
        let other = ArgosySchedulerTests.job(book.records, user: "v", qos: 1)
        #expect(book.usageThresholdSentence(other, share) == nil)
    }

    @Test func ageAccruesUpToTheLimit() {
        var builder = RecordsBuilder()
        builder.user("u", in: "root") { $0.limits.maxJobsAccrue = 2 }
        var book = builder.book()
        let job = ArgosySchedulerTests.job(book.records, user: "u", qos: 0)
        book.beganToAccrue(job, count: 1)
        #expect(book.mayAccrue(job, at: now))
        book.beganToAccrue(job)
        #expect(!book.mayAccrue(job, at: now) && book.mayStart(job, at: now))
        book.ceasedToAccrue(job, count: 2)
        #expect(book.isIdle)
    }
}
