import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// A tree of accounts and QOS with limits drawn from a seed.
private func cluster(_ dice: inout Dice) -> RecordsBuilder {
    var builder = RecordsBuilder()
    for account in 0..<4 {
        let parent = account == 0 ? "root" : ["root", "a0", "a\(account - 1)"][dice.roll(3)]
        let (cpus, jobs, minutes) = (8 + dice.roll(32), 1 + dice.roll(7), 500 + dice.roll(1500))
        let which = dice.roll(8)
        builder.account("a\(account)", in: parent) {
            if which & 1 != 0 { $0.limits.grpTRES = [.cpu: UInt64(cpus)] }
            if which & 2 != 0 { $0.limits.grpJobs = UInt32(jobs) }
            if which & 4 != 0 { $0.limits.grpTRESRunMins = [.cpu: UInt64(minutes)] }
        }
        for user in 0..<3 {
            let (jobs, submit, which) = (1 + dice.roll(5), 1 + dice.roll(19), dice.roll(4))
            builder.user("u\(user)", in: "a\(account)") {
                if which & 1 != 0 { $0.limits.maxJobs = UInt32(jobs) }
                if which & 2 != 0 { $0.limits.maxSubmitJobs = UInt32(submit) }
            }
        }
    }
    for qos in 0..<3 {
        let (cpus, jobs, which) = (UInt64(8 + dice.roll(22)), UInt32(1 + dice.roll(5)), dice.roll(16))
        builder.qos("q\(qos)") {
            if which & 1 != 0 { $0.limits.maxTRESPerUser = [.cpu: cpus] }
            if which & 2 != 0 { $0.limits.maxJobsPerAccount = jobs }
            if which & 4 != 0 { $0.limits.grpTRES = [.cpu: cpus * 2, .node: 9] }
            if which & 8 != 0 { $0.flags = .overPartQOS }
        }
    }
    return builder
}

private func randomJob(_ records: AccountingRecords, _ dice: inout Dice) -> LimitedJob {
    let users = records.associations.indices.filter { records.associations[$0].isUser }
    let association = users[dice.roll(users.count)]
    let cpus = UInt64(1 + dice.roll(8))
    let uid = UInt32(records.associations[association].user.utf8.last ?? 0)
    return LimitedJob(
        association: association, qos: dice.roll(4), partitionQOS: dice.roll(6) - 2 < 1 ? -1 : dice.roll(4), uid: uid,
        tres: [.cpu: cpus, .node: 1, .billing: cpus], timeLimit: TimeLimit(minutes: UInt32(1 + dice.roll(60))))
}

private struct Running {
    var job: LimitedJob
    var end: Timestamp
}

/// The limits counted anew from what runs, without the book: nothing may be exceeded.
private func exceeded(_ records: AccountingRecords, _ running: [Running]) -> [String] {
    var broken: [String] = []
    for (position, association) in records.associations.enumerated() {
        let below = running.filter { records.chains[Int($0.job.association)].contains(position) }
        // A QOS that sets the like of a limit frees its own jobs of it, so only jobs without such a QOS are counted.
        let plain = below.filter { job in
            [job.job.qos, job.job.partitionQOS].allSatisfy { $0 <= 0 || records.qos[Int($0)].limits == QOSLimits() }
        }
        let cpus = plain.reduce(0) { $0 + $1.job.tres[.cpu] }
        if let limit = association.limits.grpTRES.value(.cpu), cpus > limit { broken.append("cpus of \(position)") }
        if let limit = association.limits.grpJobs, plain.count > limit { broken.append("jobs of \(position)") }
        if let limit = association.limits.maxJobs, plain.count > limit { broken.append("jobs of user \(position)") }
    }
    for (position, qos) in records.qos.enumerated() {
        let own = running.filter { $0.job.qos == position && $0.job.partitionQOS == -1 }
        if let limit = qos.limits.grpTRES.value(.cpu), own.reduce(0, { $0 + $1.job.tres[.cpu] }) > limit {
            broken.append("cpus of QOS \(position)")
        }
        for uid in Set(own.map(\.job.uid)).sorted() {
            let cpus = own.filter { $0.job.uid == uid }.reduce(0) { $0 + $1.job.tres[.cpu] }
            if let limit = qos.limits.maxTRESPerUser.value(.cpu), cpus > limit { broken.append("cpus of user \(uid)") }
        }
    }
    return broken
}

@Suite struct LimitPropertyTests {
    @Test(arguments: UInt64(1)...40)
    func noLimitIsExceededAndCountersComeBackToZero(seed: UInt64) {
        var dice = Dice(seed)
        let builder = cluster(&dice)
        var book = builder.book()
        let records = book.records
        var running: [Running] = []
        var waiting: [LimitedJob] = []
        var started = 0
        for step: Int64 in 0..<400 {
            let now = Timestamp.at(step * 30)
            switch dice.roll(4) {
            case 0 where !running.isEmpty:
                let gone = running.remove(at: dice.roll(running.count))
                book.ended(gone.job, end: gone.end)
                book.withdrawn(gone.job)
            case 1, 0:
                let job = randomJob(records, &dice)
                guard book.submissionBlocker(job, at: now) == nil else { continue }
                book.submitted(job)
                waiting.append(job)
            default:
                guard !waiting.isEmpty else { continue }
                let index = dice.roll(waiting.count)
                let blockers = book.blockers(waiting[index], at: now)
                #expect(blockers.isEmpty == book.mayStart(waiting[index], at: now))
                guard blockers.isEmpty else { continue }
                let job = waiting.remove(at: index)
                let entry = Running(job: job, end: AccountingBook.end(of: job, start: now))
                book.started(job, end: entry.end)
                running.append(entry)
                started += 1
                #expect(exceeded(records, running) == [])
            }
        }
        #expect(started > 0)
        for entry in running.reversed() {
            book.withdrawn(entry.job)
            book.ended(entry.job, end: entry.end)
        }
        for job in waiting { book.withdrawn(job) }
        #expect(book.isIdle)
    }

    @Test(arguments: UInt64(1)...10)
    func theOrderInWhichThingsHappenNeverMatters(seed: UInt64) {
        var dice = Dice(seed)
        var builder = cluster(&dice)
        let records = builder.records
        let jobs = (0..<60).map { _ in randomJob(records, &dice) }
        func tally(_ order: [LimitedJob], _ builder: RecordsBuilder) -> AccountingBook {
            var book = builder.book()
            for job in order {
                book.submitted(job)
                book.started(job, end: AccountingBook.end(of: job, start: .at(50)))
            }
            return book
        }
        let first = tally(jobs, builder)
        builder.associations.reverse()
        let second = tally(jobs.reversed(), builder)
        let asked = (0..<60).map { _ in randomJob(records, &dice) }
        for job in asked {
            #expect(first.blockers(job, at: .at(100)) == second.blockers(job, at: .at(100)))
        }
        for row in records.associations.indices {
            #expect(first.held(association: row) == second.held(association: row))
            #expect(
                first.runSeconds(association: row, at: .at(700)) == second.runSeconds(association: row, at: .at(700)))
        }
    }

    @Test func aCopyIsAWhatIfAndLeavesTheOriginalAlone() {
        var dice = Dice(7)
        let book = cluster(&dice).book()
        var copy = book
        let job = randomJob(book.records, &dice)
        copy.submitted(job)
        copy.started(job, end: .at(1000))
        #expect(book.isIdle && !copy.isIdle)
    }

    @Test func everyReasonOfALimitIsAWordOfItsOwnRecord() {
        let assoc = [
            LimitReasons.assocGrp, LimitReasons.assocGrpMinutes, LimitReasons.assocGrpRunMinutes,
            LimitReasons.assocMaxPerJob, LimitReasons.assocMaxPerNode, LimitReasons.assocMaxMinutesPerJob,
        ]
        let qos = [
            LimitReasons.qosGrp, LimitReasons.qosGrpMinutes, LimitReasons.qosGrpRunMinutes, LimitReasons.qosMaxPerJob,
            LimitReasons.qosMaxPerNode, LimitReasons.qosMaxMinutesPerJob, LimitReasons.qosMaxPerUser,
            LimitReasons.qosMin,
        ]
        #expect((assoc + qos + [LimitReasons.qosMaxPerAccount]).allSatisfy { $0.count == 9 })
        for row in assoc { #expect(row.allSatisfy { $0.word.hasPrefix("Assoc") }) }
        for row in qos { #expect(row.allSatisfy { $0.word.hasPrefix("QOS") }) }
    }
}
