internal import ArgosyContainer
internal import ArgosyDomain
internal import ArgosySystem
internal import ArgosyWire

/// Turns one task of a step into a process.
struct TaskLauncher {
    struct Failed: Error {
        /// In Slurm's words.
        var message: String
        /// As Slurm exits: the errno.
        var code: UInt32
    }

    private let order: StepOrder
    private let environment: TaskEnvironment
    private let holder: Holder?
    private let seccomp: [UInt8]?
    private let affinities: [[Int]]

    /// Throws when the job's holder is gone or the filter cannot be made.
    init(_ order: StepOrder) throws {
        self.order = order
        environment = TaskEnvironment(step: order.launch, context: order.context, isBatch: order.isBatch)
        if order.isContainerized {
            holder = try Self.findHolder(order.context.container.state)
            seccomp = try Seccomp.containerProgram()
        } else {
            holder = nil
            seccomp = nil
        }
        affinities = Self.affinities(order)
    }

    /// Starts the task at `local` (its place on this node) in `cgroup`. Throws `Failed`; `note` gets what the user
    /// should know although the task runs.
    func start(_ local: Int, _ ends: StdioFiles.Ends, in cgroup: Cgroup, note: (String) -> Void) throws -> ChildProcess
    {
        var spec = try makeSpec(local, ends, in: cgroup)
        do {
            return try Spawn.start(spec)
        } catch let error where error.stage == "chdir" {
            let refuge = order.isContainerized ? "/" : "/tmp"
            note(
                "slurmstepd: error: couldn't chdir to `\(spec.workingDirectory ?? "")': \(error.reason): going to \(refuge) instead"
            )
            spec.workingDirectory = refuge
            do { return try Spawn.start(spec) } catch { throw failure(error, spec) }
        } catch {
            throw failure(error, spec)
        }
    }

    private func failure(_ error: SystemError, _ spec: ProcessSpec) -> Failed {
        if error.stage == "exec" {
            return Failed(
                message: "slurmstepd: error: execve(): \(spec.path): \(error.reason)", code: UInt32(error.code))
        }
        return Failed(message: "slurmstepd: error: cannot start \(spec.path): \(error)", code: UInt32(error.code))
    }

    private func makeSpec(_ local: Int, _ ends: StdioFiles.Ends, in cgroup: Cgroup) throws -> ProcessSpec {
        var variables = environment
        variables.setTask(rank: ends.rank, local: UInt32(local), ranksHere: order.ranks)
        variables.setTaskGRES(order.launch, context: order.context, local: local)
        let arguments = self.arguments
        var spec = ProcessSpec(
            path: order.isBatch ? order.context.script : arguments.first ?? "", arguments: arguments,
            environment: variables.entries)
        let identity = order.identity
        spec.workingDirectory = workingDirectory
        spec.credentials = Credentials(identity)
        spec.stdin = ends.input?.raw ?? -1
        spec.stdout = ends.output?.raw ?? -1
        spec.stderr = ends.error?.raw ?? -1
        spec.cgroup = try cgroup.joinDescriptors()
        spec.affinity = local < affinities.count ? affinities[local] : []
        spec.limits = order.launch.job.spec.limits.map(\.domain)
        spec.umask = order.launch.umask != 0 ? order.launch.umask : order.launch.job.spec.umask
        spec.holder = holder?.process.pidfd
        // Root's host jobs are root's, as in Slurm.
        spec.dropAllCapabilities = order.isContainerized || identity.uid != 0
        spec.noNewPrivileges = order.isContainerized
        spec.seccomp = seccomp
        return spec
    }

    private var arguments: [String] {
        order.isBatch ? [order.context.script] + order.launch.arguments.dropFirst() : order.launch.arguments
    }

    private var workingDirectory: String {
        let launch = order.launch
        let wanted = launch.workDir.isEmpty ? launch.job.spec.workDir : launch.workDir
        guard order.isContainerized else { return wanted }
        let inside = launch.job.spec.container.workdir
        return inside.isEmpty ? wanted : inside
    }

    private static func affinities(_ order: StepOrder) -> [[Int]] {
        let cpus = order.here.cpuIds
        // The script starts whatever it likes: it may use all that the job has here.
        guard !order.isBatch else { return [[]] }
        return CPUAssignment.assign(cpus, tasks: order.ranks.count, perTask: Int(order.launch.cpusPerTask)).map {
            CPUAssignment.physical($0, on: order.context.processors)
        }
    }

    private static func findHolder(_ state: String) throws -> Holder {
        guard let bytes = SpoolFile.read(state) else {
            throw Failed(message: "the job's container was never started on this node (no \(state))", code: 1)
        }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 2, let pid = Int32(words[0]), let start = UInt64(words[1]),
            let holder = Holder.find(pid: pid, startTime: start)
        else { throw Failed(message: "the job's container has ended on this node", code: 1) }
        return holder
    }
}
