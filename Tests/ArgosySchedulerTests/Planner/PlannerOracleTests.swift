import ArgosyDomain
import Testing

@testable import ArgosyScheduler

/// On one node there is no choice of place: each job's planned start must be the first second at which it fits, found
/// here by trying all of them.
@Suite struct PlannerOracleTests {
    struct Job {
        var cpus: Int
        var memory: Int
        var seconds: Int
    }
    static let cores = 3
    static let memory = 4
    static let horizon = 64

    /// Starts in order, each as early as it fits beside those before it.
    static func oracle(_ running: Job?, _ jobs: [Job]) -> [Int64] {
        var cpus = Array(repeating: 0, count: horizon)
        var memory = cpus
        func take(_ job: Job, at start: Int) {
            for second in start..<start + job.seconds {
                cpus[second] += job.cpus
                memory[second] += job.memory
            }
        }
        if let running { take(running, at: 0) }
        return jobs.map { job in
            var start = 0
            while !(start..<start + job.seconds).allSatisfy({
                cpus[$0] + job.cpus <= cores && memory[$0] + job.memory <= self.memory
            }) { start += 1 }
            take(job, at: start)
            return Int64(start)
        }
    }

    static func planned(_ running: Job?, _ jobs: [Job], _ backfill: SchedulerSettings.Backfill) -> [Int64?] {
        var cluster = PlannerCluster(nodes: 1, cores: cores, memoryMiB: UInt64(memory))
        cluster.snapshot.settings.backfill = backfill
        if let running {
            cluster.run(99, on: 0, cpus: running.cpus, ends: Int64(running.seconds), memoryMiB: UInt64(running.memory))
        }
        for (index, job) in jobs.enumerated() {
            cluster.submit(UInt32(index + 1), tasks: job.cpus, seconds: Int64(job.seconds)) {
                $0.memoryPerNodeMiB = UInt64(job.memory)
            }
        }
        let plan = cluster.plan()
        return jobs.indices.map { plan.start(UInt32($0 + 1)) }
    }

    static let kinds = [
        Job(cpus: 1, memory: 1, seconds: 1), Job(cpus: 1, memory: 3, seconds: 3), Job(cpus: 2, memory: 1, seconds: 2),
        Job(cpus: 3, memory: 2, seconds: 2), Job(cpus: 2, memory: 4, seconds: 1), Job(cpus: 1, memory: 2, seconds: 5),
    ]

    @Test(arguments: 0..<4) func `four jobs on one node start when trying every second says so`(variant: Int) {
        let running = [nil, Self.kinds[1], Self.kinds[2], Self.kinds[5]][variant]
        let count = Self.kinds.count
        for number in 0..<count * count * count * count {
            let jobs = [number, number / count, number / count / count, number / count / count / count]
                .map { Self.kinds[$0 % count] }
            let expected = Self.oracle(running, jobs)
            #expect(Self.planned(running, jobs, .reservations(.max)).map { $0 ?? -1 } == expected, "case \(number)")
        }
    }

    @Test func `conservative makes the same first plan`() {
        for number in 0..<216 {
            let jobs = [number, number / 6, number / 36].map { Self.kinds[$0 % 6] }
            let planned = Self.planned(Self.kinds[2], jobs, .conservative).map { $0 ?? -1 }
            #expect(planned == Self.oracle(Self.kinds[2], jobs), "case \(number)")
        }
    }
}
