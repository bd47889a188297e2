/// How many cores and CPUs a number of tasks takes on one kind of node.
struct CPURules: Sendable {
    let cpusPerTask: Int
    /// CPUs that count of each core.
    let usable: Int
    /// Tasks that may share a core; 0: any number.
    let tasksPerCore: Int
    /// A job's cores are its own with all their threads.
    let givesWholeCores: Bool
    /// The cores' thread counts differ: counts of CPUs decide, cores are estimated from above.
    private let isIrregular: Bool
    private let threads: Int
    private let fewestThreads: Int
    let overcommit: Bool
    private let cpusPerGPU: Int
    private let minCPUs: Int
    private let maxCPUs: Int
    private let taskLimit: Int
    /// Cores kept from the job (`--core-spec`).
    let reservedCores: Int

    init(_ shape: Shape, _ model: NodeModel, maxCPUs: Int) {
        cpusPerTask = max(shape.cpusPerTask, 1)
        threads = model.mostThreads
        fewestThreads = model.fewestThreads
        let bounded = shape.threadsPerCore > 0 || shape.tasksPerCore > 0 || shape.tasksPerSocket > 0
        isIrregular = model.uniformThreads == 0
        let every = isIrregular && bounded ? model.fewestThreads : model.mostThreads
        usable = shape.threadsPerCore > 0 ? min(shape.threadsPerCore, every) : every
        // With a bound on sockets' tasks each has cores of its own: threads of one core would be counted as one place.
        tasksPerCore = shape.tasksPerSocket > 0 ? 1 : shape.tasksPerCore
        givesWholeCores = model.allocatesCores || bounded
        overcommit = shape.overcommit
        cpusPerGPU = shape.cpusPerGPU
        minCPUs = shape.minCPUsPerNode
        self.maxCPUs = maxCPUs > 0 ? maxCPUs : .max
        taskLimit = max(shape.tasks, 1)
        reservedCores = shape.coreSpec
    }

    /// Counts by CPUs alone: cores of different size with no rule for single cores.
    var countsCPUs: Bool { isIrregular && usable == threads && tasksPerCore == 0 || !givesWholeCores }

    /// CPUs that `tasks` tasks run on.
    func wanted(_ tasks: Int, gpus: Int) -> Int {
        let own = (overcommit ? 1 : max(tasks, 1)).multipliedClamping(cpusPerTask)
        return max(own, cpusPerGPU.multipliedClamping(gpus), minCPUs)
    }

    /// Cores these are on.
    func cores(_ tasks: Int, gpus: Int) -> Int {
        let all = wanted(tasks, gpus: gpus)
        let packed = all / usable + (all % usable > 0 ? 1 : 0)
        guard tasksPerCore > 0 else { return packed }
        let count = overcommit ? 1 : max(tasks, 1)
        let perCore = tasksOnCore
        let own =
            perCore > 0
            ? (count + perCore - 1) / perCore : count.multipliedClamping((cpusPerTask + usable - 1) / usable)
        return max(packed, own)
    }

    /// Tasks that share one core under `--ntasks-per-core`; 0: a task takes more than one.
    var tasksOnCore: Int { cpusPerTask <= usable ? max(1, min(tasksPerCore, usable / cpusPerTask)) : 0 }

    /// What a part of the job, `tasks` tasks with `gpus` GPUs, takes by itself: CPUs that count, and cores at least.
    func part(_ tasks: Int, gpus: Int) -> (cpus: Int, cores: Int) {
        let own = overcommit ? 1 : max(tasks, 1)
        let cpus = max(own.multipliedClamping(cpusPerTask), cpusPerGPU.multipliedClamping(gpus))
        guard tasksPerCore > 0 else { return (cpus, 0) }
        let perCore = tasksOnCore
        return (cpus, perCore > 0 ? (own + perCore - 1) / perCore : own * ((cpusPerTask + usable - 1) / usable))
    }

    /// CPUs the job is given for `tasks` tasks.
    func given(_ tasks: Int, gpus: Int) -> Int {
        if countsCPUs { return wanted(tasks, gpus: gpus) }
        return cores(tasks, gpus: gpus).multipliedClamping(threads)
    }

    /// CPUs that count for --mem-per-cpu: of cores given for fewer threads only those.
    func counted(_ tasks: Int, gpus: Int) -> Int {
        countsCPUs ? wanted(tasks, gpus: gpus) : cores(tasks, gpus: gpus).multipliedClamping(usable)
    }

    func fits(_ tasks: Int, gpus: Int, _ free: NodeCounts) -> Bool {
        if given(tasks, gpus: gpus) > maxCPUs { return false }
        if countsCPUs { return wanted(tasks, gpus: gpus) <= free.cpus - reservedCores * threads }
        return cores(tasks, gpus: gpus) <= free.cores - reservedCores
    }

    /// At least as many tasks as CPUs allow.
    func bound(_ free: NodeCounts) -> Int {
        if overcommit { return taskLimit }
        if countsCPUs { return free.cpus / cpusPerTask }
        return tasks(onCores: free.cores)
    }

    /// Tasks that so many whole cores take.
    func tasks(onCores cores: Int) -> Int {
        if overcommit { return taskLimit }
        let packed = cores.multipliedClamping(usable) / cpusPerTask
        guard tasksPerCore > 0 else { return packed }
        let perCore = tasksOnCore
        return perCore > 0 ? min(packed, cores * perCore) : cores / ((cpusPerTask + usable - 1) / usable)
    }

    /// Cores and CPUs taken out of `free`, which they fit.
    func counts(_ tasks: Int, gpus: Int, _ free: NodeCounts) -> NodeCounts {
        let all = wanted(tasks, gpus: gpus)
        if !countsCPUs {
            let cores = cores(tasks, gpus: gpus)
            return NodeCounts(cores: cores, cpus: min(cores * threads, free.cpus))
        }
        let cores = min(free.cores, (all + fewestThreads - 1) / fewestThreads)
        return NodeCounts(cores: cores, cpus: givesWholeCores ? min(free.cpus, all + threads - 1) : all)
    }
}
