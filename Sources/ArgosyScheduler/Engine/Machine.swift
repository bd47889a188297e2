// What the backfill engine plans on. The engine knows an order of jobs and a backfill mode; a machine knows what fits
// where and when. Identical processors (CountMachine) and real nodes are both machines, so that what is verified on the
// first against published schedules is the code that plans for the second.
//
// Time is whole seconds, intervals are half open: a job that holds [s, s + d) is gone at s + d.

/// Resources over time: what runs, what is reserved, and where a demand fits beside both.
///
/// The requirements without a default implementation are enough for a right plan; the others are there to be fast, or
/// to carry rules that are not about resources (limits, a time budget).
public protocol Machine {
    /// What a job asks for, without its duration. Copied often: make it small (an index into a table of shapes).
    associatedtype Demand
    /// What `reserve` took: enough to give it back, and for a start enough to place the job.
    associatedtype Hold

    /// The earliest time, not before `from`, at which `demand` fits for `duration` seconds without a gap, beside
    /// everything that runs or is reserved. Nil: never, not even on the empty machine.
    mutating func earliestStart(of demand: Demand, from: Int64, duration: Int64) -> Int64?

    /// Takes `demand` out of the profile for `[from, from + duration)`, where `earliestStart` said that it fits.
    mutating func reserve(_ demand: Demand, from: Int64, duration: Int64) -> Hold

    /// Gives back what `hold` still has from `from` on: an early end, or a reservation that is taken out (`from` is
    /// then its start).
    mutating func release(_ hold: Hold, from: Int64)

    // MARK: To be fast

    /// Time has come to `now`; the past is of no interest any more. Called first in each pass.
    mutating func advance(to now: Int64)

    /// Reserves `demand` from `now` on if it fits at once, for the whole duration; else changes nothing. `now` is the
    /// time of the pass.
    mutating func start(_ demand: Demand, at now: Int64, duration: Int64) -> Hold?

    /// Whether nothing at all can start now: a pass over candidates ends there.
    var isFull: Bool { get }

    /// Moves a reservation to its earliest start, never later than `start`, and returns that start. Only starts before
    /// `bound` need to be tried: nothing that was freed since the last try reaches further.
    mutating func improve(
        _ hold: inout Hold, of demand: Demand, start: Int64, duration: Int64, from now: Int64, before bound: Int64
    ) -> Int64

    // MARK: Rules beside resources

    /// Whether a job may start or be planned at all in this pass (limits, licences that are no resource, ...).
    /// False skips it: it holds nobody up. Asked once for each look at the job; what has started before in the pass is
    /// known from `didStart`.
    mutating func admits(_ job: Int32, at now: Int64) -> Bool

    /// The engine has started `job`: limits may be charged.
    mutating func didStart(_ job: Int32, at now: Int64)

    /// Whether the pass may go on after `looked` jobs: the time budget. Asked every 64 jobs.
    mutating func mayContinue(after looked: Int) -> Bool
}

extension Machine {
    @inlinable public mutating func advance(to now: Int64) {}

    @inlinable public mutating func start(_ demand: Demand, at now: Int64, duration: Int64) -> Hold? {
        guard earliestStart(of: demand, from: now, duration: duration) == now else { return nil }
        return reserve(demand, from: now, duration: duration)
    }

    @inlinable public var isFull: Bool { false }

    @inlinable public mutating func improve(
        _ hold: inout Hold, of demand: Demand, start: Int64, duration: Int64, from now: Int64, before bound: Int64
    ) -> Int64 {
        release(hold, from: start)
        let found = earliestStart(of: demand, from: now, duration: duration) ?? start
        hold = reserve(demand, from: min(found, start), duration: duration)
        return min(found, start)
    }

    @inlinable public mutating func admits(_ job: Int32, at now: Int64) -> Bool { true }
    @inlinable public mutating func didStart(_ job: Int32, at now: Int64) {}
    @inlinable public mutating func mayContinue(after looked: Int) -> Bool { true }
}
