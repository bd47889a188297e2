// A configuration read while the cluster works takes the place of the one before it. Nodes are known by their numbers
// everywhere, so those that stay keep theirs, new ones come after them, and one that is no longer described keeps its
// place, in no partition and shown nowhere, until the controller starts again.

import ArgosyDomain

extension ClusterConfiguration {
    /// This configuration with the node numbers of `old`, and what only a restart can change as it is in `old`.
    ///
    /// - Returns: also a line for each thing that a restart is needed for.
    public func following(_ old: ClusterConfiguration) -> (configuration: ClusterConfiguration, notes: [String]) {
        var next = self
        next.renumber(like: old)
        let notes = next.keepFixed(old)
        return (next, notes)
    }

    private mutating func renumber(like old: ClusterConfiguration) {
        var numbers: [String: Int] = [:]
        for (index, node) in old.nodes.enumerated() { numbers[node.name] = index }
        var ordered = old.nodes.map { node in
            var gone = node
            gone.isRemoved = true
            return gone
        }
        var leaves = [Int](repeating: -1, count: ordered.count)
        let moved: [NodeIndex] = nodes.enumerated().map { place, node in
            let leaf = place < leafOfNode.count ? leafOfNode[place] : -1
            guard let number = numbers[node.name] else {
                ordered.append(node)
                leaves.append(leaf)
                return NodeIndex(ordered.count - 1)
            }
            ordered[number] = node
            leaves[number] = leaf
            return NodeIndex(number)
        }
        func renumbered(_ list: [NodeIndex]) -> [NodeIndex] { list.map { moved[$0.int] }.sorted() }
        for index in partitions.indices { partitions[index].nodes = renumbered(partitions[index].nodes) }
        for index in gresLines.indices { gresLines[index].nodes = gresLines[index].nodes.map(renumbered) }
        if !leafOfNode.isEmpty { leafOfNode = leaves }
        nodes = ordered
    }

    /// What sockets, files and threads were made with.
    private mutating func keepFixed(_ old: ClusterConfiguration) -> [String] {
        var notes: [String] = []
        func keep<Value: Equatable>(_ key: String, _ path: WritableKeyPath<ClusterConfiguration, Value>) {
            guard self[keyPath: path] != old[keyPath: path] else { return }
            self[keyPath: path] = old[keyPath: path]
            entries.removeAll { $0.key.lowercased() == key.lowercased() }
            entries += old.entries.filter { $0.key.lowercased() == key.lowercased() }
            notes.append("\(key) stays as it is until argosyctld is restarted")
        }
        keep("ClusterName", \.clusterName)
        keep("SlurmctldHost", \.controllers)
        keep("SlurmctldPort", \.controllerPort)
        keep("SlurmUser", \.slurmUser)
        keep("StateSaveLocation", \.stateSaveLocation)
        keep("ArgosySocket", \.socketPath)
        keep("AuthInfo", \.mungeSocket)
        keep("CommunicationParameters", \.controllerBindsItsAddress)
        for name in ["SlurmctldLogFile"] where given(name) != old.given(name) {
            notes.append("\(name) stays as it is until argosyctld is restarted")
        }
        return notes
    }
}
