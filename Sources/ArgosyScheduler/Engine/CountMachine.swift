// Identical processors: a profile of how many are free from when on.
//
// Two flat columns, times ascending; a segment lasts until the next one's time, the last for ever. Neighbours differ in
// what is free, so the profile is as short as it can be, and a plain scan over it beats any tree up to some thousand
// segments. The past is dropped from the front by moving an index. Behind the segments in use the columns have room, so
// that a change is a few moves of memory in one go: this is the innermost part of a simulation.

/// A machine of identical processors.
public struct CountMachine: Machine {
    public struct Hold: Sendable {
        public var processors: Int32
        /// The planned end.
        public var end: Int64

        @inlinable init(processors: Int32, end: Int64) {
            self.processors = processors
            self.end = end
        }
    }

    public let processors: Int32
    @usableFromInline var times: [Int64]
    @usableFromInline var free: [Int32]
    /// The segment that `now` is in.
    @usableFromInline var first = 0
    /// One past the last segment.
    @usableFromInline var end = 1

    public init(processors: Int32, now: Int64 = .min) {
        precondition(processors > 0)
        self.processors = processors
        times = [now] + Array(repeating: 0, count: 63)
        free = [processors] + Array(repeating: 0, count: 63)
    }

    @inlinable public var isFull: Bool { free[first] == 0 }
    /// Free at the time of the last pass.
    @inlinable public var freeNow: Int32 { free[first] }

    /// What is free from when on: ascending times, the first one now.
    public var profile: [(time: Int64, free: Int32)] { (first..<end).map { (times[$0], free[$0]) } }

    @inlinable public mutating func advance(to now: Int64) {
        while first + 1 < end, times[first + 1] <= now { first += 1 }
        times[first] = now
        if first >= 256 { dropPast() }
    }

    @inlinable public mutating func start(_ demand: Int32, at now: Int64, duration: Int64) -> Hold? {
        let end = Self.end(now, duration)
        guard fits(demand, until: end) else { return nil }
        change(by: -demand, from: now, until: end)
        return Hold(processors: demand, end: end)
    }

    @inlinable public func earliestStart(of demand: Int32, from: Int64, duration: Int64) -> Int64? {
        search(demand, from: from, duration: duration, before: .max, until: .max)
    }

    @inlinable public mutating func reserve(_ demand: Int32, from: Int64, duration: Int64) -> Hold {
        let end = Self.end(from, duration)
        change(by: -demand, from: from, until: end)
        return Hold(processors: demand, end: end)
    }

    @inlinable public mutating func release(_ hold: Hold, from: Int64) {
        guard from < hold.end else { return }
        change(by: hold.processors, from: from, until: hold.end)
    }

    /// Looks for an earlier place without taking the hold out: as its own place is fine, only the time before it counts.
    @inlinable public mutating func improve(
        _ hold: inout Hold, of demand: Int32, start: Int64, duration: Int64, from now: Int64, before bound: Int64
    ) -> Int64 {
        let found = search(demand, from: now, duration: duration, before: min(start, bound), until: start)
        guard let found, found < start else { return start }
        release(hold, from: start)
        hold = reserve(demand, from: found, duration: duration)
        return found
    }
}

// MARK: Looking

extension CountMachine {
    @inlinable static func end(_ start: Int64, _ duration: Int64) -> Int64 {
        let (end, overflow) = start.addingReportingOverflow(duration)
        return overflow ? .max : end
    }

    /// Whether `demand` is free from now to `end`.
    @inlinable func fits(_ demand: Int32, until end: Int64) -> Bool {
        guard demand <= free[first] else { return false }
        return free.withUnsafeBufferPointer { free in
            times.withUnsafeBufferPointer { times in
                var index = first + 1
                while index < self.end, times[index] < end {
                    if free[index] < demand { return false }
                    index += 1
                }
                return true
            }
        }
    }

    /// The first start in `[from, bound)` from which `demand` is free for the duration, what lies at `until` or later
    /// not counted. Nil: there is none.
    @inlinable func search(
        _ demand: Int32, from: Int64, duration: Int64, before bound: Int64, until: Int64
    ) -> Int64? {
        free.withUnsafeBufferPointer { free in
            times.withUnsafeBufferPointer { times in
                var index = Self.segment(of: from, times, first, end)
                while true {
                    while index < end, free[index] < demand { index += 1 }
                    guard index < end else { return nil }
                    let start = max(times[index], from)
                    guard start < bound else { return nil }
                    let stop = min(Self.end(start, duration), until)
                    index += 1
                    while index < end, times[index] < stop, free[index] >= demand { index += 1 }
                    if index == end || times[index] >= stop { return start }
                }
            }
        }
    }

    /// The segment `time` lies in.
    @inlinable static func segment(
        of time: Int64, _ times: UnsafeBufferPointer<Int64>, _ first: Int, _ end: Int
    ) -> Int {
        if time <= times[first] { return first }
        var low = first
        var high = end
        while low + 1 < high {
            let middle = (low + high) >> 1
            if times[middle] <= time { low = middle } else { high = middle }
        }
        return low
    }
}

// MARK: Changing

extension CountMachine {
    /// Changes what is free in `[from, until)`, which is not empty.
    @inlinable mutating func change(by processors: Int32, from: Int64, until: Int64) {
        if end + 2 > times.count { grow() }
        times.withUnsafeMutableBufferPointer { times in
            free.withUnsafeMutableBufferPointer { free in
                let start = Self.border(at: from, times, free, first, &end)
                var index = start
                repeat {
                    free[index] += processors
                    index += 1
                } while index < end && times[index] < until
                if index < end, times[index] == until {
                    if free[index] == free[index - 1] { Self.drop(index, times, free, &end) }
                } else if until != .max {
                    Self.make(index, until, free[index - 1] - processors, times, free, &end)
                }
                if start > first, free[start] == free[start - 1] { Self.drop(start, times, free, &end) }
            }
        }
    }

    /// The segment that begins at `time`, made if need be.
    @inlinable static func border(
        at time: Int64, _ times: UnsafeMutableBufferPointer<Int64>, _ free: UnsafeMutableBufferPointer<Int32>,
        _ first: Int, _ end: inout Int
    ) -> Int {
        let index = segment(of: time, UnsafeBufferPointer(times), first, end)
        if times[index] >= time { return index }
        make(index + 1, time, free[index], times, free, &end)
        return index + 1
    }

    @inlinable static func make(
        _ index: Int, _ time: Int64, _ count: Int32, _ times: UnsafeMutableBufferPointer<Int64>,
        _ free: UnsafeMutableBufferPointer<Int32>, _ end: inout Int
    ) {
        guard let time0 = times.baseAddress, let free0 = free.baseAddress else { return }
        (time0 + index + 1).update(from: time0 + index, count: end - index)
        (free0 + index + 1).update(from: free0 + index, count: end - index)
        times[index] = time
        free[index] = count
        end += 1
    }

    @inlinable static func drop(
        _ index: Int, _ times: UnsafeMutableBufferPointer<Int64>, _ free: UnsafeMutableBufferPointer<Int32>,
        _ end: inout Int
    ) {
        guard let time0 = times.baseAddress, let free0 = free.baseAddress else { return }
        end -= 1
        (time0 + index).update(from: time0 + index + 1, count: end - index)
        (free0 + index).update(from: free0 + index + 1, count: end - index)
    }

    @usableFromInline mutating func grow() {
        times += Array(repeating: 0, count: times.count)
        free += Array(repeating: 0, count: free.count)
    }

    @usableFromInline mutating func dropPast() {
        for index in first..<end {
            times[index - first] = times[index]
            free[index - first] = free[index]
        }
        end -= first
        first = 0
    }
}
