internal import ArgosyScheduler

/// Running jobs by their end, the earliest on top: a binary heap.
struct CompletionHeap {
    struct Entry {
        var end: Int64
        var hold: CountMachine.Hold
        /// Its number in the workload.
        var job: Int32
    }

    private var entries: [Entry] = []

    /// Of the earliest; `Int64.max` when nothing runs.
    var nextEnd: Int64 { entries.isEmpty ? .max : entries[0].end }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var at = entries.count - 1
        while at > 0 {
            let parent = (at - 1) >> 1
            if entries[parent].end <= entry.end { break }
            entries[at] = entries[parent]
            at = parent
        }
        entries[at] = entry
    }

    /// Call only when something runs.
    mutating func pop() -> Entry {
        let top = entries[0]
        let last = entries.removeLast()
        if !entries.isEmpty { sink(last) }
        return top
    }

    private mutating func sink(_ entry: Entry) {
        var at = 0
        while true {
            var child = 2 * at + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].end < entries[child].end { child += 1 }
            if entry.end <= entries[child].end { break }
            entries[at] = entries[child]
            at = child
        }
        entries[at] = entry
    }
}
