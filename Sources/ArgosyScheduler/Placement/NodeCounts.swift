/// What of a node is free, or wanted of it, as plain counts: enough to plan the future, where exact cores do not matter.
///
/// Counts add and subtract: a timeline of a node is a list of these. Which cores and devices they will be is decided by
/// `NodeFit.grant` when the job starts.
public struct NodeCounts: Hashable, Sendable {
    /// Cores with all threads.
    public var cores: Int
    /// Threads. Where whole cores are given (CR_CORE) only those of the cores counted above.
    public var cpus: Int
    public var memoryMiB: Int
    /// By position in the kind's `hardware.gres`; empty where a node has none, and where nothing is wanted.
    public var gres: [Int]
    public init(cores: Int = 0, cpus: Int = 0, memoryMiB: Int = 0, gres: [Int] = []) {
        self.cores = cores
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.gres = gres
    }

    /// Whether all of `need` can be taken out of this.
    public func covers(_ need: NodeCounts) -> Bool {
        guard need.cores <= cores, need.cpus <= cpus, need.memoryMiB <= memoryMiB else { return false }
        for position in need.gres.indices where need.gres[position] > free(position) { return false }
        return true
    }

    /// Units of the GRES at `position`.
    func free(_ position: Int) -> Int { position < gres.count ? gres[position] : 0 }

    public static func += (a: inout NodeCounts, b: NodeCounts) {
        a.cores += b.cores
        a.cpus += b.cpus
        a.memoryMiB += b.memoryMiB
        a.addGRES(b, times: 1)
    }

    public static func -= (a: inout NodeCounts, b: NodeCounts) {
        a.cores -= b.cores
        a.cpus -= b.cpus
        a.memoryMiB -= b.memoryMiB
        a.addGRES(b, times: -1)
    }

    private mutating func addGRES(_ other: NodeCounts, times sign: Int) {
        while gres.count < other.gres.count { gres.append(0) }
        for position in other.gres.indices { gres[position] += sign * other.gres[position] }
    }
}
