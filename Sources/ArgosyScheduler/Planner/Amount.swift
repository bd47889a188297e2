// What a node has or a job takes of it, as counts. Planning ahead needs no more: which cores and devices those are is
// decided when a job starts (Placement).
//
// Lane 0 is CPUs, lane 1 memory in MiB, the others the first six GRES of the kind by position. What a kind has beyond
// that is looked at when a job starts, not ahead.

/// Counts of one node.
typealias Amount = SIMD8<Int32>

extension Amount {
    private static let firstGRES = 2

    @inline(__always) func covers(_ need: Amount) -> Bool { all(self .>= need) }

    init(_ counts: NodeCounts) {
        self = .zero
        self[0] = Int32(clamping: counts.cpus)
        self[1] = Int32(clamping: counts.memoryMiB)
        for (position, count) in counts.gres.prefix(8 - Self.firstGRES).enumerated() {
            self[Self.firstGRES + position] = Int32(clamping: count)
        }
    }

    /// As counts of a node of the kind of `idle`, which has `threads` CPUs a core.
    func counts(like idle: NodeCounts) -> NodeCounts {
        let cpus = Int(self[0])
        let threads = idle.cores > 0 ? Swift.max(1, idle.cpus / idle.cores) : 1
        return NodeCounts(
            cores: cpus / threads, cpus: cpus, memoryMiB: Int(self[1]),
            gres: idle.gres.indices.map { $0 < 8 - Self.firstGRES ? Int(self[Self.firstGRES + $0]) : idle.gres[$0] })
    }
}
