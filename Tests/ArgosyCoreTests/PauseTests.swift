// Preemption, suspension, heterogeneous jobs.
import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

extension Cluster {
    static func preempting() -> Cluster {
        Cluster(nodes: 1, cpus: 2) { configuration in
            configuration.scheduling.preemptType = .partition
            var high = ClusterConfiguration.Partition(name: "high")
            high.nodes = [NodeIndex(0)]
            high.priorityTier = 10
            configuration.partitions.append(high)
        }
    }

    mutating func preempt(_ victim: JobID, _ mode: PreemptMode, grace: Int = 0, for job: JobID) {
        var plan = Plan(version: 0)
        plan.preemptions = [Preemption(victim: victim, mode: mode, grace: grace, beneficiary: job)]
        apply(.planned(plan))
    }

    mutating func update(_ job: JobID, _ action: JobAction, by caller: Caller? = nil) -> Answer? {
        let who = caller ?? root
        return ask { .jobUpdateRequested(JobSelection(items: [.init(job: job)]), action, by: who, reply: $0) }
    }
}

@Suite struct PreemptionTests {
    @Test func `a preempted job is told to go, with its grace, and runs again later under its id`() throws {
        var cluster = Cluster.preempting()
        let victim = cluster.submit { $0.tasks = 2 }
        let urgent = cluster.submit { fields in
            fields.tasks = 2
            fields.partition = "high"
        }
        cluster.preempt(victim, .requeue, grace: 7, for: urgent)
        #expect(cluster.state(victim) == .completing)
        guard case .terminate(.seconds(7), let why)? = cluster.orders(to: 0, of: victim).last else {
            Issue.record("\(cluster.orders(to: 0, of: victim))")
            return
        }
        #expect(why == "preempted in favor of job \(urgent)")
        #expect(try cluster.row(victim).endingState == .preempted)
        #expect(cluster.state(urgent) == .pending, "nothing is given away before the node let go")
        cluster.report(0, victim, .gone(Usage()))
        #expect(cluster.state(urgent) == .running && cluster.state(victim) == .pending)
        #expect(try cluster.row(victim).attempt == Attempt(1))
        #expect(try cluster.row(victim).preempted == cluster.now)
        cluster.finish(urgent)
        #expect(cluster.state(victim) == .running)
    }

    @Test(arguments: [true, false]) func `a job that cannot run again is cancelled instead`(_ isBatch: Bool) {
        var cluster = Cluster.preempting()
        let victim = cluster.submit { fields in
            fields.requeue = !isBatch
            if !isBatch { fields.scriptDigest = "" }
        }
        let urgent = cluster.submit { $0.tasks = 2 }
        cluster.preempt(victim, .requeue, for: urgent)
        cluster.report(0, victim, .gone(Usage()))
        #expect(cluster.state(victim) == .preempted)
    }

    @Test func `nobody is preempted for a job that waits no more, or where preemption is off`() {
        var cluster = Cluster.preempting()
        let victim = cluster.submit()
        let other = cluster.submit()
        cluster.preempt(victim, .cancel, for: other)
        #expect(cluster.state(victim) == .running)
        var plain = Cluster(nodes: 1, cpus: 1)
        let first = plain.submit()
        let second = plain.submit()
        plain.preempt(first, .cancel, for: second)
        #expect(plain.state(first) == .running)
    }

    @Test func `a job that stands still for another lends its CPUs and goes on when they are free`() throws {
        var cluster = Cluster.preempting()
        let victim = cluster.submit { fields in
            fields.tasks = 2
            fields.memoryPerNodeMiB = 300
        }
        cluster.report(0, victim, .prepared)
        let urgent = cluster.submit { fields in
            fields.tasks = 2
            fields.partition = "high"
        }
        cluster.preempt(victim, .suspend, for: urgent)
        #expect(cluster.orders(to: 0, of: victim).last == .suspend(number: 1))
        #expect(cluster.state(victim) == .suspended && cluster.state(urgent) == .running)
        let standing = try #require(cluster.snapshot.running.first { $0.job == victim })
        #expect(standing.isSuspended && cluster.snapshot.nodes[0].freeMemoryMiB == 700)
        cluster.pass(.seconds(100))
        cluster.finish(urgent)
        #expect(cluster.state(victim) == .running)
        #expect(cluster.orders(to: 0, of: victim).last == .resume(number: 2))
        #expect(try cluster.row(victim).suspendedFor == .seconds(100))
    }
}

@Suite struct SuspensionTests {
    @Test func `time that a job stands still does not count for its limit`() throws {
        var cluster = Cluster(nodes: 1)
        let job = cluster.submit()
        cluster.report(0, job, .prepared)
        cluster.pass(.seconds(300))
        #expect(cluster.update(job, .suspend) == .done)
        cluster.pass(.seconds(10_000))
        #expect(cluster.state(job) == .suspended)
        #expect(cluster.update(job, .resume) == .done)
        let limit = try #require(cluster.snapshot.running.first?.limit)
        #expect(limit == cluster.now.adding(.seconds(300)))
        cluster.pass(.seconds(299))
        #expect(cluster.state(job) == .running)
        cluster.pass(.seconds(100 + 30))
        #expect(cluster.state(job) == .completing)
    }

    @Test func `a suspended job stays so over a restart and a new registration`() throws {
        var cluster = Cluster(nodes: 1)
        let job = cluster.submit { $0.tasks = 2 }
        cluster.report(0, job, .prepared)
        _ = cluster.update(job, .suspend)
        cluster.restart()
        #expect(cluster.core.checkInvariants() == [])
        #expect(cluster.state(job) == .suspended && cluster.snapshot.nodes[0].freeCPUs.count == 4)
        cluster.orders = []
        cluster.register(
            0, held: [.init(key: AttemptKey(job, Attempt(0)), prepared: true, steps: [.batch], terminating: false)])
        #expect(cluster.orders(to: 0, of: job) == [.suspend(number: 1)])
        #expect(cluster.update(job, .resume) == .done)
        #expect(cluster.state(job) == .running && cluster.snapshot.nodes[0].freeCPUs.count == 2)
    }

    @Test func `a job whose CPUs others have is not resumed by hand`() throws {
        var cluster = Cluster(nodes: 1, cpus: 1)
        let job = cluster.submit()
        let second = cluster.submit()
        _ = cluster.update(job, .suspend)
        #expect(cluster.state(second) == .running)
        guard case .refused(let refusal)? = cluster.update(job, .resume) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.message == "Requested nodes are busy")
        cluster.finish(second)
        #expect(cluster.state(job) == .suspended, "an operator's suspension waits for the operator")
        #expect(cluster.update(job, .resume) == .done)
    }

    @Test func `a suspended job can be cancelled, and only operators suspend`() {
        var cluster = Cluster(nodes: 1, cpus: 1)
        let job = cluster.submit()
        guard case .refused(let refusal)? = cluster.update(job, .suspend, by: cluster.caller) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == .accessDenied)
        _ = cluster.update(job, .suspend)
        let second = cluster.submit()
        _ = cluster.cancel(job)
        #expect(cluster.state(job) == .completing)
        cluster.report(0, job, .gone(Usage()))
        #expect(cluster.state(job) == .cancelled && cluster.state(second) == .running)
        cluster.finish(second)
        #expect(cluster.snapshot.nodes[0].freeCPUs.count == 1)
    }
}

@Suite struct HeterogeneousTests {
    static func submit(_ cluster: inout Cluster) -> [JobID] {
        let leader = cluster.submit { fields in
            var first = fields
            first.tasks = 1
            var second = fields
            second.tasks = 2
            fields.components = [first, second]
        }
        return [leader, JobID(leader.rawValue + 1)]
    }

    static func placement(_ job: JobID, _ cpus: [Int]) -> Placement {
        let node = Allocation.Node(
            index: NodeIndex(0), name: "n1", cpus: CPUSet(cpus), memoryMiB: 0, tasks: UInt32(cpus.count))
        return Placement(job: job, allocation: Allocation(nodes: [node], cpusPerTask: 1), partition: 0)
    }

    @Test func `components start together or not at all`() throws {
        var cluster = Cluster.byHand()
        let jobs = Self.submit(&cluster)
        #expect(cluster.snapshot.queue.map(\.hetLeader) == [jobs[0].rawValue, jobs[0].rawValue])
        var plan = Plan(version: 0)
        for wrong in [
            [Self.placement(jobs[0], [0])],
            [Self.placement(jobs[0], [0]), Self.placement(jobs[1], [0, 1])],
        ] {
            plan.placements = wrong
            cluster.apply(.planned(plan))
            #expect(jobs.map { cluster.state($0) } == [.pending, .pending])
        }
        plan.placements = [Self.placement(jobs[0], [0]), Self.placement(jobs[1], [1, 2])]
        cluster.apply(.planned(plan))
        #expect(jobs.map { cluster.state($0) } == [.running, .running])
        #expect(try cluster.row(jobs[1]).spec.isBatch == false)
        cluster.restart()
        cluster.register(0)
        cluster.finish(jobs[0])
        #expect(cluster.state(jobs[1]) == .completing, "without the script the others have nothing to do")
    }

    @Test func `no component is left waiting alone`() {
        var cluster = Cluster.byHand()
        let jobs = Self.submit(&cluster)
        _ = cluster.cancel(jobs[1])
        #expect(jobs.map { cluster.state($0) } == [.cancelled, .cancelled])
    }
}
