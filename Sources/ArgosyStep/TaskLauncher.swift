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
    let cpus: CPUBinding
    let memory: MemoryBinding
    /// The user's login shell did not say what it sets.
    private let lacksLogin: Bool

    /// Throws when the job's holder is gone or the filter cannot be made.
    init(_ order: StepOrder) throws {
        self.order = order
        let spec = order.launch.job.spec
        let wantsLogin = order.isBatch && spec.getUserEnv && !order.isContainerized
        let login = wantsLogin ? LoginEnvironment.read(spec.identity) : nil
        lacksLogin = wantsLogin && login == nil
        cpus = CPUBinding(
            order.launch, cpus: order.here.cpuIds, processors: order.context.processors, tasks: order.ranks.count)
        memory = MemoryBinding(order.launch)
        var environment = TaskEnvironment(
            step: order.launch, context: order.context, isBatch: order.isBatch, login: login ?? [])
        for (name, value) in cpus.variables() + memory.variables() { environment.set(name, value) }
        self.environment = environment
        if order.isContainerized {
            holder = try Self.findHolder(order.context.container.state)
            seccomp = try Seccomp.containerProgram()
        } else {
            holder = nil
            seccomp = nil
        }
    }

    /// Starts the task at `local` (its place on this node) in `cgroup`. Throws `Failed`; `note` gets what the user
    /// should know although the task runs.
    func start(_ local: Int, _ ends: StdioFiles.Ends, in cgroup: Cgroup, note: (String) -> Void) throws -> ChildProcess
    {
        var spec = try makeSpec(local, ends, in: cgroup)
        if lacksLogin {
            note(
                "slurmstepd: error: Unable to get user's local environment, running only with passed environment")
        }
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
        let arguments = arguments(rank: ends.rank)
        var spec = ProcessSpec(
            path: order.isBatch ? order.context.script : arguments.first ?? "", arguments: arguments,
            environment: variables(local, ends.rank).entries)
        if !order.launch.options.taskProlog.isEmpty, !order.isBatch {
            spec.path = "/bin/sh"
            spec.arguments = TaskPrologue.arguments(order.launch.options.taskProlog, arguments)
        }
        spec.pidVariable = Self.pidVariable
        spec.controlsTerminal = !order.isBatch && order.launch.io.pty && ends.rank == 0
        spec.memoryPolicy = memory.policy(local: local)
        let identity = order.identity
        spec.workingDirectory = workingDirectory
        spec.credentials = Credentials(identity)
        spec.stdin = ends.input?.raw ?? -1
        spec.stdout = ends.output?.raw ?? -1
        spec.stderr = ends.error?.raw ?? -1
        spec.cgroup = try cgroup.joinDescriptors()
        // The script starts whatever it likes: it may use all that the job has here.
        spec.affinity = !order.isBatch && local < cpus.masks.count ? cpus.masks[local] : []
        let options = order.launch.options
        spec.limits = (options.hasLimits_p ? options.limits : order.launch.job.spec.limits).map(\.domain)
        spec.umask = order.launch.umask != 0 ? order.launch.umask : order.launch.job.spec.umask
        spec.holder = holder?.process.pidfd
        // Root's host jobs are root's, as in Slurm.
        spec.dropAllCapabilities = order.isContainerized || identity.uid != 0
        spec.noNewPrivileges = order.isContainerized
        spec.seccomp = seccomp
        return spec
    }

    /// Gets the process's number on its way to exec.
    private static let pidVariable = "SLURM_TASK_PID"

    private func variables(_ local: Int, _ rank: UInt32) -> TaskEnvironment {
        var variables = environment
        variables.setTask(rank: rank, local: UInt32(local), ranksHere: order.ranks)
        variables.setTaskGRES(order.launch, context: order.context, local: local)
        variables.set(Self.pidVariable, "0000000000")
        return variables
    }

    private func arguments(rank: UInt32) -> [String] {
        if order.isBatch { return [order.context.script] + order.launch.arguments.dropFirst() }
        let programs = order.launch.options.programs
        guard !programs.isEmpty else { return order.launch.arguments }
        return MultipleProgram.arguments(of: rank, in: programs)
    }

    /// The program of --task-epilog, once a task has ended: as the user, in its environment, without its stdio.
    func startEpilog(_ local: Int, _ ends: StdioFiles.Ends, in cgroup: Cgroup) throws -> ChildProcess? {
        let program = order.launch.options.taskEpilog
        guard !program.isEmpty, !order.isBatch else { return nil }
        var spec = try makeSpec(local, ends, in: cgroup)
        spec.path = program
        spec.arguments = [program]
        spec.controlsTerminal = false
        return try Spawn.start(spec)
    }

    private var workingDirectory: String {
        let launch = order.launch
        let wanted = launch.workDir.isEmpty ? launch.job.spec.workDir : launch.workDir
        guard order.isContainerized else { return wanted }
        let inside = launch.job.spec.container.workdir
        return inside.isEmpty ? wanted : inside
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
