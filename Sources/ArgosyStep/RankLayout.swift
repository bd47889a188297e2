/// Which ranks of a step run where: the controller gave out so many tasks to each node, their numbers follow from how
/// they are distributed.
public struct RankLayout: Sendable, Equatable {
    public enum Order: Sendable, Equatable {
        /// Node after node.
        case block
        /// So many to each node in turn.
        case turns(UInt32)
        /// Each rank on the node that stands at its place in a list.
        case named([Bool])
    }
    /// Tasks of each node of the step, in order.
    public let tasksPerNode: [UInt32]
    public init(tasksPerNode: [UInt32]) { self.tasksPerNode = tasksPerNode }

    /// Ranks on the node at `index` of the step, in block order.
    public func ranks(on index: Int) -> Range<UInt32> {
        let first = tasksPerNode.prefix(index).reduce(0, +)
        return first..<first + (index < tasksPerNode.count ? tasksPerNode[index] : 0)
    }

    /// Ranks on the node at `index`, ascending.
    ///
    /// - Parameter order: with `.named`, which ranks are this node's.
    public func ranks(on index: Int, _ order: Order) -> [UInt32] {
        switch order {
        case .block: return Array(ranks(on: index))
        case .named(let isHere): return isHere.indices.filter { isHere[$0] }.map(UInt32.init)
        case .turns(let size): return inTurns(index, max(1, size))
        }
    }

    private func inTurns(_ index: Int, _ size: UInt32) -> [UInt32] {
        var left = tasksPerNode
        var next: UInt32 = 0
        var found: [UInt32] = []
        while left.contains(where: { $0 > 0 }) {
            for node in left.indices {
                let taken = min(size, left[node])
                if node == index { found += next..<next + taken }
                left[node] -= taken
                next += taken
            }
        }
        return found
    }

    /// Slurm's run-length form of counts per node: `2(x3),1`.
    public static func runLength(_ counts: some Sequence<UInt32>) -> String {
        var runs: [(count: UInt32, times: Int)] = []
        for count in counts {
            if runs.last?.count == count { runs[runs.count - 1].times += 1 } else { runs.append((count, 1)) }
        }
        return runs.map { $0.times == 1 ? String($0.count) : "\($0.count)(x\($0.times))" }.joined(separator: ",")
    }
}

/// Which of a node's CPUs the tasks of a step are bound to.
public enum CPUAssignment {
    /// A node's abstract CPUs on the machine's own: beyond the real ones they wrap round (SlurmdParameters=config_overrides).
    ///
    /// - Parameters:
    ///   - abstract: numbers from 0, as the controller gives them out.
    ///   - processors: the machine's PUs (OS numbers) in logical order.
    /// - Returns: OS numbers, ascending, each once.
    public static func physical(_ abstract: [UInt32], on processors: [UInt32]) -> [Int] {
        guard !processors.isEmpty else { return [] }
        return Set(abstract.map { Int(processors[Int($0) % processors.count]) }).sorted()
    }

    /// More CPUs were given than the machine's part of them has, or more tasks than CPUs.
    public static func isOversubscribed(_ abstract: [UInt32], on processors: [UInt32], tasks: Int) -> Bool {
        physical(abstract, on: processors).count < max(abstract.count, tasks)
    }

    /// The abstract CPUs of each task: its own `perTask` when all fit, else all of them for everybody.
    public static func assign(_ cpus: [UInt32], tasks: Int, perTask: Int) -> [[UInt32]] {
        let each = max(perTask, 1)
        guard tasks * each <= cpus.count, tasks > 0 else { return Array(repeating: cpus, count: max(tasks, 0)) }
        return (0..<tasks).map { Array(cpus[$0 * each..<($0 + 1) * each]) }
    }
}
