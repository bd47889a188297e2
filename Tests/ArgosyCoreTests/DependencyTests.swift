import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct DependencyTests {
    private func reason(_ cluster: Cluster, _ job: JobID) -> PendingReason? { cluster.core.view.job(job)?.reason }
    private func left(_ cluster: Cluster, _ job: JobID) -> String? { cluster.core.view.job(job)?.dependency }
    private static let failure = ExitStatus(code: 1)

    @Test(arguments: [
        ("afterok", true, JobState.running), ("afterok", false, .pending), ("afternotok", false, .running),
        ("afternotok", true, .pending), ("afterany", true, .running), ("afterany", false, .running),
        ("afterburstbuffer", true, .running),
    ])
    func `a job starts as the end of the other one lets it`(kind: String, success: Bool, state: JobState) {
        var cluster = Cluster()
        let first = cluster.submit()
        let second = cluster.submit { $0.dependency = "\(kind):\(first)" }
        #expect(cluster.state(second) == .pending && reason(cluster, second) == .dependency)
        #expect(left(cluster, second) == "\(kind):\(first)(unfulfilled)")
        cluster.finish(first, exit: success ? .success : Self.failure)
        #expect(cluster.state(second) == state)
        if state == .pending {
            #expect(reason(cluster, second) == .dependencyNeverSatisfied)
            #expect(left(cluster, second) == "\(kind):\(first)(failed)")
        } else {
            #expect(left(cluster, second) == "")
        }
    }

    @Test func `after waits for a start and its minutes`() {
        var cluster = Cluster()
        let first = cluster.submit { $0.hold = true }
        let soon = cluster.submit { $0.dependency = "after:\(first)" }
        let later = cluster.submit { $0.dependency = "after:\(first)+5" }
        #expect(cluster.state(soon) == .pending)
        let caller = cluster.caller
        _ = cluster.ask {
            .jobUpdateRequested(JobSelection(items: [.init(job: first)]), .release, by: caller, reply: $0)
        }
        #expect(cluster.state(soon) == .running && cluster.state(later) == .pending)
        cluster.pass(.seconds(299))
        #expect(cluster.state(later) == .pending)
        cluster.pass(.seconds(1))
        #expect(cluster.state(later) == .running)
    }

    @Test func `all terms must hold, or any`() {
        var cluster = Cluster(nodes: 2)
        let (a, b) = (cluster.submit(), cluster.submit())
        let all = cluster.submit { $0.dependency = "afterok:\(a):\(b)" }
        let any = cluster.submit { $0.dependency = "afterok:\(a)?afterok:\(b)" }
        cluster.finish(a, exit: Self.failure)
        #expect(reason(cluster, all) == .dependencyNeverSatisfied && reason(cluster, any) == .dependency)
        cluster.finish(b)
        #expect(cluster.state(all) == .pending && cluster.state(any) == .running)
    }

    @Test func `unknown jobs are taken as gone, and ended ones as they ended`() {
        var cluster = Cluster()
        let failed = cluster.submit()
        cluster.finish(failed, exit: Self.failure)
        let gone = cluster.submit { $0.dependency = "afterok:4711:4712_3,afternotok:4713" }
        let never = cluster.submit { $0.dependency = "afterok:\(failed)" }
        let met = cluster.submit { $0.dependency = "afternotok:\(failed)" }
        #expect(cluster.state(gone) == .running && cluster.state(met) == .running)
        #expect(reason(cluster, never) == .dependencyNeverSatisfied)
    }

    @Test(arguments: [(nil, true), (true, false), (false, true), (true, true)] as [(Bool?, Bool)])
    func `what can never start is ended where the job or the configuration says so`(wish: Bool?, configured: Bool) {
        var cluster = Cluster {
            let word = configured ? "kill_invalid_depend" : "defer"
            $0.entries.append(.init(key: "SchedulerParameters", value: "bf_window=5,\(word)", file: "", line: 1))
        }
        let first = cluster.submit()
        let second = cluster.submit {
            $0.dependency = "afterok:\(first)"
            $0.killOnInvalidDependency = wish
        }
        let third = cluster.submit { $0.dependency = "afterok:\(second)" }
        cluster.finish(first, exit: Self.failure)
        let kills = wish ?? configured
        #expect(cluster.state(second) == (kills ? .cancelled : .pending))
        #expect(reason(cluster, second) == .dependencyNeverSatisfied)
        // What waits for the one that was ended has nothing to wait for either.
        #expect(cluster.state(third) == (kills && configured ? .cancelled : .pending))
    }

    private func array(_ cluster: inout Cluster, _ last: UInt32, _ adjust: (inout JobSpec.Fields) -> Void = { _ in })
        -> JobID
    {
        cluster.submit {
            $0.array = ArraySpec(indices: [IndexRange(first: 1, last: last)], text: "1-\(last)")
            adjust(&$0)
        }
    }

    private func element(_ cluster: Cluster, _ array: JobID, _ index: UInt32) throws -> JobRow {
        var found: JobRow?
        cluster.core.view.forEachJob { if $0.arrayJob == array && $0.arrayIndex == index { found = $0 } }
        return try #require(found)
    }

    private func finish(_ cluster: inout Cluster, _ array: JobID, _ index: UInt32, exit: ExitStatus = .success) throws {
        let row = try element(cluster, array, index)
        let node = try #require(row.allocation?.nodes.first?.index.int)
        cluster.finish(row.id, on: node, exit: exit)
    }

    @Test func `a whole array is waited for to its last element`() throws {
        var cluster = Cluster(nodes: 1, cpus: 2)
        let array = array(&cluster, 3)
        let ok = cluster.submit { $0.dependency = "afterok:\(array)" }
        let notOK = cluster.submit { $0.dependency = "afternotok:\(array)_*" }
        let any = cluster.submit { $0.dependency = "afterany:\(array)" }
        let begun = cluster.submit { $0.dependency = "after:\(array)" }
        #expect(left(cluster, ok) == "afterok:\(array)_*(unfulfilled)")
        try finish(&cluster, array, 1, exit: Self.failure)
        #expect(cluster.state(ok) == .pending && cluster.state(notOK) == .pending && cluster.state(any) == .pending)
        try finish(&cluster, array, 2)
        #expect(cluster.state(begun) == .running)
        try finish(&cluster, array, 3)
        #expect(reason(cluster, ok) == .dependencyNeverSatisfied)
        #expect(cluster.state(notOK) == .running && [.running, .pending].contains(cluster.state(any)))
        #expect(left(cluster, any) == "")
    }

    @Test func `one element is waited for, started or not`() throws {
        var cluster = Cluster(nodes: 1, cpus: 1)
        let array = array(&cluster, 3)
        let one = cluster.submit { $0.dependency = "afterok:\(array)_1" }
        let two = cluster.submit { $0.dependency = "afterok:\(array)_2" }
        let nine = cluster.submit { $0.dependency = "afterok:\(array)_9" }
        #expect(left(cluster, nine) == "" && reason(cluster, two) == .dependency)
        try finish(&cluster, array, 1)
        #expect(left(cluster, one) == "" && left(cluster, two) != "")
        _ = cluster.cancel(array, [IndexRange(first: 3, last: 3)])
        let three = cluster.submit { $0.dependency = "afternotok:\(array)_3" }
        #expect(left(cluster, three) == "")
        try finish(&cluster, array, 2, exit: Self.failure)
        #expect(reason(cluster, two) == .dependencyNeverSatisfied)
    }

    @Test func `elements correspond`() throws {
        var cluster = Cluster(nodes: 1, cpus: 2)
        let first = array(&cluster, 2)
        let second = array(&cluster, 3) { $0.dependency = "aftercorr:\(first)" }
        // The third has no counterpart and waits for nothing, but for a CPU.
        #expect(cluster.state(second) == .pending && left(cluster, second) == "aftercorr:\(first)_*(unfulfilled)")
        try finish(&cluster, first, 2)
        #expect(try element(cluster, second, 2).state == .running)
        try finish(&cluster, second, 2)
        #expect(try element(cluster, second, 3).state == .running)
        cluster.restart()
        for node in 0..<1 {
            cluster.register(node, held: cluster.core.view.nodes.isEmpty ? [] : cluster.heldByJobs(node))
        }
        #expect(cluster.core.view.job(second)?.pendingIndices == [IndexRange(first: 1, last: 1)])
        try finish(&cluster, first, 1, exit: Self.failure)
        #expect(cluster.core.view.job(second)?.pendingIndices == [IndexRange(first: 1, last: 1)])
        #expect(reason(cluster, second) == .dependencyNeverSatisfied)
        #expect(left(cluster, second) == "aftercorr:\(first)_*(failed)")
    }

    @Test func `singletons of one name and user go one by one in their order`() {
        var cluster = Cluster(nodes: 4)
        let plain = cluster.submit { $0.name = "x" }
        let jobs = (0..<3).map { _ in
            cluster.submit {
                $0.name = "x"
                $0.dependency = "singleton"
            }
        }
        let other = cluster.submit {
            $0.name = "y"
            $0.dependency = "singleton"
        }
        #expect(cluster.state(other) == .running)
        #expect(jobs.map { cluster.state($0) } == [.pending, .pending, .pending])
        cluster.finish(plain)
        #expect(jobs.map { cluster.state($0) } == [.running, .pending, .pending])
        _ = cluster.cancel(jobs[1])
        #expect(cluster.state(jobs[2]) == .pending)
        cluster.finish(jobs[0], on: cluster.nodeIndex(of: jobs[0]))
        #expect(cluster.state(jobs[2]) == .running)
    }

    @Test func `dependencies survive a restart, with what was met before it`() throws {
        var cluster = Cluster(nodes: 2)
        let (a, b) = (cluster.submit(), cluster.submit())
        let waits = cluster.submit { $0.dependency = "afterok:\(a):\(b)" }
        cluster.finish(a, on: cluster.nodeIndex(of: a))
        #expect(left(cluster, waits) == "afterok:\(b)(unfulfilled)")
        // The first is forgotten by then.
        cluster.pass(.seconds(301))
        cluster.restart()
        for node in 0..<2 { cluster.register(node, held: cluster.heldByJobs(node)) }
        #expect(left(cluster, waits) == "afterok:\(b)(unfulfilled)" && reason(cluster, waits) == .dependency)
        cluster.finish(b, on: cluster.nodeIndex(of: b))
        #expect(cluster.state(waits) == .running)
    }

    @Test(arguments: ["foo", "afterok", "afterok:x", "after:1+x", "expand:3"])
    func `what cannot be read is refused`(text: String) {
        var cluster = Cluster()
        guard case .refused(let refusal)? = cluster.trySubmit(token: "", { $0.dependency = text }) else {
            Issue.record("taken")
            return
        }
        let message =
            text == "expand:3" ? "Requested operation not supported on this system" : "Job dependency problem"
        #expect(refusal.message == message && !refusal.detail.isEmpty)
    }

    @Test func `a long chain is ended without end of stack`() {
        var cluster = Cluster(nodes: 1) { $0.maxJobCount = 10_000 }
        cluster.plansAutomatically = false
        let first = cluster.submit()
        var last = first
        for _ in 0..<1500 {
            last = cluster.submit {
                $0.dependency = "afterok:\(last)"
                $0.killOnInvalidDependency = true
            }
        }
        _ = cluster.cancel(first)
        #expect(cluster.state(last) == .cancelled)
    }
}

extension Cluster {
    /// What the node would say that it has, were it to register again.
    func heldByJobs(_ node: Int) -> [Registration.Held] {
        var held: [Registration.Held] = []
        core.view.forEachJob { row in
            guard row.state == .running, row.allocation?.nodes.contains(where: { $0.index.int == node }) ?? false else {
                return
            }
            held.append(
                .init(key: AttemptKey(row.id, row.attempt), prepared: true, steps: [.batch], terminating: false))
        }
        return held
    }

    func nodeIndex(of job: JobID) -> Int { core.view.job(job)?.allocation?.nodes.first?.index.int ?? 0 }
}
