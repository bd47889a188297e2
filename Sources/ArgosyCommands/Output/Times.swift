// Times as Slurm writes and reads them.

import ArgosyDomain
import Glibc

enum Times {
    /// `2026-11-21T09:26:12` in local time, or as SLURM_TIME_FORMAT says; `unset` for 0.
    static func stamp(_ microseconds: Int64, unset: String = "N/A") -> String {
        guard microseconds > 0, microseconds < Int64.max / 2 else { return unset }
        switch format {
        case "", "standard": return standard(microseconds / 1_000_000, unset: unset)
        case "relative": return relative(microseconds / 1_000_000, now: now())
        default: return custom(microseconds / 1_000_000, format, unset: unset)
        }
    }

    /// SLURM_TIME_FORMAT; one that is no format is told once and passed over.
    private static let format: String = {
        let text = Process.variable("SLURM_TIME_FORMAT") ?? ""
        if text.isEmpty || text == "standard" || text == "relative" || text.contains("%") { return text }
        Console.error(baseName(CommandLine.arguments.first ?? ""), "invalid SLURM_TIME_FORMAT = '\(text)'")
        return ""
    }()

    static func standard(_ seconds: Int64, unset: String = "N/A") -> String {
        let (parts, ok) = local(seconds)
        guard ok else { return unset }
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    /// `15:26:10` today, `Tomorr 15:26`, `Ystday 15:26`, `Tue 15:26` in the coming week, `1 Dec 15:26` this year, else
    /// `5 Jan 2027`.
    static func relative(_ seconds: Int64, now: Int64) -> String {
        let (parts, _) = local(seconds)
        let (today, _) = local(now)
        let clock = "\(two(parts.tm_hour)):\(two(parts.tm_min))"
        let days = dayNumber(parts) - dayNumber(today)
        switch days {
        case 0: return "\(clock):\(two(parts.tm_sec))"
        case 1: return "Tomorr \(clock)"
        case -1: return "Ystday \(clock)"
        case 2...6: return "\(dayNames[Int(parts.tm_wday) % 7]) \(clock)"
        default:
            let date = "\(parts.tm_mday) \(monthNames[Int(parts.tm_mon) % 12])"
            return parts.tm_year == today.tm_year ? "\(date) \(clock)" : "\(date) \(parts.tm_year + 1900)"
        }
    }

    /// Days since some day, of a local date.
    private static func dayNumber(_ parts: tm) -> Int {
        let years = Int(parts.tm_year) + 1899
        return years * 365 + years / 4 - years / 100 + years / 400 + Int(parts.tm_yday)
    }

    private static func custom(_ seconds: Int64, _ format: String, unset: String) -> String {
        var (parts, ok) = local(seconds)
        guard ok else { return unset }
        var buffer = [CChar](repeating: 0, count: 256)
        let length = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static let dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sat Nov 21 09:26:12 2026`
    static func dateLine(_ seconds: Int64) -> String {
        let (parts, _) = local(seconds)
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return
            "\(dayNames[Int(parts.tm_wday) % 7]) \(monthNames[Int(parts.tm_mon) % 12]) \(two(parts.tm_mday)) \(time) "
            + "\(parts.tm_year + 1900)"
    }

    static func local(_ seconds: Int64) -> (tm, Bool) {
        var time = time_t(seconds)
        var parts = tm()
        return localtime_r(&time, &parts) == nil ? (parts, false) : (parts, true)
    }

    /// As squeue and sinfo: `0:21`, `30:00`, `1:00:00`, `2-00:00:00`.
    static func short(_ seconds: Int64) -> String {
        let all = max(0, seconds)
        let (days, hours, minutes, rest) = (all / 86400, all / 3600 % 24, all / 60 % 60, all % 60)
        if days > 0 { return "\(days)-\(two(hours)):\(two(minutes)):\(two(rest))" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }

    /// As sacct and scontrol: `00:00:21`, `2-00:00:00`.
    static func long(_ seconds: Int64) -> String {
        let all = max(0, seconds)
        let (days, hours, minutes, rest) = (all / 86400, all / 3600 % 24, all / 60 % 60, all % 60)
        return (days > 0 ? "\(days)-" : "") + "\(two(hours)):\(two(minutes)):\(two(rest))"
    }

    static func now() -> Int64 { Int64(time(nil)) }
}

/// Reads a point in time as `--begin` and sacct's `-S` take it.
///
///     now  now+90  now-2hours  today  tomorrow  midnight  noon  fika  teatime
///     16:00  16:00:30  4:00PM  0131  013125  01/31  01/31/25  01.31.25  2026-01-31  2026-01-31T12:00
struct MomentParser {
    /// Seconds since 1970.
    var now: Int64
    /// `--begin` means the future: a time of day that has passed is tomorrow's. sacct means the past.
    var future: Bool

    /// Seconds since 1970; nil when `text` is none of the forms.
    func parse(_ text: String) -> Int64? {
        let word = text.lowercased()
        if word.hasPrefix("now") { return offset(word.dropFirst(3)) }
        if let time = atHour(word) { return time }
        if word == "today" { return future ? now : day(0, hour: 0, minute: 0, second: 0) }
        if word == "tomorrow" { return day(1, hour: 0, minute: 0, second: 0) }
        if let uptime = word.hasPrefix("uts") ? word.dropFirst(3) : nil { return Int64(uptime) }
        let parts = word.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "t" || $0 == " " })
        if parts.count == 1, let clock = clock(parts[0]) {
            guard let time = day(0, hour: clock.0, minute: clock.1, second: clock.2) else { return nil }
            return future && time < now ? day(1, hour: clock.0, minute: clock.1, second: clock.2) : time
        }
        guard (1...2).contains(parts.count) else { return nil }
        if parts.count == 1, let dash = parts[0].lastIndex(of: "-"), parts[0].filter({ $0 == "-" }).count == 1 {
            guard let clock = clock(parts[0][parts[0].index(after: dash)...]) else { return nil }
            return date(parts[0][..<dash]).flatMap { make($0, clock) }
        }
        guard let date = date(parts[0]) else { return nil }
        if parts.count == 1 { return make(date, (0, 0, 0)) }
        return clock(parts[1]).flatMap { make(date, $0) }
    }

    private func offset(_ text: Substring) -> Int64? {
        guard let sign = text.first else { return now }
        guard sign == "+" || sign == "-" else { return nil }
        let digits = text.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.count <= 10, let count = Int64(digits) else { return nil }
        let unit = text.dropFirst(1 + digits.count)
        let units: [(String, Int64)] = [
            ("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86400), ("weeks", 604_800),
        ]
        guard let factor = unit.isEmpty ? 1 : units.first(where: { $0.0.hasPrefix(unit) })?.1 else { return nil }
        return now + (sign == "+" ? 1 : -1) * count * factor
    }

    private func atHour(_ word: String) -> Int64? {
        let hours = ["midnight": 0, "noon": 12, "fika": 15, "teatime": 16, "elevenses": 11]
        guard let hour = hours[word], let time = day(0, hour: Int32(hour), minute: 0, second: 0) else { return nil }
        return future && time < now ? day(1, hour: Int32(hour), minute: 0, second: 0) : time
    }

    private func day(_ days: Int32, hour: Int32, minute: Int32, second: Int32) -> Int64? {
        let (today, ok) = Times.local(now)
        guard ok else { return nil }
        return make((today.tm_year + 1900, today.tm_mon + 1, today.tm_mday + days), (hour, minute, second))
    }

    /// `HH:MM[:SS][AM|PM]`
    private func clock(_ text: Substring) -> (Int32, Int32, Int32)? {
        var digits = text
        let half = ["am", "pm"].first { digits.hasSuffix($0) }
        if half != nil { digits = digits.dropLast(2) }
        let parts = digits.split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
        guard (2...3).contains(parts.count), let hour = parts[0], let minute = parts[1] else { return nil }
        let second = parts.count == 3 ? parts[2] : 0
        guard let second, (0...59).contains(minute), (0...59).contains(second) else { return nil }
        guard half != nil else { return (0...24).contains(hour) ? (hour, minute, second) : nil }
        guard (1...12).contains(hour) else { return nil }
        return (hour % 12 + (half == "pm" ? 12 : 0), minute, second)
    }

    private func date(_ text: Substring) -> (Int32, Int32, Int32)? {
        let year = Times.local(now).0.tm_year + 1900
        for separator in ["/", "."] as [Character] where text.contains(separator) {
            let parts = text.split(separator: separator, omittingEmptySubsequences: false).compactMap { Int32($0) }
            guard (2...3).contains(parts.count) else { return nil }
            return checked(parts.count == 3 ? century(parts[2]) : year, parts[0], parts[1])
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).compactMap { Int32($0) }
        if parts.count == 3 { return checked(parts[0], parts[1], parts[2]) }
        guard text.count == 4 || text.count == 6, let digits = Int32(text) else { return nil }
        if text.count == 4 { return checked(year, digits / 100, digits % 100) }
        return checked(century(digits % 100), digits / 10000, digits / 100 % 100)
    }

    private func century(_ year: Int32) -> Int32 { year < 100 ? 2000 + year : year }

    private func checked(_ year: Int32, _ month: Int32, _ day: Int32) -> (Int32, Int32, Int32)? {
        (1970...9999).contains(year) && (1...12).contains(month) && (1...31).contains(day) ? (year, month, day) : nil
    }

    private func make(_ date: (Int32, Int32, Int32), _ clock: (Int32, Int32, Int32)) -> Int64? {
        var parts = tm()
        parts.tm_year = date.0 - 1900
        parts.tm_mon = date.1 - 1
        parts.tm_mday = date.2
        parts.tm_hour = clock.0
        parts.tm_min = clock.1
        parts.tm_sec = clock.2
        parts.tm_isdst = -1
        let time = mktime(&parts)
        return time == -1 ? nil : Int64(time)
    }
}
