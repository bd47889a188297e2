// Every small case of choosing nodes beside an oracle that tries all subsets.
import ArgosyDomain
import Testing

@testable import ArgosyScheduler

@Suite("Choice of nodes beside an oracle") struct NodeChooserOracleTests {
    /// Sizes of all subsets that hold the job.
    private func sizes(_ capacities: [Int], _ shape: Shape, inRow: Bool) -> [Int] {
        (1..<1 << capacities.count).compactMap { bits in
            let chosen = capacities.indices.filter { bits & 1 << $0 != 0 }
            if inRow, (chosen.last ?? 0) - (chosen.first ?? 0) != chosen.count - 1 { return nil }
            guard chosen.allSatisfy({ capacities[$0] > 0 }), shape.minNodes...shape.maxNodes ~= chosen.count,
                chosen.reduce(0, { $0 + capacities[$1] }) >= shape.tasks,
                shape.requiredNodes.allSatisfy({ chosen.contains($0.int) })
            else { return nil }
            return chosen.count
        }
    }

    /// All capacities 0 to 3 of up to four nodes, all tasks and ranges of nodes, with and without a required node.
    @Test(arguments: [false, true]) func `a choice is found whenever there is one, with the fewest nodes`(inRow: Bool) {
        var cases = 0
        for count in 1...4 {
            for code in 0..<1 << (2 * count) {
                let capacities = (0..<count).map { code >> (2 * $0) & 3 }
                for tasks in [1, 2, 3, 5, 7] {
                    for least in 1...count {
                        for most in Set([least, count]).sorted() {
                            for required in [nil, 0] {
                                var shape = Shape(partitions: [0])
                                shape.tasks = max(tasks, least)
                                (shape.minNodes, shape.maxNodes, shape.contiguous) = (least, most, inRow)
                                shape.requiredNodes = required.map { [NodeIndex($0)] } ?? []
                                check(capacities, shape, inRow)
                                cases += 1
                            }
                        }
                    }
                }
            }
        }
        #expect(cases > 5000)
    }

    private func check(_ capacities: [Int], _ shape: Shape, _ inRow: Bool) {
        let candidates = capacities.indices.filter { capacities[$0] > 0 }.map {
            Candidate(node: NodeIndex($0), capacity: capacities[$0])
        }
        let shares = try? NodeChooser(shape).choose(candidates)
        let best = sizes(capacities, shape, inRow: inRow).min()
        guard shares?.count == best, let shares else {
            if shares?.count != best { Issue.record("\(capacities) \(shape): \(shares ?? []), but \(best ?? 0) do") }
            return
        }
        let isSound =
            shares.reduce(0) { $0 + $1.tasks } == shape.tasks
            && shares.allSatisfy { (1...capacities[$0.node.int]).contains($0.tasks) }
        if !isSound { Issue.record("\(capacities) \(shape): \(shares)") }
    }
}
