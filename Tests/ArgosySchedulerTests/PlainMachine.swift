import ArgosyScheduler

/// Identical processors, second by second up to a horizon, with nothing but what the protocol requires: what the fast
/// machine and the customization points are compared with.
struct PlainMachine: Machine {
    struct Hold: Equatable {
        var processors: Int32
        var end: Int64
    }

    let processors: Int32
    private(set) var free: [Int32]

    init(processors: Int32, horizon: Int) {
        self.processors = processors
        free = Array(repeating: processors, count: horizon)
    }

    mutating func earliestStart(of demand: Int32, from: Int64, duration: Int64) -> Int64? {
        guard demand <= processors else { return nil }
        var start = Int(from)
        while !free[start..<start + Int(duration)].allSatisfy({ $0 >= demand }) { start += 1 }
        return Int64(start)
    }

    mutating func reserve(_ demand: Int32, from: Int64, duration: Int64) -> Hold {
        for second in Int(from)..<Int(from + duration) {
            free[second] -= demand
            precondition(free[second] >= 0, "a processor was given twice at \(second)")
        }
        return Hold(processors: demand, end: from + duration)
    }

    mutating func release(_ hold: Hold, from: Int64) {
        guard from < hold.end else { return }
        for second in Int(from)..<Int(hold.end) {
            free[second] += hold.processors
            precondition(free[second] <= processors, "a processor was given back twice at \(second)")
        }
    }
}

/// Another machine with rules of its own, which counts what it is asked.
struct RuledMachine: Machine {
    var machine: CountMachine
    /// Looks a pass may take.
    var budget = Int.max
    var refused: Set<Int32> = []
    /// Starts and searches.
    var searches = 0
    var started: [Int32] = []

    init(processors: Int32) { machine = CountMachine(processors: processors, now: 0) }

    mutating func advance(to now: Int64) { machine.advance(to: now) }

    mutating func earliestStart(of demand: Int32, from: Int64, duration: Int64) -> Int64? {
        searches += 1
        return machine.earliestStart(of: demand, from: from, duration: duration)
    }

    mutating func reserve(_ demand: Int32, from: Int64, duration: Int64) -> CountMachine.Hold {
        machine.reserve(demand, from: from, duration: duration)
    }

    mutating func release(_ hold: CountMachine.Hold, from: Int64) { machine.release(hold, from: from) }
    mutating func admits(_ job: Int32, at now: Int64) -> Bool { !refused.contains(job) }
    mutating func didStart(_ job: Int32, at now: Int64) { started.append(job) }
    mutating func mayContinue(after looked: Int) -> Bool { looked <= budget }
}

/// Numbers that only depend on the seed (Steele, Lea and Flood's SplitMix64).
struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
