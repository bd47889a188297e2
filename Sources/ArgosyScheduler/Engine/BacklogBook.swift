// What a controller remembers of backlogs for the default policy's guard. A planner, which is pure, works out the backlog of
// its pass and says so in its plan; the core takes it down and hands all of it out again with the next snapshot. Nothing of
// it is stored: after a restart the guard goes by the backlogs since then.
public import ArgosyDomain

/// The backlogs that a pass found.
public struct BacklogNote: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// The position of the partition that stands for those that share nodes (`PartitionGroups`).
        public var group: Int
        /// Seconds that the group's nodes need for what waits and runs.
        public var backlog: Double
        /// Since when somebody waits there, seconds: what was noted before is not needed any more.
        public var oldest: Int64
    }
    public var time: Timestamp
    public var entries: [Entry]
}

/// The backlogs of groups of partitions over time.
public struct BacklogBook: Sendable, Equatable {
    /// When a backlog was noted last; unset: never. Jobs that came later have not been counted.
    public private(set) var notedAt = Timestamp.unset
    /// Only ever looked up by group.
    private var records: [Int: BacklogRecord] = [:]

    public init() {}

    public mutating func take(_ note: BacklogNote) {
        guard note.time >= notedAt else { return }
        notedAt = note.time
        for entry in note.entries {
            records[entry.group, default: BacklogRecord()].forget(before: entry.oldest)
            records[entry.group, default: BacklogRecord()].note(entry.backlog, at: note.time.seconds)
        }
    }

    /// The largest that was noted at `time` (seconds) or later; 0: none was.
    public func largest(of group: Int, since time: Int64) -> Double { records[group]?.largest(since: time) ?? 0 }
}
