import ArgosyScheduler
import Testing

@testable import ArgosyTrace

/// A trace small enough to be scheduled by hand, from the file to the numbers.
@Suite struct ReferenceModeTests {
    static let trace = Files.folder + "/Traces/eight.swf"

    /// By policy: starts of jobs 1 to 8. Job 1 ends 10 s before its request, job 3 3 s and job 8 5 s.
    static let starts: [(String, [Int64])] = [
        ("fcfs", [0, 10, 20, 25, 45, 48, 58, 68]),
        // Job 3 runs beside job 1 ahead of job 2; at 20 job 8 takes the one processor that job 6 will leave.
        ("easy", [0, 10, 2, 20, 7, 40, 50, 20]),
        ("sjbf-easy", [0, 10, 2, 20, 7, 40, 50, 20]),
        // At 20 job 8 would have moved job 7, which holds [50, 60).
        ("cons", [0, 10, 2, 20, 7, 40, 50, 60]),
        ("sjf", [0, 10, 2, 40, 7, 20, 30, 40]),
    ]

    @Test(arguments: starts)
    func `eight jobs start when a person would start them`(policy: String, expected: [Int64]) throws {
        var workload = try SWFReader.read(Self.trace)
        workload.prepare(limit: nil, estimate: .request)
        let policy = try #require(ReferencePolicy(named: policy))
        #expect(ReferenceSimulation(workload, policy: policy).run().starts == expected)
    }

    @Test func `with true estimates job 3 is no longer held for`() throws {
        var workload = try SWFReader.read(Self.trace)
        workload.prepare(limit: 4, estimate: .actual)
        let policy = try #require(ReferencePolicy(named: "cons"))
        // Jobs 1 and 2 are known to end at 10 and 20.
        #expect(ReferenceSimulation(workload, policy: policy).run().starts == [0, 10, 2, 20])
        #expect(workload.jobs.map(\.request) == [10, 10, 5, 20])
    }

    @Test func `a run tells every number of the contract`() throws {
        var request = ReferenceMode.Request(trace: Self.trace, policy: try #require(ReferencePolicy(named: "easy")))
        let folder = try TemporaryFolder()
        request.schedule = folder.path + "/schedule.csv"
        let report = try ReferenceMode.run(request)
        #expect(report.statistics.jobs == 8)
        #expect(report.dropped == 1)
        #expect(report.killed == 0)
        #expect(report.backfilled == 3)
        // Waits: 0 9 0 17 3 28 37 6.
        #expect(report.statistics.totalWait == 100)
        #expect(report.statistics.averageWait == 12.5)
        #expect(report.statistics.medianWait == 9)
        #expect(report.statistics.p99Wait == 37)
        #expect(report.statistics.maxWait == 37)
        #expect(report.statistics.makespan == 60)
        // 20 + 40 + 10 + 60 + 6 + 30 + 40 + 30 processor seconds of 240.
        #expect(fixed(report.statistics.utilization, 6) == "0.983333")
        // 1, 1.9, 1, 37/20, 1, 3.8, 4.7, 1.2
        #expect(fixed(report.statistics.averageBoundedSlowdown, 6) == "2.056250")
        // sha256sum of "1 0\n2 10\n3 2\n4 20\n5 7\n6 40\n7 50\n8 20\n".
        #expect(report.sha == "a478239f7ea7dbf9")
        let csv = String(decoding: try #require(Files.read(folder.path + "/schedule.csv")), as: UTF8.self)
        #expect(csv.hasPrefix("1,0,0,10\n2,1,10,20\n3,2,2,7\n"))
        #expect(csv.hasSuffix("\n8,14,20,50\n"))
        #expect(report.wallSeconds > 0)
        #expect(report.jobsPerSecond > 0)
    }

    @Test func `the JSON has the contract's names and the table the same values`() throws {
        let request = ReferenceMode.Request(trace: Self.trace, policy: try #require(ReferencePolicy(named: "cons")))
        let report = try ReferenceMode.run(request)
        let names = [
            "jobs", "dropped", "killed", "total_wait", "avg_wait", "median_wait", "p99_wait", "max_wait", "avg_bsld",
            "util", "makespan", "sha", "wall_seconds", "jobs_per_second",
        ]
        for name in names {
            #expect(report.json.contains("\"\(name)\": "), "\(name) is missing")
            #expect(report.table.contains("\n\(name) "), "\(name) is missing")
        }
        #expect(report.json.contains("\"total_wait\": 140, \"avg_wait\": 17.500000"))
        #expect(report.table.contains("sha              \(report.sha)\n"))
    }

    @Test func `numbers are rounded, not cut`() {
        #expect(fixed(1.9999995, 6) == "2.000000")
        #expect(fixed(0.0000004, 6) == "0.000000")
        #expect(fixed(-1.25, 1) == "-1.3")
        #expect(fixed(1234567.5, 0) == "1234568")
    }

    @Test func `selection finds what sorting finds`() {
        var generator = SplitMix(seed: 3)
        for count in 1...60 {
            let values = (0..<count).map { _ in Int64(generator.next(below: 20)) }
            for index in values.indices {
                var copy = values
                #expect(Statistics.select(&copy, index) == values.sorted()[index])
            }
        }
    }

    @Test func `every policy of the contract has its name, and no other`() {
        let names = [
            "fcfs", "sjf", "saf", "wfp3", "unicep", "f1", "easy", "sjf-easy", "saf-easy", "wfp3-easy", "unicep-easy",
            "f1-easy", "sjbf-easy", "cons",
        ]
        for name in names { #expect(ReferencePolicy(named: name)?.name == name) }
        #expect(ReferencePolicy.names.sorted() == names.sorted())
        for name in ["", "EASY", "-easy", "x-easy", "cons-easy", "sjbf"] {
            #expect(ReferencePolicy(named: name) == nil)
        }
    }
}
