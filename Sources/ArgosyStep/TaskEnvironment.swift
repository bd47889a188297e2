internal import ArgosyDomain
public import ArgosyWire

/// The environment of a task: what the user had, then what Slurm's manuals (sbatch(1), srun(1): OUTPUT ENVIRONMENT
/// VARIABLES) promise about the job, the step and the task.
///
/// A batch script never sees SLURM_STEP_*: an MPI started in it would take itself for a step's task.
public struct TaskEnvironment: Sendable {
    /// Names in the order first set; the last value wins.
    private var order: [String] = []
    private var values: [String: String] = [:]

    public init(_ entries: [String] = []) { entries.forEach { set(entry: $0) } }

    /// `NAME=value`, in a stable order.
    public var entries: [String] { order.compactMap { name in values[name].map { "\(name)=\($0)" } } }

    public subscript(_ name: String) -> String? { values[name] }

    public mutating func set(_ name: String, _ value: String) {
        if values[name] == nil, !order.contains(name) { order.append(name) }
        values[name] = value
    }
    public mutating func set(_ name: String, _ value: some FixedWidthInteger) { set(name, String(value)) }
    public mutating func setDefault(_ name: String, _ value: String) {
        if values[name] == nil { set(name, value) }
    }
    public mutating func set(entry: String) {
        guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex else { return }
        set(String(entry[..<equals]), String(entry[entry.index(after: equals)...]))
    }
    public mutating func remove(where matches: (String) -> Bool) {
        for name in order where matches(name) { values[name] = nil }
        order.removeAll { values[$0] == nil }
    }
}

extension TaskEnvironment {
    /// Everything that all tasks of the step on this node share. `order.job` must be set.
    /// `login`: what the user's login shell sets, under all else.
    public init(step order: WireLaunchStep, context: WireStepContext, isBatch: Bool, login: [String] = []) {
        self.init(login)
        if context.hasContainer, !order.noContainer { context.container.environment.forEach { set(entry: $0) } }
        addUsers(order.environment, keepPath: context.hasContainer && !order.noContainer)
        // What an earlier job or step left in the submitter's shell says nothing about this one.
        remove { Self.isOfAStep($0) || (isBatch && Self.isOfAJob($0)) }
        setDefaults(order.job.spec.identity)
        setJob(order.job, context: context, isBatch: isBatch)
        if isBatch {
            setBatch(order, context: context)
        } else {
            setStep(order, job: order.job, context: context)
        }
        setNode(order, context: context)
        setGRES(order, context: context, isBatch: isBatch)
        if context.hasContainer, !order.noContainer { setContainer() }
        if !context.relay.isEmpty { set("ARGOSY_RELAY", context.relay) }
    }

    /// What one task has besides. `rank`: in the step; `local`: on this node; `pid` is added by whoever knows it.
    public mutating func setTask(rank: UInt32, local: UInt32, ranksHere: some Sequence<UInt32>) {
        set("SLURM_PROCID", rank)
        set("SLURM_LOCALID", local)
        set("SLURM_GTIDS", ranksHere.map(String.init).joined(separator: ","))
    }

    /// An image's PATH knows its programs, the submitter's knows those of another system.
    private mutating func addUsers(_ entries: [String], keepPath: Bool) {
        let path = values["PATH"]
        entries.forEach { set(entry: $0) }
        guard keepPath else { return }
        set("PATH", path ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    }

    private static func isOfAStep(_ name: String) -> Bool {
        name.hasPrefix("SLURM_STEP") || name.hasPrefix("SLURM_SRUN_") || name.hasPrefix("SLURM_ARRAY_")
            || name.hasPrefix("SLURM_CPU_BIND") || name.hasPrefix("SLURM_MEM_BIND") || name.hasPrefix("PMI_")
            || ["SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_GTIDS", "SLURM_TASK_PID"].contains(name)
    }

    /// What an outer job said of itself was left out by sbatch; this is of its nodes.
    private static func isOfAJob(_ name: String) -> Bool {
        name.hasPrefix("SLURMD_")
            || ["SLURM_NNODES", "SLURM_NODELIST", "SLURM_RESTART_COUNT", "ARGOSY_RELAY"].contains(name)
    }

    private mutating func setDefaults(_ identity: WireIdentity) {
        setDefault("PATH", "/usr/local/bin:/usr/bin:/bin")
        setDefault("HOME", identity.home.isEmpty ? "/" : identity.home)
        setDefault("USER", identity.user)
        setDefault("LOGNAME", identity.user)
        setDefault("SHELL", identity.shell.isEmpty ? "/bin/sh" : identity.shell)
        setDefault("TMPDIR", "/tmp")
    }

    private mutating func setJob(_ job: WirePrepare, context: WireStepContext, isBatch: Bool) {
        let spec = job.spec
        let nodes = job.allocation.nodes
        set("SLURM_JOB_ID", context.job)
        set("SLURM_JOBID", context.job)
        // A step's srun has said what it goes by.
        if isBatch { set("SLURM_JOB_NAME", spec.name) } else { setDefault("SLURM_JOB_NAME", spec.name) }
        set("SLURM_JOB_NODELIST", job.allocation.nodeList)
        set("SLURM_JOB_NUM_NODES", nodes.count)
        set("SLURM_JOB_CPUS_PER_NODE", RankLayout.runLength(nodes.map(\.cpus)))
        set("SLURM_JOB_PARTITION", job.allocation.partition)
        set("SLURM_JOB_USER", spec.identity.user)
        set("SLURM_JOB_UID", spec.identity.uid)
        set("SLURM_JOB_GID", spec.identity.gid)
        if !spec.account.isEmpty { set("SLURM_JOB_ACCOUNT", spec.account) }
        if !spec.qos.isEmpty { set("SLURM_JOB_QOS", spec.qos) }
        set("SLURM_CLUSTER_NAME", context.cluster)
        // sbatch says where it was called, which is not where the job works when --chdir says so.
        setDefault("SLURM_SUBMIT_DIR", spec.workDir)
        set("SLURM_SUBMIT_HOST", spec.submitHost)
        if spec.memoryPerNodeMib > 0 { set("SLURM_MEM_PER_NODE", spec.memoryPerNodeMib) }
        if spec.memoryPerCpuMib > 0 { set("SLURM_MEM_PER_CPU", spec.memoryPerCpuMib) }
        if job.restarts > 0 { set("SLURM_RESTART_COUNT", job.restarts) }
        setArray(job)
    }

    private mutating func setArray(_ job: WirePrepare) {
        guard job.arrayJob != 0 else { return }
        set("SLURM_ARRAY_JOB_ID", job.arrayJob)
        set("SLURM_ARRAY_TASK_ID", job.arrayTask)
        set("SLURM_ARRAY_TASK_MIN", job.arrayMin)
        set("SLURM_ARRAY_TASK_MAX", job.arrayMax)
        set("SLURM_ARRAY_TASK_STEP", job.arrayStep)
        set("SLURM_ARRAY_TASK_COUNT", job.arrayCount)
    }

    private mutating func setStep(_ order: WireLaunchStep, job: WirePrepare, context: WireStepContext) {
        let layout = order.layout
        setLayout(layout)
        setTasks(layout.tasks)
        set("SLURM_STEP_ID", order.step)
        set("SLURM_STEPID", order.step)
        set("SLURM_STEP_NODELIST", layout.nodeList)
        set("SLURM_STEP_NUM_NODES", layout.nodes.count)
        set("SLURM_STEP_NUM_TASKS", layout.tasks)
        set("SLURM_STEP_TASKS_PER_NODE", RankLayout.runLength(layout.nodes.map(\.tasks)))
        set("SLURM_NODEID", order.nodeIndex)
        set("SLURM_SRUN_COMM_HOST", layout.nodes.first?.address ?? "")
        set("SLURM_SRUN_COMM_PORT", context.ioPort)
        set("SLURM_STEP_LAUNCHER_PORT", context.ioPort)
        set("SLURM_TOPOLOGY_ADDR", context.node)
        set("SLURM_TOPOLOGY_ADDR_PATTERN", "node")
        if let first = job.allocation.nodes.first { set("SLURM_LAUNCH_NODE_IPADDR", first.address) }
    }

    mutating func setLayout(_ layout: WireAllocation) {
        set("SLURM_NODELIST", layout.nodeList)
        set("SLURM_NNODES", layout.nodes.count)
        set("SLURM_TASKS_PER_NODE", RankLayout.runLength(layout.nodes.map(\.tasks)))
    }

    mutating func setTasks(_ tasks: UInt32) {
        set("SLURM_NTASKS", tasks)
        set("SLURM_NPROCS", tasks)
    }

    private mutating func setNode(_ order: WireLaunchStep, context: WireStepContext) {
        let index = Int(order.nodeIndex)
        let here = index < order.layout.nodes.count ? order.layout.nodes[index] : WireAllocatedNode()
        set("SLURM_CPUS_ON_NODE", here.cpus)
        set("SLURMD_NODENAME", context.node)
        if CPUAssignment.isOversubscribed(here.cpuIds, on: context.processors, tasks: Int(here.tasks)) {
            // Open MPI's ranks spin while they wait; two on one CPU crawl.
            setDefault("OMPI_MCA_mpi_yield_when_idle", "1")
        }
    }

    private mutating func setContainer() {
        set("PATH", AttemptPaths.containerBin + ":" + (values["PATH"] ?? "/usr/bin:/bin"))
        set("TMPDIR", "/tmp")
        // An image without ssh: Open MPI looks for its rsh agent even where it starts everything by srun.
        setDefault("OMPI_MCA_plm_rsh_agent", AttemptPaths.containerBin + "/srun")
    }
}
