// srun's options as the message that asks for a step.

import ArgosyDomain
import ArgosyWire
import Glibc

struct StepRequestWriter {
    let options: JobOptions
    let command: [String]
    let job: UInt32
    /// Of a job made for it.
    let isOwn: Bool

    /// Throws `Failure` for a --multi-prog file that cannot be used.
    func request() throws(Failure) -> WireCreateStep {
        var step = WireCreateStep()
        step.job = job
        step.tasks = options.tasks
        step.nodes = options.minNodes
        step.tasksPerNode = options.tasksPerNode
        step.cpusPerTask = options.cpusPerTask
        step.nodeList = options.nodeList
        step.exclude = options.exclude
        step.arguments = command
        step.environment = environment
        step.workDir = options.absoluteWorkDirectory
        step.name = options.name.isEmpty ? baseName(command[0]) : options.name
        step.overlap = options.overlap
        step.exact = options.exact || options.exclusive
        step.io = StepFiles(options).io
        if let container = options.container { step.container = container }
        step.noContainer = options.noContainer
        step.relative = options.relative ?? 0
        step.hasRelative_p = options.relative != nil
        step.killOnBadExit = options.killOnBadExit ?? false
        step.timeLimitMinutes = options.timeLimit.rawValue
        step.memoryPerNodeMib = isOwn ? 0 : options.memoryPerNodeMiB
        step.mpi = options.mpi.isEmpty ? "none" : options.mpi
        step.label = options.label
        step.umask = Process.umask
        step.waitS = options.waitSeconds ?? 0
        step.options = try stepOptions()
        return step
    }

    private func stepOptions() throws(Failure) -> WireStepOptions {
        var told = WireStepOptions()
        if options.step.multiProgram { told.programs = try programs() }
        if let binding = options.step.cpuBinding { told.cpuBind = binding }
        if let binding = options.step.memoryBinding { told.memBind = binding }
        told.gpuBind = options.step.gpuBinding
        told.distribution = options.resources.distribution
        told.hostList = options.hostList
        told.hasLimits_p = true
        told.limits = LimitNames.chosen(options.step.propagated ?? "ALL", of: Process.limits).map { limit in
            var wire = WireResourceLimit()
            (wire.resource, wire.soft, wire.hard) = (limit.resource, limit.soft, limit.hard)
            return wire
        }
        told.taskProlog = absolute(options.step.taskProlog)
        told.taskEpilog = absolute(options.step.taskEpilog)
        told.threadsPerCore = options.resources.threadsPerCore
        told.hint = options.hint
        told.overcommit = options.resources.overcommit
        told.gres = isOwn ? [] : WireResourceOptions(options.allResources).gres
        told.noKill = options.step.noKill
        if options.step.terminal {
            let window = Terminal.window
            (told.rows, told.columns) = (window.rows, window.columns)
        }
        return told
    }

    private func absolute(_ path: String) -> String {
        path.isEmpty || path.hasPrefix("/") ? path : options.absoluteWorkDirectory + "/" + path
    }

    private func programs() throws(Failure) -> [WireStepProgram] {
        guard let bytes = LocalFile.read(command[0]) else {
            throw Failure("Could not open multi_prog config file \(command[0])")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return try ProgramFile(text, name: command[0], tasks: max(1, options.tasks)).programs
    }

    // MARK: environment

    private var environment: [String] {
        let told = self.told
        let names = Set(told.map { $0.prefix { $0 != "=" } })
        let own = exported(Process.environment, options.export)
        return own.filter { entry in !names.contains(entry.prefix { $0 != "=" }) } + told
    }

    /// What srun tells its tasks of itself and of its options.
    private var told: [String] {
        var told = [
            "SLURM_PRIO_PROCESS=\(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))",
            "SRUN_DEBUG=\(3 + options.verbose - min(options.quiet, 3))",
            "SLURM_UMASK=\(octal(Process.umask))",
        ]
        if !options.name.isEmpty { told.append("SLURM_JOB_NAME=\(options.name)") }
        if !options.mpi.isEmpty { told.append("SLURM_MPI_TYPE=\(options.mpi)") }
        if options.cpusPerTask > 0 { told.append("SLURM_CPUS_PER_TASK=\(options.cpusPerTask)") }
        if options.tasksPerNode > 0 { told.append("SLURM_NTASKS_PER_NODE=\(options.tasksPerNode)") }
        told += options.toldResources.filter { !$0.hasPrefix("SLURM_DISTRIBUTION=") }
        let distribution = options.resources.distribution.lowercased()
        if distribution.hasPrefix("plane="), let size = UInt32(distribution.dropFirst(6)) {
            told += ["SLURM_DISTRIBUTION=plane", "SLURM_DIST_PLANESIZE=\(size)"]
        } else if !distribution.isEmpty {
            told.append("SLURM_DISTRIBUTION=\(distribution)")
        } else if options.minNodes > 1 {
            told.append("SLURM_DISTRIBUTION=block")
        }
        if let export = options.export { told.append("SLURM_EXPORT_ENV=\(export)") }
        return told
    }

    private func octal(_ mask: UInt32) -> String {
        let digits = String(mask, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
