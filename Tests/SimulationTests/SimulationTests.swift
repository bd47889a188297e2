// A seed that fails here fails again: `World(seed: N).run()`.
import ArgosySimulator
import Testing

@Suite struct SimulationTests {
    /// All tests here together cost some twenty seconds of one CPU in a debug build.
    static let blocks = Array(stride(from: UInt64(1), to: 161, by: 20))

    @Test(arguments: blocks) func `every seed keeps its promises and comes to an end`(_ first: UInt64) {
        for seed in first..<first + 20 {
            var world = World(seed: seed)
            let outcome = world.run()
            #expect(outcome.violation == nil, "seed \(seed): \(outcome.violation ?? "")")
            if outcome.violation != nil { return }
        }
    }

    @Test(arguments: UInt64(1)...3) func `one seed gives one digest`(_ seed: UInt64) {
        var (first, second) = (World(seed: seed), World(seed: seed))
        #expect(first.run() == second.run())
    }

    @Test func `the faults that are drawn really happen`() {
        let outcomes = (UInt64(1)...24).map { seed in
            var world = World(seed: seed)
            return world.run()
        }
        func sum(_ path: KeyPath<Outcome, Int>) -> Int { outcomes.reduce(0) { $0 + $1[keyPath: path] } }
        let counts = [
            sum(\.restarts), sum(\.failedCommits), sum(\.reboots), sum(\.brokenLinks), sum(\.jobs), sum(\.completed),
            sum(\.suspensions), sum(\.preemptions),
        ]
        #expect(zip(counts, [24, 24, 12, 120, 180, 150, 24, 24]).allSatisfy { $0 > $1 }, "\(counts)")
    }

    @Test(arguments: Saboteur.allCases) func `a deliberate bug is caught`(_ saboteur: Saboteur) {
        for seed in UInt64(1)...1000 {
            var world = World(seed: seed, saboteur: saboteur)
            if world.run().violation != nil { return }
        }
        Issue.record("\(saboteur.rawValue) was not noticed in 1000 seeds")
    }
}
