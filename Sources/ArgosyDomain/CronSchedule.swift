// When a line of a crontab runs: `minute hour day month weekday` as crontab(5) writes them, or `@daily` and its like.

/// Offsets from UTC of one place over time. Without any: UTC.
public struct TimeZoneOffsets: Hashable, Sendable {
    public struct Change: Hashable, Sendable {
        /// Seconds since 1970 UTC, from when on.
        public var from: Int64
        /// Seconds east of UTC.
        public var offset: Int32
        public init(from: Int64, offset: Int32) {
            self.from = from
            self.offset = offset
        }
    }
    /// Ascending.
    public var changes: [Change]
    public init(_ changes: [Change] = []) { self.changes = changes }

    func offset(at time: Int64) -> Int64 {
        Int64(changes.last { $0.from <= time }?.offset ?? changes.first?.offset ?? 0)
    }
}

public struct CronSchedule: Hashable, Sendable {
    /// Bits by value.
    private var minutes: UInt64 = 0
    private var hours: UInt64 = 0
    private var days: UInt64 = 0
    private var months: UInt64 = 0
    /// 0: Sunday.
    private var weekdays: UInt64 = 0
    /// A day or weekday that begins with `*` asks for nothing; of two that ask, one is enough.
    private var asksDay = false
    private var asksWeekday = false

    /// What is wrong with the text.
    public struct Malformed: Error, Equatable, Sendable { public var why: String }

    /// Words that stand for all five fields.
    public static let macros: [(word: String, fields: String)] = [
        ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"), ("@monthly", "0 0 1 * *"), ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@hourly", "0 * * * *"), ("@elevenses", "0 11 * * *"),
        ("@fika", "0 15 * * *"), ("@noon", "0 12 * * *"), ("@teatime", "0 16 * * *"),
    ]

    /// Five fields with blanks between them, or one of the macros.
    public init(_ text: String) throws(Malformed) {
        var words = text.split { $0 == " " || $0 == "\t" }.map(String.init)
        if words.count == 1, let macro = Self.macros.first(where: { $0.word == words[0].lowercased() }) {
            words = macro.fields.split(separator: " ").map(String.init)
        }
        guard words.count == 5 else {
            throw Malformed(
                why: "\"\(text)\" has \(words.count) fields; write minute hour day month weekday, or @daily")
        }
        minutes = try Self.bits(words[0], 0...59, [], "minute")
        hours = try Self.bits(words[1], 0...23, [], "hour")
        days = try Self.bits(words[2], 1...31, [], "day of the month")
        months = try Self.bits(words[3], 1...12, Self.monthNames, "month")
        weekdays = try Self.bits(words[4], 0...7, Self.dayNames, "day of the week")
        if weekdays & 1 << 7 != 0 { weekdays |= 1 }
        asksDay = !words[2].hasPrefix("*")
        asksWeekday = !words[4].hasPrefix("*")
    }

    private static let monthNames = [
        "", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// `*`, `*/5`, `1,3-5`, `10-20/2`, names.
    private static func bits(
        _ text: String, _ range: ClosedRange<Int>, _ names: [String], _ what: String
    ) throws(Malformed) -> UInt64 {
        func number(_ part: Substring) throws(Malformed) -> Int {
            if let named = names.firstIndex(of: part.lowercased()), named >= range.lowerBound { return named }
            guard part.count <= 2, let value = Int(part), range.contains(value), part.first?.isNumber == true else {
                throw Malformed(
                    why: "\"\(text)\" is no \(what); it is \(range.lowerBound) to \(range.upperBound), * or */N")
            }
            return value
        }
        var bits: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            var step = 1
            if parts.count == 2 {
                guard let value = Int(parts[1]), value > 0 else {
                    throw Malformed(why: "\"\(text)\" is no \(what): after / comes a number above 0")
                }
                step = value
            }
            var (first, last) = (range.lowerBound, range.upperBound)
            if parts[0] != "*" {
                let ends = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
                first = try number(ends[0])
                last = ends.count == 2 ? try number(ends[1]) : parts.count == 2 ? range.upperBound : first
                guard first <= last else { throw Malformed(why: "\"\(text)\" runs backwards") }
            }
            for value in stride(from: first, through: last, by: step) { bits |= 1 << UInt64(value) }
        }
        return bits
    }

    /// The first minute after `time` that the schedule names; nil when there is none in eight years (30 February).
    public func next(after time: Timestamp, _ zone: TimeZoneOffsets) -> Timestamp? {
        let start = (time.seconds / 60 + 1) * 60
        let local = start + zone.offset(at: start)
        let today = Self.floorDivide(local, 86400)
        for day in today...today + 366 * 8 where runs(onDay: day) {
            let from = day == today ? (local - day * 86400) / 60 : 0
            for minute in from..<1440 {
                guard hours & 1 << UInt64(minute / 60) != 0, minutes & 1 << UInt64(minute % 60) != 0 else { continue }
                let wanted = day * 86400 + minute * 60
                var moment = wanted - zone.offset(at: wanted - zone.offset(at: wanted))
                if moment + zone.offset(at: moment) != wanted { moment = wanted - zone.offset(at: moment) }
                if moment >= start { return Timestamp(seconds: moment) }
            }
        }
        return nil
    }

    private func runs(onDay number: Int64) -> Bool {
        let (month, day) = Self.civil(number)
        guard months & 1 << UInt64(month) != 0 else { return false }
        // 1 January 1970 was a Thursday.
        let weekday = ((number + 4) % 7 + 7) % 7
        let (isDay, isWeekday) = (days & 1 << UInt64(day) != 0, weekdays & 1 << UInt64(weekday) != 0)
        return asksDay && asksWeekday ? isDay || isWeekday : isDay && isWeekday
    }

    /// Month and day of the month of a day since 1970-01-01, in the Gregorian calendar (years that begin in March).
    private static func civil(_ number: Int64) -> (month: Int64, day: Int64) {
        let shifted = number + 719_468
        let era = floorDivide(shifted, 146_097)
        let ofEra = shifted - era * 146_097
        let year = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        return (month < 10 ? month + 3 : month - 9, ofYear - (153 * month + 2) / 5 + 1)
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((b - 1 - a) / b) }
}
