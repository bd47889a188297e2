/// Microseconds since 1970-01-01 UTC, in the core's time (see DESIGN: it never goes back).
public struct Timestamp: Hashable, Comparable, Sendable {
    public var microseconds: Int64
    public init(microseconds: Int64) { self.microseconds = microseconds }
    /// Saturates.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        microseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }
    /// Stands for "not set" in records and on the wire.
    public static let unset = Timestamp(microseconds: 0)
    public static let never = Timestamp(microseconds: .max)
    public var isSet: Bool { microseconds != 0 }
    /// Whole seconds, as Slurm shows times.
    public var seconds: Int64 { microseconds / 1_000_000 }
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    /// This time plus `duration`; `.never` when that is beyond all times. Never plus anything stays never.
    public func adding(_ duration: Duration) -> Timestamp {
        if self == .never { return .never }
        let (sum, overflow) = microseconds.addingReportingOverflow(duration.microseconds)
        return overflow ? (duration < .zero ? Timestamp(microseconds: .min) : .never) : Timestamp(microseconds: sum)
    }
    /// Saturates.
    public static func - (a: Timestamp, b: Timestamp) -> Duration {
        let (difference, overflow) = a.microseconds.subtractingReportingOverflow(b.microseconds)
        return .microseconds(overflow ? (a < b ? .min : .max) : difference)
    }
}

extension Duration {
    /// Whole microseconds, towards zero; saturates.
    public var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, beyond) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return beyond ? (seconds < 0 ? .min : .max) : sum
    }
}

/// A time limit in whole minutes, as Slurm keeps it.
public struct TimeLimit: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(minutes: UInt32) { self.rawValue = minutes }
    /// 0 on the wire: not given.
    public static let notGiven = TimeLimit(rawValue: 0)
    public static let unlimited = TimeLimit(rawValue: .max)
    public static func < (a: TimeLimit, b: TimeLimit) -> Bool { a.rawValue < b.rawValue }
    /// Nil for unlimited and not given.
    public var duration: Duration? {
        self == .unlimited || self == .notGiven ? nil : .seconds(Int64(rawValue) * 60)
    }
}
