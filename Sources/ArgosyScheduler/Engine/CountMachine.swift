// Identical processors: a profile of how many are free from when on.
//
// Two flat columns, times ascending; a segment lasts until the next one's time, the last for ever. Neighbours differ in
// what is free, so the profile is as short as it can be and a plain scan over it beats any tree up to some thousand
// segments. The past is dropped from the front by moving an index.

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

    public init(processors: Int32, now: Int64 = .min) {
        precondition(processors > 0)
        self.processors = processors
        times = [now]
        free = [processors]
    }

    @inlinable public var isFull: Bool { free[first] == 0 }
    /// Free at the time of the last pass.
    @inlinable public var freeNow: Int32 { free[first] }

    /// What is free from when on: ascending times, the first one now.
    public var profile: [(time: Int64, free: Int32)] {
        (first..<times.count).map { (times[$0], free[$0]) }
    }

    @inlinable public mutating func advance(to now: Int64) {
        while first + 1 < times.count, times[first + 1] <= now { first += 1 }
        times[first] = now
        if first >= 256 {
            times.removeSubrange(..<first)
            free.removeSubrange(..<first)
            first = 0
        }
    }

    @inlinable public mutating func start(_ demand: Int32, at now: Int64, duration: Int64) -> Hold? {
        guard demand <= free[first] else { return nil }
        let end = Self.end(now, duration)
        var index = first + 1
        while index < times.count, times[index] < end {
            if free[index] < demand { return nil }
            index += 1
        }
        take(demand, from: first, until: end, endSegment: index)
        return Hold(processors: demand, end: end)
    }

    @inlinable public func earliestStart(of demand: Int32, from: Int64, duration: Int64) -> Int64? {
        search(demand, from: from, duration: duration, before: .max, until: .max)
    }

    @inlinable public mutating func reserve(_ demand: Int32, from: Int64, duration: Int64) -> Hold {
        let end = Self.end(from, duration)
        let start = split(at: from)
        var index = start + 1
        while index < times.count, times[index] < end { index += 1 }
        take(demand, from: start, until: end, endSegment: index)
        merge(at: start)
        return Hold(processors: demand, end: end)
    }

    @inlinable public mutating func release(_ hold: Hold, from: Int64) {
        guard from < hold.end else { return }
        let start = split(at: from)
        var index = start
        while index < times.count, times[index] < hold.end {
            free[index] += hold.processors
            index += 1
        }
        merge(at: index)
        merge(at: start)
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

extension CountMachine {
    @inlinable static func end(_ start: Int64, _ duration: Int64) -> Int64 {
        let (end, overflow) = start.addingReportingOverflow(duration)
        return overflow ? .max : end
    }

    /// The first start in `[from, bound)` from which `demand` is free for the duration, what lies at `until` or later
    /// not counted. Nil: there is none.
    @inlinable func search(
        _ demand: Int32, from: Int64, duration: Int64, before bound: Int64, until: Int64
    ) -> Int64? {
        var index = from <= times[first] ? first : segment(of: from)
        let count = times.count
        while true {
            while index < count, free[index] < demand { index += 1 }
            guard index < count else { return nil }
            let start = max(times[index], from)
            guard start < bound else { return nil }
            let end = min(Self.end(start, duration), until)
            index += 1
            while index < count, times[index] < end, free[index] >= demand { index += 1 }
            if index == count || times[index] >= end { return start }
        }
    }

    /// The segment `time` lies in.
    @inlinable func segment(of time: Int64) -> Int {
        var low = first
        var high = times.count
        while low + 1 < high {
            let middle = (low + high) >> 1
            if times[middle] <= time { low = middle } else { high = middle }
        }
        return low
    }

    /// The segment that begins at `time`, made if need be.
    @inlinable mutating func split(at time: Int64) -> Int {
        let index = segment(of: time)
        if times[index] >= time { return index }
        times.insert(time, at: index + 1)
        free.insert(free[index], at: index + 1)
        return index + 1
    }

    /// Drops a segment that is like the one before it.
    @inlinable mutating func merge(at index: Int) {
        guard index > first, index < times.count, free[index] == free[index - 1] else { return }
        times.remove(at: index)
        free.remove(at: index)
    }

    /// Takes processors from the segments `[from, endSegment)`, of which the last reaches to `end` or beyond.
    @inlinable mutating func take(_ demand: Int32, from: Int, until end: Int64, endSegment: Int) {
        if end != .max, endSegment == times.count || times[endSegment] > end {
            times.insert(end, at: endSegment)
            free.insert(free[endSegment - 1], at: endSegment)
        }
        for index in from..<endSegment { free[index] -= demand }
        merge(at: endSegment)
    }
}
