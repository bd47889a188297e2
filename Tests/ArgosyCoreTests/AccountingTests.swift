import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

/// Jobs and their accounts: who may submit, what counts, what is charged.
@Suite struct AccountingTests {
    private func cluster(_ enforce: AccountingSettings.Enforce = [], nodes: Int = 2) -> Cluster {
        Cluster(nodes: nodes) { $0.accounting.enforce = enforce }
    }

    private func change(_ cluster: inout Cluster, _ operations: [AccountingOperation], check: Bool = false) -> Answer? {
        let root = cluster.root
        return cluster.ask {
            .accountingChangeRequested(operations, checkOnly: check, actor: "root", by: root, reply: $0)
        }
    }

    /// ann in physics, with limits.
    private func populate(_ cluster: inout Cluster, _ limits: AssociationChange = []) {
        let answer = change(
            &cluster,
            [
                .addAccount(Account(name: "physics"), parent: "root", []), .addUser(User(name: "ann", uid: 1000)),
                .addAssociation(user: "ann", account: "physics", partition: "", limits),
            ])
        #expect(answer == .done)
    }

    private func raw(_ cluster: Cluster, account: String) -> Double {
        let book = cluster.core.view.book
        return book.records.association(account: account).map { book.usage.raw(association: $0, at: cluster.now) } ?? -1
    }

    @Test func `without enforcement everybody submits`() throws {
        var cluster = cluster()
        let job = cluster.submit { $0.account = "unheard" }
        #expect(try cluster.row(job).spec.fields.account == "unheard")
    }

    @Test func `account and QOS are filled in`() throws {
        var cluster = cluster(.associations)
        populate(&cluster)
        let job = cluster.submit()
        #expect(try cluster.row(job).spec.fields.account == "physics")
        #expect(try cluster.row(job).spec.fields.qos == "normal")
        #expect(cluster.core.view.association(of: job) == AssociationID(4))
    }

    @Test func `who has no association is refused in Slurm's words`() {
        var cluster = cluster(.associations)
        guard case .refused(let refusal)? = cluster.trySubmit() else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.message == "Invalid account or account/partition combination specified")
        populate(&cluster)
        guard case .refused(let other)? = cluster.trySubmit({ $0.account = "root" }) else {
            Issue.record("accepted")
            return
        }
        #expect(other.detail.contains("physics"), "\(other.detail)")
    }

    @Test func `a QOS that is unknown or not allowed is refused`() {
        var cluster = cluster([.associations, .qos])
        populate(&cluster)
        #expect(change(&cluster, [.addQOS(name: "high", [])]) == .done)
        for name in ["nope", "high"] {
            guard case .refused(let refusal)? = cluster.trySubmit({ $0.qos = name }) else {
                Issue.record("accepted")
                continue
            }
            #expect(refusal.message == "Invalid qos specification")
        }
    }

    @Test func `the limit of submitted jobs counts elements and those that ended no more`() {
        var cluster = cluster([.associations, .limits])
        populate(&cluster, [.init(.maxSubmitJobs, .number(3))])
        cluster.plansAutomatically = false
        let first = cluster.submit()
        let array = ArraySpec(indices: [.init(first: 0, last: 2)], text: "0-2")
        guard case .refused(let refusal)? = cluster.trySubmit({ $0.array = array }) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.message.hasPrefix("Job violates accounting/QOS policy"))
        #expect(refusal.detail.hasPrefix("AssocMaxSubmitJobLimit"), "\(refusal.detail)")
        _ = cluster.cancel(first)
        #expect(cluster.trySubmit({ $0.array = array }) == .submitted(JobID(first.rawValue + 1)))
    }

    @Test func `the book is idle when all has ended, whatever happened between`() throws {
        var cluster = cluster([.associations, .limits])
        populate(&cluster)
        let array = cluster.submit { $0.array = ArraySpec(indices: [.init(first: 0, last: 5)], text: "0-5") }
        let single = cluster.submit()
        let held = cluster.submit { $0.hold = true }
        cluster.plan()
        #expect(!cluster.core.view.book.isIdle)
        _ = cluster.cancel(held)
        _ = cluster.cancel(array)
        _ = cluster.cancel(single)
        let view = cluster.core.view
        var running: [JobRow] = []
        view.forEachJob { row in if !row.state.isEnded { running.append(row) } }
        for row in running {
            for node in row.allocation?.nodes ?? [] { cluster.report(node.index.int, row.id, .gone(Usage())) }
        }
        #expect(cluster.core.view.book.isIdle)
    }

    @Test func `what ran is charged to the account and those above it`() {
        var cluster = cluster()
        populate(&cluster)
        let job = cluster.submit { $0.tasks = 2 }
        cluster.pass(.seconds(100))
        cluster.finish(job)
        #expect(
            abs(raw(cluster, account: "physics") - 200) < 1, "2 CPUs for 100 s: \(raw(cluster, account: "physics"))")
        #expect(raw(cluster, account: "root") == raw(cluster, account: "physics"))
    }

    @Test func `a job that runs on is charged and written each period`() throws {
        var cluster = cluster()
        populate(&cluster)
        _ = cluster.submit { $0.timeLimit = TimeLimit(minutes: 1000) }
        cluster.pass(.seconds(300))
        let row = try #require(cluster.stored.accounting.associationUsage.first { $0.association == AssociationID(3) })
        #expect(row.raw > 290)
        #expect(cluster.stored.accounting.marks.usageTime == cluster.now)
    }

    @Test func `a restart neither forgets nor doubles what was used`() {
        var cluster = cluster()
        populate(&cluster)
        let short = cluster.submit { $0.timeLimit = TimeLimit(minutes: 1000) }
        let long = cluster.submit { $0.timeLimit = TimeLimit(minutes: 1000) }
        cluster.pass(.seconds(450))
        cluster.finish(short)
        cluster.pass(.seconds(50))
        cluster.restart()
        cluster.register(
            0, held: [.init(key: AttemptKey(long, Attempt(0)), prepared: true, steps: [.batch], terminating: false)])
        cluster.register(1)
        cluster.pass(.seconds(100))
        cluster.finish(long)
        let used = raw(cluster, account: "physics")
        #expect(abs(used - (450 + 600)) < 2, "\(used)")
        #expect(cluster.core.view.book.isIdle)
    }

    @Test func `records survive a restart`() {
        var cluster = cluster(.associations)
        populate(&cluster, [.init(.maxJobs, .number(5))])
        let before = cluster.core.view.accounting
        cluster.restart()
        let after = cluster.core.view.accounting
        #expect(after.associations == before.associations && after.users == before.users)
        #expect(after.accounts == before.accounts && after.qos == before.qos && after.marks == before.marks)
    }

    @Test func `a check changes nothing`() {
        var cluster = cluster()
        #expect(change(&cluster, [.addAccount(Account(name: "x"), parent: "root", [])], check: true) == .done)
        #expect(cluster.core.view.accounting.account(named: "x") == nil)
    }

    @Test func `an account with jobs is not removed, one whose jobs ended is`() {
        var cluster = cluster()
        populate(&cluster)
        let job = cluster.submit { $0.hold = true }
        guard case .refused(let refusal)? = change(&cluster, [.removeAccounts(["physics"])]) else {
            Issue.record("removed")
            return
        }
        #expect(refusal.message == "Job(s) active, cancel job(s) before remove")
        _ = cluster.cancel(job)
        #expect(change(&cluster, [.removeAccounts(["physics"])]) == .done)
    }

    @Test func `usage can be set to nothing`() {
        var cluster = cluster()
        populate(&cluster)
        let job = cluster.submit()
        cluster.pass(.seconds(100))
        cluster.finish(job)
        let association = cluster.core.view.accounting.association(account: "physics")?.id ?? .root
        #expect(change(&cluster, [.resetUsage(associations: [association], qos: [])]) == .done)
        #expect(raw(cluster, account: "physics") == 0 && raw(cluster, account: "root") == 0)
        cluster.restart()
        #expect(raw(cluster, account: "physics") == 0)
    }

    @Test func `jobs of before are charged once there is an association`() {
        var cluster = cluster()
        let job = cluster.submit { $0.account = "physics" }
        populate(&cluster)
        #expect(cluster.core.view.association(of: job) == AssociationID(4))
        cluster.pass(.seconds(60))
        cluster.finish(job)
        #expect(raw(cluster, account: "physics") > 50)
        #expect(cluster.core.view.book.isIdle)
    }
}
