import ArgosyScheduler
import Testing

@testable import ArgosyTrace

/// Small queues under every policy, compared with the textbook, start time by start time.
@Suite struct OracleTests {
    static let policies = ReferencePolicy.names

    @Test(arguments: ["fcfs", "easy", "sjf-easy", "sjbf-easy", "cons"])
    func `every queue of three small jobs is scheduled as by the textbook`(policy: String) throws {
        let shapes = Self.shapes(widths: [1, 2, 3], times: [(1, 1), (2, 1), (4, 2), (4, 4)])
        #expect(try Self.queues(of: 3, shapes).allSatisfy { try isAsTextbook($0, policy) })
    }

    @Test(arguments: ["easy", "saf-easy", "sjbf-easy", "cons"])
    func `every queue of four narrow or full jobs is scheduled as by the textbook`(policy: String) throws {
        let shapes = Self.shapes(widths: [1, 3], times: [(1, 1), (4, 2), (4, 4)])
        #expect(try Self.queues(of: 4, shapes).allSatisfy { try isAsTextbook($0, policy) })
    }

    @Test(arguments: policies)
    func `generated queues are scheduled as by the textbook`(policy: String) throws {
        var generator = SplitMix(seed: 7)
        for _ in 0..<400 {
            let count = Int(generator.next(below: 12)) + 1
            let width = generator.next(below: 6) + 1
            let jobs = (0..<count).map { _ in
                let request = Int64(generator.next(below: 20)) + 1
                return Shape(
                    gap: Int64(generator.next(below: 6)), processors: Int32(generator.next(below: width) + 1),
                    request: request, run: Int64(generator.next(below: UInt64(request))) + 1)
            }
            guard try isAsTextbook(Self.workload(jobs, processors: Int32(width)), policy) else { return }
        }
    }

    private func isAsTextbook(_ workload: Workload, _ name: String) throws -> Bool {
        let policy = try #require(ReferencePolicy(named: name))
        var textbook = NaiveSimulation(workload, name)
        let expected = textbook.run()
        let found = ReferenceSimulation(workload, policy: policy).run().starts
        #expect(found == expected, "\(name) on \(workload.processors) processors: \(workload.jobs)")
        return found == expected
    }

    struct Shape {
        var gap: Int64
        var processors: Int32
        var request: Int64
        var run: Int64
    }

    /// Of jobs that come with the one before them, or a second later; times are (request, run).
    private static func shapes(widths: [Int32], times: [(Int64, Int64)]) -> [Shape] {
        var shapes: [Shape] = []
        for gap in [Int64(0), 1] {
            for processors in widths {
                for (request, run) in times {
                    shapes.append(Shape(gap: gap, processors: processors, request: request, run: run))
                }
            }
        }
        return shapes
    }

    /// All queues of so many jobs on three processors.
    private static func queues(of count: Int, _ shapes: [Shape]) -> some Sequence<Workload> {
        let total = (0..<count).reduce(1) { all, _ in all * shapes.count }
        return (0..<total).lazy.map { number in
            var rest = number
            var jobs: [Shape] = []
            for _ in 0..<count {
                jobs.append(shapes[rest % shapes.count])
                rest /= shapes.count
            }
            return workload(jobs, processors: 3)
        }
    }

    static func workload(_ shapes: [Shape], processors: Int32) -> Workload {
        var workload = Workload(processors: processors)
        var time: Int64 = 0
        for (index, shape) in shapes.enumerated() {
            time += shape.gap
            workload.jobs.append(
                TraceJob(
                    id: Int64(index + 1), submit: time, run: shape.run, request: shape.request,
                    processors: shape.processors, user: -1, group: -1, queue: -1, isKilled: false))
        }
        return workload
    }
}

/// Numbers that only depend on the seed (Steele, Lea and Flood's SplitMix64).
struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next(below bound: UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return (mixed ^ (mixed >> 31)) % bound
    }
}
