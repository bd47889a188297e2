// Options and this process's surroundings to the message that submits a job.

import ArgosyDomain
import ArgosyWire

extension JobOptions {
    /// All that sbatch and srun say alike. Script, environment and paths of output are theirs to add.
    func specification(command: String) -> WireJobSpec {
        var job = WireJobSpec()
        job.name = name
        job.account = account
        job.qos = qos
        job.partition = partition
        job.comment = comment
        job.minNodes = minNodes
        job.maxNodes = maxNodes
        job.tasks = tasks
        job.tasksPerNode = tasksPerNode
        job.cpusPerTask = cpusPerTask
        job.memoryPerNodeMib = memoryPerNodeMiB
        job.memoryPerCpuMib = memoryPerCPUMiB
        job.timeLimitMinutes = timeLimit.rawValue
        job.workDir = absoluteWorkDirectory
        job.stdinPath = input
        job.stdoutPath = output
        job.stderrPath = error
        job.appendOutput = append ?? false
        job.submitHost = Process.host
        job.submitLine = ([command] + CommandLine.arguments.dropFirst()).joined(separator: " ")
        job.requeue = requeue ?? true
        job.exclusive = exclusive
        job.hold = hold
        job.nodeList = nodeList
        job.exclude = exclude
        if let array { job.array = wire(array) }
        if let container { job.container = container }
        job.beginUs = begin.microseconds
        job.umask = Process.umask
        job.limits = Process.limits.filter { propagated?.contains($0.resource) ?? true }.map { limit in
            var wire = WireResourceLimit()
            (wire.resource, wire.soft, wire.hard) = (limit.resource, limit.soft, limit.hard)
            return wire
        }
        job.dependency = dependency
        job.nice = nice
        if allResources != ResourceOptions() { job.resources = WireResourceOptions(allResources) }
        job.deadlineUs = deadline.microseconds
        job.timeMinMinutes = timeMin.rawValue
        if let priority { job.priority = priority }
        if let kills = killsOnInvalidDependency { job.killOnInvalidDependency = kills }
        job.wckey = wckey
        job.getUserEnv = wantsLoginEnvironment
        if let user {
            job.identity.uid = user.uid
            job.identity.gid = user.gid
        }
        if let gid { job.runGid = gid }
        job.defaultRequeue = requeue == nil
        job.mailTypes = mailTypes.rawValue
        job.mailUser = mailUser
        job.reboot = reboot
        if let delayBoot { job.delayBootMinutes = delayBoot }
        if let warning {
            job.warning.number = warning.number
            job.warning.seconds = warning.seconds
            job.warning.batchOnly = warning.batchOnly
            job.warning.forReservation = warning.forReservation
        }
        return job
    }

    /// Asked for, or because the environment sent along is not the user's own.
    var wantsLoginEnvironment: Bool {
        if loginEnvironment != nil || !exportFile.isEmpty { return true }
        guard let export else { return false }
        return !exportWords(export).contains { $0.uppercased() == "ALL" }
    }

    var absoluteWorkDirectory: String {
        if workDirectory.isEmpty { return Process.directory }
        return workDirectory.hasPrefix("/") ? workDirectory : Process.directory + "/" + workDirectory
    }

    /// Nil without an image. An image path is made absolute here, since only here its directory is known.
    var container: WireContainer? {
        guard !containerImage.isEmpty else { return nil }
        var container = WireContainer()
        container.image = absoluteImage(containerImage)
        container.mounts = containerMounts
        container.workdir = containerWorkdir
        container.writable = containerWritable
        container.mountHome = mountsHome
        return container
    }

    private func absoluteImage(_ image: String) -> String {
        for scheme in ["dir:", "sqsh:", "oci:"] where image.hasPrefix(scheme) {
            let path = image.dropFirst(scheme.count)
            return path.hasPrefix("/") ? image : scheme + Process.directory + "/" + path
        }
        let isPath = image.hasPrefix("./") || image.hasPrefix("../")
        return isPath ? Process.directory + "/" + image : image
    }

    private func wire(_ array: ArraySpec) -> WireArraySpec {
        var message = WireArraySpec()
        message.indices = array.indices.map { range in
            var wire = WireIndexRange()
            (wire.first, wire.last, wire.step) = (range.first, range.last, range.step)
            return wire
        }
        message.maxRunning = array.maxRunning
        message.text = array.text
        return message
    }

    /// Container options that mean nothing without an image would be passed over silently.
    func checkContainer() throws(OptionError) {
        guard containerImage.isEmpty, !containerMounts.isEmpty || !containerWorkdir.isEmpty || containerWritable else {
            return
        }
        throw OptionError("--container-mounts, --container-workdir and --container-writable need --container-image")
    }

    /// Variables that tell a job what was asked of it, as sbatch and salloc set them.
    var told: [String] {
        var told = [
            "SLURM_SUBMIT_DIR=\(Process.directory)", "SLURM_SUBMIT_HOST=\(Process.host)",
            "SLURM_PRIO_PROCESS=\(Process.nice)",
        ]
        if !name.isEmpty { told.append("SLURM_JOB_NAME=\(name)") }
        if tasks > 0 { told += ["SLURM_NTASKS=\(tasks)", "SLURM_NPROCS=\(tasks)"] }
        if tasksPerNode > 0 { told.append("SLURM_NTASKS_PER_NODE=\(tasksPerNode)") }
        if cpusPerTask > 0 { told.append("SLURM_CPUS_PER_TASK=\(cpusPerTask)") }
        if memoryPerNodeMiB > 0 { told.append("SLURM_MEM_PER_NODE=\(memoryPerNodeMiB)") }
        if memoryPerCPUMiB > 0 { told.append("SLURM_MEM_PER_CPU=\(memoryPerCPUMiB)") }
        told += toldResources
        if let export { told.append("SLURM_EXPORT_ENV=\(export)") }
        if wantsLoginEnvironment { told.append("SLURM_GET_USER_ENV=1") }
        if !dependency.isEmpty { told.append("SLURM_JOB_DEPENDENCY=\(dependency)") }
        return told
    }
}
