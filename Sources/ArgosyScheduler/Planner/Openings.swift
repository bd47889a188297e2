// When room appears in the bins of a pool: a list over time that all classes of jobs read with a pointer that only moves
// forward.
//
// Each opening keeps an upper bound of what is free there, brought up to date by whoever looks and finds it too high;
// blocks keep the greatest of theirs. As planning only ever takes room away, a bound once true stays true, and a scan for
// a large demand skips whole blocks of a busy plan.

/// A sorted list of (time, bin), in blocks.
struct Openings {
    struct Key: Comparable {
        var time: Int64
        var bin: Int32
        static func < (a: Key, b: Key) -> Bool { a.time < b.time || (a.time == b.time && a.bin < b.bin) }
    }
    struct Entry {
        var key: Key
        var bound: Amount
    }
    struct Block {
        var entries: [Entry]
        /// No entry's bound is greater in any lane.
        var bound: Amount
    }
    private static let blockSize = 64

    var blocks: [Block] = []

    /// The block that `key` belongs to; -1: there is none at all.
    func block(of key: Key) -> Int {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) >> 1
            if let last = blocks[middle].entries.last, last.key < key { low = middle + 1 } else { high = middle }
        }
        return min(low, blocks.count - 1)
    }

    /// Adds an opening; one that is there gets the greater bound.
    mutating func insert(time: Int64, bin: Int32, bound: Amount) {
        let key = Key(time: time, bin: bin)
        guard !blocks.isEmpty else {
            blocks.append(Block(entries: [Entry(key: key, bound: bound)], bound: bound))
            return
        }
        let at = block(of: key)
        let index = Self.position(of: key, in: blocks[at].entries)
        blocks[at].bound = pointwiseMax(blocks[at].bound, bound)
        if index < blocks[at].entries.count, blocks[at].entries[index].key == key {
            blocks[at].entries[index].bound = pointwiseMax(blocks[at].entries[index].bound, bound)
            return
        }
        blocks[at].entries.insert(Entry(key: key, bound: bound), at: index)
        if blocks[at].entries.count > 2 * Self.blockSize { split(at) }
    }

    /// The first entry that is not before `key`.
    static func position(of key: Key, in entries: [Entry]) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) >> 1
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func tighten(_ block: Int) {
        blocks[block].bound = blocks[block].entries.reduce(Amount(repeating: .min)) { pointwiseMax($0, $1.bound) }
    }

    private mutating func split(_ at: Int) {
        let tail = Array(blocks[at].entries[Self.blockSize...])
        blocks[at].entries.removeSubrange(Self.blockSize...)
        blocks.insert(Block(entries: tail, bound: .zero), at: at + 1)
        tighten(at)
        tighten(at + 1)
    }
}
