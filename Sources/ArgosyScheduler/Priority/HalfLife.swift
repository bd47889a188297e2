public import ArgosyDomain

/// How usage fades: to half in each `duration`; never, when that is zero.
///
/// Usage is kept at its worth at one moment, the epoch. What is used later enters with a larger weight, 2^(time since
/// the epoch / half-life), and is divided by that of the present when somebody reads it. So decay is a function of time,
/// never an act: how often usage is looked at or added to makes no difference.
public struct HalfLife: Hashable, Sendable {
    public let duration: Duration
    private let microseconds: Double
    public init(_ duration: Duration) {
        self.duration = duration
        microseconds = Double(max(duration.microseconds, 0))
    }

    /// What a second of use at `time` counts, in terms of `epoch`.
    public func weight(at time: Timestamp, epoch: Timestamp) -> Double {
        microseconds == 0 ? 1 : ExactMath.exp2(Double(time.microseconds - epoch.microseconds) / microseconds)
    }

    /// The weighted seconds from `start` to `end`: the integral of `weight`. Adding up parts gives the whole.
    public func weightedSeconds(from start: Timestamp, to end: Timestamp, epoch: Timestamp) -> Double {
        guard end > start else { return 0 }
        let length = Double(end.microseconds - start.microseconds)
        if microseconds == 0 { return length / 1e6 }
        let growth = ExactMath.exp2MinusOne(length / microseconds)
        return microseconds / 1e6 / 0.693147180559945309417232121458 * growth * weight(at: start, epoch: epoch)
    }

    /// Whole half-lives by which an epoch should move so that weights at `time` stay small; 0 while they are.
    func wholeHalfLives(from epoch: Timestamp, to time: Timestamp) -> Int {
        guard microseconds > 0, time > epoch else { return 0 }
        let passed = Double(time.microseconds - epoch.microseconds) / microseconds
        return passed < 64 ? 0 : Int(ExactMath.whole(passed))
    }

    /// `epoch` so many half-lives later.
    func moved(_ epoch: Timestamp, by count: Int) -> Timestamp {
        Timestamp(microseconds: epoch.microseconds + Int64(count) * duration.microseconds)
    }
}
