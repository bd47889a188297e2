internal import ArgosyDomain
internal import Glibc

/// What the C library knows of this place's offsets from UTC, for the core, which asks no clock.
enum LocalTimeZone {
    private static let day: Int64 = 86400
    /// Crontabs look no further ahead than this.
    private static let years: Int64 = 20

    /// Every change between a year ago and twenty years ahead.
    static func offsets(around now: Timestamp) -> TimeZoneOffsets {
        var time = now.seconds - 366 * day
        let end = now.seconds + years * 366 * day
        var changes = [TimeZoneOffsets.Change(from: time, offset: offset(at: time))]
        while time < end {
            let next = time + 7 * day
            let known = changes[changes.count - 1].offset
            if offset(at: next) != known {
                let moment = change(between: time, next, from: known)
                changes.append(.init(from: moment, offset: offset(at: moment)))
            }
            time = next
        }
        return TimeZoneOffsets(changes)
    }

    /// The first second with another offset.
    private static func change(between first: Int64, _ last: Int64, from offset: Int32) -> Int64 {
        var (low, high) = (first, last)
        while high - low > 1 {
            let middle = (low + high) / 2
            if self.offset(at: middle) == offset { low = middle } else { high = middle }
        }
        return high
    }

    private static func offset(at seconds: Int64) -> Int32 {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        return Int32(clamping: parts.tm_gmtoff)
    }
}
