// A configuration read anew: what a restart with it would come to, without letting go of links and clients.
//
// Rows are loaded as at a start, under the new configuration; what only memory knows is taken over from the core that
// was. Nodes have the same numbers in both (ClusterConfiguration.following). Running jobs keep what they hold, also in
// partitions and on nodes that are no longer described; waiting jobs are looked at again.
public import ArgosyConfig
public import ArgosyDomain

extension ControllerCore {
    /// - Parameters:
    ///   - old: all of its turns are durable.
    ///   - configuration: `following` that of `old`.
    ///   - stored: the rows as they are durable.
    ///
    /// As after `init`, `start` comes next.
    public init(
        reconfiguring old: ControllerCore, as configuration: ClusterConfiguration, stored: StoredState, now: Timestamp
    ) {
        let keeps = configuration.reconfigureFlags
        var configuration = configuration
        if keeps.contains("keeppartinfo") { configuration.keepPartitions(of: old.configuration) }
        self.init(configuration: configuration, stored: stored, term: old.term, now: max(now, old.now))
        if keeps.contains("keeppartinfo") || keeps.contains("keeppartstate") {
            for (place, view) in tables.partitions.enumerated() {
                guard let before = old.tables.partitions.first(where: { $0.name == view.name }) else { continue }
                tables.partitions[place].state = before.state
            }
        }
        programsGoOn = true
        version = old.version + 1
        waiting = old.waiting
        exactLimits = old.exactLimits
        policy = old.policy
        administrators = old.administrators
        lastJobID = max(lastJobID, old.lastJobID)
        deadlines.takeOver(old.deadlines)
        tables.lastPlan = old.tables.lastPlan
        takeOverKept(old)
        for index in old.configuration.nodes.indices { takeOverNode(UInt32(index), old) }
        for key in tables.jobs.keys { takeOverJob(key, old) }
    }

    private mutating func takeOverNode(_ key: UInt32, _ old: ControllerCore) {
        guard let before = old.tables.nodes[key], let facts = old.tables.facts[key] else { return }
        tables.facts[key] = facts
        let (was, is_) = (old.configuration.nodes[Int(key)], configuration.nodes[Int(key)])
        tables.nodes.update(key) { node in
            node.isConnected = before.isConnected
            node.isRegistered = before.isRegistered
            node.isDown = before.isDown
            node.isDrained = before.isDrained
            node.isLost = before.isLost
            node.strays = before.strays
            node.lastBusy = before.lastBusy
            node.downAt = before.downAt
        }
        if let hardware = facts.registration?.hardware { learnHardware(NodeIndex(rawValue: key), hardware) }
        guard is_.state != was.state, !is_.isRemoved else { return }
        let state = is_.state.uppercased()
        tables.nodes.update(key) { node in
            if state.hasPrefix("DOWN") { node.isDown = true }
            if state.hasPrefix("DRAIN") { node.isDrained = true }
        }
        if state.hasPrefix("DOWN") || state.hasPrefix("DRAIN") {
            tables.facts.update(key) { $0.reason = is_.reason }
            dirtyNodes.append(NodeIndex(rawValue: key))
        }
    }

    private mutating func takeOverJob(_ key: UInt32, _ old: ControllerCore) {
        if let note = old.tables.notes[key] { tables.notes[key] = note }
        guard let record = old.tables.jobs[key] else { return }
        if record.state.isActive, record.deadline.isSet {
            tables.jobs.update(key) { $0.deadline = record.deadline }
            deadlines.add(record.deadline, .jobLimit, key)
        }
        if let run = old.tables.runs[key] {
            tables.runs.update(key) { $0.beneficiary = run.beneficiary }
        }
    }
}
