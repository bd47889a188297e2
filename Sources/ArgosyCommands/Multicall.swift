// One executable, many names: what it is called by says what it is; `argosy NAME` says it too.

/// Runs the command that `arguments[0]`'s last part (or, for `argosy`, `arguments[1]`) names; returns its exit code.
public func runCommand(_ arguments: [String]) -> Int32 {
    let name = baseName(arguments.first ?? "argosy")
    if let command = commands[name] { return command(Array(arguments.dropFirst())) }
    return Argosy.run(Array(arguments.dropFirst()))
}

typealias Command = @Sendable ([String]) -> Int32

/// By Slurm's names.
let commands: [String: Command] = [
    "sacct": Sacct.run, "sacctmgr": Sacctmgr.run, "salloc": Salloc.run, "sattach": Sattach.run, "sbatch": Sbatch.run,
    "sbcast": Sbcast.run, "scancel": Scancel.run, "scontrol": Scontrol.run, "scrontab": Scrontab.run,
    "sdiag": Sdiag.run, "seff": Seff.run, "sinfo": Sinfo.run, "sprio": Sprio.run, "squeue": Squeue.run,
    "sreport": Sreport.run, "srun": Srun.run, "sshare": Sshare.run, "sstat": Sstat.run, "strigger": Strigger.run,
]
