// The forecast: where jobs that hold no reservation will start, planned beside everything that binds.
//
// It binds nobody, so it may be a little coarser than the pass, and must be: a pass looks at every job of a long queue.
// All its places are taken in the profile, so that they are feasible together and none delays anything that binds.
// What is coarser than one search for each job in turn:
// - The first jobs are planned one by one in the queue's order. Behind them the queue is read in stretches, each a part
//   of what is before it, and within a stretch equal jobs are planned together: a job is planned after others that are
//   up to that part of its own position behind it.
// - Starts on several nodes are looked for at times that lie apart by a small part of their distance
//   (NodeMachine.forecastSteps), not at each at which something changes.
import ArgosyDomain

/// The order in which a forecast takes the waiting jobs: runs of equal ones.
struct ForecastOrder {
    private(set) var jobs: [Int32] = []
    /// Where in `jobs` each run ends.
    private(set) var ends: [Int32] = []

    /// Jobs at the front that keep the queue's order, and the part of the queue before it that a stretch is long.
    static let exact = 1024
    static let part = 8

    /// - Parameters:
    ///   - waiting: numbers of jobs, in the order of the queue.
    ///   - demands: by number; equal ones are planned alike.
    ///   - classes: one more than the highest demand.
    ///   - isStrict: the queue's order throughout.
    init(_ waiting: [Int32], demands: [Int32], classes: Int, isStrict: Bool) {
        jobs.reserveCapacity(waiting.count)
        let front = isStrict ? waiting.count : min(Self.exact, waiting.count)
        for index in 0..<front {
            let isLast = index + 1 == front || demands[Int(waiting[index])] != demands[Int(waiting[index + 1])]
            jobs.append(waiting[index])
            if isLast { ends.append(Int32(index + 1)) }
        }
        var counts = Array(repeating: Int32(0), count: classes)
        var position = front
        while position < waiting.count {
            let end = min(waiting.count, position + position / Self.part)
            group(waiting[position..<end], demands, &counts)
            position = end
        }
    }

    /// Adds a stretch, equal jobs together, in the order of the first of each. `counts` is all zeros before and after.
    private mutating func group(_ stretch: ArraySlice<Int32>, _ demands: [Int32], _ counts: inout [Int32]) {
        var met: [Int32] = []
        for job in stretch {
            let demand = Int(demands[Int(job)])
            if counts[demand] == 0 { met.append(Int32(demand)) }
            counts[demand] += 1
        }
        // From here on a count is where the next job of the class goes.
        var place = Int32(jobs.count)
        for demand in met {
            let count = counts[Int(demand)]
            counts[Int(demand)] = place
            place += count
            ends.append(place)
        }
        jobs += repeatElement(-1, count: stretch.count)
        for job in stretch {
            let demand = Int(demands[Int(job)])
            jobs[Int(counts[demand])] = job
            counts[demand] += 1
        }
        for demand in met { counts[Int(demand)] = 0 }
    }
}

extension PlanningPass {
    /// Plans what waits without a reservation beside everything.
    mutating func forecast() {
        var waiting: [Int32] = []
        for number in outcomes.indices { if case .waits = outcomes[number] { waiting.append(Int32(number)) } }
        guard !waiting.isEmpty else { return }
        machine.isForecast = true
        // A forecast is for information: it gets as much again as the pass itself.
        machine.effortLimit = machine.effortLimit == .max ? .max : machine.effort + machine.effortLimit
        let order = ForecastOrder(
            waiting, demands: table.demands, classes: machine.classes.count, isStrict: machine.holdsPartitionsBack)
        var first = 0
        for end in order.ends where machine.effort < machine.effortLimit {
            place(order.jobs[first..<Int(end)])
            first = Int(end)
        }
        machine.isForecast = false
    }

    /// Plans equal jobs, as many at a time as find room at the same place.
    private mutating func place(_ run: ArraySlice<Int32>) {
        var left = run
        while let first = left.first {
            let demand = table.demands[Int(first)]
            let duration = table.durations[Int(first)]
            guard let start = machine.earliestStart(of: demand, from: machine.now, duration: duration) else {
                for number in left { setOutcome(number, .never) }
                return
            }
            let (hold, count) = machine.reserve(demand, from: start, duration: duration, copies: left.count)
            machine.holds.insert(hold, for: left.prefix(count))
            for number in left.prefix(count) { setOutcome(number, .planned(start)) }
            left = left.dropFirst(count)
        }
    }
}

extension NodeMachine {
    /// A forecast's starts on several nodes are looked for this part of their distance apart.
    static let forecastSteps: Int64 = 512

    /// Takes as many equal places beside each other as there are, at most `copies` and at least one, where
    /// `earliestStart` has just found one. The hold is one copy's; each of them has such a one.
    mutating func reserve(
        _ demand: Int32, from: Int64, duration: Int64, copies: Int
    ) -> (hold: NodeHold, count: Int) {
        let planClass = classes[Int(demand)]
        guard copies > 1, planClass.components.isEmpty, let answer = planClass.answer, answer.version == version,
            answer.time == from, answer.parts.count == 1, answer.parts[0].count == 1,
            planClass.options[answer.option].licenses.isEmpty
        else { return (reserve(demand, from: from, duration: duration), 1) }
        let end = from.plus(duration)
        let part = answer.parts[0]
        let count = max(1, min(copies, room(for: part, from, end)))
        var all = answer
        if part.isWhole {
            all.parts[0].count = Int32(count)
        } else {
            all.parts[0].need = part.need &* Int32(count)
        }
        if holdsPartitionsBack { forecastFloor = max(forecastFloor, from) }
        var hold = take(all, demand, from, end)
        hold.parts[0].count = 1
        hold.parts[0].need = part.need
        return (hold, count)
    }

    /// How many parts like this one fit in its place.
    private func room(for part: HoldPart, _ from: Int64, _ end: Int64) -> Int {
        let pool = cluster.pools[Int(part.pool)]
        if part.isWhole { return Int(pool.whole.minimum(from: from, to: end)) }
        let free =
            part.bin < 0
            ? pool.capacity
            : pool.bins[Int(part.bin)].least(from: max(from, pool.bins[Int(part.bin)].start), until: end)
        var room = Int32.max
        for lane in 0..<Amount.scalarCount where part.need[lane] > 0 { room = min(room, free[lane] / part.need[lane]) }
        return room == .max ? 1 : Int(room)
    }
}
