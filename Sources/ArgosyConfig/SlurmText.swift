// Values as Slurm writes them, shared by configuration and command options.

public import ArgosyDomain

public enum SlurmText {
    /// A time in seconds: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes`,
    /// `days-hours:minutes:seconds`. Nil when `text` is none of these or too large to count.
    public static func seconds(_ text: String) -> UInt64? {
        let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let last = halves.last else { return nil }
        let parts = last.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number($0) }
        guard numbers.count == parts.count, (1...3).contains(numbers.count) else { return nil }
        if halves.count == 2 {
            guard let days = number(halves[0]) else { return nil }
            let units: [UInt64] = [3600, 60, 1]
            return days * 86_400 + zip(numbers, units).reduce(0) { $0 + $1.0 * $1.1 }
        }
        switch numbers.count {
        case 1: return numbers[0] * 60
        case 2: return numbers[0] * 60 + numbers[1]
        default: return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
        }
    }

    /// A time limit: a time as above, rounded up to minutes, or UNLIMITED, INFINITE, -1. Zero is no limit.
    public static func timeLimit(_ text: String) -> TimeLimit? {
        switch text.uppercased() {
        case "UNLIMITED", "INFINITE", "-1": return .unlimited
        default: break
        }
        guard let seconds = seconds(text) else { return nil }
        let minutes = (seconds + 59) / 60
        guard minutes < UInt64(UInt32.max) else { return nil }
        return minutes == 0 ? .unlimited : TimeLimit(minutes: UInt32(minutes))
    }

    /// A size in MiB: a number with K, M (default), G, T or P after it (also KB, KiB, ...); rounded up.
    public static func mebibytes(_ text: String, defaultUnit: Character = "M") -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = number(digits) else { return nil }
        var unit = text[digits.endIndex...].uppercased()
        if unit.hasSuffix("IB") {
            unit.removeLast(2)
        } else if unit.hasSuffix("B"), unit.count == 2 {
            unit.removeLast()
        }
        guard unit.count <= 1 else { return nil }
        switch unit.first ?? defaultUnit {
        case "K": return (count + 1023) / 1024
        case "M": return count
        case "G": return count << 10
        case "T": return count << 20
        case "P": return count < 1 << 20 ? count << 30 : nil
        default: return nil
        }
    }

    /// Up to ten digits and nothing else, so that sums of them cannot overflow.
    public static func number(_ text: some StringProtocol) -> UInt64? {
        guard !text.isEmpty, text.utf8.count <= 10, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return UInt64(text)
    }

    /// YES NO TRUE FALSE UP DOWN 1 0, in any case, as Slurm's configuration reads them.
    public static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "yes", "true", "up", "1", "y", "t": true
        case "no", "false", "down", "0", "n", "f": false
        default: nil
        }
    }
}
