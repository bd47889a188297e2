extension DevCluster {
    /// Prints a line per daemon and what `sinfo` says.
    /// - Returns: whether everything runs.
    func status() throws -> Bool {
        guard let facts = DevFacts.read(directory) else {
            throw DevError("no cluster in \(directory); start one with `argosy dev up`")
        }
        let network = facts.network == .private ? "\(facts.prefix).0/24, bridge \(bridge)" : "the host's"
        DevConsole.write("cluster \(clusterName) in \(directory), network \(network)\n", to: 1)
        var allRun = true
        for record in [munged, controller] + startedNodes.map(nodeDaemon) {
            let pid = record.running
            allRun = allRun && pid != nil
            let padding = String(repeating: " ", count: max(1, 18 - record.name.count))
            DevConsole.write("  \(record.name)\(padding)\(pid.map { "runs, pid \($0)" } ?? "does not run")\n", to: 1)
        }
        if controller.running != nil, let nodes = try? ask("sinfo", errorsToo: true) {
            DevConsole.write(nodes.output, to: 1)
        }
        return allRun && !startedNodes.isEmpty
    }
}
