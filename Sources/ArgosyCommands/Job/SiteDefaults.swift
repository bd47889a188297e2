// What the configuration says for options that nobody gave.

import ArgosyConfig

extension JobOptions {
    /// Of srun: KillOnBadExit, WaitTime, MpiDefault, programs around and in the step, limits.
    mutating func takeStepDefaults(of configuration: ClusterConfiguration) {
        if killOnBadExit == nil, configuration.flag("KillOnBadExit") { killOnBadExit = true }
        if waitSeconds == nil, let seconds = configuration.number("WaitTime"), seconds > 0 {
            waitSeconds = UInt32(clamping: seconds)
        }
        let type = configuration.text("MpiDefault").lowercased()
        if mpi.isEmpty, type != "none", JobOptionTable.mpiTypes.contains(type) { mpi = type }
        if step.prolog == nil { step.prolog = configuration.text("SrunProlog") }
        if step.epilog == nil { step.epilog = configuration.text("SrunEpilog") }
        if step.taskProlog.isEmpty { step.taskProlog = configuration.text("TaskProlog") }
        if step.taskEpilog.isEmpty { step.taskEpilog = configuration.text("TaskEpilog") }
        if step.propagated == nil { step.propagated = configuration.propagatedLimits }
    }

    /// Of sbatch: JobFileAppend and limits.
    mutating func takeBatchDefaults(of configuration: ClusterConfiguration) {
        if append == nil, configuration.flag("JobFileAppend") { append = true }
        if propagated == nil, let text = configuration.propagatedLimits {
            propagated = (try? TakenValue.limits(text)) ?? nil
        }
    }
}

extension ClusterConfiguration {
    /// PropagateResourceLimits, or all but PropagateResourceLimitsExcept; nil: neither is given, all are taken along.
    fileprivate var propagatedLimits: String? {
        if given("PropagateResourceLimits") != nil { return text("PropagateResourceLimits") }
        guard given("PropagateResourceLimitsExcept") != nil else { return nil }
        let kept = words("PropagateResourceLimitsExcept").map { $0.uppercased() }
        if kept.contains("ALL") { return "NONE" }
        let left = LimitNames.numbers.map(\.name).filter { !kept.contains($0) }
        return left.joined(separator: ",")
    }
}
