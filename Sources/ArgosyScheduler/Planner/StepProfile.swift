// How many of something equal (wholly free nodes of a pool, licences) are free from when on.
//
// Two flat columns, times ascending; a segment lasts until the next one's time, the last for ever. Planned times are
// rounded to the configured resolution, which bounds the segments however many jobs there are.

/// A step function of time.
struct StepProfile {
    private(set) var times: [Int64]
    private(set) var values: [Int32]

    /// `value` from `now` on.
    init(value: Int32, now: Int64) {
        times = [now]
        values = [value]
    }

    /// Nothing at first, and one more from each of the times on.
    init(rises: [Int64], now: Int64) {
        self.init(value: 0, now: now)
        for time in rises.sorted() {
            let last = values.count - 1
            if time <= times[last] {
                values[last] += 1
            } else {
                times.append(time)
                values.append(values[last] + 1)
            }
        }
    }

    /// The segment that `time` lies in; the first one for all earlier times.
    @inline(__always) func segment(of time: Int64) -> Int {
        var low = 0
        var high = times.count
        while low + 1 < high {
            let middle = (low + high) >> 1
            if times[middle] <= time { low = middle } else { high = middle }
        }
        return low
    }

    func value(at time: Int64) -> Int32 { values[segment(of: time)] }

    /// Adds `delta` throughout `[from, to)`; `to` `.max`: for ever.
    mutating func add(_ delta: Int32, from: Int64, to: Int64) {
        guard from < to else { return }
        let start = split(at: from)
        var index = start
        while index < times.count, times[index] < to {
            values[index] += delta
            index += 1
        }
        if to != .max, index == times.count || times[index] > to {
            times.insert(to, at: index)
            values.insert(values[index - 1] - delta, at: index)
        }
        merge(at: index)
        merge(at: start)
    }

    /// The least value in `[from, to)`.
    func minimum(from: Int64, to: Int64) -> Int32 { least(segment(of: from), last(before: to)) }

    /// The last segment that begins before `time`.
    @inline(__always) private func last(before time: Int64) -> Int {
        time == .max ? times.count - 1 : segment(of: time - 1)
    }

    /// The least value of the segments `first ... last`; a plain loop over numbers, which the compiler makes wide.
    private func least(_ first: Int, _ last: Int) -> Int32 {
        values.withUnsafeBufferPointer { values in
            var least = values[first]
            var index = first + 1
            while index <= last {
                least = min(least, values[index])
                index += 1
            }
            return least
        }
    }

    /// The first time, not before `from`, at which less than `count` is there. Nil: it is not before `bound`.
    func firstBelow(_ count: Int32, from: Int64, before bound: Int64 = .max) -> Int64? {
        var index = segment(of: from)
        while index < times.count, times[index] < bound {
            if values[index] < count { return max(times[index], from) }
            index += 1
        }
        return nil
    }

    /// The last time in `[from, to)` at which less than `count` is there (the last second of that segment is as good as
    /// its first). Nil: there is none.
    func lastBelow(_ count: Int32, from: Int64, to: Int64) -> Int64? {
        var index = segment(of: to == .max ? .max : to - 1)
        while index >= 0 {
            if values[index] < count {
                let end = index + 1 < times.count ? times[index + 1] : Int64.max
                return end <= from ? nil : min(end, to) - 1
            }
            if times[index] <= from { return nil }
            index -= 1
        }
        return nil
    }

    /// The first start, not before `from`, from which at least `count` are there for `duration`. Nil: never.
    func earliest(_ count: Int32, from: Int64, duration: Int64) -> Int64? {
        var index = segment(of: from)
        let end = times.count
        while true {
            while index < end, values[index] < count { index += 1 }
            guard index < end else { return nil }
            let start = max(times[index], from)
            let until = start.plus(duration)
            index += 1
            while index < end, times[index] < until, values[index] >= count { index += 1 }
            if index == end || times[index] >= until { return start }
        }
    }

    /// The first time after `from` at which the least value of the window that begins there could be greater than that
    /// of the window at `from`: the end of the last segment that holds the least one. Nil: never.
    func nextRise(from: Int64, duration: Int64) -> Int64? {
        let first = segment(of: from)
        var last = last(before: from.plus(duration))
        let least = least(first, last)
        while values[last] > least { last -= 1 }
        return last + 1 < times.count ? times[last + 1] : nil
    }

    /// The segment that begins at `time`, made if need be.
    private mutating func split(at time: Int64) -> Int {
        let index = segment(of: time)
        if times[index] >= time { return index }
        times.insert(time, at: index + 1)
        values.insert(values[index], at: index + 1)
        return index + 1
    }

    private mutating func merge(at index: Int) {
        guard index > 0, index < times.count, values[index] == values[index - 1] else { return }
        times.remove(at: index)
        values.remove(at: index)
    }
}

extension Int64 {
    /// The sum, at most `.max`: an end that never comes.
    @inline(__always) func plus(_ duration: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(duration)
        return overflow ? .max : sum
    }
}
