// The walk over the queue: modes `none` and `reservations`.

extension BackfillEngine {
    @inlinable mutating func walk(
        _ queue: PassQueue, _ jobs: JobTable<M.Demand>, _ machine: inout M, _ now: Int64, reservations: Int
    ) {
        if queue.scope == .whole {
            for one in reserved { machine.release(one.hold, from: max(one.start, now)) }
            reserved.removeAll(keepingCapacity: true)
            nextReservedStart = .max
        }
        if isBlocked { return }
        var position = 0
        // Until all reservations are given away the order of the queue rules.
        while reserved.count < reservations || mode == .none {
            guard position < queue.jobs.count else { return }
            guard mayLook(&machine) else { return leave(queue.jobs[position...]) }
            if !lead(queue.jobs[position], jobs, &machine, now) { return }
            position += 1
        }
        if let candidates = queue.candidates {
            backfill(candidates[...], jobs, &machine, now, passesOver: true)
        } else {
            backfill(queue.jobs[position...], jobs, &machine, now, passesOver: false)
        }
    }

    /// Starts a job or gives it a reservation; false: the pass ends here.
    @inlinable mutating func lead(
        _ job: Int32, _ jobs: JobTable<M.Demand>, _ machine: inout M, _ now: Int64
    ) -> Bool {
        let demand = jobs.demands[Int(job)]
        let duration = jobs.durations[Int(job)]
        guard machine.admits(job, at: now) else {
            note(job, .notAdmitted)
            return true
        }
        if let hold = machine.start(demand, at: now, duration: duration) {
            begin(job, hold, &machine, now, backfilled: !reserved.isEmpty)
            return true
        }
        guard let start = machine.earliestStart(of: demand, from: now, duration: duration) else {
            note(job, .never)
            return true
        }
        if mode == .none {
            isBlocked = true
            note(job, plansAll ? .planned(start) : .waits)
            return false
        }
        reserved.append(
            Reserved(job: job, start: start, hold: machine.reserve(demand, from: start, duration: duration)))
        nextReservedStart = min(nextReservedStart, start)
        shapes.machineChanged()
        note(job, .reserved(start))
        return true
    }

    /// Starts what fits now beside everything.
    @inlinable mutating func backfill(
        _ list: ArraySlice<Int32>, _ jobs: JobTable<M.Demand>, _ machine: inout M, _ now: Int64, passesOver: Bool
    ) {
        for position in list.indices {
            // Who explains looks at all of them.
            if !keepsVerdicts, machine.isFull { return }
            let job = list[position]
            if passesOver, isTaken(job) { continue }
            guard mayLook(&machine) else { return leave(list[position...]) }
            let duration = jobs.durations[Int(job)]
            let shape = jobs.shapes.isEmpty ? -1 : Int(jobs.shapes[Int(job)])
            if shape >= 0, !keepsVerdicts, shapes.isKnownNotToFit(shape, duration) { continue }
            guard machine.admits(job, at: now) else {
                note(job, .notAdmitted)
                continue
            }
            if !shapes.isKnownNotToFit(shape, duration) {
                if let hold = machine.start(jobs.demands[Int(job)], at: now, duration: duration) {
                    begin(job, hold, &machine, now, backfilled: true)
                    continue
                }
                shapes.didNotFit(shape, duration)
            }
            if keepsVerdicts { judge(job, shape, jobs, &machine, now) }
        }
    }

    /// Of a job that stays without a reservation.
    @inlinable mutating func judge(
        _ job: Int32, _ shape: Int, _ jobs: JobTable<M.Demand>, _ machine: inout M, _ now: Int64
    ) {
        guard plansAll else { return note(job, .waits) }
        let duration = jobs.durations[Int(job)]
        if let known = shapes.plannedStart(shape, duration) { return note(job, known) }
        let start = machine.earliestStart(of: jobs.demands[Int(job)], from: now, duration: duration)
        let verdict = start.map(Verdict.planned) ?? .never
        shapes.remember(shape, duration, verdict)
        note(job, verdict)
    }

    /// Whether a candidate was dealt with before the candidates' turn. Reservations are few in a mode with candidates.
    @inlinable func isTaken(_ job: Int32) -> Bool {
        reserved.contains { $0.job == job } || started.contains { $0.job == job }
    }

    @inlinable mutating func mayLook(_ machine: inout M) -> Bool {
        looked += 1
        return looked & 63 != 0 || machine.mayContinue(after: looked)
    }

    @inlinable mutating func leave(_ rest: ArraySlice<Int32>) {
        looked -= 1
        unlooked = Array(rest)
    }
}
