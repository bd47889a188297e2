// What only srun can be told: of a step's tasks, their stdio, bindings and ends.

import ArgosyDomain
import ArgosyWire

/// What srun knows of a step beside what makes a job.
struct StepSettings {
    var multiProgram = false
    var terminal = false
    /// Nil: not asked for. Empty: where srun chooses.
    var broadcast: String?
    var cpuBinding: WireBinding?
    var memoryBinding: WireBinding?
    var gpuBinding = ""
    /// Names of limits that go along; nil: as configured.
    var propagated: String?
    var taskProlog = ""
    var taskEpilog = ""
    var prolog: String?
    var epilog: String?
    var hetGroup = ""
    var asksMemoryBindingHelp = false
    var noKill = false
    var noAllocate = false
}

extension JobOptionTable {
    static let srun: [Row] = {
        let own = stepOnly + stdio + bindings + programs
        let names = Set(own.map(\.long))
        let others =
            shared(prefix: "SLURM_") + output(prefix: "SLURM_") + container(prefix: "SLURM_") + taken(prefix: "SLURM_")
            + passedOver
        return others.filter { !names.contains($0.long) } + own + informationOptions()
    }()

    private static let passedOver: [Row] = [
        .accepted("compress", nil, .optional, env: ["SLURM_COMPRESS"]), .accepted("msg-timeout"),
        .accepted("preserve-env", "E", .none),
        .accepted("resv-ports", nil, .optional, env: ["SLURM_RESV_PORTS"]),
        .accepted("send-libs", nil, .optional, env: ["SLURM_SEND_LIBS"]),
        .accepted("slurmd-debug", env: ["SLURMD_DEBUG"]), .accepted("bcast-exclude", env: ["SLURM_BCAST_EXCLUDE"]),
        .accepted("accel-bind"), .accepted("threads", "T", env: ["SLURM_THREADS"]),
    ]

    static let mpiTypes = ["none", "pmi2"]

    static let stepOnly: [Row] = [
        Row("disable-status", "X", .none, env: ["SLURM_DISABLE_STATUS"], "an interrupt ends the step without a report")
        { options, _ throws(OptionError) in options.disableStatus = true },
        Row("exact", nil, .none, env: ["SLURM_EXACT"], "give the step only what it asks for") {
            options, _ throws(OptionError) in options.exact = true
        },
        Row("immediate", "I", .optional, "secs", env: ["SLURM_IMMEDIATE"], "exit if resources not available in secs") {
            options, text throws(OptionError) in
            options.immediate = text.isEmpty ? 1 : try JobValue.count(text, "immediate", from: 0)
        },
        Row("jobid", nil, .required, "id", env: ["SLURM_JOB_ID", "SLURM_JOBID"], "run under already allocated job") {
            options, text throws(OptionError) in options.jobID = try JobValue.count(text, "--jobid")
        },
        Row(
            "kill-on-bad-exit", "K", .optional, "0|1", env: ["SLURM_KILL_BAD_EXIT"],
            "kill the job step if any task terminates with a non-zero exit code"
        ) { options, text throws(OptionError) in
            options.killOnBadExit = text.isEmpty ? true : try JobValue.count(text, "--kill-on-bad-exit", from: 0) != 0
        },
        Row(
            "mpi", nil, .required, "type", env: ["SLURM_MPI_TYPE"],
            "what MPI programs find at their start: none, pmi2 (PMI-1 too); \"list\" shows them"
        ) { options, text throws(OptionError) in
            let type = text.lowercased()
            guard type == "list" || mpiTypes.contains(type) else { throw OptionError(Self.refusedMPI(text)) }
            options.mpi = type
        },
        Row("no-container", nil, .none, "run the step outside of the job's container") {
            options, _ throws(OptionError) in options.noContainer = true
        },
        Row("no-kill", "k", .optional, "off", env: ["SLURM_NO_KILL"], "go on when a node fails") {
            options, text throws(OptionError) in options.step.noKill = text != "off"
        },
        Row("overlap", nil, .none, env: ["SLURM_OVERLAP"], "share the job's CPUs with its other steps") {
            options, _ throws(OptionError) in options.overlap = true
        },
        Row("quit-on-interrupt", nil, .none, "quit on single Ctrl-C") { options, _ throws(OptionError) in
            options.quitOnInterrupt = true
        },
        Row("relative", "r", .required, "n", "run job step relative to node n of allocation") {
            options, text throws(OptionError) in options.relative = try JobValue.count(text, "--relative", from: 0)
        },
        Row(
            "wait", "W", .required, "sec", env: ["SLURM_WAIT"],
            "seconds to wait after first task exits before killing the step"
        ) { options, text throws(OptionError) in options.waitSeconds = try JobValue.count(text, "--wait", from: 0) },
        Row("het-group", nil, .required, "list", "components of a heterogeneous job that the step is for") {
            options, text throws(OptionError) in options.step.hetGroup = text
        },
        Row("test-only", "tell when and where the job would start; submit nothing") { options, _ throws(OptionError) in
            options.testOnly = true
        },
        .refused("no-allocate", "Z", .none, "every step runs in a job"),
        .refused("uid", nil, .required, "run srun as the user, for instance with runuser"),
        .refused("gid", nil, .required, "use newgrp or sg before srun"),
        .refused("x11", nil, .optional, "X11 forwarding is not supported"),
    ]

    private static func refusedMPI(_ text: String) -> String {
        guard text.lowercased().hasPrefix("pmix") else {
            return "Couldn't find the specified plugin name for mpi/\(text) looking at all files\n"
                + "srun: error: cannot find mpi plugin for mpi/\(text)\n"
                + "srun: error: MPI: Cannot create context for mpi/\(text)\n"
                + "srun: error: MPI: Unable to load any plugin\n"
                + "srun: error: Invalid MPI type '\(text)', --mpi=list for acceptable types"
        }
        return
            "--mpi=\(text) is not supported: there is no PMIx server; start programs of Open MPI with its mpirun, which "
            + "calls srun by itself"
    }

    private static let stdio: [Row] = [
        Row("label", "l", .none, env: ["SLURM_LABELIO"], "prepend task number to lines of stdout/err") {
            options, _ throws(OptionError) in options.label = true
        },
        Row("pty", nil, .none, env: ["SLURM_PTY"], "run task zero in a pseudo terminal") {
            options, _ throws(OptionError) in options.step.terminal = true
        },
        Row("unbuffered", "u", .none, env: ["SLURM_UNBUFFEREDIO"], "do not line-buffer stdout/err") {
            options, _ throws(OptionError) in options.unbuffered = true
        },
    ]

    private static let bindings: [Row] = [
        Row(
            "cpu-bind", nil, .required, "type", env: ["SLURM_CPU_BIND"],
            "bind tasks to CPUs: [quiet|verbose,] none, rank, map_cpu:list, mask_cpu:list, sockets, cores, threads, ldoms"
        ) { options, text throws(OptionError) in
            options.step.cpuBinding = try BindingText.cpu(text)
        },
        Row(
            "mem-bind", nil, .required, "type", env: ["SLURM_MEM_BIND"],
            "bind memory to localities: [quiet|verbose,] none, local, rank, map_mem:list, mask_mem:list"
        ) { options, text throws(OptionError) in
            options.step.asksMemoryBindingHelp = text.lowercased() == "help"
            if options.step.asksMemoryBindingHelp { return }
            options.step.memoryBinding = try BindingText.memory(text)
        },
        Row("gpu-bind", nil, .required, "type", env: ["SLURM_GPU_BIND"], "which GPUs of the step a task sees") {
            options, text throws(OptionError) in options.step.gpuBinding = try BindingText.gpu(text)
        },
        Row(
            "propagate", nil, .optional, "rlimits", env: ["SLURM_PROPAGATE"],
            "limits of this process that the tasks get: ALL, NONE or names"
        ) { options, text throws(OptionError) in
            options.step.propagated = try LimitNames.checked(text.isEmpty ? "ALL" : text)
        },
    ]

    private static let programs: [Row] = [
        Row("multi-prog", nil, .none, env: ["SLURM_MULTI_PROG"], "the program is a file that says what each task runs")
        { options, _ throws(OptionError) in options.step.multiProgram = true },
        Row(
            "bcast", nil, .optional, "dest", env: ["SLURM_BCAST"], "copy the program to the job's nodes first"
        ) { options, text throws(OptionError) in options.step.broadcast = text },
        Row("task-prolog", nil, .required, "program", env: ["SLURM_TASK_PROLOG"], "run before each task, as the user") {
            options, text throws(OptionError) in options.step.taskProlog = text
        },
        Row("task-epilog", nil, .required, "program", env: ["SLURM_TASK_EPILOG"], "run after each task, as the user") {
            options, text throws(OptionError) in options.step.taskEpilog = text
        },
        Row("prolog", nil, .required, "program", env: ["SLURM_PROLOG"], "run by srun before the step") {
            options, text throws(OptionError) in options.step.prolog = text
        },
        Row("epilog", nil, .required, "program", env: ["SLURM_EPILOG"], "run by srun after the step") {
            options, text throws(OptionError) in options.step.epilog = text
        },
    ]
}
