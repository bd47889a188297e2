// topology.conf: which nodes and switches are below which switch.
//
//     SwitchName=leaf1 Nodes=n[1-16]
//     SwitchName=leaf2 Nodes=n[17-32]
//     SwitchName=root Switches=leaf[1-2] LinkSpeed=100

import ArgosyDomain

extension ParsedConfiguration {
    /// Replaces the tree of switches by what topology.conf says. Call it after the main file: its lines name nodes.
    public mutating func readTopology(_ text: ConfigurationText) {
        var reader = TopologyReader()
        for line in ConfigurationLines.read(text) { reader.read(line, &self) }
        reader.finish(&self, file: text.file)
    }
}

/// Lines as read, before they are joined.
private struct TopologyReader {
    private struct Entry {
        var line: ConfigurationLine
        var nodes: [NodeIndex] = []
        var below: [String] = []
        var linkSpeed: UInt32 = 0
        var name: String
    }
    private var entries: [Entry] = []
    private var leafOfNode: [NodeIndex: String] = [:]

    mutating func read(_ line: ConfigurationLine, _ parsed: inout ParsedConfiguration) {
        if let rest = line.rest { return parsed.fail(line, "\"\(rest)\" is not Key=Value") }
        guard let first = line.pairs.first, first.key.lowercased() == "switchname" else {
            return parsed.fail(line, "a line of topology.conf begins with SwitchName=")
        }
        var entry = Entry(line: line, name: first.value)
        if entries.contains(where: { $0.name == entry.name }) {
            return parsed.fail(line, "switch \(entry.name) is described twice")
        }
        for pair in line.pairs.dropFirst() {
            switch pair.key.lowercased() {
            case "nodes": readNodes(pair, &entry, &parsed)
            case "switches": entry.below = parsed.expand(pair, line) ?? []
            case "linkspeed":
                guard let speed = UInt32(pair.value) else {
                    parsed.fail(line, "LinkSpeed=\(pair.value): must be a whole number")
                    continue
                }
                entry.linkSpeed = speed
            default: parsed.warn(line, "\(pair.key) is not a key of topology.conf that is known here; ignored")
            }
        }
        if entry.nodes.isEmpty == entry.below.isEmpty {
            parsed.fail(line, "switch \(entry.name) needs either Nodes= or Switches=")
        }
        entries.append(entry)
    }

    private mutating func readNodes(
        _ pair: ConfigurationLine.Pair, _ entry: inout Entry, _ parsed: inout ParsedConfiguration
    ) {
        for name in parsed.expand(pair, entry.line) ?? [] {
            guard let index = parsed.configuration.node(named: name) else {
                parsed.fail(entry.line, "Nodes names \(name), which the main file does not describe")
                continue
            }
            if let other = leafOfNode[index] {
                parsed.fail(entry.line, "node \(name) is on switch \(other) already")
                continue
            }
            leafOfNode[index] = entry.name
            entry.nodes.append(index)
        }
    }

    mutating func finish(_ parsed: inout ParsedConfiguration, file: String) {
        var tree = SwitchTree(
            switches: entries.map { SwitchTree.Switch(name: $0.name, linkSpeed: $0.linkSpeed) },
            leaves: entries.indices.filter { !entries[$0].nodes.isEmpty })
        for (index, entry) in entries.enumerated() {
            for name in entry.below {
                guard let below = entries.firstIndex(where: { $0.name == name }) else {
                    parsed.fail(entry.line, "Switches names \(name), which no line describes")
                    continue
                }
                guard tree.switches[below].parent < 0 else {
                    parsed.fail(entry.line, "switch \(name) is below another switch already")
                    continue
                }
                tree.switches[below].parent = index
            }
        }
        guard levels(&tree, &parsed) else { return }
        parsed.configuration.switches = tree
        parsed.configuration.leafOfNode = parsed.configuration.nodes.indices.map { node in
            tree.leaves.firstIndex { entries[$0].nodes.contains(NodeIndex(node)) } ?? -1
        }
        let loose = parsed.configuration.leafOfNode.indices.filter { parsed.configuration.leafOfNode[$0] < 0 }
        guard !loose.isEmpty, !entries.isEmpty else { return }
        let names = Hostlist.compress(loose.map { parsed.configuration.nodes[$0].name })
        parsed.diagnostics.append(
            .init(
                file: file, line: 0, severity: .warning,
                message: "\(names) are on no switch; jobs that ask for --switches will not use them"))
    }

    /// Levels and leaves of all switches, from each leaf upwards; false when switches are below themselves.
    private func levels(_ tree: inout SwitchTree, _ parsed: inout ParsedConfiguration) -> Bool {
        for (leaf, start) in tree.leaves.enumerated() {
            var at = start
            var level = 0
            while at >= 0 {
                guard level <= tree.switches.count else {
                    parsed.fail(entries[start].line, "switch \(entries[at].name) is above itself")
                    return false
                }
                tree.switches[at].level = max(tree.switches[at].level, level)
                if !tree.switches[at].leaves.contains(leaf) { tree.switches[at].leaves.append(leaf) }
                at = tree.switches[at].parent
                level += 1
            }
        }
        for (index, entry) in entries.enumerated() where tree.switches[index].leaves.isEmpty && !entry.below.isEmpty {
            parsed.fail(entry.line, "no node is below switch \(entry.name)")
            return false
        }
        return true
    }
}
