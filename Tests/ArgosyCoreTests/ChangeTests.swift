import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import Testing

@Suite struct ChangeTests {
    private func change(
        _ cluster: inout Cluster, _ job: JobID, by caller: Caller? = nil, _ adjust: (inout JobChanges) -> Void
    ) -> String? {
        var changes = JobChanges()
        adjust(&changes)
        let who = caller ?? cluster.caller
        let answer = cluster.ask {
            .jobChangeRequested(JobSelection(items: [.init(job: job)]), changes, by: who, reply: $0)
        }
        if case .refused(let refusal)? = answer { return refusal.message }
        return answer == .done ? "done" : nil
    }

    @Test func `a waiting job asks for something else and is checked again`() throws {
        var cluster = Cluster(nodes: 2) {
            $0.nodes[1].features = ["fast"]
            $0.nodes[1].gres = "gpu:2"
            var other = ClusterConfiguration.Partition(name: "other")
            other.nodes = [NodeIndex(1)]
            other.maxTime = TimeLimit(minutes: 30)
            $0.partitions.append(other)
        }
        let job = cluster.submit {
            $0.hold = true
            $0.timeLimit = TimeLimit(minutes: 60)
        }
        #expect(change(&cluster, job) { $0.partition = "zz" } == "Invalid partition name specified")
        #expect(change(&cluster, job) { $0.constraint = "slow" } == "Invalid feature specification")
        #expect(
            change(&cluster, job) { $0.gres = [.init(name: "fpga", count: 1)] }
                == "Invalid generic resource (gres) specification")
        #expect(change(&cluster, job) { $0.reservation = "zz" } == "Requested reservation is invalid")
        #expect(change(&cluster, job) { $0.minNodes = 9 } == "Requested node configuration is not available")
        #expect(
            change(&cluster, job) { $0.partition = "other" }
                == "Requested time limit is invalid (missing or exceeds some limit)")
        #expect(
            change(&cluster, job) {
                $0.partition = "other"
                $0.timeLimit = .set(TimeLimit(minutes: 20))
                $0.constraint = "fast"
                $0.gres = [.init(name: "gpu", count: 1)]
                $0.name = "new"
                $0.comment = "why not"
            } == "done")
        let row = try cluster.row(job)
        #expect(row.partition == "other" && row.timeLimit == TimeLimit(minutes: 20))
        #expect(row.spec.fields.resources.constraint == "fast" && row.spec.fields.name == "new")
        #expect(row.spec.fields.comment == "why not" && row.reason == .jobHeldUser)
        let root = cluster.root
        #expect(
            change(&cluster, job, by: root) { $0.priority = 5 } == "Job is in held state, pending scheduler release")
        let selection = JobSelection(items: [.init(job: job)])
        #expect(cluster.ask { .jobUpdateRequested(selection, .release, by: root, reply: $0) } == .done)
        #expect(cluster.state(job) == .running && cluster.nodeIndex(of: job) == 1)
    }

    @Test func `users lower, operators raise`() throws {
        var cluster = Cluster()
        let job = cluster.submit { $0.begin = Timestamp(seconds: 2_000_000) }
        #expect(change(&cluster, job) { $0.priority = 4_294_967_000 } == "Access/permission denied")
        #expect(change(&cluster, job) { $0.nice = -1 } == "Access/permission denied")
        #expect(change(&cluster, job) { $0.deadline = Timestamp(seconds: 3_000_000) } == "Access/permission denied")
        #expect(
            change(&cluster, job, by: Caller(uid: 7, gid: 7, isOperator: false)) { $0.name = "x" } == "Invalid user id")
        let before = try cluster.row(job).priority
        #expect(change(&cluster, job) { $0.nice = 100 } == "done")
        #expect(try cluster.row(job).priority == before - 100)
        #expect(change(&cluster, job) { $0.priority = 10 } == "done")
        #expect(try cluster.row(job).priority == 10)
        #expect(change(&cluster, job, by: cluster.root) { $0.priority = 70_000 } == "done")
        #expect(change(&cluster, job, by: cluster.root) { $0.priority = .max } == "done")
        #expect(try cluster.row(job).priority == before - 100)
        #expect(change(&cluster, job) { $0.priority = 0 } == "done")
        #expect(try cluster.row(job).reason == .jobHeldUser)
    }

    @Test func `begin times and dependencies change, circles are refused`() throws {
        var cluster = Cluster()
        let later = cluster.now.adding(.seconds(600))
        let first = cluster.submit { $0.begin = Timestamp(seconds: 2_000_000) }
        let second = cluster.submit { $0.dependency = "afterok:\(first)" }
        #expect(change(&cluster, first) { $0.dependency = "afterok:\(second)" } == "Job dependency problem")
        #expect(change(&cluster, first) { $0.dependency = "afterok:\(first)" } == "Job dependency problem")
        #expect(change(&cluster, second) { $0.dependency = "" } == "done")
        #expect(cluster.state(second) == .running)
        #expect(change(&cluster, first) { $0.begin = later } == "done")
        #expect(try cluster.row(first).eligible == later && cluster.row(first).reason == .beginTime)
        cluster.pass(.seconds(600))
        #expect(cluster.state(first) == .running)
    }

    @Test func `of a running job only what leaves its nodes alone can change`() throws {
        var cluster = Cluster()
        let job = cluster.submit { $0.timeLimit = TimeLimit(minutes: 60) }
        #expect(change(&cluster, job) { $0.minNodes = 2 } == "Job is no longer pending execution")
        #expect(change(&cluster, job) { $0.timeLimit = .longer(5) } == "Access/permission denied")
        #expect(change(&cluster, job) { $0.timeLimit = .shorter(30) } == "done")
        #expect(change(&cluster, job) { $0.comment = "short" } == "done")
        #expect(try cluster.row(job).timeLimit == TimeLimit(minutes: 30))
        cluster.pass(.seconds(1799))
        #expect(cluster.state(job) == .running)
        // Its node was told, and ends it; the controller does where that fails.
        #expect(cluster.orders.contains { $0.1 == Order(key: AttemptKey(job, Attempt(0)), body: .setLimit) })
        cluster.pass(.seconds(91))
        #expect(cluster.state(job) == .completing)
        cluster.report(0, job, .gone(Usage()))
        #expect(change(&cluster, job) { $0.name = "x" } == "Job has already finished")
        #expect(change(&cluster, JobID(99)) { $0.name = "x" } == "Invalid job id specified")
    }
}

extension ChangeTests {
    @Test func `NumCPUs asks for more CPUs and leaves the tasks alone`() throws {
        var cluster = Cluster(nodes: 2, cpus: 4)
        let job = cluster.submit { ($0.hold, $0.tasks) = (true, 1) }
        #expect(change(&cluster, job) { $0.minCPUs = 3 } == "done")
        #expect(try cluster.row(job).spec.fields.tasks == 1)
        let wide = cluster.submit { ($0.hold, $0.tasks, $0.minNodes) = (true, 2, 2) }
        #expect(change(&cluster, wide) { $0.minCPUs = 4 } == "done")
        let tasks = cluster.submit { ($0.hold, $0.tasks) = (true, 4) }
        #expect(change(&cluster, tasks) { $0.minCPUs = 2 } == "Requested node configuration is not available")
        #expect(change(&cluster, tasks) { $0.minCPUs = 6 } == "Requested node configuration is not available")
        for id in [job, wide] {
            #expect(change(&cluster, id, by: cluster.root) { $0.priority = .max } == "done")
            let cpus = try cluster.row(id).allocation?.nodes.map(\.cpus.count)
            #expect(cpus == (id == job ? [3] : [2, 2]))
            cluster.report(0, id, .prepared)
            if id == job { cluster.finish(job) }
        }
    }
}
