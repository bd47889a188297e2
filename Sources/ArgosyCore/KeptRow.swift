public import ArgosyDomain

/// Rows of what is kept beside jobs, nodes and accounts: triggers, crontabs, and when nodes were not at work. Rows are
/// whole: writing one twice is the same as writing it once.
public enum KeptRow: Sendable, Hashable {
    case trigger(Trigger)
    case triggerRemoved(UInt32)
    /// By node and start.
    case nodeEvent(NodeEvent)
    /// Without text: removed.
    case crontab(Crontab)
}

/// What of them a start loads: of events those that are not over.
public struct StoredKept: Sendable {
    public var triggers: [Trigger] = []
    public var openEvents: [NodeEvent] = []
    public var crontabs: [Crontab] = []
    public init() {}

    /// What a store does with a committed change, in memory.
    public mutating func apply(_ row: KeptRow) {
        switch row {
        case .trigger(let trigger):
            triggers.removeAll { $0.id == trigger.id }
            triggers.append(trigger)
        case .triggerRemoved(let id): triggers.removeAll { $0.id == id }
        case .nodeEvent(let event):
            openEvents.removeAll { $0.node == event.node && $0.start == event.start }
            if !event.end.isSet { openEvents.append(event) }
        case .crontab(let crontab):
            crontabs.removeAll { $0.uid == crontab.uid }
            if !crontab.text.isEmpty { crontabs.append(crontab) }
        }
    }
}
