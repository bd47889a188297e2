public import ArgosyWire

// GPUs of a job, step or task as programs look for them, and as Slurm tells of them.
extension TaskEnvironment {
    private static let visible = [
        "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "GPU_DEVICE_ORDINAL",
    ]

    /// `constrained`: whoever looks sees these devices only, so they count from 0. `names`: variables of Slurm's that get
    /// the numbers as the node counts.
    public mutating func setGPUs(of gres: [WireStepGRES], constrained: Bool, names: [String]) {
        let numbers = gres.filter { $0.name == "gpu" }.flatMap(\.indices).sorted()
        guard !numbers.isEmpty else { return }
        let seen = constrained ? Array(0..<UInt32(numbers.count)) : numbers
        for name in Self.visible { set(name, seen.map(String.init).joined(separator: ",")) }
        for name in names { set(name, numbers.map(String.init).joined(separator: ",")) }
    }

    /// Of all tasks on this node.
    mutating func setGRES(_ order: WireLaunchStep, context: WireStepContext, isBatch: Bool) {
        let count = context.gres.filter { $0.name == "gpu" }.reduce(0) { $0 + $1.count }
        // What was told of the job's, or of another step's.
        let old = Self.visible + ["SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE"]
        if context.jobGres.contains(where: { $0.name == "gpu" }) || isBatch { remove { old.contains($0) } }
        if isBatch { remove { $0 == "SLURM_JOB_GPUS" } }
        if !order.job.reservation.isEmpty { set("SLURM_JOB_RESERVATION", order.job.reservation) }
        guard count > 0 else { return }
        setGPUs(
            of: context.gres, constrained: context.constrainsDevices,
            names: [isBatch ? "SLURM_JOB_GPUS" : "SLURM_STEP_GPUS"])
        set("SLURM_GPUS_ON_NODE", count)
    }

    /// With `--gpus-per-task` each task sees its own.
    mutating func setTaskGRES(_ order: WireLaunchStep, context: WireStepContext, local: Int) {
        let perTask = order.job.spec.resources.gres.first { $0.name == "gpu" && $0.per == 2 }?.count ?? 0
        guard perTask > 0, order.step < 0xffff_fff0 else { return }
        let all = context.gres.filter { $0.name == "gpu" }.flatMap(\.indices).sorted()
        let own = (0..<Int(perTask)).compactMap { index -> Int? in
            let place = local * Int(perTask) + index
            return place < all.count ? place : nil
        }
        guard !own.isEmpty else { return }
        let shown = context.constrainsDevices ? own.map(UInt32.init) : own.map { all[$0] }
        for name in Self.visible { set(name, shown.map(String.init).joined(separator: ",")) }
        set("SLURM_STEP_GPUS", own.map { String(all[$0]) }.joined(separator: ","))
    }
}
