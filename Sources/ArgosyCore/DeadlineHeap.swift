import ArgosyDomain

/// What is due when. Entries are never taken out early: whoever pops one asks the records whether it still holds.
struct DeadlineHeap: Sendable {
    enum Kind: UInt8, Comparable, Sendable {
        case jobEligible, jobLimit, clientGone, jobPurge, nodeLost, mustEnd, resumption, priorities, dependency,
            chargeUsage, reservation, plannedStart, stepLimit, warning, mailMark, triggers
        static func < (a: Kind, b: Kind) -> Bool { a.rawValue < b.rawValue }
    }
    struct Entry: Comparable, Sendable {
        var time: Timestamp
        var kind: Kind
        /// A job's or a node's number.
        var subject: UInt32
        static func < (a: Entry, b: Entry) -> Bool { (a.time, a.kind, a.subject) < (b.time, b.kind, b.subject) }
    }
    private var heap: [Entry] = []

    var next: Timestamp { heap.first?.time ?? .never }

    mutating func add(_ time: Timestamp, _ kind: Kind, _ subject: UInt32) {
        guard time != .never && time.isSet else { return }
        heap.append(Entry(time: time, kind: kind, subject: subject))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Entries of both: one that no longer holds does no harm.
    mutating func takeOver(_ other: DeadlineHeap) {
        for entry in other.heap { add(entry.time, entry.kind, entry.subject) }
    }

    /// The earliest entry that is due.
    mutating func pop(dueAt now: Timestamp) -> Entry? {
        guard let first = heap.first, first.time <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink()
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
