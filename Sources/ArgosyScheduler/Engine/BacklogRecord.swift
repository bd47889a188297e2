/// The largest backlog since any time in the past.
///
/// A stack of descending backlogs: what is followed by a larger one can be no maximum of a time that lasts until now. Kept
/// no longer than the oldest waiting job needs it (`forget`).
public struct BacklogRecord: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var time: Int64
        /// Seconds the whole machine needs for it.
        var backlog: Double
    }

    private var entries: [Entry] = []

    public init() {}

    /// Notes the backlog at `time`, which is not before the last one noted.
    public mutating func note(_ backlog: Double, at time: Int64) {
        while let last = entries.last, last.backlog <= backlog { entries.removeLast() }
        entries.append(Entry(time: time, backlog: backlog))
    }

    /// The largest that was noted at `time` or later; 0: none was.
    public func largest(since time: Int64) -> Double {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) >> 1
            if entries[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low < entries.count ? entries[low].backlog : 0
    }

    /// Drops what was noted before `time`: nobody waits since then.
    public mutating func forget(before time: Int64) {
        guard let first = entries.firstIndex(where: { $0.time >= time }) else { return entries.removeAll() }
        entries.removeFirst(first)
    }
}
