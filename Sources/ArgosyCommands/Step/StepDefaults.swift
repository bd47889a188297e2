// What a job's environment says of a step when the command line does not, and what of both cannot go together.

import ArgosyDomain

enum StepDefaults {
    /// As many tasks and nodes as the job has. Throws in Slurm's words.
    static func complete(
        _ options: inout JobOptions, environmentTasks: UInt32, variable: (String) -> String?
    ) throws {
        func number(_ name: String) -> UInt32 { variable(name).flatMap { UInt32($0) } ?? 0 }
        let askedTasks = options.tasks > 0
        if options.tasks == 0 { options.tasks = environmentTasks }
        if options.tasks == 0, options.tasksPerNode == 0 { options.tasksPerNode = number("SLURM_NTASKS_PER_NODE") }
        planeSize(&options, variable)
        options.cutNodeList()
        if options.jobID == 0 { try memory(&options, variable) }
        let jobNodes = options.jobID > 0 ? max(number("SLURM_JOB_NUM_NODES"), number("SLURM_NNODES")) : 0
        try check(options, jobNodes: jobNodes, variable)
        if options.minNodes == 0, options.nodeList.isEmpty, options.relative == nil {
            let nodes = max(number("SLURM_JOB_NUM_NODES"), number("SLURM_NNODES"))
            options.minNodes = nodes
            options.maxNodes = nodes
        }
        if askedTasks || environmentTasks > 0 { fitNodes(&options) }
        honourTasksPerNode(&options)
        hosts(&options, variable)
        try group(&options, variable)
    }

    /// sbatch tells a job of its planes in two variables.
    private static func planeSize(_ options: inout JobOptions, _ variable: (String) -> String?) {
        guard options.resources.distribution.lowercased() == "plane",
            let size = variable("SLURM_DIST_PLANESIZE").flatMap({ UInt32($0) }), size > 0
        else { return }
        options.resources.distribution = "plane=\(size)"
    }

    /// Where srun makes a job, the memory that variables ask for. A step of a job has the job's, with no word.
    private static func memory(_ options: inout JobOptions, _ variable: (String) -> String?) throws {
        guard options.memoryPerNodeMiB == 0, options.memoryPerCPUMiB == 0, options.resources.memoryPerGPUMiB == 0
        else { return }
        if variable("SLURM_MEM_PER_NODE") != nil, variable("SLURM_MEM_PER_CPU") != nil {
            throw JobOptions.wrongMemoryVariables
        }
        func size(_ name: String, _ option: String) throws(OptionError) -> UInt64 {
            try variable(name).map { text throws(OptionError) in try JobValue.memory(text, option) } ?? 0
        }
        options.memoryPerNodeMiB = try size("SLURM_MEM_PER_NODE", "--mem")
        if options.memoryPerNodeMiB == 0 { options.memoryPerCPUMiB = try size("SLURM_MEM_PER_CPU", "--mem-per-cpu") }
    }

    /// A number of tasks goes before one for each node.
    private static func honourTasksPerNode(_ options: inout JobOptions) {
        let (each, tasks, nodes) = (options.tasksPerNode, options.tasks, options.minNodes)
        guard each > 0, tasks > 0, nodes > 0, UInt64(each) * UInt64(nodes) < UInt64(tasks) else { return }
        Console.info(
            "srun",
            "Warning: can't honor --ntasks-per-node set to \(each) which doesn't match the requested tasks \(tasks) with "
                + "the number of requested nodes \(nodes). Ignoring --ntasks-per-node.")
        options.tasksPerNode = 0
    }

    /// --het-group: the component's own job is the one the step is for.
    private static func group(_ options: inout JobOptions, _ variable: (String) -> String?) throws(Failure) {
        guard !options.step.hetGroup.isEmpty, options.jobID > 0 else { return }
        let size = variable("SLURM_HET_SIZE").flatMap { UInt32($0) } ?? 0
        guard let group = UInt32(options.step.hetGroup) else {
            throw Failure(
                "--het-group=\(options.step.hetGroup): a step runs in one component; start one srun for each of them")
        }
        guard group < max(size, 1) else {
            throw Failure("Requested het-group offset exceeds highest hetjob index (\(group) > \(max(size, 1) - 1))")
        }
        guard let id = variable("SLURM_JOB_ID_HET_GROUP_\(group)").flatMap({ UInt32($0) }) else {
            throw Failure("No directives to start application on any available hetjob components")
        }
        options.jobID = id
    }

    /// No more nodes than tasks.
    private static func fitNodes(_ options: inout JobOptions) {
        guard options.minNodes > options.tasks, options.tasks > 0 else { return }
        Console.info(
            "srun",
            "Warning: can't run \(options.tasks) processes on \(options.minNodes) nodes, setting nnodes to \(options.tasks)"
        )
        options.minNodes = options.tasks
        options.maxNodes = options.tasks
    }

    private static func check(
        _ options: JobOptions, jobNodes: UInt32, _ variable: (String) -> String?
    ) throws(Failure) {
        guard jobNodes > 0 else { return }
        if options.minNodes > jobNodes {
            throw Failure("Only allocated \(jobNodes) nodes asked for \(options.minNodes)")
        }
        if let relative = options.relative {
            let nodes = max(1, options.minNodes)
            guard relative + nodes <= jobNodes else {
                throw Failure(
                    "--relative and --nodes option incompatible with count of allocated nodes "
                        + "(\(relative)+\(nodes)>\(jobNodes))")
            }
        }
        guard !options.exclude.isEmpty, let list = variable("SLURM_JOB_NODELIST"),
            let names = try? Hostlist.expand(list), let out = try? Set(Hostlist.expand(options.exclude))
        else { return }
        let left = names.filter { !out.contains($0) }.count
        let wanted = options.minNodes > 0 ? Int(options.minNodes) : Int(jobNodes)
        guard left < wanted else { return }
        throw Failure(
            "Only allocated \(left) nodes asked for \(wanted)\nsrun: error: Are required nodes explicitly excluded?")
    }

    /// The names of --distribution=arbitrary, one a task: of the file SLURM_HOSTFILE, else of --nodelist.
    private static func hosts(_ options: inout JobOptions, _ variable: (String) -> String?) {
        guard options.resources.distribution.lowercased().hasPrefix("arbitrary") else { return }
        if let path = variable("SLURM_HOSTFILE"), let bytes = LocalFile.read(path) {
            options.hostList = String(decoding: bytes, as: UTF8.self)
                .split { $0 == "\n" || $0 == "," || $0 == " " || $0 == "\r" }
                .flatMap { (try? Hostlist.expand(String($0))) ?? [] }
        } else if !options.nodeList.isEmpty {
            options.hostList = (try? Hostlist.expand(options.nodeList)) ?? []
        }
        guard !options.hostList.isEmpty else { return }
        if options.tasks == 0 { options.tasks = UInt32(options.hostList.count) }
        options.hostList = Array(options.hostList.prefix(Int(options.tasks)))
        options.nodeList = ""
        options.minNodes = UInt32(Set(options.hostList).count)
        options.maxNodes = options.minNodes
    }
}
