// Which nodes a job gets, and how many of its tasks each runs.
//
// Rules, in the order they decide: required nodes first; every node of a `--switches=n` job on n leaf switches at most; of
// a `--contiguous` job in one row; then, with a topology, the lowest switch that has what the job wants; then nodes in the
// order of their weight, then (LLN) the least loaded, then their place in the configuration. The fewest nodes that hold
// all tasks are taken: the first ones where these suffice, else the roomiest. A range given by --nodes=min-max is used up
// to max, as far as there are tasks, unless --use-min-nodes; --spread-job takes as many nodes as it can.
public import ArgosyDomain

/// A node that can take at least one task of the job.
public struct Candidate: Hashable, Sendable {
    public var node: NodeIndex
    /// Tasks that fit; at least 1.
    public var capacity: Int
    public var weight: UInt32
    /// Leaf switch; -1: no topology.
    public var leaf: Int
    /// Idle CPUs, for LLN.
    public var idleCPUs: Int
    /// `CompiledConstraint.Match.groups` of its kind; 1 where there is no constraint.
    public var groups: UInt64
    /// Units for what the job wants in all (`--gpus`), by position in `shape.gres`; empty where it wants no such thing.
    public var jobGRES: [Int]
    public init(
        node: NodeIndex, capacity: Int, weight: UInt32 = 1, leaf: Int = -1, idleCPUs: Int = 0, groups: UInt64 = 1,
        jobGRES: [Int] = []
    ) {
        self.node = node
        self.capacity = capacity
        self.weight = weight
        self.leaf = leaf
        self.idleCPUs = idleCPUs
        self.groups = groups
        self.jobGRES = jobGRES
    }
}

/// A node's part of a job.
public struct NodeShare: Hashable, Sendable {
    public var node: NodeIndex
    public var tasks: Int
    /// See `Candidate.jobGRES`: what of it the node gives.
    public var jobGRES: [Int]
    public init(node: NodeIndex, tasks: Int, jobGRES: [Int] = []) {
        self.node = node
        self.tasks = tasks
        self.jobGRES = jobGRES
    }
}

/// Chooses among candidates for one shape. Cheap to make; `choose` costs a sort of the candidates at most, and less where
/// the first nodes do.
public struct NodeChooser: Sendable {
    /// Why the candidates do not do.
    public enum Failure: Error, Hashable, Sendable {
        /// A node of --nodelist is no candidate.
        case requiredNode(NodeIndex)
        /// Fewer candidates than nodes wanted.
        case tooFewNodes(have: Int, want: Int)
        /// As many nodes as the job may have do not hold its tasks.
        case tooFewTasks(have: Int, want: Int)
        /// Too few devices for what the job wants in all; position in `shape.gres`.
        case tooFewGRES(request: Int)
        /// Nodes enough, but not in a row, or not on so few switches, or not with the features in these numbers.
        case contiguous, switches, features
    }

    let shape: Shape
    let tree: SwitchTree
    let constraint: CompiledConstraint
    let leastLoaded: Bool
    let fromEnd: Bool
    let wholeNodes: Bool

    /// - Parameters:
    ///   - leastLoaded: LLN of the partition or the cluster.
    ///   - wholeNodes: the partition gives whole nodes only.
    ///   - fromEnd: SchedulerParameters=pack_serial_at_end: a job of one CPU goes to the last node that has room.
    public init(
        _ shape: Shape, tree: SwitchTree = SwitchTree(), constraint: CompiledConstraint = CompiledConstraint(),
        leastLoaded: Bool = false, fromEnd: Bool = false, wholeNodes: Bool = false
    ) {
        self.wholeNodes = wholeNodes
        self.shape = shape
        self.tree = tree
        self.constraint = constraint
        self.leastLoaded = leastLoaded
        self.fromEnd = fromEnd && shape.tasks == 1 && shape.cpusPerTask <= 1 && shape.maxNodes == 1
    }
}
