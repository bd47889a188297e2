// The options that sbatch, salloc and srun share, then what only some of them have. `prefix` begins the names of a
// command's variables: SBATCH_, SALLOC_, and SLURM_ for srun (and, for srun 22.05, SRUN_ for some).

import ArgosyDomain

enum JobOptionTable {
    typealias Row = Option<JobOptions>

    static let sbatch: [Row] =
        shared(prefix: "SBATCH_") + output(prefix: "SBATCH_") + container(prefix: "SBATCH_") + batchOnly
        + taken(prefix: "SBATCH_") + informationOptions()

    /// The variables of an option: those of sbatch, salloc and srun, without what they begin with.
    private static func variables(
        _ prefix: String, sbatch: [String] = [], salloc: [String] = [], srun: [String] = []
    ) -> [String] {
        switch prefix {
        case "SBATCH_": sbatch.map { "SBATCH_" + $0 }
        case "SALLOC_": salloc.map { "SALLOC_" + $0 }
        default: srun
        }
    }

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
                "chdir", "D", .required, "path",
                env: variables(prefix, srun: ["SLURM_REMOTE_CWD", "SLURM_WORKING_DIR"]),
                "set working directory for batch script"
            ) { options, text throws(OptionError) in options.workDirectory = text },
            Row(
                "clusters", "M", .required, "names", env: [prefix + "CLUSTERS", "SLURM_CLUSTERS"],
                "clusters to send the job to; the one that this command talks to must be among them"
            ) { options, text throws(OptionError) in options.clusters = text },
            Row("comment", nil, .required, "text", "arbitrary comment") { options, text throws(OptionError) in
                options.comment = text
            },
            Row(
                "cpus-per-task", "c", .required, "ncpus", env: variables(prefix, srun: ["SRUN_CPUS_PER_TASK"]),
                "number of cpus required per task"
            ) { options, text throws(OptionError) in options.cpusPerTask = try JobValue.count(text, "--cpus-per-task")
            },
            Row(
                "dependency", "d", .required, "type:jobid", env: [prefix + "DEPENDENCY"],
                "defer job until condition on jobid is satisfied"
            ) { options, text throws(OptionError) in options.dependency = text },
            Row(
                "exclude", "x", .required, "hosts", env: variables(prefix, srun: ["SLURM_EXCLUDE"]),
                "exclude a specific list of hosts"
            ) { options, text throws(OptionError) in
                do throws(OptionError) { options.exclude = try JobValue.hosts(text) } catch {
                    options.refusal = "Invalid node name specified"
                }
            },
            Row("hold", "H", "submit job in held state") { options, _ throws(OptionError) in options.hold = true },
            Row(
                "job-name", "J", .required, "name", env: variables(prefix, sbatch: ["JOB_NAME"]), "name of job"
            ) { options, text throws(OptionError) in options.name = text },
            Row(
                "mem", nil, .required, "MB", env: variables(prefix, sbatch: ["MEM_PER_NODE"], salloc: ["MEM_PER_NODE"]),
                "minimum amount of real memory per node"
            ) { options, text throws(OptionError) in
                let size = try JobValue.memory(text, "--mem")
                options.chooseMemory("mem")
                options.memoryPerNodeMiB = size
            },
            Row(
                "mem-per-cpu", nil, .required, "MB",
                env: variables(prefix, sbatch: ["MEM_PER_CPU"], salloc: ["MEM_PER_CPU"]),
                "maximum amount of real memory per allocated cpu"
            ) { options, text throws(OptionError) in
                let size = try JobValue.memory(text, "--mem-per-cpu")
                options.chooseMemory("mem-per-cpu")
                options.memoryPerCPUMiB = size
            },
            Row("nice", nil, .optional, "value", "decrease scheduling priority by value") {
                options, text throws(OptionError) in options.nice = try JobValue.nice(text)
            },
            Row("nodefile", "F", .required, "file", "request the hosts that are listed in a file") {
                options, text throws(OptionError) in options.nodeList = try JobValue.nodeFile(text)
            },
            Row("nodelist", "w", .required, "hosts", "request a specific list of hosts") {
                options, text throws(OptionError) in
                do throws(OptionError) { options.nodeList = try JobValue.hosts(text) } catch {
                    options.refusal = "Invalid node name specified"
                }
            },
            Row("nodes", "N", .required, "min[-max]", "number of nodes on which to run") {
                options, text throws(OptionError) in
                (options.minNodes, options.maxNodes) = try JobValue.nodes(text)
                options.asksNoNodes = options.minNodes == 0
            },
            Row(
                "ntasks", "n", .required, "number", env: variables(prefix, srun: ["SLURM_NTASKS", "SLURM_NPROCS"]),
                "number of tasks to run"
            ) { options, text throws(OptionError) in
                options.tasks = try JobValue.count(text, "--ntasks")
            },
            Row(
                "ntasks-per-node", nil, .required, "n",
                "number of tasks to invoke on each node"
            ) {
                options, text throws(OptionError) in
                options.tasksPerNode = try JobValue.count(text, "--ntasks-per-node")
            },
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
            Row(
                "verbose", "v", .none, env: [prefix + "DEBUG"], "verbose mode (multiple -v's increase verbosity)"
            ) { options, _ throws(OptionError) in options.verbose += 1 },
        ] + resources(prefix: prefix) + life(prefix: prefix) + identity(prefix: prefix)
    }

    /// What only jobs (or steps) with output of their own have.
    static func output(prefix: String) -> [Row] {
        [
            Row(
                "error", "e", .required, "file",
                env: variables(prefix, sbatch: ["ERROR"], srun: ["SLURM_STDERRMODE"]), "file for standard error"
            ) { options, text throws(OptionError) in options.error = text },
            Row(
                "export", nil, .required, "env",
                env: variables(prefix, sbatch: ["EXPORT"], srun: ["SRUN_EXPORT_ENV", "SLURM_EXPORT_ENV"]),
                "environment variables to export: ALL, NONE or a list"
            ) { options, text throws(OptionError) in options.export = text },
            Row(
                "input", "i", .required, "file",
                env: variables(prefix, sbatch: ["INPUT"], srun: ["SLURM_STDINMODE"]), "file for standard input"
            ) { options, text throws(OptionError) in options.input = text },
            Row(
                "no-requeue", nil, .none, env: variables(prefix, sbatch: ["NO_REQUEUE"]),
                "do not permit the job to be requeued"
            ) { options, _ throws(OptionError) in options.requeue = false },
            Row(
                "requeue", nil, .none, env: variables(prefix, sbatch: ["REQUEUE"]),
                "permit the job to be requeued"
            ) { options, _ throws(OptionError) in options.requeue = true },
            Row(
                "open-mode", nil, .required, "append|truncate", env: [prefix + "OPEN_MODE"],
                "open output files in append or truncate mode"
            ) { options, text throws(OptionError) in
                guard let first = text.lowercased().first, first == "a" || first == "t" else {
                    throw JobValue.invalid("--open-mode")
                }
                options.append = first == "a"
            },
            Row(
                "output", "o", .required, "file",
                env: variables(prefix, sbatch: ["OUTPUT"], srun: ["SLURM_STDOUTMODE"]), "file for standard output"
            ) { options, text throws(OptionError) in options.output = text },
            Row(
                "propagate", nil, .optional, "rlimits", env: [prefix == "SLURM_" ? "SLURM_PROPAGATE" : ""],
                "pass on all [or the named] resource limits"
            ) { options, text throws(OptionError) in options.propagated = try TakenValue.limits(text) },
        ]
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
            .refused(
                "container", nil, .required, env: [(prefix == "SLURM_" ? "SRUN_" : prefix) + "CONTAINER"],
                "OCI bundles are not run yet; use --container-image"),
        ]
    }

    static let batchOnly: [Row] = [
        Row("array", "a", .required, "indexes", env: ["SBATCH_ARRAY_INX"], "job array index values") {
            options, text throws(OptionError) in
            options.array = ArrayText.parse(text)
            if options.array == nil { options.refusal = "Invalid job array specification" }
        },
        Row(
            "export-file", nil, .required, "file|fd",
            "file or descriptor with the job's variables, each NAME=value with a NUL behind it"
        ) { options, text throws(OptionError) in options.exportFile = text },
        Row(
            "ignore-pbs", nil, .none, env: ["SBATCH_IGNORE_PBS"], "pass over #PBS and #BSUB lines of the script"
        ) { options, _ throws(OptionError) in options.ignoresPBS = true },
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
        Row(
            "batch", nil, .required, "list", env: ["SBATCH_BATCH"],
            "features of the node that runs the script; they must be among those of --constraint"
        ) { options, text throws(OptionError) in options.batchFeatures = text },
    ]
}
