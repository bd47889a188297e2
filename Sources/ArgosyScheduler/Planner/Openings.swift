// When room appears in the bins of a pool: a list over time that all classes of jobs read with a pointer that only moves
// forward.
//
// Each opening keeps an upper bound of what is free there, brought up to date by whoever looks and finds it too high;
// blocks keep the greatest of theirs. As planning only ever takes room away, a bound once true stays true, and a scan for
// a large demand skips whole blocks of a busy plan. It also keeps what stood in the way of the last one that found room
// there, but not for long enough: from when on how little is free. Nearly all later scans need no look at the bin then.

/// A sorted list of (time, bin), in blocks.
struct Openings {
    struct Key: Comparable {
        var time: Int64
        var bin: Int32
        static func < (a: Key, b: Key) -> Bool { a.time < b.time || (a.time == b.time && a.bin < b.bin) }
    }
    struct Entry {
        var bound: Amount
        /// What is free in its bin at `blocked`, a time after the opening; of the epoch that it was seen in.
        var later = Amount.zero
        var key: Key
        var blocked = Int64.max
        var epoch: Int32 = 0

        init(key: Key, bound: Amount) {
            self.key = key
            self.bound = bound
        }

        /// Whether it is known that `need` does not find room for `duration`.
        @inline(__always) func refuses(_ need: Amount, _ duration: Int64, _ now: Int32) -> Bool {
            epoch == now && key.time.plus(duration) > blocked && !later.covers(need)
        }
    }
    /// What a look at an opening's bin finds.
    struct Look {
        /// Nil: it fits.
        var free: Amount?
        /// Enough is free at first, but at `blocked` only `later`; `.max`: that is not what is in the way.
        var blocked = Int64.max
        var later = Amount.zero
    }
    struct Block {
        var entries: [Entry]
        /// No entry is after this one.
        var last: Key
        /// No entry's bound is greater in any lane.
        var bound: Amount
        /// Entries that were lowered since `bound` was computed.
        var lowered = 0
    }
    private static let blockSize = 16

    var blocks: [Block] = []
    /// Grows when something is given back: what stood in the way may be gone.
    var epoch: Int32 = 0

    /// The block that `key` belongs to; -1: there is none at all.
    func block(of key: Key) -> Int {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) >> 1
            if blocks[middle].last < key { low = middle + 1 } else { high = middle }
        }
        return min(low, blocks.count - 1)
    }

    /// Adds an opening; one that is there gets the greater bound.
    mutating func insert(time: Int64, bin: Int32, bound: Amount) {
        let key = Key(time: time, bin: bin)
        guard !blocks.isEmpty else {
            blocks.append(Block(entries: [Entry(key: key, bound: bound)], last: key, bound: bound))
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
        blocks[at].last = max(blocks[at].last, key)
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

    /// The first opening at or after `key`, no later than `limit`, with a bound that covers `need` and that `test` takes;
    /// what it answers else is kept with the opening. Moves `key` to what was found, or on to where the search may go on.
    mutating func first(
        from key: inout Key, through limit: Int64, covering need: Amount, for duration: Int64, steps: inout Int,
        test: (Int32, Int64) -> Look
    ) -> Int32? {
        var at = block(of: key)
        guard at >= 0 else { return nil }
        var index = Self.position(of: key, in: blocks[at].entries)
        let cpus = need[0]
        while at < blocks.count {
            steps += 1
            guard index < blocks[at].entries.count else {
                at += 1
                index = 0
                continue
            }
            if blocks[at].entries[index].key.time > limit {
                key = max(key, Key(time: limit, bin: -1))
                return nil
            }
            if blocks[at].bound[0] >= cpus, blocks[at].bound.covers(need) {
                while true {
                    index = Self.next(need, cpus, duration, epoch, from: index, in: blocks[at].entries)
                    if index == blocks[at].entries.count { break }
                    let entry = blocks[at].entries[index].key
                    if entry.time > limit {
                        key = max(key, Key(time: limit, bin: -1))
                        return nil
                    }
                    steps += 1
                    let look = test(entry.bin, entry.time)
                    guard let there = look.free else {
                        key = entry
                        return entry.bin
                    }
                    if there[0] <= 0 {
                        // Nobody finds room here any more.
                        blocks[at].entries.remove(at: index)
                        loosened(at)
                        continue
                    }
                    if !there.covers(need) {
                        blocks[at].entries[index].bound = there
                        loosened(at)
                    } else if look.blocked < .max {
                        keep(look, at, index)
                    }
                    index += 1
                }
            }
            let last = blocks[at].last
            if last.time > limit {
                key = max(key, Key(time: limit, bin: -1))
                return nil
            }
            key = max(key, Key(time: last.time, bin: last.bin + 1))
            at += 1
            index = 0
        }
        return nil
    }

    /// The first entry from `index` on whose bound covers `need`; the count of entries: there is none.
    @inline(__always) private static func next(
        _ need: Amount, _ cpus: Int32, _ duration: Int64, _ epoch: Int32, from index: Int, in entries: [Entry]
    ) -> Int {
        let memory = need[1]
        return entries.withUnsafeBufferPointer { entries in
            var index = index
            while index < entries.count {
                // Two lanes decide nearly always, and are cheap to look at.
                if entries[index].bound[0] >= cpus, entries[index].bound[1] >= memory,
                    entries[index].bound.covers(need), !entries[index].refuses(need, duration, epoch)
                {
                    return index
                }
                index += 1
            }
            return index
        }
    }

    /// Keeps what stands in the way of whom it lets through, unless that says less than what is known.
    private mutating func keep(_ look: Look, _ at: Int, _ index: Int) {
        let known = blocks[at].entries[index]
        if known.epoch == epoch, known.blocked < .max, known.later[0] < look.later[0] { return }
        blocks[at].entries[index].blocked = look.blocked
        blocks[at].entries[index].later = look.later
        blocks[at].entries[index].epoch = epoch
    }

    /// Calls `visit` for each opening after `time` that may have room for `need`, in order, until it answers false; and
    /// with no bin for what it skips.
    func visit(
        after time: Int64, covering need: Amount, for duration: Int64, steps: inout Int, _ visit: (Key) -> Bool
    ) {
        let key = Key(time: time, bin: .max)
        var at = block(of: key)
        guard at >= 0 else { return }
        var index = Self.position(of: key, in: blocks[at].entries)
        while at < blocks.count {
            steps += 1
            if blocks[at].bound.covers(need) {
                while index < blocks[at].entries.count {
                    if blocks[at].entries[index].bound.covers(need),
                        !blocks[at].entries[index].refuses(need, duration, epoch),
                        !visit(blocks[at].entries[index].key)
                    {
                        return
                    }
                    index += 1
                }
            } else if let first = blocks[at].entries.first, !visit(Key(time: first.key.time, bin: -1)) {
                return
            }
            at += 1
            index = 0
        }
    }

    /// An entry was lowered or taken out: now and then the block's bound is computed anew.
    private mutating func loosened(_ block: Int) {
        blocks[block].lowered += 1
        if blocks[block].lowered >= 8 { tighten(block) }
    }

    private mutating func tighten(_ block: Int) {
        blocks[block].lowered = 0
        blocks[block].bound = blocks[block].entries.reduce(Amount(repeating: .min)) { pointwiseMax($0, $1.bound) }
    }

    private mutating func split(_ at: Int) {
        let tail = Array(blocks[at].entries[Self.blockSize...])
        let last = blocks[at].last
        blocks[at].entries.removeSubrange(Self.blockSize...)
        blocks[at].last = blocks[at].entries[Self.blockSize - 1].key
        blocks.insert(Block(entries: tail, last: last, bound: .zero), at: at + 1)
        tighten(at)
        tighten(at + 1)
    }
}
