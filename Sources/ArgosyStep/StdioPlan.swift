internal import ArgosyDomain
internal import ArgosyWire

/// Where the three streams of each task of a step on this node go, before anything is opened.
struct StdioPlan: Equatable {
    enum Target: Equatable {
        case null
        /// By a pipe to the unprivileged child, which carries it to srun.
        case client
        /// Absolute, patterns expanded.
        case file(String)
        /// stderr where stdout goes.
        case sameAsOutput
        /// All three are a pseudo terminal, whose other end the child carries to srun.
        case terminal
    }
    struct Task: Equatable {
        var rank: UInt32
        var input: Target
        var output: Target
        var error: Target
        var needsClient: Bool { [input, output, error].contains { $0 == .client || $0 == .terminal } }
    }
    var tasks: [Task]
    var needsClient: Bool { tasks.contains { $0.needsClient } }

    init(_ order: WireLaunchStep, context: WireStepContext, ranks: [UInt32], isBatch: Bool) {
        let spec = order.job.spec
        let directory = isBatch ? spec.workDir : (order.workDir.isEmpty ? spec.workDir : order.workDir)
        tasks = ranks.map { rank in
            let values = Self.values(order, context: context, rank: rank, isBatch: isBatch)
            func file(_ pattern: String) -> Target { .file(FileNamePattern(pattern).path(values, in: directory)) }
            return isBatch
                ? Self.batch(spec, isArrayTask: order.job.arrayJob != 0, rank: rank, file)
                : Self.step(order.io, rank: rank, file)
        }
    }

    private static func batch(_ spec: WireJobSpec, isArrayTask: Bool, rank: UInt32, _ file: (String) -> Target) -> Task
    {
        let output =
            spec.stdoutPath.isEmpty ? FileNamePattern.batchDefault(isArrayTask: isArrayTask).text : spec.stdoutPath
        return Task(
            rank: rank, input: spec.stdinPath.isEmpty ? .null : file(spec.stdinPath), output: file(output),
            error: spec.stderrPath.isEmpty ? .sameAsOutput : file(spec.stderrPath))
    }

    private static func step(_ io: WireStepIO, rank: UInt32, _ file: (String) -> Target) -> Task {
        if io.pty {
            let target = rank == 0 ? Target.terminal : .null
            return Task(rank: rank, input: target, output: target, error: target)
        }
        func target(_ text: String) -> Target {
            if text.isEmpty || text == "all" { return .client }
            if text == "none" { return .null }
            if let only = UInt32(text) { return only == rank ? .client : .null }
            return file(text)
        }
        let isFile = { (target: Target) in if case .file = target { true } else { false } }
        let output = target(io.stdoutPath)
        // As srun does: stderr joins a file that was given for stdout alone.
        let error = io.stderrPath.isEmpty && isFile(output) ? .sameAsOutput : target(io.stderrPath)
        return Task(rank: rank, input: target(io.stdinPath), output: output, error: error)
    }

    static func values(_ order: WireLaunchStep, context: WireStepContext, rank: UInt32, isBatch: Bool)
        -> FileNamePattern.Values
    {
        FileNamePattern.Values(
            job: context.job, array: order.job.arrayJob == 0 ? nil : (order.job.arrayJob, order.job.arrayTask),
            step: isBatch ? "batch" : String(order.step), node: context.node, nodeIndex: order.nodeIndex, task: rank,
            user: order.job.spec.identity.user, jobName: order.job.spec.name)
    }
}
