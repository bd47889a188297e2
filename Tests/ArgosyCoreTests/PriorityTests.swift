// The order of waiting by factors, and what a submission is told that is only a question.
import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Testing

@Suite struct PriorityOrderTests {
    static func cluster() -> Cluster {
        Cluster(nodes: 1, cpus: 1) { configuration in
            configuration.priority.kind = .multifactor
            configuration.priority.weights.age = 1000
            configuration.priority.weights.partition = 100
            configuration.priority.maxAge = .seconds(1000)
            configuration.priority.calcPeriod = .seconds(60)
            var urgent = configuration.partitions[0]
            urgent.name = "urgent"
            urgent.isDefault = false
            urgent.policy.priorityJobFactor = 10
            configuration.partitions.append(urgent)
        }
    }

    @Test func `jobs age each PriorityCalcPeriod, and nothing is written for it`() throws {
        var cluster = Self.cluster()
        _ = cluster.submit()
        let early = cluster.submit()
        let first = try cluster.row(early).priority
        cluster.pass(.seconds(300))
        let late = cluster.submit { $0.partition = "urgent" }
        #expect(try cluster.row(early).priority == first + 300)
        #expect(cluster.stored.jobs.first { $0.id == early }?.priority == first)
        #expect(cluster.snapshot.queue.map(\.id) == [early, late])
        cluster.restart()
        #expect(try cluster.row(early).priority == first + 300)
    }

    @Test func `a priority set by an operator stays, and a held job has none`() throws {
        var cluster = Self.cluster()
        let fields = Cluster.batch { $0.priority = 77 }
        let root = cluster.root
        guard
            case .submitted(let job)? = cluster.ask({
                .jobSubmitted(fields, token: "", waitForAllocation: false, by: root, reply: $0)
            })
        else {
            Issue.record("not submitted")
            return
        }
        let held = cluster.submit { $0.hold = true }
        cluster.pass(.seconds(300))
        #expect(try cluster.row(job).priority == 77 && cluster.row(held).priority == 0)
    }
}

@Suite struct TestOnlyTests {
    @Test func `a job that is only asked about is in the queue of the answer and nowhere else`() throws {
        var cluster = Cluster(nodes: 1, cpus: 2)
        _ = cluster.submit { $0.tasks = 2 }
        let before = cluster.core.digest
        let rows = cluster.stored.jobs.count
        let fields = Cluster.batch()
        let caller = cluster.caller
        guard case .tested(let tested)? = cluster.ask({ .jobTested(fields, by: caller, reply: $0) }) else {
            Issue.record("not answered")
            return
        }
        #expect(tested.id == JobID(2) && tested.snapshot.queue.map(\.id) == [JobID(2)])
        let plan = BackfillPlanner().plan(tested.snapshot)
        #expect(plan.explanations.first?.expectedStart == cluster.now.adding(.seconds(600)))
        #expect(cluster.core.digest == before && cluster.stored.jobs.count == rows)
        #expect(cluster.submit() == JobID(2))
    }

    @Test func `what can never run is refused`() {
        var cluster = Cluster(nodes: 1, cpus: 2)
        let fields = Cluster.batch { $0.tasks = 3 }
        let caller = cluster.caller
        guard case .refused(let refusal)? = cluster.ask({ .jobTested(fields, by: caller, reply: $0) }) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == .nodesNotAvailable)
    }

    @Test func `a plan's outlook is told with all reasons`() throws {
        var cluster = Cluster(nodes: 1, cpus: 1)
        _ = cluster.submit()
        let job = cluster.submit()
        let outlook = try #require(cluster.core.view.outlook(job))
        #expect(outlook.start == cluster.now.adding(.seconds(600)) && outlook.nodes == "n1" && outlook.isReserved)
        #expect(outlook.reasons.contains(.resources) && outlook.planned == cluster.now)
    }
}
