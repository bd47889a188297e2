// What a job's environment says of a step when the command line does not, and what of both cannot go together.

import ArgosyDomain

enum StepDefaults {
    /// As many tasks and nodes as the job has. Throws in Slurm's words.
    static func complete(
        _ options: inout JobOptions, environmentTasks: UInt32, variable: (String) -> String?
    ) throws(Failure) {
        func number(_ name: String) -> UInt32 { variable(name).flatMap { UInt32($0) } ?? 0 }
        let askedTasks = options.tasks > 0
        if options.tasks == 0, options.tasksPerNode == 0 {
            options.tasks = environmentTasks
            if environmentTasks == 0 { options.tasksPerNode = number("SLURM_NTASKS_PER_NODE") }
        }
        let jobNodes = options.jobID > 0 ? max(number("SLURM_JOB_NUM_NODES"), number("SLURM_NNODES")) : 0
        try check(options, jobNodes: jobNodes, variable)
        if options.minNodes == 0, options.nodeList.isEmpty, options.relative == nil {
            let nodes = max(number("SLURM_JOB_NUM_NODES"), number("SLURM_NNODES"))
            options.minNodes = nodes
            options.maxNodes = nodes
        }
        if askedTasks || environmentTasks > 0 { fitNodes(&options) }
        hosts(&options, variable)
    }

    /// No more nodes than tasks.
    private static func fitNodes(_ options: inout JobOptions) {
        guard options.minNodes > options.tasks, options.tasks > 0 else { return }
        Console.info(
            "srun",
            "Warning: can't run \(options.tasks) processes on \(options.minNodes) nodes, setting nnodes to \(options.tasks)")
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
