/// `--constraint`: features a job's nodes must have.
public indirect enum Constraint: Hashable, Sendable {
    case feature(String)
    /// `a&b`: every node has both.
    case all([Constraint])
    /// `a|b`: every node has one of them.
    case any([Constraint])
    /// `[a|b]`: all nodes have the same one.
    case sameOne([Constraint])
    /// `a*4&b*2`: so many nodes of each.
    case counts([Count])

    public struct Count: Hashable, Sendable {
        public var constraint: Constraint
        public var nodes: Int
        public init(_ constraint: Constraint, nodes: Int) {
            self.constraint = constraint
            self.nodes = nodes
        }
    }
}
