import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import Testing

/// Parts of arrays, requeueing by exit code, warnings, mail and programs of the site.
@Suite struct LifeTests {
    private func cluster(_ keys: [(String, String)] = [], cpus: Int = 4) -> Cluster {
        Cluster(nodes: 1, cpus: cpus) { configuration in
            configuration.entries = [("AuthInfo", "cred_expire=9")].map(Self.entry) + keys.map(Self.entry)
        }
    }
    private static func entry(_ pair: (String, String)) -> ClusterConfiguration.Entry {
        .init(key: pair.0, value: pair.1, file: "", line: 0)
    }
    private func update(_ cluster: inout Cluster, _ job: JobID, _ range: ClosedRange<UInt32>, _ action: JobAction)
        -> Answer?
    {
        let handle = cluster.handle()
        let item = JobSelection.Item(
            job: job, indices: [IndexRange(first: range.lowerBound, last: range.upperBound)])
        cluster.apply(
            .jobUpdateRequested(
                JobSelection(items: [item]), action, by: Caller(uid: 0, gid: 0, isOperator: true), reply: handle))
        return cluster.answer(handle)
    }

    @Test func `held elements become jobs of their own`() throws {
        var cluster = cluster(cpus: 1)
        let array = cluster.submit { $0.array = ArrayTests.array(5) }
        #expect(update(&cluster, array, 2...3, .hold) == .done)
        let held = try [3, 4].map { try cluster.row(JobID($0)) }
        #expect(held.map(\.arrayIndex) == [2, 3] && held.allSatisfy { $0.reason == .jobHeldAdmin })
        #expect(
            try cluster.row(array).pendingIndices == [IndexRange(first: 1, last: 1), IndexRange(first: 4, last: 5)])
        #expect(update(&cluster, array, 7...9, .hold) != .done)
        #expect(update(&cluster, array, 3...3, .release) == .done)
        #expect(try cluster.row(JobID(4)).reason != .jobHeldAdmin)
    }

    @Test func `a million elements are held as one record and start from it`() throws {
        var cluster = Cluster(nodes: 1, cpus: 1) { $0.maxArraySize = 1_000_001 }
        let array = cluster.submit { $0.array = ArrayTests.array(999_999) }
        #expect(update(&cluster, array, 500_000...999_999, .hold) == .done)
        let part = try cluster.row(JobID(3))
        #expect(part.pendingIndices == [IndexRange(first: 500_000, last: 999_999)] && part.reason == .jobHeldAdmin)
        #expect(try cluster.row(array).pendingIndices == [IndexRange(first: 1, last: 499_999)])
        #expect(cluster.cancel(array, [IndexRange(first: 1, last: 600_000)]).first?.refusal == nil)
        #expect(try cluster.row(JobID(3)).pendingIndices == [IndexRange(first: 600_001, last: 999_999)])
        cluster.finish(JobID(2))
        cluster.restart()
        cluster.register(0)
        #expect(update(&cluster, array, 600_001...999_999, .release) == .done)
        let started = cluster.stored.jobs.filter { $0.state == .running }
        #expect(started.map(\.arrayIndex) == [600_001])
    }

    @Test func `exit codes bring jobs back, or into a special exit`() throws {
        var cluster = cluster([("RequeueExit", "11-12"), ("RequeueExitHold", "13")])
        let (again, special) = (cluster.submit(), cluster.submit())
        for (job, code) in [(again, UInt32(12)), (special, 13)] {
            cluster.report(0, job, .prepared)
            cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: ExitStatus(code: code))))
            cluster.report(0, job, .gone(Usage()))
        }
        let row = try cluster.row(again)
        #expect(row.state == .pending && row.reason == .beginTime && row.attempt == Attempt(1))
        #expect(row.eligible == cluster.now.adding(.seconds(10)))
        let held = try cluster.row(special)
        #expect(held.requeueMark == .specialExit && held.reason == .jobHeldUser && held.exit.code == 13)
        cluster.pass(.seconds(10))
        #expect(cluster.state(again) == .running)
    }

    @Test func `the warning comes before the end, wherever the limit is moved`() throws {
        var cluster = cluster()
        let job = cluster.submit {
            $0.timeLimit = TimeLimit(minutes: 10)
            $0.warning = WarningSignal(number: 10, seconds: 120, batchOnly: true)
        }
        cluster.report(0, job, .prepared)
        let key = AttemptKey(job, Attempt(0))
        let signal = Order(key: key, body: .signal(.batch, number: 10, batchOnly: true))
        let handle = cluster.handle()
        var changes = JobChanges()
        changes.timeLimit = .longer(5)
        cluster.apply(
            .jobChangeRequested(
                JobSelection(items: [.init(job: job)]), changes, by: Caller(uid: 0, gid: 0, isOperator: true),
                reply: handle))
        cluster.pass(.seconds(779))
        #expect(!cluster.orders.contains { $0.1 == signal })
        cluster.pass(.seconds(1))
        #expect(cluster.orders.contains { $0.1 == signal })
        #expect(try cluster.row(job).warned)
    }

    @Test func `mail goes out as asked for, for arrays once`() {
        var cluster = cluster()
        let job = cluster.submit { ($0.mailTypes, $0.mailUser, $0.name) = ([.begin, .end, .fail], "joe", "x") }
        cluster.pass(.seconds(5))
        cluster.finish(job)
        #expect(
            cluster.mails.map(\.subject) == [
                "Slurm Job_id=1 Name=x Began, Queued time 00:00:00",
                "Slurm Job_id=1 Name=x Ended, Run time 00:00:05, COMPLETED, ExitCode 0",
            ])
        #expect(cluster.mails.allSatisfy { $0.user == "joe" })
        cluster.mails = []
        let array = cluster.submit {
            ($0.mailTypes, $0.name, $0.array) = ([.begin, .end], "a", ArrayTests.array(1))
        }
        for id in [array.rawValue, array.rawValue + 1] { cluster.finish(JobID(id)) }
        #expect(
            cluster.mails.map(\.subject) == [
                "Slurm Array Summary Job_id=2_* (2) Name=a Began",
                "Slurm Array Summary Job_id=2_* (2) Name=a Ended, COMPLETED, ExitCode 0",
            ])
    }

    @Test func `nothing is ordered before the controller's prolog succeeded`() {
        var cluster = cluster([("PrologSlurmctld", "/prolog"), ("EpilogSlurmctld", "/epilog")])
        let job = cluster.submit()
        #expect(cluster.orders.isEmpty && cluster.programs.map(\.kind) == [.prolog])
        cluster.apply(.programEnded(AttemptKey(job, Attempt(0)), failure: "exited with 1"))
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .pending)
        cluster.pass(.seconds(10))
        cluster.apply(.programEnded(AttemptKey(job, Attempt(1)), failure: ""))
        #expect(cluster.orders.contains { if case .prepare = $0.1.body { true } else { false } })
        cluster.finish(job, attempt: 1)
        #expect(cluster.programs.last?.kind == .epilog && cluster.state(job) == .completed)
    }

    @Test func `a node whose epilog fails is drained`() {
        var cluster = cluster()
        let job = cluster.submit()
        cluster.report(0, job, .unfit(reason: "Epilog error"))
        #expect(
            cluster.core.view.nodes[0].flags.contains("DRAIN") && cluster.core.view.nodes[0].reason == "Epilog error")
    }
}

extension LifeTests {
    @Test func `without EnforcePartLimits a job waits that its partition is too small for`() throws {
        var cluster = Cluster(nodes: 2, cpus: 4) { configuration in
            configuration.accounting.enforcePartLimits = .no
            configuration.partitions[0].maxTime = TimeLimit(minutes: 30)
        }
        let (nodes, cpus) = (cluster.submit { $0.minNodes = 3 }, cluster.submit { $0.tasks = 9 })
        let long = cluster.submit { $0.timeLimit = TimeLimit(minutes: 31) }
        #expect(try cluster.row(nodes).reason == .partitionNodeLimit)
        #expect(try cluster.row(cpus).reason == .partitionConfig)
        #expect(try cluster.row(long).reason == .partitionTimeLimit)
        #expect(cluster.trySubmit { $0.cpusPerTask = 5 } != .submitted(JobID(4)))
    }
}
