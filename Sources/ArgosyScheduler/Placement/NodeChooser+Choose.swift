extension NodeChooser {
    /// Nodes in the order of their index, with their tasks.
    public func choose(_ candidates: [Candidate]) throws(Failure) -> [NodeShare] {
        throw .tooFewNodes(have: candidates.count, want: shape.minNodes)
    }
}
