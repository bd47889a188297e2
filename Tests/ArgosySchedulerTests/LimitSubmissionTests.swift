import ArgosyConfig
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

private let policy = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"

private func builder() -> RecordsBuilder {
    var builder = RecordsBuilder()
    builder.account("a") { $0.qos = [.normal, QOSID(2)] }
    builder.account("b")
    builder.user("u", in: "a")
    builder.user("u", in: "b", partition: "gpu")
    builder.qos("deny") {
        $0.flags = .denyOnLimit
        $0.limits.maxTRESPerJob = [.cpu: 2]
        $0.limits.maxWallDurationPerJob = TimeLimit(minutes: 5)
        $0.limits.grpTRES = [.cpu: 1]
    }
    return builder
}

private func job(_ records: AccountingRecords, qos: Int = 0, cpus: UInt64, minutes: UInt32 = 2) -> LimitedJob {
    LimitedJob(
        association: records.of("u"), qos: qos, uid: 1, tres: [.cpu: cpus, .node: 1], timeLimit: .init(minutes: minutes)
    )
}

@Suite struct LimitSubmissionTests {
    @Test func aJobNeedsAnAssociationAndAQOSItMayUse() throws {
        let records = builder().records
        let place = try records.place(user: "u", account: "", partition: "main", qos: "").get()
        #expect(place.account == "a" && place.qosName == "normal" && place.association == records.of("u"))
        let gpu = try records.place(user: "u", account: "b", partition: "gpu", qos: "normal").get()
        #expect(records.associations[gpu.association].partition == "gpu")
        func refusal(_ user: String, _ account: String, _ partition: String, _ qos: String) -> Refusal? {
            if case .failure(let refusal) = records.place(
                user: user, account: account, partition: partition, qos: qos)
            {
                return refusal
            }
            return nil
        }
        let other = refusal("u", "b", "main", "")
        #expect(other?.code == .invalidAccount)
        #expect(other?.message == "Invalid account or account/partition combination specified")
        #expect(other?.detail.contains("its accounts are: a, b") == true)
        #expect(refusal("nobody", "", "main", "")?.detail.contains("sacctmgr add user nobody") == true)
        let missing = refusal("u", "a", "main", "nosuch")
        #expect(missing?.code == .invalidQOS && missing?.message == "Invalid qos specification")
        let forbidden = refusal("u", "b", "gpu", "deny")
        #expect(forbidden?.detail == "account b may not use QOS deny; it may use: normal")
    }

    @Test func withoutEnforcementAnybodyRunsUncharged() throws {
        var builder = builder()
        builder.enforce = []
        let place = try builder.records.place(user: "nobody", account: "x", partition: "main", qos: "nosuch").get()
        #expect(place == AccountingPlace(association: -1, qos: -1, account: "x", qosName: "nosuch"))
        let job = LimitedJob(association: -1, tres: [.cpu: 1000])
        #expect(builder.book().submissionRefusal(job, at: .at(0)) == nil)
    }

    @Test func tooManySubmittedJobsAreRefused() {
        var builder = builder()
        builder.change("u") { $0.limits.maxSubmitJobs = 3 }
        var book = builder.book()
        let job = job(book.records, cpus: 1)
        #expect(book.submissionRefusal(job, elements: 3, at: .at(0)) == nil)
        #expect(book.submissionBlocker(job, elements: 4, at: .at(0))?.reason == .assocMaxSubmitJobLimit)
        book.submitted(job, count: 2)
        #expect(book.submissionRefusal(job, at: .at(0)) == nil)
        let refusal = book.submissionRefusal(job, elements: 2, at: .at(0))
        #expect(refusal?.code == .accountingPolicy && refusal?.message == policy)
        #expect(
            refusal?.detail
                == "AssocMaxSubmitJobLimit: user u of account a: MaxSubmitJobs is 3; 2 are submitted and 2 more would be"
        )
        book.withdrawn(job, count: 2)
        #expect(book.isIdle)
    }

    // What real Slurm answered to these jobs under a QOS with DenyOnLimit, MaxTRES=cpu=2, MaxWall=5, GrpTRES=cpu=1.
    @Test func denyOnLimitRefusesWhatCouldNeverStart() {
        let book = builder().book()
        let deny = 1
        #expect(book.submissionBlocker(job(book.records, qos: deny, cpus: 3), at: .at(0))?.reason == .qosGrpCpuLimit)
        #expect(
            book.submissionBlocker(job(book.records, qos: deny, cpus: 2, minutes: 20), at: .at(0))?.reason
                == .qosGrpCpuLimit)
        #expect(book.submissionBlocker(job(book.records, qos: deny, cpus: 1), at: .at(0)) == nil)
        #expect(
            book.submissionBlocker(job(book.records, qos: deny, cpus: 1, minutes: 6), at: .at(0))?.reason
                == .qosMaxWallDurationPerJobLimit)
        #expect(book.submissionBlocker(job(book.records, qos: 0, cpus: 3), at: .at(0)) == nil)
    }

    @Test func denyOnLimitAlsoHoldsToTheAssociationsLimits() {
        var builder = builder()
        builder.change("a") { $0.limits.grpTRESMins = [.cpu: 1] }
        let minutes = builder.book()
        let job = job(minutes.records, qos: 1, cpus: 1, minutes: 2)
        #expect(minutes.submissionBlocker(job, at: .at(0))?.reason == .assocGrpCPUMinutesLimit)
        builder.change("a") { $0.limits = AssociationLimits() }
        builder.change("u") { $0.limits.grpJobs = 0 }
        // A count of jobs does not refuse.
        #expect(builder.book().submissionBlocker(job, at: .at(0)) == nil)
    }
}
