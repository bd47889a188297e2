/// What a pass has learnt about jobs of equal shape, so that each shape is planned once.
@usableFromInline struct ShapeMemory {
    /// The shortest duration that was tried and did not fit now.
    @usableFromInline var tooLong: [Int64] = []
    /// The last planned start, for which duration, and at which state of the machine.
    @usableFromInline var planned: [(duration: Int64, version: Int, verdict: Verdict)] = []
    @usableFromInline var version = 0

    @inlinable init() {}

    @inlinable mutating func reset(count: Int) {
        tooLong = Array(repeating: .max, count: count)
        planned = Array(repeating: (0, -1, .notLooked), count: count)
        version = 0
    }

    /// Planned starts from before are void; what does not fit still does not.
    @inlinable mutating func machineChanged() { version += 1 }

    @inlinable func isKnownNotToFit(_ shape: Int, _ duration: Int64) -> Bool {
        shape >= 0 && tooLong[shape] <= duration
    }

    @inlinable mutating func didNotFit(_ shape: Int, _ duration: Int64) {
        if shape >= 0, duration < tooLong[shape] { tooLong[shape] = duration }
    }

    @inlinable func plannedStart(_ shape: Int, _ duration: Int64) -> Verdict? {
        guard shape >= 0, planned[shape].version == version, planned[shape].duration == duration else { return nil }
        return planned[shape].verdict
    }

    @inlinable mutating func remember(_ shape: Int, _ duration: Int64, _ verdict: Verdict) {
        if shape >= 0 { planned[shape] = (duration, version, verdict) }
    }
}
