internal import ArgosyDomain
internal import ArgosyWire

extension TaskEnvironment {
    /// What only a batch script has: Slurm starts it as a step of one task.
    mutating func setBatch(_ order: WireLaunchStep, context: WireStepContext) {
        let job = order.job
        setLayout(job.allocation)
        if job.spec.tasks > 0 || job.spec.tasksPerNode > 0 { setTasks(job.allocation.tasks) }
        if job.spec.tasksPerNode > 0 { set("SLURM_NTASKS_PER_NODE", job.spec.tasksPerNode) }
        if job.spec.cpusPerTask > 0 { set("SLURM_CPUS_PER_TASK", job.spec.cpusPerTask) }
        set("ENVIRONMENT", "BATCH")
        set("HOSTNAME", context.node)
        set("SLURM_NODEID", 0)
        set("SLURM_NODE_ALIASES", "(null)")
        setDefault("SLURM_PRIO_PROCESS", "0")
        // Without a topology of switches: the node alone.
        set("SLURM_TOPOLOGY_ADDR", context.node)
        set("SLURM_TOPOLOGY_ADDR_PATTERN", "node")
        setComponents(job)
    }

    /// Of a heterogeneous job: the same once more for each component, under both names that Slurm had for it.
    private mutating func setComponents(_ job: WirePrepare) {
        guard job.components.count > 1 else { return }
        set("SLURM_HET_SIZE", job.components.count)
        set("SLURM_PACK_SIZE", job.components.count)
        for (place, component) in job.components.enumerated() {
            for suffix in ["_HET_GROUP_\(place)", "_PACK_GROUP_\(place)"] { setComponent(component, suffix) }
        }
    }

    private mutating func setComponent(_ component: WireComponent, _ suffix: String) {
        let (spec, allocation) = (component.spec, component.allocation)
        let nodes = allocation.nodes
        set("SLURM_JOB_ID" + suffix, component.job)
        set("SLURM_JOB_NAME" + suffix, spec.name)
        set("SLURM_JOB_NODELIST" + suffix, allocation.nodeList)
        set("SLURM_JOB_NUM_NODES" + suffix, nodes.count)
        set("SLURM_JOB_PARTITION" + suffix, allocation.partition)
        set("SLURM_JOB_CPUS_PER_NODE" + suffix, RankLayout.runLength(nodes.map(\.cpus)))
        set("SLURM_TASKS_PER_NODE" + suffix, RankLayout.runLength(nodes.map(\.tasks)))
        if !spec.account.isEmpty { set("SLURM_JOB_ACCOUNT" + suffix, spec.account) }
        if !spec.qos.isEmpty { set("SLURM_JOB_QOS" + suffix, spec.qos) }
        if spec.memoryPerNodeMib > 0 { set("SLURM_MEM_PER_NODE" + suffix, spec.memoryPerNodeMib) }
        if spec.memoryPerCpuMib > 0 { set("SLURM_MEM_PER_CPU" + suffix, spec.memoryPerCpuMib) }
    }
}
