import ArgosyCore
import ArgosyDomain
import Testing

/// What a step can ask for beside counts: distributions, generic resources, an answer at once.
@Suite struct StepChoiceTests {
    private func layout(_ cluster: Cluster, _ handle: ReplyHandle) throws -> Allocation {
        guard case .stepCreated(_, _, _, let layout, _) = try #require(cluster.answer(handle)) else {
            Issue.record("\(String(describing: cluster.answer(handle)))")
            return Allocation(nodes: [], cpusPerTask: 1)
        }
        return layout
    }

    private func refusal(_ cluster: Cluster, _ handle: ReplyHandle) -> String? {
        guard case .refused(let refusal) = cluster.answer(handle) else { return nil }
        return refusal.message
    }

    @Test func `a step that may not wait is refused while others are in its way`() throws {
        var (cluster, job, _) = StepTests.allocated()
        let first = StepTests.step(&cluster, job)
        #expect(try layout(cluster, first).nodes.count == 2)
        let second = StepTests.step(&cluster, job) { $0.noWait = true }
        #expect(refusal(cluster, second) == "Requested nodes are busy")
        let behind = StepTests.step(&cluster, job)
        let third = StepTests.step(&cluster, job) { $0.noWait = true }
        #expect(cluster.answer(behind) == nil && refusal(cluster, third) == "Requested nodes are busy")
    }

    @Test func `tasks go to nodes in turns, in planes, and by name`() throws {
        var (cluster, job, _) = StepTests.allocated()
        func tasks(_ distribution: StepDistribution, _ count: Int) throws -> [UInt32] {
            let handle = StepTests.step(&cluster, job) {
                ($0.distribution, $0.tasks, $0.nodes, $0.overlap) = (distribution, count, 2, true)
            }
            return try layout(cluster, handle).nodes.map(\.tasks)
        }
        #expect(try tasks(.block, 4) == [2, 2])
        #expect(try tasks(.block, 5) == [4, 1])
        #expect(try tasks(.cyclic, 5) == [3, 2])
        #expect(try tasks(.plane(2), 3) == [2, 1])
        #expect(try tasks(.hosts(["n2", "n1", "n2"]), 3) == [1, 2])
    }

    @Test func `overcommitted tasks need no CPU of their own`() throws {
        var (cluster, job, _) = StepTests.allocated()
        let handle = StepTests.step(&cluster, job) {
            $0.tasks = 20
            $0.overcommit = true
        }
        #expect(try layout(cluster, handle).nodes.reduce(0) { $0 + $1.tasks } == 20)
    }

    @Test func `named nodes are among more that are asked for`() throws {
        var (cluster, job, _) = StepTests.allocated()
        let handle = StepTests.step(&cluster, job) { ($0.nodeList, $0.nodes, $0.tasks) = ("n2", 2, 2) }
        #expect(try layout(cluster, handle).nodes.map(\.name) == ["n1", "n2"])
    }

    @Test func `what the job does not hold no step gets`() {
        var (cluster, job, _) = StepTests.allocated()
        let gres = StepTests.step(&cluster, job) { $0.gres = [GRESRequest(name: "gpu", count: 1)] }
        #expect(refusal(cluster, gres) == "Invalid generic resource (gres) specification")
    }
}
