/// Why a node does not take a job, all that holds. The first eleven will not change by waiting for jobs to end.
public struct NodeFailures: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Not up: see the node's availability.
    public static let down = NodeFailures(rawValue: 1)
    public static let drained = NodeFailures(rawValue: 1 << 1)
    public static let notResponding = NodeFailures(rawValue: 1 << 2)
    /// `--exclude` names it.
    public static let excluded = NodeFailures(rawValue: 1 << 3)
    /// Lacks features of `--constraint`.
    public static let features = NodeFailures(rawValue: 1 << 4)
    /// Has fewer CPUs or cores than one task (or `--mincpus`) wants.
    public static let tooFewCPUs = NodeFailures(rawValue: 1 << 5)
    public static let tooLittleMemory = NodeFailures(rawValue: 1 << 6)
    /// Has too few such devices, or none.
    public static let tooFewGRES = NodeFailures(rawValue: 1 << 7)
    /// Has too few sockets, or cores in them (`-B`, `--sockets-per-node`).
    public static let sockets = NodeFailures(rawValue: 1 << 8)
    /// Ends a job, or starts: free again soon.
    public static let completing = NodeFailures(rawValue: 1 << 16)
    /// Has enough of these, but other jobs hold them now.
    public static let busyCPUs = NodeFailures(rawValue: 1 << 17)
    public static let busyMemory = NodeFailures(rawValue: 1 << 18)
    public static let busyGRES = NodeFailures(rawValue: 1 << 19)
    /// The job wants the node to itself.
    public static let notIdle = NodeFailures(rawValue: 1 << 20)
    /// Free cores are on too few sockets.
    public static let busySockets = NodeFailures(rawValue: 1 << 21)

    /// Reasons that hold however long one waits, unless an administrator acts.
    public static let lasting = NodeFailures(rawValue: 0xffff)
    public var isLasting: Bool { !intersection(.lasting).isEmpty }

    /// Each reason alone with words for counts: "3 nodes: too little memory".
    public static let words: [(failure: NodeFailures, words: String)] = [
        (.down, "down"), (.drained, "drained"), (.notResponding, "not responding"), (.excluded, "excluded by the job"),
        (.features, "without the features asked for"), (.tooFewCPUs, "too few CPUs"),
        (.tooLittleMemory, "too little memory"), (.tooFewGRES, "too few GRES"),
        (.sockets, "too few sockets or cores in them"),
        (.completing, "completing"), (.busyCPUs, "CPUs in use"), (.busyMemory, "memory in use"),
        (.busyGRES, "GRES in use"), (.notIdle, "in use, and the job wants whole nodes"),
        (.busySockets, "sockets in use"),
    ]
}
