import ArgosyScheduler

@testable import ArgosyTrace

/// The reference rules as a textbook would write them: no profile, no continued passes, nothing shared with the engine.
struct NaiveSimulation {
    private struct Running {
        var end: Int64
        var plannedEnd: Int64
        var processors: Int
    }

    let workload: Workload
    let policy: String
    private var running: [Running] = []
    private var waiting: [Int] = []
    /// Conservative: reserved starts by job.
    private var promised: [Int: Int64] = [:]
    private(set) var starts: [Int64]

    init(_ workload: Workload, _ policy: String) {
        self.workload = workload
        self.policy = policy
        starts = Array(repeating: -1, count: workload.jobs.count)
    }

    mutating func run() -> [Int64] {
        var next = 0
        while true {
            var instants = running.map(\.end) + promised.values
            if next < workload.jobs.count { instants.append(workload.jobs[next].submit) }
            guard let now = instants.min() else { return starts }
            let endedEarly = running.contains { $0.end == now && $0.plannedEnd > now }
            running.removeAll { $0.end == now }
            if endedEarly, policy == "cons" { compress(now) }
            while next < workload.jobs.count, workload.jobs[next].submit == now {
                waiting.append(next)
                if policy == "cons" { promised[next] = earliest(next, now) }
                next += 1
            }
            if policy == "cons" { keepPromises(now) } else { pass(now) }
        }
    }

    private mutating func start(_ job: Int, _ now: Int64) {
        starts[job] = now
        waiting.removeAll { $0 == job }
        let one = workload.jobs[job]
        running.append(
            Running(end: now + one.run, plannedEnd: now + one.request, processors: Int(one.processors)))
    }

    private var free: Int { Int(workload.processors) - running.reduce(0) { $0 + $1.processors } }

    private func sorted(_ jobs: [Int], _ order: QueueOrder, _ now: Int64) -> [Int] {
        func key(_ index: Int) -> Double {
            let job = workload.jobs[index]
            let constant = order.constant(
                submit: job.submit, request: job.request, processors: job.processors, origin: workload.firstSubmit)
            return order.key(constant, wait: now - job.submit, request: job.request)
        }
        return jobs.sorted { (key($0), $0) < (key($1), $1) }
    }

    private mutating func pass(_ now: Int64) {
        let name = policy.hasSuffix("-easy") ? String(policy.dropLast(5)) : policy
        let order = QueueOrder(rawValue: name) ?? .fcfs
        var queue = sorted(waiting, order, now)
        while let head = queue.first, Int(workload.jobs[head].processors) <= free {
            start(head, now)
            queue.removeFirst()
        }
        guard policy.hasSuffix("easy"), let head = queue.first else { return }
        queue.removeFirst()
        var left = free
        var shadow = now
        for one in running.sorted(by: { $0.plannedEnd < $1.plannedEnd }) {
            // Everything that ends at the shadow time counts.
            if left >= Int(workload.jobs[head].processors), one.plannedEnd > shadow { break }
            left += one.processors
            shadow = one.plannedEnd
        }
        var extra = left - Int(workload.jobs[head].processors)
        for job in name == "sjbf" ? sorted(queue, .sjf, now) : queue {
            let one = workload.jobs[job]
            guard Int(one.processors) <= free else { continue }
            if now + one.request <= shadow {
                start(job, now)
            } else if Int(one.processors) <= extra {
                extra -= Int(one.processors)
                start(job, now)
            }
        }
    }

    // MARK: Conservative

    private mutating func compress(_ now: Int64) {
        for job in waiting {
            promised[job] = nil
            promised[job] = earliest(job, now)
        }
    }

    private mutating func keepPromises(_ now: Int64) {
        for job in waiting where promised[job] == now {
            promised[job] = nil
            start(job, now)
        }
    }

    private func earliest(_ job: Int, _ now: Int64) -> Int64 {
        let one = workload.jobs[job]
        var taken = running.map { (from: Int64.min, to: $0.plannedEnd, processors: $0.processors) }
        for (other, start) in promised {
            let job = workload.jobs[other]
            taken.append((start, start + job.request, Int(job.processors)))
        }
        func fits(_ start: Int64) -> Bool {
            (start..<start + one.request).allSatisfy { time in
                let used = taken.reduce(0) { $0 + ($1.from <= time && time < $1.to ? $1.processors : 0) }
                return used + Int(one.processors) <= Int(workload.processors)
            }
        }
        var start = now
        while !fits(start) { start += 1 }
        return start
    }
}
