// What a change costs while a snapshot of many waiting jobs is held, and what waiting jobs cost at all.
import ArgosyConfig
import ArgosyCore
import ArgosyDomain
import ArgosyScheduler
import Glibc

struct SnapshotBenchmark {
    let jobs: Int
    let nodes: Int
    private static let start = Timestamp(seconds: 1_700_000_000)
    private static let caller = Caller(uid: 1000, gid: 1000, isOperator: false)

    func run() {
        let empty = Memory.used
        var core = ControllerCore(
            configuration: configuration, stored: StoredState(), term: Term(1), now: Self.start)
        fill(&core)
        let base = Memory.used
        let submitting = Self.seconds { for index in 0..<jobs { submit(&core, index, tasks: 1 + index % 64) } }
        let perJob = Double(Memory.used - base) / Double(jobs)
        let first = plan(&core)
        let planning = plan(&core)
        precondition(planning.started == 0, "the nodes are full: nothing can start")
        let copied = copiedBytes(&core)
        let turns = 20_000
        let holding = Self.seconds { for turn in 0..<turns { hold(&core, waiting(turn % jobs), turn) } }
        print(
            """
            waiting jobs                              \(jobs)
            nodes                                     \(nodes)
            core without jobs, kB                     \((base - empty) / 1000)
            memory per waiting job, bytes             \(Int(perJob))
            submissions, turns a second               \(Int(Double(jobs) / submitting))
            hold or release, turns a second           \(Int(Double(turns) / holding))
            planning pass, the first, ms              \(Int(first.total * 1000))
            planning pass, ms                         \(Int(planning.total * 1000))
              of that snapshot, plan, reasons, ms     \(planning.parts)
              microseconds for each waiting job       \((planning.total * 100_000_000 / Double(jobs)).rounded() / 100)
            copied by one change under a snapshot, bytes  \(copied)  (must be below 64000: \(copied < 64_000 ? "yes" : "NO"))
            """)
        if copied >= 64_000 { exit(1) }
    }

    private struct Planning {
        var snapshot = 0.0
        var plan = 0.0
        var apply = 0.0
        var started = 0
        var total: Double { snapshot + plan + apply }
        var parts: String { [snapshot, plan, apply].map { "\(Int($0 * 1000))" }.joined(separator: " ") }
    }

    private func plan(_ core: inout ControllerCore) -> Planning {
        var taken = Planning()
        var snapshot = PlanningSnapshot(version: 0, now: Self.start)
        taken.snapshot = Self.seconds { snapshot = core.planningSnapshot(at: Self.start) }
        var plan = Plan(version: 0)
        taken.plan = Self.seconds { plan = BackfillPlanner().plan(snapshot) }
        taken.apply = Self.seconds { _ = core.apply(.planned(plan), at: Self.start) }
        taken.started = plan.placements.count
        return taken
    }

    /// Every node is there and has work on all its CPUs, as on a machine with a queue.
    private func fill(_ core: inout ControllerCore) {
        for index in 0..<nodes {
            let registration = Registration(
                incarnation: Incarnation(bootID: "boot", registration: 1), cpus: 64, memoryMiB: 256_000)
            _ = core.apply(.nodeRegistered(NodeIndex(index), registration), at: Self.start)
        }
        for index in 0..<nodes { submit(&core, index, tasks: 64) }
        let started = plan(&core).started
        precondition(started == nodes, "\(started) of \(nodes) nodes were filled")
    }

    /// The first jobs are those that fill the nodes.
    private func waiting(_ index: Int) -> JobID { JobID(UInt32(1 + nodes + index)) }

    private var configuration: ClusterConfiguration {
        var configuration = ClusterConfiguration()
        configuration.nodes = (0..<nodes).map { .init(name: "n\($0)", cpus: 64, memoryMiB: 256_000) }
        var partition = ClusterConfiguration.Partition(name: "main")
        partition.isDefault = true
        partition.nodes = (0..<nodes).map { NodeIndex($0) }
        configuration.partitions = [partition]
        configuration.maxJobCount = jobs + nodes + 1
        return configuration
    }

    private func submit(_ core: inout ControllerCore, _ index: Int, tasks: Int) {
        var fields = JobSpec.Fields(
            identity: Identity(uid: 1000, gid: 1000, user: "ann", group: "staff", home: "/users/ann"))
        fields.name = "job\(index)"
        fields.scriptDigest = Self.digest(index)
        fields.environmentDigest = Self.digest(7)
        fields.workDirectory = "/users/ann/project/run\(index)"
        fields.command = "/users/ann/project/run\(index)/job.sh"
        fields.tasks = UInt32(tasks)
        fields.timeLimit = TimeLimit(minutes: 60)
        let event = Event.jobSubmitted(
            fields, token: "", waitForAllocation: false, by: Self.caller, reply: ReplyHandle(rawValue: UInt64(index)))
        _ = core.apply(event, at: Self.start)
    }

    /// 64 hex digits, as a SHA-256 has.
    private static func digest(_ index: Int) -> String {
        let digits = String(index, radix: 16)
        return String(repeating: "a", count: 64 - digits.count) + digits
    }

    private func hold(_ core: inout ControllerCore, _ job: JobID, _ turn: Int) {
        let action: JobAction = turn / jobs % 2 == 0 ? .userHold : .release
        let selection = JobSelection(items: [.init(job: job)])
        _ = core.apply(
            .jobUpdateRequested(selection, action, by: Self.caller, reply: ReplyHandle(rawValue: 1)), at: Self.start)
    }

    /// Pages and directories that one change copied because a snapshot still held them.
    private func copiedBytes(_ core: inout ControllerCore) -> Int {
        hold(&core, waiting(jobs / 2), 0)
        let view = core.view
        hold(&core, waiting(jobs / 2 + 1), 0)
        return core.view.bytesCopied(since: view)
    }

    private static func seconds(_ work: () -> Void) -> Double {
        let elapsed = ContinuousClock().measure(work)
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    }
}

/// Resident memory of this process, in bytes.
enum Memory {
    static var used: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return 0 }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
