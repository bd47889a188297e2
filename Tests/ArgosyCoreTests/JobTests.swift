import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

@Suite struct JobTests {
    @Test func `a submitted job starts, runs and completes`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        #expect(job == JobID(1))
        #expect(cluster.state(job) == .running)
        #expect(cluster.orders(to: 0, of: job) == [.prepare(launchBatch: true)])
        cluster.report(0, job, .prepared)
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        #expect(cluster.state(job) == .completing)
        #expect(cluster.node(0).state == "MIXED")
        #expect(cluster.node(0).flags == ["COMPLETING"])
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .completed)
        #expect(cluster.node(0).state == "IDLE")
        #expect(cluster.acknowledged.count == 3)
    }

    @Test func `a failed script fails its job`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.finish(job, exit: ExitStatus(code: 7))
        #expect(cluster.state(job) == .failed)
        #expect(try cluster.row(job).reason == .nonZeroExitCode)
        #expect(try cluster.row(job).exit.text == "7:0")
    }

    @Test(arguments: [ExitStatus.success, ExitStatus(code: 0, signal: 9), ExitStatus(code: 0, signal: 53)])
    func `a script that was lost or never started fails its job`(_ exit: ExitStatus) throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.report(0, job, .prepared)
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: exit, failure: "its daemon was lost")))
        cluster.report(0, job, .gone(Usage()))
        let row = try cluster.row(job)
        #expect(row.state == .failed && !row.exit.isSuccess && row.reasonDetail == "its daemon was lost")
        #expect(row.reason == (exit.signal > 0 ? .raisedSignal : .jobLaunchFailure))
        #expect(cluster.core.view.steps(of: job).map(\.state) == [.failed])
    }

    @Test func `an out-of-memory kill in any step decides the state`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        var usage = Usage()
        usage.oomKills = 1
        cluster.report(0, job, .prepared)
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success, usage: usage)))
        cluster.report(0, job, .gone(usage))
        #expect(cluster.state(job) == .outOfMemory)
        #expect(try cluster.row(job).exit.text == "0:125")
        #expect(cluster.core.view.steps(of: job).map(\.exit.text) == ["0:125"])
        #expect(try cluster.row(job).derivedExit.text == "0:0", "that is of srun's steps, as in Slurm")
    }

    @Test func `an out-of-memory kill of a step shows in the derived exit code`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        let caller = cluster.caller
        var usage = Usage()
        usage.oomKills = 2
        cluster.report(0, job, .prepared)
        _ = cluster.ask { .stepRequested(StepRequest(job: job), by: caller, reply: $0) }
        cluster.report(0, job, .stepEnded(StepID(0), StepEnd(exit: ExitStatus(code: 0, signal: 9), usage: usage)))
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: ExitStatus(code: 137))))
        cluster.report(0, job, .gone(Usage()))
        let row = try cluster.row(job)
        #expect(row.state == .outOfMemory && row.exit.text == "0:125" && row.derivedExit.text == "0:125")
        #expect(cluster.core.view.steps(of: job).map(\.exit.text) == ["137:0", "0:125"])
    }

    @Test func `a kill that only the job's own count tells of is its exit status too`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        var usage = Usage()
        usage.oomKills = 1
        cluster.report(0, job, .prepared)
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        cluster.report(0, job, .gone(usage))
        #expect(cluster.state(job) == .outOfMemory)
        #expect(try cluster.row(job).exit == .outOfMemory)
    }

    @Test func `a batch job of two nodes launches when both are ready`() throws {
        var cluster = Cluster()
        let job = cluster.submit { $0.minNodes = 2 }
        #expect(cluster.orders(to: 1, of: job) == [.prepare(launchBatch: false)])
        cluster.report(1, job, .prepared)
        #expect(cluster.orders(to: 0, of: job).count == 1)
        cluster.report(0, job, .prepared)
        #expect(cluster.orders(to: 0, of: job).last == .launch(.batch))
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)))
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .completing)
        cluster.report(1, job, .gone(Usage()))
        #expect(cluster.state(job) == .completed)
    }

    @Test func `the same token gets the same id`() throws {
        var cluster = Cluster()
        let first = cluster.submit(token: "t")
        #expect(cluster.submit(token: "t") == first)
        #expect(cluster.submit(token: "u") != first)
        cluster.restart()
        #expect(cluster.submit(token: "t") == first)
    }

    @Test func `ids are never used again, whatever was purged`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.finish(job)
        cluster.pass(.seconds(400))
        #expect(cluster.state(job) == nil)
        #expect(cluster.stored.jobs.isEmpty)
        cluster.restart()
        #expect(cluster.submit() == JobID(2))
    }

    @Test func `resources return only when the node let go`() throws {
        var cluster = Cluster(nodes: 1, cpus: 4)
        let first = cluster.submit { $0.tasks = 4 }
        let second = cluster.submit { $0.tasks = 4 }
        #expect(cluster.state(second) == .pending)
        cluster.report(0, first, .prepared)
        cluster.report(0, first, .stepEnded(.batch, StepEnd(exit: .success)))
        #expect(cluster.state(second) == .pending)
        cluster.report(0, first, .gone(Usage()))
        #expect(cluster.state(second) == .running)
    }

    @Test func `a waiting job says why, the head with numbers and an expected start`() throws {
        var cluster = Cluster(nodes: 1, cpus: 4)
        _ = cluster.submit { $0.tasks = 4 }
        let head = cluster.submit { $0.tasks = 2 }
        let next = cluster.submit()
        #expect(try cluster.row(head).reason == .resources)
        #expect(
            try cluster.row(head).reasonDetail.contains("wants 1 node with 2 CPUs; of 1 node 1 with too few free CPUs"))
        #expect(cluster.core.view.expectedStart(head) == cluster.now.adding(.seconds(600)))
        #expect(try cluster.row(next).reason == .priority)
        #expect(try cluster.row(next).reasonDetail.contains("other jobs come first; wants 1 node with 1 CPU"))
    }

    @Test func `a pending job is cancelled at once, a running one when its nodes let go`() throws {
        var cluster = Cluster(nodes: 1, cpus: 1)
        let running = cluster.submit()
        let pending = cluster.submit()
        #expect(cluster.cancel(pending).first?.refusal == nil)
        #expect(cluster.state(pending) == .cancelled)
        #expect(cluster.cancel(running).first?.refusal == nil)
        #expect(cluster.state(running) == .completing)
        #expect(cluster.orders(to: 0, of: running).last == .terminate(grace: .seconds(30), why: "CANCELLED"))
        cluster.report(0, running, .gone(Usage()))
        #expect(cluster.state(running) == .cancelled)
        #expect(cluster.cancel(running).first?.refusal?.message == "Job/step already completing or completed")
        #expect(cluster.cancel(JobID(99)).first?.refusal?.message == "Invalid job id specified")
    }

    @Test func `only the owner and operators may cancel`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        let other = Caller(uid: 7, gid: 7, isOperator: false)
        #expect(cluster.cancel(job, by: other).first?.refusal?.code == .accessDenied)
        #expect(cluster.cancel(job, by: cluster.root).first?.refusal == nil)
    }

    @Test func `the controller ends a job that its node let run on`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        cluster.report(0, job, .prepared)
        cluster.pass(.seconds(600 + 30 + 59))
        #expect(cluster.state(job) == .running)
        #expect(cluster.core.nextDeadline == cluster.now.adding(.seconds(1)))
        cluster.pass(.seconds(1))
        #expect(cluster.state(job) == .completing)
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .timeout)
    }

    @Test func `a job to begin later waits for its hour`() throws {
        var cluster = Cluster()
        let begin = cluster.now.adding(.seconds(60))
        let job = cluster.submit { $0.begin = begin }
        #expect(try cluster.row(job).reason == .beginTime)
        cluster.pass(.seconds(60))
        #expect(cluster.state(job) == .running)
    }

    @Test func `held jobs wait until they are released`() throws {
        var cluster = Cluster()
        let job = cluster.submit { $0.hold = true }
        #expect(try cluster.row(job).reason == .jobHeldUser)
        let (caller, selection) = (cluster.caller, JobSelection(items: [.init(job: job)]))
        #expect(cluster.ask { .jobUpdateRequested(selection, .release, by: caller, reply: $0) } == .done)
        #expect(cluster.state(job) == .running)
        #expect(try cluster.row(job).priority == 4_294_901_759)
    }

    @Test func `a requeued job runs again as its next attempt`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        let (caller, selection) = (cluster.caller, JobSelection(items: [.init(job: job)]))
        #expect(cluster.ask { .jobUpdateRequested(selection, .requeue, by: caller, reply: $0) } == .done)
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .running)
        #expect(try cluster.row(job).attempt == Attempt(1))
        cluster.report(0, job, .stepEnded(.batch, StepEnd(exit: .success)), attempt: 0)
        #expect(cluster.state(job) == .running)
        cluster.finish(job, attempt: 1)
        #expect(cluster.state(job) == .completed)
    }

    @Test func `whoever waits for a job is told when it ended`() throws {
        var cluster = Cluster()
        let job = cluster.submit()
        let handle = cluster.handle()
        cluster.apply(.waitRequested(job, reply: handle))
        #expect(cluster.answer(handle) == nil)
        cluster.finish(job)
        #expect(cluster.answer(handle) == .ended(job))
    }

    @Test func `a stale placement is dropped and planned again`() throws {
        var cluster = Cluster(nodes: 1, cpus: 1)
        cluster.plansAutomatically = false
        let first = cluster.submit()
        let snapshot = cluster.core.planningSnapshot(at: cluster.now)
        _ = cluster.cancel(first)
        let second = cluster.submit()
        cluster.apply(.planned(Plan(version: snapshot.version)))
        cluster.plan()
        #expect(cluster.state(second) == .running)
        let third = cluster.submit()
        let allocation = try #require(try cluster.row(second).allocation)
        var stale = Plan(version: 0)
        stale.placements = [Placement(job: third, allocation: allocation, partition: 0)]
        cluster.apply(.planned(stale))
        #expect(cluster.state(third) == .pending)
    }
}

@Suite struct AdmissionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let message: String
        let detail: String
        let adjust: @Sendable (inout JobSpec.Fields) -> Void
        var testDescription: String { name }
    }
    static let cases = [
        Case(name: "partition", message: "Invalid partition name specified", detail: "there are: main") {
            $0.partition = "x"
        },
        Case(name: "nodes", message: "Requested node configuration is not available", detail: "asks for 3 nodes") {
            $0.minNodes = 3
        },
        Case(name: "CPUs", message: "Requested node configuration is not available", detail: "8 CPUs in all") {
            $0.tasks = 9
        },
        Case(name: "CPUs of a task", message: "Requested node configuration is not available", detail: "at most 4 CPUs")
        { $0.cpusPerTask = 5 },
        Case(
            name: "memory", message: "Requested node configuration is not available",
            detail: "2 nodes have not 1001 MiB of memory"
        ) {
            $0.memoryPerNodeMiB = 1001
        },
        Case(
            name: "time", message: "Requested time limit is invalid (missing or exceeds some limit)",
            detail: "MaxTime is 60 minutes"
        ) { $0.timeLimit = .unlimited },
        Case(name: "node", message: "Invalid node name specified", detail: "node n9") { $0.nodeList = "n9" },
        Case(name: "array", message: "Invalid job array specification", detail: "MaxArraySize=1001") {
            $0.array = ArraySpec(indices: [IndexRange(first: 0, last: 1001)])
        },
        Case(name: "owner", message: "Access/permission denied", detail: "user 1000") { $0.identity.uid = 5 },
        Case(name: "dependency", message: "Job dependency problem", detail: "afterward:1") {
            $0.dependency = "afterward:1"
        },
    ]

    @Test(arguments: cases) func `a request that cannot be met is refused with the reason`(_ wrong: Case) throws {
        var cluster = Cluster { $0.partitions[0].maxTime = TimeLimit(minutes: 60) }
        guard case .refused(let refusal) = cluster.trySubmit(wrong.adjust) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.message == wrong.message)
        #expect(refusal.detail.contains(wrong.detail), "\(refusal.detail)")
        #expect(cluster.stored.jobs.isEmpty && cluster.stored.lastJobID == JobID(0))
    }

    @Test func `defaults of the partition are filled in`() throws {
        var cluster = Cluster { $0.partitions[0].defaultTime = TimeLimit(minutes: 5) }
        let job = cluster.submit { $0.timeLimit = .notGiven }
        #expect(try cluster.row(job).timeLimit == TimeLimit(minutes: 5))
        #expect(try cluster.row(job).partition == "main")
    }
}
