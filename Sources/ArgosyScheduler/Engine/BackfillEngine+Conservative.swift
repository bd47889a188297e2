// Conservative backfill: every waiting job holds a reservation, made when it was first seen, and never loses it to a
// later one.
//
// When something was freed each reservation is, in the order they were made, taken out and put back at its earliest
// start: never later than before, as its old place is still there. A try is only worth while where something was freed
// since the last one: by a job that ended early (the caller says how far that reaches) or by a reservation that moved
// away. So tries are bounded by the furthest end of all that, and a machine may answer most of them with one look.

extension BackfillEngine {
    /// Something was freed, and nothing of it lies at `end` or later: an ended job's planned end. Worth telling in
    /// conservative mode only, and then of everything: a whole pass that was told nothing tries all places.
    @inlinable public mutating func freed(until end: Int64) { freedEnd = max(freedEnd ?? .min, end) }

    /// Takes over a reservation that was made before: the state that goes from one planner to the next. The caller has
    /// reserved it on the machine. In the order in which they were made.
    @inlinable public mutating func adopt(_ job: Int32, start: Int64, hold: M.Hold) {
        reserved.append(Reserved(job: job, start: start, hold: hold))
        nextReservedStart = min(nextReservedStart, start)
        movedEnd = .max
    }

    /// Takes a job out that will not run, with its reservation; the next pass must be a whole one.
    public mutating func withdraw(_ job: Int32, from machine: inout M) {
        guard let at = reserved.firstIndex(where: { $0.job == job }) else { return }
        machine.release(reserved[at].hold, from: reserved[at].start)
        movedEnd = .max
        reserved.remove(at: at)
    }

    @inlinable mutating func conserve(
        _ queue: PassQueue, _ jobs: JobTable<M.Demand>, _ machine: inout M, _ now: Int64
    ) {
        if queue.scope == .whole { compress(jobs, &machine, now) }
        for position in queue.jobs.indices {
            guard mayLook(&machine) else {
                leave(queue.jobs[position...])
                break
            }
            enter(queue.jobs[position], jobs, &machine, now)
        }
        startDue(&machine, now)
    }

    @inlinable mutating func compress(_ jobs: JobTable<M.Demand>, _ machine: inout M, _ now: Int64) {
        var bound = max(movedEnd, freedEnd ?? .max)
        movedEnd = .min
        freedEnd = nil
        for index in reserved.indices where reserved[index].start > now {
            let job = Int(reserved[index].job)
            let before = reserved[index].start
            let duration = jobs.durations[job]
            let start = machine.improve(
                &reserved[index].hold, of: jobs.demands[job], start: before, duration: duration, from: now,
                before: bound)
            guard start < before else { continue }
            reserved[index].start = start
            nextReservedStart = min(nextReservedStart, start)
            // What it left is new to those behind it now, and to those before it next time.
            let (end, overflow) = before.addingReportingOverflow(duration)
            movedEnd = max(movedEnd, overflow ? .max : end)
            bound = max(bound, movedEnd)
        }
    }

    /// Gives an arrival its reservation.
    @inlinable mutating func enter(
        _ job: Int32, _ jobs: JobTable<M.Demand>, _ machine: inout M, _ now: Int64
    ) {
        guard machine.admits(job, at: now) else { return note(job, .notAdmitted) }
        let demand = jobs.demands[Int(job)]
        let duration = jobs.durations[Int(job)]
        if let hold = machine.start(demand, at: now, duration: duration) {
            begin(job, hold, &machine, now, backfilled: false)
            return
        }
        guard let start = machine.earliestStart(of: demand, from: now, duration: duration) else {
            return note(job, .never)
        }
        let hold = machine.reserve(demand, from: start, duration: duration)
        reserved.append(Reserved(job: job, start: start, hold: hold))
        nextReservedStart = min(nextReservedStart, start)
    }

    /// Starts those whose time has come, and notes the others'.
    @inlinable mutating func startDue(_ machine: inout M, _ now: Int64) {
        guard nextReservedStart <= now || keepsVerdicts else { return }
        nextReservedStart = .max
        var kept = 0
        for index in reserved.indices {
            let one = reserved[index]
            if one.start <= now {
                begin(one.job, one.hold, &machine, now, backfilled: false)
                continue
            }
            nextReservedStart = min(nextReservedStart, one.start)
            note(one.job, .reserved(one.start))
            if kept != index { reserved[kept] = one }
            kept += 1
        }
        reserved.removeLast(reserved.count - kept)
    }
}
