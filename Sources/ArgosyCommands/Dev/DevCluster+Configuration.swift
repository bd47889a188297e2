import Glibc

extension DevCluster {
    /// argosy.conf of this cluster, in Slurm's syntax.
    func configurationText(_ facts: DevFacts) -> String {
        let cpus = options.cpus
        let memory = options.memoryMiB ?? max(256, DevMachine.memoryMiB / options.nodes)
        let lends = cpus > DevMachine.cpus || memory > DevMachine.memoryMiB
        var lines = """
            # Written by `argosy dev up`; changes are lost at the next start.
            ClusterName=\(clusterName)
            SlurmctldHost=\(DevMachine.hostname)(\(facts.hostAddress))
            SlurmctldPort=\(facts.controllerPort)
            SlurmUser=root
            AuthType=auth/munge
            AuthInfo=socket=\(mungeSocket)
            StateSaveLocation=\(directory)/state
            SlurmdSpoolDir=\(directory)/spool/%n
            ArgosySocket=\(socket)
            ContainerRegistriesConf=\(registries)
            KillWait=5
            SlurmdTimeout=60
            ReturnToService=2
            DefMemPerCPU=\(max(1, memory / cpus))

            """
        if lends { lines += "# The nodes declare more than this machine has.\nSlurmdParameters=config_overrides\n" }
        for node in 1...options.nodes {
            lines += "NodeName=node\(node) NodeAddr=\(facts.nodeAddress(node)) Port=\(facts.nodePort(node))"
            lines += " CPUs=\(cpus) Sockets=1 CoresPerSocket=\(cpus) ThreadsPerCore=1 RealMemory=\(memory)\n"
        }
        let names = options.nodes == 1 ? "node1" : "node[1-\(options.nodes)]"
        return lines + "PartitionName=main Nodes=\(names) Default=YES MaxTime=INFINITE State=UP\n"
    }

    /// registries.conf for skopeo: a registry on this machine speaks plain HTTP.
    func registriesText(_ facts: DevFacts) -> String {
        """
        # Written by `argosy dev up`: a registry on this machine, reached from the nodes, needs no TLS.
        [[registry]]
        location = "\(facts.registry)"
        insecure = true

        """
    }

    /// The commands under their Slurm names, as links to a copy of this program: the one it was built as may lie where
    /// other users may not look.
    func installCommands() throws {
        try DevFiles.makeDirectory(commands)
        let own = try beside("argosy")
        let target = commands + "/argosy"
        if own != target {
            if !sameFile(own, target) { try DevFiles.copy(own, to: target, mode: 0o755) }
            try DevFiles.write(own + "\n", to: commands + "/.origin")
        }
        for name in ["sbatch", "srun", "salloc", "squeue", "scancel", "sinfo", "sacct", "scontrol"] {
            let link = commands + "/" + name
            if symlink("argosy", link) != 0, errno != EEXIST { throw DevFiles.failure("link", link) }
        }
    }

    /// Whether the copy is as long as the original and no older.
    private func sameFile(_ original: String, _ copy: String) -> Bool {
        var (a, b) = (stat(), stat())
        return stat(original, &a) == 0 && stat(copy, &b) == 0 && a.st_size == b.st_size
            && a.st_mtim.tv_sec < b.st_mtim.tv_sec
    }
}
