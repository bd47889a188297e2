// What is kept beside jobs, nodes and accounts: loading it, and when nodes are not at work.
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func loadKept(_ stored: StoredKept) {
        tables.triggers = stored.triggers.sorted { $0.id < $1.id }
        tables.crontabs = stored.crontabs.sorted { $0.uid < $1.uid }
        for event in stored.openEvents {
            if event.node.isEmpty {
                clusterEvent = event
            } else if let index = configuration.node(named: event.node) {
                openEvents[index] = event
            } else {
                lostEvents.append(event)
            }
        }
    }

    /// After loading: nodes that are gone are not missing any more, and the cluster may be another now.
    mutating func settleKept() {
        for var event in lostEvents {
            event.end = now
            turn.changes.append(.kept(.nodeEvent(event)))
        }
        lostEvents = []
        let tres = clusterTRES
        if clusterEvent?.tres != tres {
            if var old = clusterEvent {
                old.end = now
                turn.changes.append(.kept(.nodeEvent(old)))
            }
            let event = NodeEvent(
                node: "", start: now, state: "", reason: "Cluster Registered TRES", uid: 0, tres: tres)
            clusterEvent = event
            turn.changes.append(.kept(.nodeEvent(event)))
        }
        for index in configuration.nodes.indices { noteNodeEvent(NodeIndex(index)) }
        noteTriggers(controller: .primaryResumedOperation)
        if !tables.triggers.isEmpty { deadlines.add(now.adding(triggerPeriod), .triggers, 0) }
        settleCrontabs()
    }

    private var clusterTRES: String {
        var counts: TRESCounts = [.node: UInt64(configuration.nodes.count)]
        for node in configuration.nodes { counts += [.cpu: UInt64(node.cpus), .mem: node.memoryMiB] }
        counts.set(.billing, counts[.cpu])
        return counts.text(tables.accounting.tres, order: .name)
    }

    /// End of a turn: whatever changed of a node's state.
    mutating func noteNodeEvents() {
        var last: NodeIndex?
        for index in dirtyNodes.sorted() where index != last {
            last = index
            noteNodeEvent(index)
        }
    }

    private mutating func noteNodeEvent(_ index: NodeIndex) {
        guard let node = tables.nodes[index.rawValue], let facts = tables.facts[index.rawValue] else { return }
        let state = Self.eventState(node)
        let open = openEvents[index]
        guard state != (open?.state ?? "") || (open.map { $0.reason != facts.reason } ?? false) else { return }
        if var open {
            open.end = now
            turn.changes.append(.kept(.nodeEvent(open)))
            openEvents[index] = nil
        }
        let (wasDown, isDown) = (open?.state.hasPrefix("DOWN") ?? false, state.hasPrefix("DOWN"))
        if isDown, !wasDown { noteTriggers(node: index, .down) }
        if wasDown, !isDown { noteTriggers(node: index, .up) }
        guard !state.isEmpty else { return }
        let configured = configuration.nodes[index.int]
        var counts: TRESCounts = [.cpu: UInt64(configured.cpus), .mem: configured.memoryMiB]
        counts.set(.billing, UInt64(configured.cpus))
        let event = NodeEvent(
            node: configured.name, start: open?.start == now ? now.adding(.microseconds(1)) : now, state: state,
            reason: facts.reason, uid: facts.reasonUID, tres: counts.text(tables.accounting.tres, order: .name))
        openEvents[index] = event
        turn.changes.append(.kept(.nodeEvent(event)))
    }

    private static func eventState(_ node: NodeRecord) -> String {
        let drain = node.isDrained ? "DRAIN" : ""
        guard node.isDown else { return drain.isEmpty ? "" : (node.isRegistered ? "IDLE+DRAIN" : "UNKNOWN+DRAIN") }
        return "DOWN" + (drain.isEmpty ? "" : "+DRAIN") + (node.isLost ? "*" : "")
    }
}
