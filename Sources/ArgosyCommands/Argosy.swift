// argosy: the program's own name. Calls the others by theirs, and has what Slurm has no word for.

enum Argosy {
    static let usage = """
        Usage: argosy COMMAND [ARGUMENTS...]

        Commands, also by their own names as links to this program:
          sbatch    submit a batch script
          salloc    resources for a command or shell here
          sattach   see and feed a running step
          sbcast    send a file to a job's nodes
          srun      run tasks in a job, or as a job
          squeue    list jobs
          scancel   end or signal jobs
          sinfo     list partitions and nodes
          sacct     list jobs of the past with what they used
          scontrol  show and change jobs and nodes
          sacctmgr  show and change accounts, users, associations and QOS
          scrontab  jobs that run again and again, by a user's crontab
          sdiag     what the controller did and how long it took
          seff      what a job used of what it held
          sreport   sums of use over a time, by account, user, size
          strigger  programs that run when something happens
          sshare    list shares and usage of associations
          sstat     list what running steps use
          sprio     list what the priorities of waiting jobs are made of

        Argosy's own:
          why         why a job waits, and when and where it will start (argosy why --help)
          dev         a cluster on this machine to try out (argosy dev --help)
          sim         what a policy or a configuration makes of a trace (argosy sim --help)
          coverage    what Slurm documents and what becomes of it (argosy coverage --help)
          completion  print shell completion: eval "$(argosy completion bash)"
          version     print the version

        """

    static func run(_ arguments: [String]) -> Int32 {
        guard let name = arguments.first else {
            Console.complain(usage)
            return 1
        }
        let rest = Array(arguments.dropFirst())
        if let command = commands[name] { return command(rest) }
        switch name {
        case "help", "--help", "-h": Console.print(usage)
        case "coverage": return Coverage.run(rest)
        case "completion": return Completion.run(rest)
        case "dev": return Dev.run(rest)
        case "why": return Why.run(rest)
        case "sim": return Sim.run(rest)
        case "version", "--version", "-V": Console.print(versionText)
        default:
            Console.complain("argosy: error: \(name) is no command of argosy; see argosy help\n")
            return 1
        }
        return 0
    }
}
