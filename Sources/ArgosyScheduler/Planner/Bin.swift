// A node for as long as somebody is on it: from the first job's start to the last one's end. While planning ahead a bin
// has no node yet: nodes of a pool are alike, bins are intervals, and intervals of which at most `n` overlap at any time
// can always be given to `n` nodes (in the order of their starts). Bins of jobs that run have theirs already, which does
// not harm: they start first.

/// One node's busy time and what is free on it meanwhile.
struct Bin {
    /// Position in the pool's nodes; -1: whichever is free then.
    var node: Int32
    private(set) var times: [Int64]
    private(set) var free: [Amount]
    private(set) var end: Int64
    /// The only user whose jobs may be on it; nil: no such limit.
    var user: UInt32?

    var start: Int64 { times[0] }
    var isEmpty: Bool { end <= times[0] }

    init(node: Int32, start: Int64, end: Int64, free amount: Amount, user: UInt32? = nil) {
        self.node = node
        times = [start]
        free = [amount]
        self.end = end
        self.user = user
    }

    @inline(__always) func segment(of time: Int64) -> Int {
        var low = 0
        var high = times.count
        while low + 1 < high {
            let middle = (low + high) >> 1
            if times[middle] <= time { low = middle } else { high = middle }
        }
        return low
    }

    func contains(_ time: Int64) -> Bool { times[0] <= time && time < end }

    func amount(at time: Int64) -> Amount { free[segment(of: time)] }

    /// Whether `need` is free from `time`, within the bin, until `until` or the bin's end.
    @inline(__always) func fits(_ need: Amount, from time: Int64, until: Int64) -> Bool {
        var index = segment(of: time)
        while true {
            if !free[index].covers(need) { return false }
            index += 1
            if index == times.count || times[index] >= until { return true }
        }
    }

    /// The first segment behind `index` that begins before `until` and has not `need` free.
    @inline(__always) func firstShort(of need: Amount, after index: Int, before until: Int64) -> Int? {
        var index = index + 1
        while index < times.count, times[index] < until {
            if !free[index].covers(need) { return index }
            index += 1
        }
        return nil
    }

    /// What is free all the time from `time` until `until` or the bin's end.
    func least(from time: Int64, until: Int64) -> Amount {
        var index = segment(of: time)
        var least = free[index]
        index += 1
        while index < times.count, times[index] < until {
            least = pointwiseMin(least, free[index])
            index += 1
        }
        return least
    }

    /// Makes the bin last until `time`, empty at first.
    mutating func extend(to time: Int64, capacity: Amount) {
        guard time > end else { return }
        times.append(end)
        free.append(capacity)
        end = time
    }

    /// Makes the bin begin at `time`, empty at first.
    mutating func extend(from time: Int64, capacity: Amount) {
        guard time < start else { return }
        times.insert(time, at: 0)
        free.insert(capacity, at: 0)
    }

    /// Takes `need` from `[from, to)`, which lies within the bin. Negative amounts give back.
    mutating func take(_ need: Amount, from: Int64, to: Int64) {
        let first = split(at: from)
        let last = to >= end ? times.count : split(at: to)
        for index in first..<last { free[index] &-= need }
    }

    private mutating func split(at time: Int64) -> Int {
        let index = segment(of: time)
        if times[index] >= time { return index }
        times.insert(time, at: index + 1)
        free.insert(free[index], at: index + 1)
        return index + 1
    }

    /// Cuts off what is idle at both ends and returns what lies behind an idle time in the middle as bins of their own,
    /// beside the idle times themselves.
    mutating func split(capacity: Amount) -> (idle: [(from: Int64, to: Int64)], rest: [Bin]) {
        var idle: [(from: Int64, to: Int64)] = []
        var parts: [Bin] = []
        for index in times.indices {
            let until = index + 1 < times.count ? times[index + 1] : end
            if free[index] == capacity {
                idle.append((times[index], until))
            } else if let last = parts.last, last.end == times[index] {
                parts[parts.count - 1].times.append(times[index])
                parts[parts.count - 1].free.append(free[index])
                parts[parts.count - 1].end = until
            } else {
                parts.append(
                    Bin(node: parts.isEmpty ? node : -1, start: times[index], end: until, free: free[index], user: user)
                )
            }
        }
        guard let first = parts.first else {
            end = times[0]
            return (idle, [])
        }
        self = first
        return (idle, Array(parts.dropFirst()))
    }
}
