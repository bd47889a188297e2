internal import ArgosyDomain
internal import ArgosyStep
internal import ArgosySystem
internal import ArgosyWire

/// Prolog or Epilog of a job on this node, with what Slurm tells such programs.
struct JobHook: Sendable {
    enum Kind: String, Sendable { case prolog, epilog }
    let kind: Kind
    let id: AttemptID
    let order: WirePrepare
    let context: NodeContext

    /// Empty when all of them succeeded; else what happened. Blocks.
    func run() -> String {
        let patterns = kind == .prolog ? context.hooks.prologs : context.hooks.epilogs
        for path in patterns.flatMap(SiteProgram.files) {
            var program = SiteProgram(path: path, environment: environment, timeout: context.hooks.timeout)
            program.workingDirectory = context.spool.root
            let failure = program.run()
            if !failure.isEmpty { return failure }
        }
        return ""
    }

    static func isWanted(_ kind: Kind, _ context: NodeContext) -> Bool {
        !(kind == .prolog ? context.hooks.prologs : context.hooks.epilogs).isEmpty
    }

    private var environment: [String] {
        let spec = order.spec
        let nodes = order.allocation.nodes
        var list = TaskEnvironment()
        list.set("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        list.set("SLURMD_NODENAME", context.node)
        list.set("SLURM_CLUSTER_NAME", context.cluster)
        list.set("SLURM_JOBID", id.job.rawValue)
        list.set("SLURM_JOB_ID", id.job.rawValue)
        list.set("SLURM_JOB_CPUS_PER_NODE", RankLayout.runLength(nodes.map(\.cpus)))
        list.set("SLURM_JOB_GID", spec.identity.gid)
        list.set("SLURM_JOB_NAME", spec.name)
        list.set("SLURM_JOB_NODELIST", order.allocation.nodeList)
        list.set("SLURM_JOB_NTASKS", order.allocation.tasks)
        list.set("SLURM_JOB_NUM_NODES", nodes.count)
        list.set("SLURM_JOB_PARTITION", order.allocation.partition)
        list.set("SLURM_JOB_RESTART_COUNT", order.restarts)
        list.set("SLURM_JOB_UID", spec.identity.uid)
        list.set("SLURM_JOB_USER", spec.identity.user)
        list.set("SLURM_JOB_WORK_DIR", spec.workDir)
        if !spec.account.isEmpty { list.set("SLURM_JOB_ACCOUNT", spec.account) }
        if !spec.comment.isEmpty { list.set("SLURM_JOB_COMMENT", spec.comment) }
        if !spec.resources.constraint.isEmpty { list.set("SLURM_JOB_CONSTRAINTS", spec.resources.constraint) }
        if !order.reservation.isEmpty { list.set("SLURM_JOB_RESERVATION", order.reservation) }
        if order.arrayJob != 0 {
            list.set("SLURM_ARRAY_JOB_ID", order.arrayJob)
            list.set("SLURM_ARRAY_TASK_ID", order.arrayTask)
        }
        list.set("SLURM_NODELIST", order.allocation.nodeList)
        list.set("SLURM_SCRIPT_CONTEXT", "\(kind.rawValue)_slurmd")
        list.set("SLURM_UID", spec.identity.uid)
        if !context.configurationFile.isEmpty { list.set("SLURM_CONF", context.configurationFile) }
        let here = Int(order.nodeIndex) < nodes.count ? nodes[Int(order.nodeIndex)] : WireAllocatedNode()
        list.setGPUs(of: context.devices.list(here.gres), constrained: false, names: ["SLURM_JOB_GPUS"])
        return list.entries
    }
}
