// When reservations are: recurring ones come again, floating ones stay ahead of now.
//
// A day is 24 hours here: the core knows no time zone but the distance from UTC when the reservation was made, so that a
// daily one begins an hour earlier or later by the clock after a change of summer time.
import ArgosyDomain

extension Reservation {
    var recurs: Bool { !flags.isDisjoint(with: .recurring) }

    var duration: Duration { end == .never ? .seconds(Int64.max / 2_000_000) : end - start }

    /// Its times as they are seen at `now`.
    func at(_ now: Timestamp) -> Reservation {
        guard flags.contains(.timeFloat) else { return self }
        var moved = self
        moved.start = now.adding(.seconds(floatOffset))
        moved.end = end == .never ? .never : moved.start.adding(end - start)
        return moved
    }

    /// The next time after this one; nil: it happens once.
    var following: Reservation? {
        var step: Int64
        if flags.contains(.hourly) {
            step = 3600
        } else if flags.contains(.weekly) {
            step = 7 * 86_400
        } else if flags.contains(.weekday) {
            step = daysUntil { (1...5).contains($0) }
        } else if flags.contains(.weekend) {
            step = daysUntil { $0 == 0 || $0 == 6 }
        } else if flags.contains(.daily) {
            step = 86_400
        } else {
            return nil
        }
        // One longer than its period goes on where it ended.
        while start.adding(.seconds(step)) < end, step < 1 << 40 { step *= 2 }
        var next = self
        next.start = start.adding(.seconds(step))
        next.end = end.adding(.seconds(step))
        return next
    }

    /// Seconds to the next day of the week (Sunday is 0) that `isWanted`, a day at least.
    private func daysUntil(_ isWanted: (Int64) -> Bool) -> Int64 {
        // 1970-01-01 was a Thursday.
        let today = (start.seconds + Int64(utcOffset)) / 86_400 + 4
        for days in 1...7 where isWanted((today + Int64(days)) % 7) { return Int64(days) * 86_400 }
        return 7 * 86_400
    }

    /// This time and those that follow, as far as they begin before `limit`; at least the first that is not over, at
    /// most `most`.
    func occurrences(from now: Timestamp, before limit: Timestamp, most: Int = 200) -> [Reservation] {
        var found: [Reservation] = []
        var next: Reservation? = at(now)
        while let one = next, found.count < most, found.isEmpty || one.start < limit {
            if one.end > now { found.append(one) }
            next = one.following
        }
        return found
    }

    /// Whether they have a moment in common; recurring ones within a week and a day.
    func meets(_ other: Reservation, at now: Timestamp) -> Bool {
        let limit = max(start, other.start).adding(.seconds(8 * 86_400))
        let theirs = other.occurrences(from: now, before: limit)
        return occurrences(from: now, before: limit).contains { mine in
            theirs.contains { mine.start < $0.end && $0.start < mine.end }
        }
    }

    /// The CPUs it takes of a node; nil: all.
    func cpus(of node: NodeIndex) -> CPUSet? {
        guard let share = nodes.first(where: { $0.index == node }), !share.cpus.isEmpty else { return nil }
        return share.cpus
    }

    func has(_ node: NodeIndex) -> Bool { nodes.contains { $0.index == node } }
}

/// Whether a node is set aside at this moment, and for what.
enum ReservedNow: UInt8, Sendable { case use, maintenance }
