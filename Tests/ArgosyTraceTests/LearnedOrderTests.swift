import ArgosyScheduler
import Testing

@testable import ArgosyTrace

/// The default policy over generated workloads.
@Suite struct LearnedOrderTests {
    static func workload(_ generator: inout SplitMix) -> Workload {
        var workload = Workload(processors: Int32(generator.next(below: 7)) + 2)
        var submit: Int64 = 0
        for id in 0..<Int64(generator.next(below: 40) + 5) {
            submit += Int64(generator.next(below: 300))
            let request = Int64(generator.next(below: 2000)) + 1
            workload.jobs.append(
                TraceJob(
                    id: id, submit: submit, run: Int64(generator.next(below: UInt64(request))) + 1, request: request,
                    processors: Int32(generator.next(below: UInt64(workload.processors))) + 1,
                    user: Int32(generator.next(below: 4)) - 1, group: -1, queue: -1, isKilled: false))
        }
        return workload
    }

    static func starts(_ workload: Workload) throws -> [Int64] {
        let policy = try #require(ReferencePolicy(named: "argosy"))
        return ReferenceSimulation(workload, policy: policy).run().starts
    }

    @Test func `every job starts, and the machine is never given twice`() throws {
        var generator = SplitMix(seed: 11)
        for _ in 0..<200 {
            let workload = Self.workload(&generator)
            let starts = try Self.starts(workload)
            for (job, start) in zip(workload.jobs, starts) {
                #expect(start >= job.submit)
                let busy = zip(workload.jobs, starts).filter { $1 <= start && start < $1 + $0.run }
                #expect(busy.reduce(0) { $0 + $1.0.processors } <= workload.processors)
            }
        }
    }

    /// No decision may hang on how long a job that has not ended will run.
    @Test func `other run times of jobs that have not ended leave all starts so far as they were`() throws {
        var generator = SplitMix(seed: 5)
        var changed = 0
        for _ in 0..<300 {
            let workload = Self.workload(&generator)
            let starts = try Self.starts(workload)
            let now = starts[Int(generator.next(below: UInt64(starts.count)))]
            var other = workload
            for index in other.jobs.indices where starts[index] + other.jobs[index].run > now {
                // Still running at `now`, if it runs then.
                let least = max(1, now - starts[index] + 1)
                let request = other.jobs[index].request
                other.jobs[index].run = least + Int64(generator.next(below: UInt64(request - least + 1)))
                changed += 1
            }
            for (before, after) in zip(starts, try Self.starts(other)) {
                #expect(before <= now ? after == before : after > now)
            }
        }
        #expect(changed > 1000)
    }

    @Test func `a user's ended jobs change the order of the next ones`() throws {
        // One processor. Users 1 and 2 ask for the same; 1 has always used a hundredth of it.
        var workload = Workload(processors: 1)
        func add(_ submit: Int64, _ request: Int64, _ run: Int64, _ user: Int32) {
            workload.jobs.append(
                TraceJob(
                    id: Int64(workload.jobs.count), submit: submit, run: run, request: request, processors: 1,
                    user: user,
                    group: -1, queue: -1, isKilled: false))
        }
        add(0, 10000, 100, 1)
        add(200, 10000, 9000, 2)
        add(300, 10000, 9000, 2)
        add(301, 10000, 100, 1)
        let starts = try Self.starts(workload)
        #expect(starts[3] == 9200)
        #expect(starts[2] == 9300)
    }
}
