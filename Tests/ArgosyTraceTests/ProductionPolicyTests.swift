import ArgosyScheduler
import Testing

@testable import ArgosyTrace

/// The controller's core and planner on one-core nodes, with nothing configured, against the reference mode's default policy.
@Suite struct ProductionPolicyTests {
    /// A log with users; requests of whole minutes, or of any length.
    static func log(seed: UInt64, jobs: Int, wholeMinutes: Bool, run: (inout SplitMix, Int64) -> Int64) -> String {
        var generator = SplitMix(seed: seed)
        var runs = SplitMix(seed: seed + 1000)
        var text = "; MaxProcs: 12\n"
        var submit: Int64 = 0
        for id in 1...jobs {
            submit += Int64(generator.next(below: 30))
            let length = Int64(generator.next(below: 5)) * Int64(generator.next(below: 5)) + 1
            let request = wholeMinutes ? length * 60 : length * 37
            let processors = generator.next(below: generator.next(below: 12) + 1) + 1
            text += "\(id) \(submit) -1 \(run(&runs, request)) \(processors) -1 -1 \(processors) \(request) -1 1"
            text += " \(generator.next(below: 5)) 1 -1 1 -1 -1 -1\n"
        }
        return text
    }

    static func production(_ path: String) throws -> SimulationReport {
        let request = ProductionMode.Request(
            trace: path, configurations: [], processors: nil, limit: nil, estimate: .request, schedule: nil)
        return try #require(try ProductionMode.run(request).first)
    }

    static func reference(_ path: String, _ policy: String = "argosy") throws -> SimulationReport {
        let policy = try #require(ReferencePolicy(named: policy))
        return try ReferenceMode.run(ReferenceMode.Request(trace: path, policy: policy))
    }

    private static func some(_ generator: inout SplitMix, _ request: Int64) -> Int64 {
        Int64(generator.next(below: UInt64(request))) + 1
    }

    @Test(arguments: [true, false])
    func `shipped defaults give the default policy's own schedule`(wholeMinutes: Bool) throws {
        let folder = try TemporaryFolder()
        var differs = 0
        for seed in 1...3 as ClosedRange<UInt64> {
            let text = Self.log(seed: seed, jobs: 60, wholeMinutes: wholeMinutes, run: Self.some)
            let path = try folder.file("\(seed).swf", Array(text.utf8))
            let production = try Self.production(path)
            #expect(production.statistics.jobs == 60)
            #expect(try production.sha == Self.reference(path).sha)
            if try production.sha != Self.reference(path, "easy").sha { differs += 1 }
        }
        // Else the workloads would show nothing.
        #expect(differs == 3)
    }

    @Test func `the same trace gives the same schedule again`() throws {
        let folder = try TemporaryFolder()
        let text = Self.log(seed: 9, jobs: 40, wholeMinutes: true, run: Self.some)
        let path = try folder.file("a.swf", Array(text.utf8))
        #expect(try Self.production(path).sha == Self.production(path).sha)
    }

    /// Starts by job, as the schedule's file tells them.
    private static func starts(_ path: String, _ folder: TemporaryFolder) throws -> [Int64: Int64] {
        let schedule = folder.path + "/schedule.csv"
        _ = try ProductionMode.run(
            .init(
                trace: path, configurations: [], processors: nil, limit: nil, estimate: .request, schedule: schedule))
        let text = String(decoding: try #require(Files.read(schedule)), as: UTF8.self)
        var starts: [Int64: Int64] = [:]
        // Job, submission, start, end.
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ",").compactMap { Int64($0) }
            try #require(fields.count == 4)
            starts[fields[0]] = fields[2]
        }
        return starts
    }

    @Test func `how long jobs will run that have not ended changes nothing before`() throws {
        let folder = try TemporaryFolder()
        let before = Self.log(seed: 3, jobs: 60, wholeMinutes: true, run: Self.some)
        let starts = try Self.starts(folder.file("before.swf", Array(before.utf8)), folder)
        let now = try #require(starts.values.sorted().dropFirst(30).first)
        var changed = 0
        let after = before.split(separator: "\n").map { line -> String in
            var words = line.split(separator: " ").map(String.init)
            guard let id = Int64(words[0]), let start = starts[id], let run = Int64(words[3]),
                let request = Int64(words[8]), start + run > now, max(1, now - start + 1) < request
            else { return String(line) }
            changed += 1
            words[3] = "\(request)"
            return words.joined(separator: " ")
        }
        let other = try Self.starts(
            folder.file("after.swf", Array((after.joined(separator: "\n") + "\n").utf8)), folder)
        #expect(changed > 5)
        for (job, start) in starts where start <= now { #expect(other[job] == start) }
    }
}
