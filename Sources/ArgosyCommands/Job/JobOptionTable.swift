// The options that sbatch and srun share, then what only one of them has. `prefix` is SBATCH or SLURM: the variables of
// sbatch are SBATCH_*, those of srun SLURM_* (and, for srun 22.05, SRUN_* for some).

import ArgosyDomain

enum JobOptionTable {
    typealias Row = Option<JobOptions>

    static let sbatch: [Row] =
        shared(prefix: "SBATCH_") + container(prefix: "SBATCH_") + batchOnly + life + quietly
        + [
            Row.accepted("acctg-freq"), .accepted("ignore-pbs", nil, .none),
            .accepted("wait-all-nodes"), .accepted("export-file"),
        ] + refusedByAll + informationOptions()

    static let srun: [Row] =
        shared(prefix: "SLURM_") + container(prefix: "SLURM_") + stepOnly + life + quietly
        + [
            Row.accepted("acctg-freq"), .accepted("cpu-bind"), .accepted("compress", nil, .optional),
            .accepted("epilog"), .accepted("prolog"), .accepted("msg-timeout"), .accepted("preserve-env", "E", .none),
            .accepted("resv-ports", nil, .optional), .accepted("send-libs", nil, .optional),
            .accepted("slurmd-debug"), .accepted("bcast-exclude"), .accepted("accel-bind"), .accepted("threads", "T"),
        ] + refusedByAll + informationOptions()

    static func shared(prefix: String) -> [Row] {
        [
            Row("account", "A", .required, "name", env: [prefix + "ACCOUNT"], "charge job to specified account") {
                options, text throws(OptionError) in options.account = text
            },
            Row("begin", "b", .required, "time", "defer job until HH:MM MM/DD/YY") {
                options, text throws(OptionError) in
                options.begin = try JobValue.moment(text, "--begin")
            },
            Row(
                "chdir", "D", .required, "path", env: prefix == "SLURM_" ? ["SLURM_WORKING_DIR"] : [],
                "set working directory for batch script"
            ) { options, text throws(OptionError) in options.workDirectory = text },
            Row("comment", nil, .required, "text", "arbitrary comment") { options, text throws(OptionError) in
                options.comment = text
            },
            Row(
                "cpus-per-task", "c", .required, "ncpus",
                env: prefix == "SLURM_" ? ["SRUN_CPUS_PER_TASK"] : [],
                "number of cpus required per task"
            ) { options, text throws(OptionError) in options.cpusPerTask = try JobValue.count(text, "--cpus-per-task")
            },
            Row(
                "dependency", "d", .required, "type:jobid", env: [prefix + "DEPENDENCY"],
                "defer job until condition on jobid is satisfied"
            ) { options, text throws(OptionError) in options.dependency = text },
            Row(
                "error", "e", .required, "file", env: prefix == "SLURM_" ? ["SLURM_STDERRMODE"] : ["SBATCH_ERROR"],
                "file for standard error"
            ) { options, text throws(OptionError) in options.error = text },
            Row(
                "exclude", "x", .required, "hosts", env: prefix == "SLURM_" ? ["SLURM_EXCLUDE"] : [],
                "exclude a specific list of hosts"
            ) { options, text throws(OptionError) in options.exclude = try JobValue.hosts(text) },
            Row(
                "export", nil, .required, "env", env: [prefix == "SLURM_" ? "SLURM_EXPORT_ENV" : "SBATCH_EXPORT"],
                "environment variables to export: ALL, NONE or a list"
            ) { options, text throws(OptionError) in options.export = text },
            Row("hold", "H", "submit job in held state") { options, _ throws(OptionError) in options.hold = true },
            Row(
                "input", "i", .required, "file", env: prefix == "SLURM_" ? ["SLURM_STDINMODE"] : ["SBATCH_INPUT"],
                "file for standard input"
            ) { options, text throws(OptionError) in options.input = text },
            Row(
                "job-name", "J", .required, "name", env: prefix == "SLURM_" ? [] : ["SBATCH_JOB_NAME"],
                "name of job"
            ) { options, text throws(OptionError) in options.name = text },
            Row(
                "mem", nil, .required, "MB", env: prefix == "SLURM_" ? [] : ["SBATCH_MEM_PER_NODE"],
                "minimum amount of real memory per node"
            ) { options, text throws(OptionError) in
                options.memoryPerNodeMiB = try JobValue.memory(text, "--mem")
                options.memoryPerCPUMiB = 0
            },
            Row(
                "mem-per-cpu", nil, .required, "MB", env: prefix == "SLURM_" ? [] : ["SBATCH_MEM_PER_CPU"],
                "maximum amount of real memory per allocated cpu"
            ) { options, text throws(OptionError) in
                options.memoryPerCPUMiB = try JobValue.memory(text, "--mem-per-cpu")
                options.memoryPerNodeMiB = 0
            },
            Row("nice", nil, .optional, "value", "decrease scheduling priority by value") {
                options, text throws(OptionError) in options.nice = try JobValue.nice(text)
            },
            Row(
                "no-requeue", nil, .none, env: prefix == "SLURM_" ? [] : ["SBATCH_NO_REQUEUE"],
                "do not permit the job to be requeued"
            ) { options, _ throws(OptionError) in options.requeue = false },
            Row(
                "requeue", nil, .none, env: prefix == "SLURM_" ? [] : ["SBATCH_REQUEUE"],
                "permit the job to be requeued"
            ) { options, _ throws(OptionError) in options.requeue = true },
            Row("nodelist", "w", .required, "hosts", "request a specific list of hosts") {
                options, text throws(OptionError) in options.nodeList = try JobValue.hosts(text)
            },
            Row("nodes", "N", .required, "min[-max]", "number of nodes on which to run") {
                options, text throws(OptionError) in (options.minNodes, options.maxNodes) = try JobValue.nodes(text)
            },
            Row(
                "ntasks", "n", .required, "number", env: prefix == "SLURM_" ? ["SLURM_NTASKS"] : [],
                "number of tasks to run"
            ) { options, text throws(OptionError) in
                options.tasks = try JobValue.count(text, "--ntasks")
            },
            Row(
                "ntasks-per-node", nil, .required, "n",
                "number of tasks to invoke on each node"
            ) {
                options, text throws(OptionError) in
                options.tasksPerNode = try JobValue.count(text, "--ntasks-per-node", from: 0)
            },
            Row(
                "open-mode", nil, .required, "append|truncate", env: [prefix + "OPEN_MODE"],
                "open output files in append or truncate mode"
            ) { options, text throws(OptionError) in
                guard let first = text.lowercased().first, first == "a" || first == "t" else {
                    throw OptionError("Invalid --open-mode value \"\(text)\"; it is append or truncate")
                }
                options.append = first == "a"
            },
            Row(
                "output", "o", .required, "file", env: prefix == "SLURM_" ? ["SLURM_STDOUTMODE"] : ["SBATCH_OUTPUT"],
                "file for standard output"
            ) { options, text throws(OptionError) in options.output = text },
            Row("partition", "p", .required, "partition", env: [prefix + "PARTITION"], "partition requested") {
                options, text throws(OptionError) in options.partition = text
            },
            Row("qos", "q", .required, "qos", env: [prefix + "QOS"], "quality of service") {
                options, text throws(OptionError) in options.qos = text
            },
            Row("quiet", "Q", "quiet mode (suppress informational messages)") { options, _ throws(OptionError) in
                options.quiet += 1
            },
            Row("time", "t", .required, "minutes", env: [prefix + "TIMELIMIT"], "time limit") {
                options, text throws(OptionError) in options.timeLimit = try JobValue.time(text)
            },
            Row("verbose", "v", "verbose mode (multiple -v's increase verbosity)") { options, _ throws(OptionError) in
                options.verbose += 1
            },
        ] + resources(prefix: prefix)
    }

    static func container(prefix: String) -> [Row] {
        [
            Row(
                "container-image", nil, .required, "image", env: [prefix + "CONTAINER_IMAGE"],
                "container image: docker://, oci:, sqsh: or dir:"
            ) { options, text throws(OptionError) in
                if text.isEmpty { throw OptionError("--container-image needs an image, as docker://debian:12") }
                options.containerImage = text
            },
            Row(
                "container-mounts", nil, .required, "src:dst[:ro]", env: [prefix + "CONTAINER_MOUNTS"],
                "directories and files to see in the container"
            ) { options, text throws(OptionError) in
                for mount in text.split(separator: ",") {
                    let parts = mount.split(separator: ":", omittingEmptySubsequences: false)
                    guard (1...3).contains(parts.count), parts.prefix(2).allSatisfy({ $0.hasPrefix("/") }),
                        parts.count < 3 || ["ro", "rw"].contains(parts[2])
                    else { throw OptionError("--container-mounts: \"\(mount)\" is not /source:/target[:ro|rw]") }
                    options.containerMounts.append(parts.count == 1 ? "\(mount):\(mount)" : String(mount))
                }
            },
            Row(
                "container-workdir", nil, .required, "path", env: [prefix + "CONTAINER_WORKDIR"],
                "working directory in the container"
            ) { options, text throws(OptionError) in options.containerWorkdir = text },
            Row(
                "container-writable", nil, .none, env: [prefix + "CONTAINER_WRITABLE"],
                "let the job write to the container's files, for as long as it lasts"
            ) { options, _ throws(OptionError) in options.containerWritable = true },
            Row("container-readonly", nil, .none, "keep the container's files read-only (default)") {
                options, _ throws(OptionError) in options.containerWritable = false
            },
            Row("container-mount-home", nil, .none, "see the home directory in the container (default)") {
                options, _ throws(OptionError) in options.mountsHome = true
            },
            Row(
                "no-container-mount-home", nil, .none, env: [prefix + "NO_CONTAINER_MOUNT_HOME"],
                "hide the home directory from the container"
            ) { options, _ throws(OptionError) in options.mountsHome = false },
            .refused("container-name", nil, .required, "containers are not kept between jobs; name an image instead"),
            .refused("container-save", nil, .required, "containers are not saved; build an image instead"),
            .refused("container", nil, .required, "OCI bundles are not run yet; use --container-image"),
        ]
    }

    static let batchOnly: [Row] = [
        Row("array", "a", .required, "indexes", env: ["SBATCH_ARRAY_INX"], "job array index values") {
            options, text throws(OptionError) in
            guard let array = ArrayText.parse(text) else {
                throw OptionError("Invalid job array specification \"\(text)\"; write 0-7, 1,3,5-9:2 or 0-15%4")
            }
            options.array = array
        },
        Row(
            "get-user-env", nil, .optional, "timeout", env: ["SBATCH_GET_USER_ENV"],
            "noted; the environment is the one sbatch was called in"
        ) { options, _ throws(OptionError) in options.getsUserEnvironment = true },
        Row("parsable", "outputs only the jobid (and cluster name)") { options, _ throws(OptionError) in
            options.parsable = true
        },
        Row("wait", "W", .none, env: ["SBATCH_WAIT"], "wait for completion of submitted job") {
            options, _ throws(OptionError) in options.waits = true
        },
        Row("wrap", nil, .required, "command", "wrap command string in a sh script and submit") {
            options, text throws(OptionError) in options.wrap = text
        },
        Row("test-only", "tell when and where the job would start; submit nothing") { options, _ throws(OptionError) in
            options.testOnly = true
        },
        .refused("uid", nil, .required, "submit as the user, for instance with runuser"),
        .refused("gid", nil, .required, "use newgrp or sg before sbatch"),
    ]

    static let stepOnly: [Row] = [
        Row("disable-status", "X", "an interrupt ends the step without a report of its tasks") {
            options, _ throws(OptionError) in options.disableStatus = true
        },
        Row("exact", nil, .none, env: ["SLURM_EXACT"], "give the step only what it asks for") {
            options, _ throws(OptionError) in options.exact = true
        },
        Row("immediate", "I", .optional, "secs", env: ["SLURM_IMMEDIATE"], "exit if resources not available in secs") {
            options, text throws(OptionError) in
            options.immediate = text.isEmpty ? 5 : try JobValue.count(text, "--immediate", from: 0)
        },
        Row("jobid", nil, .required, "id", env: ["SLURM_JOB_ID", "SLURM_JOBID"], "run under already allocated job") {
            options, text throws(OptionError) in options.jobID = try JobValue.count(text, "--jobid")
        },
        Row(
            "kill-on-bad-exit", "K", .optional, "0|1", env: ["SLURM_KILL_BAD_EXIT"],
            "kill the job step if any task terminates with a non-zero exit code"
        ) { options, text throws(OptionError) in options.killOnBadExit = text != "0" },
        Row("label", "l", .none, env: ["SLURM_LABELIO"], "prepend task number to lines of stdout/err") {
            options, _ throws(OptionError) in options.label = true
        },
        Row("mpi", nil, .required, "type", env: ["SLURM_MPI_TYPE"], "type of MPI being used: none") {
            options, text throws(OptionError) in
            guard ["none", "list"].contains(text.lowercased()) else {
                throw OptionError(
                    "--mpi=\(text) is not supported: start MPI programs with mpirun or mpiexec of their MPI, which "
                        + "call srun by themselves, or use --mpi=none")
            }
            options.mpi = text.lowercased()
        },
        Row("no-container", nil, .none, "run the step outside of the job's container") {
            options, _ throws(OptionError) in options.noContainer = true
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
        Row("unbuffered", "u", .none, env: ["SLURM_UNBUFFEREDIO"], "do not line-buffer stdout/err") {
            options, _ throws(OptionError) in options.unbuffered = true
        },
        Row(
            "wait", "W", .required, "sec", env: ["SLURM_WAIT"],
            "seconds to wait after first task exits before killing the step"
        ) { options, text throws(OptionError) in options.waitSeconds = try JobValue.count(text, "--wait", from: 0) },
        .refused("pty", nil, .none, "pseudo terminals are not supported yet"),
        .refused("multi-prog", nil, .none, "start one step for each program"),
        .refused("bcast", nil, .optional, "put the program in the image or on a shared file system"),
        .refused("no-allocate", "Z", .none, "every step runs in a job"),
        .refused("het-group", nil, .required, "heterogeneous jobs are not supported yet"),
        Row("test-only", "tell when and where the job would start; submit nothing") { options, _ throws(OptionError) in
            options.testOnly = true
        },
        .refused("uid", nil, .required, "run srun as the user, for instance with runuser"),
        .refused("gid", nil, .required, "use newgrp or sg before srun"),
        .refused("x11", nil, .optional, "X11 forwarding is not supported"),
        .refused("task-prolog", nil, .required, "put its commands in the script"),
        .refused("task-epilog", nil, .required, "put its commands in the script"),
    ]

    /// Without effect here, and harmless to pass over.
    static let quietly: [Row] = [
        .accepted("bb"), .accepted("bbf"), .accepted("cpu-freq"), .accepted("gpu-bind"),
        .accepted("gpu-freq"), .accepted("gres-flags"),
        .accepted("mcs-label"), .accepted("mem-bind"), .accepted("network"), .accepted("no-kill", "k", .optional),
        .accepted("power"), .accepted("profile"), .accepted("propagate", nil, .optional),
    ]

    /// Passing over these would give the job something else than it asks for.
    static let refusedByAll: [Row] = [
        .refused("clusters", "M", .required, "one controller serves one cluster; choose it with SLURM_CONF"),
        .refused("cluster-constraint", nil, .required, "federations are not supported"),
        .refused("batch", nil, .required, "name nodes with --nodelist or a partition instead"),
        .refused("nodefile", "F", .required, "use --nodelist=$(paste -sd, FILE)"),
    ]
}
