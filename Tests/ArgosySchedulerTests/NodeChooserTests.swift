import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// Candidates n0, n1, ... by what they take.
private func nodes(_ capacities: [Int], _ change: (Int, inout Candidate) -> Void = { _, _ in }) -> [Candidate] {
    capacities.enumerated().map { index, capacity in
        var candidate = Candidate(node: NodeIndex(index), capacity: capacity)
        change(index, &candidate)
        return candidate
    }
}

private func shape(_ tasks: Int, _ nodes: ClosedRange<Int> = 1...Int.max, _ change: (inout Shape) -> Void = { _ in })
    -> Shape
{
    var shape = Shape(partitions: [0])
    shape.tasks = tasks
    (shape.minNodes, shape.maxNodes) = (nodes.lowerBound, nodes.upperBound)
    change(&shape)
    return shape
}

/// "0:4 2:4": node and tasks of each share, or what is missing.
private func chosen(_ chooser: NodeChooser, _ candidates: [Candidate]) -> String {
    do throws(NodeChooser.Failure) {
        return try chooser.choose(candidates).map { "\($0.node.rawValue):\($0.tasks)" }.joined(separator: " ")
    } catch { return "\(error)" }
}
private func chosen(_ shape: Shape, _ candidates: [Candidate]) -> String { chosen(NodeChooser(shape), candidates) }

@Suite("Choice of nodes") struct NodeChooserTests {
    @Test func `the first nodes are taken where they do, else the roomiest`() {
        #expect(chosen(shape(4), nodes([2, 2, 8])) == "2:4")
        #expect(chosen(shape(4), nodes([4, 8, 8])) == "0:4")
        #expect(chosen(shape(12), nodes([2, 8, 2, 8])) == "1:8 3:4")
    }

    @Test func `whole nodes share tasks evenly`() {
        func whole(_ tasks: Int, _ nodes: ClosedRange<Int>) -> Shape { shape(tasks, nodes) { $0.sharing = .exclusive } }
        #expect(chosen(whole(5, 2...2), nodes([8, 8, 8])) == "0:3 1:2")
        #expect(chosen(whole(9, 3...3), nodes([1, 8, 8])) == "0:1 1:4 2:4")
        #expect(chosen(whole(1000, 3...3), nodes([600, 600, 600])) == "0:334 1:333 2:333")
    }

    @Test func `shared nodes are filled one after the other, a task left for each`() {
        #expect(chosen(shape(5, 2...2), nodes([4, 4])) == "0:4 1:1")
        #expect(chosen(shape(7, 3...3), nodes([4, 4, 4])) == "0:4 1:2 2:1")
        #expect(chosen(shape(4, 2...2), nodes([4, 4])) == "0:3 1:1")
    }

    @Test func `without a number of tasks there are as many as nodes`() {
        let each = shape(1, 1...4) { ($0.prefersMaxNodes, $0.tasksFollowNodes) = (true, true) }
        #expect(chosen(each, nodes([4, 4, 4])) == "0:1 1:1 2:1")
    }

    @Test func `a range of nodes is used up unless the job wants few`() {
        #expect(chosen(shape(8, 1...4) { $0.prefersMaxNodes = true }, nodes([8, 8, 8, 8, 8])) == "0:5 1:1 2:1 3:1")
        #expect(
            chosen(shape(8, 1...4) { ($0.prefersMaxNodes, $0.useMinNodes) = (true, true) }, nodes([8, 8])) == "0:8")
        #expect(chosen(shape(3, 1...8) { $0.spreadJob = true }, nodes([8, 8, 8, 8])) == "0:1 1:1 2:1")
    }

    @Test func `weights decide before numbers of nodes`() {
        let mixed = nodes([8, 2, 2]) { index, node in node.weight = index == 0 ? 10 : 1 }
        #expect(chosen(shape(4), mixed) == "1:2 2:2")
        #expect(chosen(shape(5), mixed) == "0:5")
    }

    @Test func `required nodes are always among them`() {
        #expect(chosen(shape(2) { $0.requiredNodes = [NodeIndex(2)] }, nodes([8, 8, 8])) == "2:2")
        #expect(chosen(shape(9) { $0.requiredNodes = [NodeIndex(2)] }, nodes([8, 8, 8])) == "0:8 2:1")
        let missing = chosen(shape(2) { $0.requiredNodes = [NodeIndex(7)] }, nodes([8]))
        #expect(missing.hasPrefix("requiredNode"))
        #expect(chosen(shape(2) { $0.excludedNodes = [NodeIndex(0)] }, nodes([8, 8])) == "1:2")
    }

    @Test func `what is missing is told in numbers`() {
        #expect(chosen(shape(4, 3...3), nodes([8, 8])) == "tooFewNodes(have: 2, want: 3)")
        #expect(chosen(shape(20, 1...2), nodes([8, 4, 8])) == "tooFewTasks(have: 16, want: 20)")
    }

    @Test func `contiguous nodes stand in a row`() {
        let gap = nodes([4, 4, 4, 4, 4]).filter { $0.node.rawValue != 1 }
        #expect(chosen(shape(8, 2...2) { $0.contiguous = true }, gap) == "2:4 3:4")
        #expect(chosen(shape(8, 4...4) { $0.contiguous = true }, gap) == "contiguous")
        let required = shape(8, 2...2) { ($0.contiguous, $0.requiredNodes) = (true, [NodeIndex(4)]) }
        #expect(chosen(required, gap) == "3:4 4:4")
    }

    @Test func `the least loaded node first, and serial jobs at the end`() {
        let loaded = nodes([8, 8, 8]) { index, node in node.idleCPUs = [2, 8, 4][index] }
        #expect(chosen(NodeChooser(shape(1), leastLoaded: true), loaded) == "1:1")
        #expect(chosen(NodeChooser(shape(1, 1...1), fromEnd: true), loaded) == "2:1")
        #expect(chosen(NodeChooser(shape(2, 1...1), fromEnd: true), loaded) == "0:2")
    }

    @Test func `tasks are dealt as --distribution says`() {
        func dealt(_ text: String) -> String {
            chosen(shape(10, 3...3) { ($0.distribution, $0.sharing) = (text, .exclusive) }, nodes([8, 8, 8]))
        }
        #expect(dealt("block") == "0:4 1:3 2:3")
        #expect(dealt("cyclic:block") == "0:4 1:3 2:3")
        #expect(dealt("plane=4") == "0:4 1:4 2:2")
        #expect(dealt("block,NoPack") == "0:4 1:3 2:3")
        #expect(dealt("*,Pack") == "0:8 1:1 2:1")
    }

    @Test func `GPUs of the whole job go where tasks go`() throws {
        let four = nodes([8, 8, 8]) { _, node in node.jobGRES = [4] }
        var wanted = shape(8, 2...2)
        wanted.sharing = .exclusive
        wanted.gres = [GRESRequest(name: "gpu", count: 6, per: .job)]
        #expect(try NodeChooser(wanted).choose(four).map(\.jobGRES) == [[3], [3]])
        wanted.gres[0].count = 9
        #expect(chosen(wanted, four) == "tooFewGRES(request: 0)")
        wanted.maxNodes = 3
        let three = try NodeChooser(wanted).choose(four)
        #expect(three.map { $0.jobGRES.reduce(0, +) }.reduce(0, +) == 9)
    }
}

@Suite("Choice by features and switches") struct NodeGroupTests {
    private static let table = FeatureTable(["a", "b", "c"])
    private func chooser(_ shape: Shape, _ text: String) throws -> NodeChooser {
        NodeChooser(shape, constraint: CompiledConstraint(try Constraint.parse(text), Self.table))
    }

    @Test func `all nodes are of one alternative`() throws {
        let mixed = nodes([8, 8, 8, 8]) { index, node in node.groups = [0b01, 0b10, 0b10, 0b01][index] }
        #expect(chosen(try chooser(shape(2, 2...2), "[a|b]"), mixed) == "0:1 3:1")
        #expect(chosen(try chooser(shape(3, 3...3), "[a|b]"), mixed) == "features")
    }

    @Test func `so many nodes of each feature, moving one that stands for two`() throws {
        // n0 has both features; only it has a.
        let mixed = nodes([8, 8, 8]) { index, node in node.groups = [0b11, 0b01, 0b01][index] }
        #expect(chosen(try chooser(shape(3, 1...3), "[a*2&b*1]"), mixed) == "0:1 1:1 2:1")
        #expect(chosen(try chooser(shape(3, 1...3), "[a*1&b*2]"), mixed) == "features")
    }

    /// Leaves 0 (n0-n1), 1 (n2-n4), 2 (n5-n8); the first two below one switch.
    private static let tree = SwitchTree(
        switches: [
            .init(name: "l0", parent: 3, leaves: [0]), .init(name: "l1", parent: 3, leaves: [1]),
            .init(name: "l2", parent: 4, leaves: [2]), .init(name: "mid", parent: 4, level: 1, leaves: [0, 1]),
            .init(name: "top", level: 2, leaves: [0, 1, 2]),
        ], leaves: [0, 1, 2])
    private static let places = [0, 0, 1, 1, 1, 2, 2, 2, 2]
    private static let all = nodes(Array(repeating: 4, count: 9)) { index, node in node.leaf = places[index] }

    @Test func `the lowest switch with the least left over is taken`() {
        func on(_ nodes: Int) -> String {
            chosen(NodeChooser(shape(nodes, nodes...nodes), tree: Self.tree), Self.all)
        }
        #expect(on(2) == "0:1 1:1")
        #expect(on(3) == "2:1 3:1 4:1")
        #expect(on(4) == "5:1 6:1 7:1 8:1")
        #expect(on(5) == "0:1 1:1 2:1 3:1 4:1")
        #expect(on(6) == "0:1 1:1 5:1 6:1 7:1 8:1")
    }

    @Test func `no more switches than the job accepts`() {
        let six = shape(6, 6...6) { $0.switches = 2 }
        #expect(chosen(NodeChooser(six, tree: Self.tree), Self.all) == "0:1 1:1 5:1 6:1 7:1 8:1")
        let one = shape(5, 5...5) { $0.switches = 1 }
        #expect(chosen(NodeChooser(one, tree: Self.tree), Self.all) == "switches")
    }

    @Test func `distance grows with the switch above both`() {
        #expect(Self.tree.distance(0, 0) == 0)
        #expect(Self.tree.distance(0, 1) == 2)
        #expect(Self.tree.distance(1, 2) == 4)
    }
}
