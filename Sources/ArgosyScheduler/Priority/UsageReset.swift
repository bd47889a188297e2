// When PriorityUsageResetPeriod sets usage to 0: at midnight of the administrator's days.

public import ArgosyConfig
public import ArgosyDomain

extension PrioritySettings.UsageReset {
    /// The last moment at or before `now` when usage was due to be set to 0; nil for NONE and NOW (which acts when the
    /// configuration is read). Usage whose last reset is before this is to be reset.
    ///
    /// - Parameters:
    ///   - secondsEastOfUTC: of local time.
    public func latest(at now: Timestamp, secondsEastOfUTC: Int64 = 0) -> Timestamp? {
        let day = Self.floorDivide(now.seconds + secondsEastOfUTC, 86_400)
        guard let first = firstDay(of: day) else { return nil }
        return Timestamp(seconds: first * 86_400 - secondsEastOfUTC)
    }

    /// The first such moment after `now`.
    public func next(after now: Timestamp, secondsEastOfUTC: Int64 = 0) -> Timestamp? {
        let day = Self.floorDivide(now.seconds + secondsEastOfUTC, 86_400)
        guard let first = firstDay(of: day) else { return nil }
        // The longest period is 366 days: some day from tomorrow on begins another.
        for later in day + 1...day + 366 {
            guard let start = firstDay(of: later), start > first else { continue }
            return Timestamp(seconds: start * 86_400 - secondsEastOfUTC)
        }
        return nil
    }

    /// First day of the period that `day` (since 1970-01-01, a Thursday) is in.
    private func firstDay(of day: Int64) -> Int64? {
        let (year, month) = Self.yearAndMonth(of: day)
        switch self {
        case .none, .now: return nil
        case .daily: return day
        case .weekly: return day - (day + 4 - Self.floorDivide(day + 4, 7) * 7)
        case .monthly: return Self.day(ofYear: year, month: month)
        case .quarterly: return Self.day(ofYear: year, month: (month - 1) / 3 * 3 + 1)
        case .yearly: return Self.day(ofYear: year, month: 1)
        }
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((b - 1 - a) / b) }

    /// Days before the first of a month, counted in years that begin in March so that the leap day is the last.
    private static func day(ofYear year: Int64, month: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let months = (month + 9) % 12
        let days = shifted * 365 + floorDivide(shifted, 4) - floorDivide(shifted, 100) + floorDivide(shifted, 400)
        return days + (months * 153 + 2) / 5 - 719_468
    }

    private static func yearAndMonth(of day: Int64) -> (year: Int64, month: Int64) {
        var year = 1970 + floorDivide(day, 366)
        while Self.day(ofYear: year + 1, month: 1) <= day { year += 1 }
        var month: Int64 = 1
        while month < 12, Self.day(ofYear: year, month: month + 1) <= day { month += 1 }
        return (year, month)
    }
}
