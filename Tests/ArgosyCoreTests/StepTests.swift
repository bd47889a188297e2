import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct StepTests {
    /// A cluster with one interactive job on two nodes of four CPUs, ready.
    static func allocated(tasks: UInt32 = 4) -> (Cluster, JobID, ReplyHandle) {
        var cluster = Cluster()
        var fields = Cluster.batch {
            $0.scriptDigest = ""
            $0.minNodes = 2
            $0.tasks = tasks
            $0.cpusPerTask = 2
            $0.killOnClientLoss = true
        }
        fields.requeue = false
        let handle = cluster.handle()
        cluster.apply(.jobSubmitted(fields, token: "", waitForAllocation: true, by: cluster.caller, reply: handle))
        #expect(cluster.answer(handle) == nil)
        for node in [0, 1] { cluster.report(node, JobID(1), .prepared) }
        return (cluster, JobID(1), handle)
    }

    static func step(_ cluster: inout Cluster, _ job: JobID, _ adjust: (inout StepRequest) -> Void = { _ in })
        -> ReplyHandle
    {
        var request = StepRequest(job: job)
        adjust(&request)
        let handle = cluster.handle()
        cluster.apply(.stepRequested(request, by: cluster.caller, reply: handle))
        return handle
    }

    func layout(_ cluster: Cluster, _ handle: ReplyHandle) throws -> (Allocation, [UInt32]) {
        guard case .stepCreated(_, _, _, let layout, let ranks) = try #require(cluster.answer(handle)) else {
            Issue.record("\(String(describing: cluster.answer(handle)))")
            return (Allocation(nodes: [], cpusPerTask: 1), [])
        }
        return (layout, ranks)
    }

    @Test func `an interactive job is answered when its nodes are ready`() throws {
        let (cluster, job, handle) = Self.allocated()
        guard case .allocated(job, Attempt(0), let allocation) = cluster.answer(handle) else {
            Issue.record("not allocated")
            return
        }
        #expect(allocation.nodes.map(\.tasks) == [2, 2])
    }

    @Test func `a step takes the job's tasks and launches on its nodes`() throws {
        var (cluster, job, _) = Self.allocated()
        let handle = Self.step(&cluster, job)
        let (layout, ranks) = try layout(cluster, handle)
        #expect(layout.nodes.map(\.tasks) == [2, 2] && ranks == [0, 2])
        #expect(cluster.orders(to: 1, of: job).last == .launch(StepID(0)))
    }

    @Test func `steps wait for each other unless they are exact or overlap`() throws {
        var (cluster, job, _) = Self.allocated()
        _ = Self.step(&cluster, job)
        let waiting = Self.step(&cluster, job)
        #expect(cluster.answer(waiting) == nil)
        let overlapping = Self.step(&cluster, job) { $0.overlap = true }
        #expect(try layout(cluster, overlapping).0.nodes.count == 2)
        for node in [0, 1] { cluster.report(node, job, .stepEnded(StepID(0), StepEnd(exit: .success))) }
        #expect(try layout(cluster, waiting).0.nodes.count == 2)
    }

    @Test func `exact steps share a node`() throws {
        var (cluster, job, _) = Self.allocated()
        let handles = (0..<3).map { _ in
            Self.step(&cluster, job) {
                $0.exact = true
                $0.tasks = 3
            }
        }
        #expect(try layout(cluster, handles[0]).0.nodes.map(\.cpus.members) == [[0, 1, 2]])
        #expect(try layout(cluster, handles[1]).0.nodes.map(\.tasks) == [1, 2])
        #expect(cluster.answer(handles[2]) == nil)
    }

    @Test func `options choose the nodes`() throws {
        var (cluster, job, _) = Self.allocated()
        let named = Self.step(&cluster, job) {
            $0.nodeList = "n2"
            $0.tasks = 1
        }
        #expect(try layout(cluster, named).0.nodes.map(\.name) == ["n2"])
        let relative = Self.step(&cluster, job) {
            $0.relative = 0
            $0.nodes = 1
        }
        #expect(try layout(cluster, relative).0.nodes.map(\.name) == ["n1"])
        let perNode = Self.step(&cluster, job) {
            $0.overlap = true
            $0.tasksPerNode = 1
            $0.nodes = 2
            $0.tasks = 2
        }
        #expect(try layout(cluster, perNode).0.nodes.map(\.tasks) == [1, 1])
        let excluded = Self.step(&cluster, job) {
            $0.overlap = true
            $0.exclude = "n1"
            $0.tasks = 2
        }
        #expect(try layout(cluster, excluded).0.nodes.map(\.name) == ["n2"])
    }

    @Test func `a step larger than its job is refused`() throws {
        var (cluster, job, _) = Self.allocated()
        let handle = Self.step(&cluster, job) { $0.tasks = 9 }
        guard case .refused(let refusal) = cluster.answer(handle) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.message == "More processors requested than permitted")
        #expect(refusal.detail.contains("8 CPUs in all"))
    }

    @Test func `a relay speaks for its own job only`() throws {
        var (cluster, job, _) = Self.allocated()
        let caller = Caller(uid: 1000, gid: 1000, isOperator: false, relayedFor: AttemptKey(JobID(7), Attempt(0)))
        let answer = cluster.ask { .stepRequested(StepRequest(job: job), by: caller, reply: $0) }
        guard case .refused(let refusal) = answer else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.code == .accessDenied)
    }

    @Test func `an interactive job ends with its client, as its steps ended`() throws {
        var (cluster, job, handle) = Self.allocated()
        _ = Self.step(&cluster, job) { $0.tasks = 4 }
        for node in [0, 1] {
            cluster.report(node, job, .stepEnded(StepID(0), StepEnd(exit: ExitStatus(code: UInt32(node * 3)))))
        }
        cluster.apply(.clientLost(handle))
        for node in [0, 1] { cluster.report(node, job, .gone(Usage())) }
        #expect(cluster.state(job) == .failed)
        #expect(try cluster.row(job).exit.text == "3:0")
    }

    @Test func `an interactive job whose client goes away early is cancelled`() throws {
        var (cluster, job, handle) = Self.allocated()
        cluster.apply(.clientLost(handle))
        for node in [0, 1] { cluster.report(node, job, .gone(Usage())) }
        #expect(cluster.state(job) == .cancelled)
    }

    @Test func `a client finds its interactive job again by its token after a restart`() throws {
        var cluster = Cluster()
        let fields = Cluster.batch { fields in
            fields.scriptDigest = ""
            fields.killOnClientLoss = true
        }
        let caller = cluster.caller
        _ = cluster.ask { .jobSubmitted(fields, token: "t", waitForAllocation: true, by: caller, reply: $0) }
        cluster.report(0, JobID(1), .prepared)
        cluster.restart()
        let answer = cluster.ask { .jobSubmitted(fields, token: "t", waitForAllocation: true, by: caller, reply: $0) }
        guard case .allocated(JobID(1), _, _) = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
        cluster.pass(.seconds(61))
        #expect(cluster.state(JobID(1)) == .running)
    }

    @Test func `nobody comes back for an interactive job: it ends a minute after a restart`() throws {
        var (cluster, job, _) = Self.allocated()
        cluster.restart()
        cluster.pass(.seconds(61))
        #expect(cluster.state(job) == .completing)
    }
}
