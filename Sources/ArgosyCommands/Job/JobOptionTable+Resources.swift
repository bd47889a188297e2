// The options that say what a job asks of its nodes, and when and where it may run.

import ArgosyConfig
import ArgosyDomain

extension JobOptionTable {
    /// A count that has its place in the job's resources. Variables are given without their prefix.
    private static func count(
        _ long: String, short: Character? = nil, env variables: [String] = [], from least: UInt32 = 1, _ help: String,
        _ place: any WritableKeyPath<ResourceOptions, UInt32> & Sendable
    ) -> Row {
        Row(long, short, .required, "n", env: variables, help) { options, text throws(OptionError) in
            options.resources[keyPath: place] = try JobValue.count(text, "--\(long)", from: least)
        }
    }

    private static func flag(
        _ long: String, short: Character? = nil, env variables: [String] = [], _ help: String,
        _ place: any WritableKeyPath<ResourceOptions, Bool> & Sendable
    ) -> Row {
        Row(long, short, .none, env: variables, help) { options, _ throws(OptionError) in
            options.resources[keyPath: place] = true
        }
    }

    static func resources(prefix: String) -> [Row] {
        gpus(prefix: prefix) + layout(prefix: prefix) + sharing(prefix: prefix) + choice(prefix: prefix)
            + timing(prefix: prefix)
    }

    private static func gpus(prefix: String) -> [Row] {
        func gpus(
            _ long: String, _ short: Character?, _ per: GRESRequest.Per, _ help: String,
            _ place: any WritableKeyPath<JobOptions, [GRESRequest]> & Sendable
        ) -> Row {
            let variable = prefix + long.uppercased().replacing("-", "_")
            return Row(long, short, .required, "[type:]n", env: [variable], help) { options, text throws(OptionError) in
                options[keyPath: place] = try ResourceText.gpus(text, per: per)
            }
        }
        return [
            Row(
                "gres", nil, .required, "list",
                env: prefix == "SLURM_" ? ["SLURM_STEP_GRES", "SLURM_GRES"] : [prefix + "GRES"],
                "required generic resources, per node"
            ) {
                options, text throws(OptionError) in
                options.asksGRESHelp = text.lowercased() == "help"
                options.asksNoGRES = text.lowercased() == "none"
                options.gres = options.asksGRESHelp ? [] : try ResourceText.gres(text)
            },
            gpus("gpus", "G", .job, "count of GPUs required for the job", \.gpus),
            gpus("gpus-per-node", nil, .node, "number of GPUs required per allocated node", \.gpusPerNode),
            gpus("gpus-per-socket", nil, .socket, "number of GPUs required per allocated socket", \.gpusPerSocket),
            gpus("gpus-per-task", nil, .task, "number of GPUs required per spawned task", \.gpusPerTask),
            count(
                "cpus-per-gpu", env: [prefix + "CPUS_PER_GPU"], "number of CPUs required per allocated GPU",
                \.cpusPerGPU),
            Row(
                "mem-per-gpu", nil, .required, "MB", env: [prefix + "MEM_PER_GPU"],
                "real memory required per allocated GPU"
            ) { options, text throws(OptionError) in
                let size = try JobValue.memory(text, "--mem-per-gpu")
                options.chooseMemory("mem-per-gpu")
                options.resources.memoryPerGPUMiB = size
            },
            count(
                "ntasks-per-gpu", env: prefix == "SLURM_" ? ["SLURM_NTASKS_PER_GPU"] : [],
                "number of tasks to invoke for each GPU", \.tasksPerGPU),
        ]
    }

    private static func layout(prefix: String) -> [Row] {
        let isStep = prefix == "SLURM_"
        return [
            count(
                "ntasks-per-socket", env: isStep ? ["SLURM_NTASKS_PER_SOCKET"] : [],
                "number of tasks to invoke on each socket", \.tasksPerSocket),
            count(
                "ntasks-per-core", env: isStep ? ["SLURM_NTASKS_PER_CORE"] : [],
                "number of tasks to invoke on each core", \.tasksPerCore),
            count(
                "threads-per-core", env: [prefix + "THREADS_PER_CORE"],
                "number of threads per core to allocate", \.threadsPerCore),
            Row(
                "hint", nil, .required, "type", env: [prefix + "HINT", "SLURM_HINT"],
                "Bind tasks according to application hints (see \"--hint=help\")"
            ) { options, text throws(OptionError) in
                options.asksHintHelp = text.lowercased() == "help"
                if !options.asksHintHelp { try options.resources.setHint(text) }
                options.hint = text
            },
            Row(
                "extra-node-info", "B", .required, "S[:C[:T]]",
                "request sockets, cores and threads: S sockets a node, C cores a socket, T threads a core"
            ) { options, text throws(OptionError) in try options.resources.setExtraNodeInfo(text) },
            count("sockets-per-node", "number of sockets per node to allocate", \.socketsPerNode),
            count("cores-per-socket", "number of cores per socket to allocate", \.coresPerSocket),
            count("mincpus", "minimum number of logical processors (threads) per node", \.minCPUsPerNode),
            Row("tmp", nil, .required, "MB", "minimum amount of temporary disk") { options, text throws(OptionError) in
                options.resources.minTmpDiskMiB = try JobValue.memory(text, "--tmp")
            },
            Row(
                "distribution", "m", .required, "type", env: [prefix + "DISTRIBUTION"],
                "distribution method for processes to nodes (type = block|cyclic|arbitrary|plane=n)"
            ) { options, text throws(OptionError) in
                options.resources.distribution = try ResourceText.distribution(text)
            },
            count("core-spec", short: "S", env: [prefix + "CORE_SPEC"], from: 0, "count of reserved cores", \.coreSpec),
            Row(
                "thread-spec", nil, .required, "threads", env: [prefix + "THREAD_SPEC"], "count of reserved threads"
            ) { options, text throws(OptionError) in
                let count = try JobValue.count(text, "--thread-spec")
                options.resources.coreSpec = min(count, 0x7fff) | JobOptions.threadSpec
            },
        ]
    }

    private static func sharing(prefix: String) -> [Row] {
        [
            Row(
                "exclusive", nil, .optional, "user", env: [prefix + "EXCLUSIVE"],
                "allocate nodes in exclusive mode, or (user) shared with the same user's jobs only"
            ) { options, text throws(OptionError) in
                switch text.lowercased() {
                // As a variable of srun's it holds what the flag means.
                case "", "1", "exclusive", "yes", "true": options.resources.sharing = .exclusive
                case "user": options.resources.sharing = .user
                case "mcs": throw OptionError("--exclusive=mcs is not supported: jobs have no MCS labels here")
                default: throw OptionError("Invalid --exclusive specification", status: 255)
                }
                options.exclusive = options.resources.sharing == .exclusive
            },
            Row("oversubscribe", "s", "over subscribe resources with other jobs") { options, _ throws(OptionError) in
                options.resources.sharing = .oversubscribe
                options.exclusive = false
            },
            flag("overcommit", short: "O", env: [prefix + "OVERCOMMIT"], "overcommit resources", \.overcommit),
            flag("contiguous", "demand a contiguous range of nodes", \.contiguous),
            flag(
                "spread-job", env: [prefix + "SPREAD_JOB"], "spread job across as many nodes as possible", \.spreadJob),
            flag(
                "use-min-nodes", env: [prefix + "USE_MIN_NODES"],
                "if a range of node counts is given, prefer the smaller count", \.useMinNodes),
        ]
    }

    private static func choice(prefix: String) -> [Row] {
        [
            Row(
                "constraint", "C", .required, "list", env: [prefix + "CONSTRAINT"],
                "specify a list of features that nodes must have"
            ) { options, text throws(OptionError) in options.resources.constraint = text },
            Row("prefer", nil, .required, "list", "features that nodes should have, where that does not delay the job")
            {
                options, text throws(OptionError) in options.resources.prefer = text
            },
            Row("licenses", "L", .required, "names", "required license, comma separated") {
                options, text throws(OptionError) in
                do throws(OptionError) {
                    (options.resources.licenses, options.resources.anyLicense) = try ResourceText.licenses(text)
                } catch { options.refusal = error.message }
            },
            Row(
                "reservation", nil, .required, "name", env: [prefix + "RESERVATION"],
                "allocate resources from named reservation"
            ) { options, text throws(OptionError) in options.resources.reservation = text },
            Row(
                "switches", nil, .required, "n[@time]", env: [prefix + "REQ_SWITCH"],
                "optimum switches and max time to wait for optimum"
            ) { options, text throws(OptionError) in
                let (count, wait) = try ResourceText.switches(text)
                options.resources.switches = count
                if let wait { options.resources.switchWait = wait }
                if options.resources.switchWait == 0 { options.resources.switchWait = .max }
            },
            .variable(prefix + "WAIT4SWITCH", "longest wait for the switches of --switches") {
                options, text throws(OptionError) in
                options.resources.switchWait = try ResourceText.switchWait(text)
            },
            Row("wckey", nil, .required, "wckey", env: [prefix + "WCKEY"], "wckey to run job under") {
                options, text throws(OptionError) in options.wckey = text
            },
        ]
    }

    private static func timing(prefix: String) -> [Row] {
        [
            Row("deadline", nil, .required, "time", "remove the job if no ending possible before this deadline") {
                options, text throws(OptionError) in options.deadline = try JobValue.moment(text, "--deadline")
            },
            Row("time-min", nil, .required, "minutes", "minimum time limit (if distinct)") {
                options, text throws(OptionError) in
                guard let limit = SlurmText.timeLimit(text) else {
                    throw OptionError("Invalid --time-min specification", status: 255)
                }
                options.timeMin = limit
            },
            Row("priority", nil, .required, "value", "set the priority of the job to value (operators)") {
                options, text throws(OptionError) in options.priority = try JobValue.priority(text)
            },
            Row("kill-on-invalid-dep", nil, .required, "yes|no", "terminate job if invalid dependency") {
                options, text throws(OptionError) in
                guard ["yes", "no"].contains(text.lowercased()) else {
                    throw OptionError("Invalid --kill-on-invalid-dep specification", status: 255)
                }
                options.killsOnInvalidDependency = text.lowercased() == "yes"
            },
        ]
    }

    static let hintHelp = """
        Application hint options:
            --hint=             Bind tasks according to application hints
                compute_bound   use all cores in each socket
                memory_bound    use only one core in each socket
                [no]multithread [don't] use extra threads with in-core multi-threading
                help            show this help message

        """
}

extension JobOptions {
    /// Marks a count of specialized threads among those of cores.
    static let threadSpec: UInt32 = 0x8000

    /// The resources with all GPU options among them.
    var allResources: ResourceOptions {
        var all = resources
        all.gres = gres + gpus + gpusPerNode + gpusPerSocket + gpusPerTask
        return all
    }

    /// What the controller would refuse, found here; each command words it in its way.
    func checkedByController() throws(Failure) {
        if asksNoNodes { throw Failure("Node count specification invalid") }
        if !refusal.isEmpty { throw Failure(refusal) }
        let wanted = Set(resources.constraint.split(whereSeparator: { "&|,[]()*!".contains($0) }))
        if !batchFeatures.split(whereSeparator: { "&|,".contains($0) }).allSatisfy(wanted.contains) {
            throw Failure("Job --batch option is invalid or not a subset of --constraints")
        }
    }

    /// Fewer tasks than nodes cannot use them all.
    mutating func settleNodes(_ command: String) {
        guard tasks > 0, minNodes > tasks else { return }
        Console.info(
            command, "Warning: can't run \(tasks) processes on \(minNodes) nodes, setting nnodes to \(tasks)")
        minNodes = tasks
        maxNodes = max(tasks, min(maxNodes, tasks))
    }

    /// Only this command's cluster can be asked; named with others, it is the one.
    func checkClusters(_ configuration: ClusterConfiguration, _ command: String = "sbatch") throws(Failure) {
        let names = clusters.split(separator: ",").map(String.init)
        guard !names.isEmpty, names != ["all"], !names.contains(Process.cluster(configuration)) else { return }
        for name in names { Console.error(command, "No cluster '\(name)' known by database.") }
        throw Failure(
            "'\(clusters)' can't be reached now, or it is an invalid entry for --cluster.  Use 'sacctmgr list clusters' to"
                + " see available clusters.")
    }

    /// Options that mean nothing without others; the texts are Slurm's.
    func checkResources() throws(Failure) {
        if !gpusPerTask.isEmpty, gpus.isEmpty, tasks == 0, tasksPerNode == 0 {
            throw Failure(
                "Failed to validate job spec. --gpus-per-task used without either --gpus or -n/--ntasks is not allowed.",
                detail: ResourceText.invalidGRES)
        }
        if !gpusPerSocket.isEmpty, resources.socketsPerNode == 0 {
            throw Failure(
                "--gpus-per-socket option requires --sockets-per-node specification", detail: ResourceText.invalidGRES)
        }
        let asksGPU = allResources.gres.contains { $0.name == "gpu" }
        if resources.memoryPerGPUMiB > 0, !asksGPU {
            throw Failure(
                "Requested mem_per_tres=gres:gpu:\(resources.memoryPerGPUMiB) but did not request any GPU.",
                detail: ResourceText.invalidGRES)
        }
        if resources.tasksPerGPU > 0, !asksGPU, tasks == 0, minNodes == 0 {
            throw Failure(
                "gres_job_state_validate: --ntasks-per-tres needs either a GRES GPU specification or a node/ntask "
                    + "specification", detail: ResourceText.invalidGRES)
        }
    }

    /// Cores and threads are set aside only where the administrator lets jobs decide that.
    func withoutForbiddenSpecialization(_ command: String, _ configuration: ClusterConfiguration) -> JobOptions {
        let entry = configuration.entries.last { $0.key.lowercased() == "allowspecresourcesusage" }
        guard resources.coreSpec > 0, SlurmText.boolean(entry?.value ?? "") != true else { return self }
        let option = resources.coreSpec & Self.threadSpec == 0 ? "-S" : "--thread-spec"
        Console.error(
            command,
            "Ignoring \(option) since it's not allowed by configuration (AllowSpecResourcesUsage = No)")
        var options = self
        options.resources.coreSpec = 0
        return options
    }

    /// Help that an option's value asked for; nil: none.
    var helpOfValues: String? {
        if asksHintHelp { return JobOptionTable.hintHelp }
        return asksGRESHelp ? ResourceText.gresHelp() : nil
    }

    /// What sbatch tells the job of these options.
    var toldResources: [String] {
        func text(_ requests: [GRESRequest]) -> String {
            requests.map { $0.type.isEmpty ? "\($0.count)" : "\($0.type):\($0.count)" }.joined(separator: ",")
        }
        let values: [(String, String)] = [
            ("GPUS", text(gpus)), ("GPUS_PER_NODE", text(gpusPerNode)), ("GPUS_PER_SOCKET", text(gpusPerSocket)),
            ("GPUS_PER_TASK", text(gpusPerTask)), ("HINT", hint), ("DISTRIBUTION", distribution.kind),
            ("DIST_PLANESIZE", distribution.plane), ("GPU_BIND", gpuBinding), ("GPU_FREQ", gpuFrequency),
            ("PROFILE", profile), ("CPU_FREQ_REQ", cpuFrequency), ("MEM_BIND", memoryBinding),
            ("CPUS_PER_GPU", number(resources.cpusPerGPU)), ("MEM_PER_GPU", number(resources.memoryPerGPUMiB)),
            ("NTASKS_PER_CORE", number(resources.tasksPerCore)), ("NTASKS_PER_GPU", number(resources.tasksPerGPU)),
            ("NTASKS_PER_SOCKET", number(resources.tasksPerSocket)),
            ("THREADS_PER_CORE", number(resources.threadsPerCore)), ("OVERCOMMIT", resources.overcommit ? "1" : ""),
        ]
        return values.filter { !$0.1.isEmpty }.map { "SLURM_\($0.0)=\($0.1)" }
    }

    private var distribution: (kind: String, plane: String) {
        guard resources.distribution.hasPrefix("plane") else { return (resources.distribution, "") }
        return ("plane", String(resources.distribution.drop { $0 != "=" }.dropFirst()))
    }

    private func number(_ count: some BinaryInteger) -> String { count > 0 ? "\(count)" : "" }
}
