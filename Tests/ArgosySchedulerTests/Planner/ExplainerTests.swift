import ArgosyDomain
import Testing

@testable import ArgosyScheduler

@Suite struct ExplainerTests {
    @Test func `a report has the numbers, and changes that the planner confirms`() throws {
        var cluster = PlannerCluster(nodes: 3, cores: 4)
        cluster.add(nodes: 1, cores: 2, features: ["ssd"])
        cluster.run(100, on: 0, cpus: 4, ends: 600)
        cluster.run(101, on: 1, cpus: 4, ends: 7200)
        cluster.snapshot.nodes[2].availability = .drained
        cluster.submit(1, tasks: 8, seconds: 600) {
            $0.minNodes = 2
            $0.maxNodes = 2
        }
        cluster.submit(2, tasks: 2, seconds: 14400) { $0.constraint = .feature("gpu") }
        cluster.submit(3, tasks: 4, seconds: 3600)
        let plan = cluster.plan()
        let report = try #require(Explainer(cluster.snapshot, plan).report(JobID(3)))
        #expect(report.rows.map(\.nodes).reduce(0, +) == 4)
        #expect(report.rows.contains { $0.rule == "drained" && $0.nodes == 1 })
        #expect(report.expectedStart.seconds - PlannerCluster.now == 600)
        #expect(report.suggestions.contains { $0.change == "--ntasks=2" && $0.start.seconds == PlannerCluster.now })
        // No shorter limit helps: both nodes are taken until then.
        #expect(!report.suggestions.contains { $0.change.hasPrefix("--time") })
        let never = try #require(Explainer(cluster.snapshot, plan).report(JobID(2)))
        #expect(never.reasons.first?.reason == .partitionConfig)
        #expect(never.suggestions.contains { $0.change == "without --constraint" })
    }

    @Test func `test-only answers as the planner would`() {
        var cluster = PlannerCluster(nodes: 1, cores: 4)
        cluster.run(100, on: 0, cpus: 3, ends: 900)
        var shape = Shape(partitions: [0])
        var job = PlanningSnapshot.Job(id: JobID(5), shape: 0)
        job.timeLimit = TimeLimit(minutes: 10)
        let now = BackfillPlanner().testOnly(shape, job, in: cluster.snapshot)
        #expect(now.start.seconds == PlannerCluster.now)
        #expect(now.nodes == "n0")
        #expect(now.cpus == 1)
        shape.tasks = 2
        let later = BackfillPlanner().testOnly(shape, job, in: cluster.snapshot)
        #expect(later.start.seconds == PlannerCluster.now + 900)
        #expect(later.reason == .resources)
    }
}
