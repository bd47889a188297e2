/// Switches of a cluster as topology.conf describes them: leaves have nodes, others have switches below them.
public struct SwitchTree: Hashable, Sendable {
    public struct Switch: Hashable, Sendable {
        public var name: String
        /// Position of the switch above; -1: none.
        public var parent: Int
        /// 0 for a leaf, else one more than the highest below.
        public var level: Int
        public var linkSpeed: UInt32
        /// Positions in `leaves` of the leaves at or below it, ascending.
        public var leaves: [Int]
        public init(name: String, parent: Int = -1, level: Int = 0, linkSpeed: UInt32 = 0, leaves: [Int] = []) {
            self.name = name
            self.parent = parent
            self.level = level
            self.linkSpeed = linkSpeed
            self.leaves = leaves
        }
    }
    /// In the order of the file. A switch may stand before or after the one above it.
    public var switches: [Switch]
    /// Leaf switches, by position in `switches`. What `NodeKind.leaf` counts is a position in this.
    public var leaves: [Int]
    public init(switches: [Switch] = [], leaves: [Int] = []) {
        self.switches = switches
        self.leaves = leaves
    }
    public var isEmpty: Bool { leaves.isEmpty }

    /// Links between two leaves' nodes and back: 0 on one leaf, else twice the level of the lowest switch above both;
    /// nil when no switch joins them.
    public func distance(_ a: Int, _ b: Int) -> Int? {
        if a == b { return 0 }
        return switches.filter { $0.leaves.contains(a) && $0.leaves.contains(b) }.map { $0.level * 2 }.min()
    }
}
