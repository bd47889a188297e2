// What `scontrol update job` changes, to the wire and back.
public import ArgosyDomain

extension WireJobChanges {
    public init(_ changes: JobChanges) {
        self.init()
        switch changes.timeLimit {
        case .set(let limit)?: timeLimitMinutes = limit.rawValue
        case .longer(let minutes)?: timeLimitChange = Int32(clamping: minutes)
        case .shorter(let minutes)?: timeLimitChange = -Int32(clamping: minutes)
        case nil: break
        }
        if let value = changes.timeMin { timeMinMinutes = value.rawValue }
        if let value = changes.priority { priority = value }
        if let value = changes.nice { nice = value }
        if let value = changes.partition { partition = value }
        if let value = changes.qos { qos = value }
        if let value = changes.account { account = value }
        if let value = changes.constraint { constraint = value }
        if let value = changes.minNodes { minNodes = value }
        if let value = changes.maxNodes { maxNodes = value }
        if let value = changes.tasks { tasks = value }
        if let value = changes.cpusPerTask { cpusPerTask = value }
        if let value = changes.memoryPerNodeMiB { memoryPerNodeMib = value }
        if let value = changes.memoryPerCPUMiB { memoryPerCpuMib = value }
        if let value = changes.dependency { dependency = value }
        if let value = changes.begin { beginUs = value.microseconds }
        if let value = changes.deadline { deadlineUs = value.microseconds }
        if let value = changes.reservation { reservation = value }
        if let value = changes.name { name = value }
        if let value = changes.comment { comment = value }
        if let value = changes.wckey { wckey = value }
        if let value = changes.nodeList { nodeList = value }
        if let value = changes.exclude { exclude = value }
        if let value = changes.requeue { requeue = value }
        if let value = changes.arrayThrottle { arrayThrottle = value }
        hasGres_p = changes.gres != nil
        gres = (changes.gres ?? []).map(WireGRESRequest.init)
        hasLicenses_p = changes.licenses != nil
        licenses = (changes.licenses ?? []).map(WireLicenseRequest.init)
        anyLicense = changes.anyLicense
        setMore(changes)
    }

    private mutating func setMore(_ changes: JobChanges) {
        if let value = changes.adminComment { adminComment = value }
        if let value = changes.minCPUs { minCpus = value }
        if let value = changes.minCPUsPerNode { minCpusPerNode = value }
        if let value = changes.minTmpDiskMiB { minTmpDiskMib = value }
        if let value = changes.contiguous { contiguous = value }
        if let value = changes.coreSpec { coreSpec = value }
        if let value = changes.tasksPerNode { tasksPerNode = value }
        if let value = changes.prefer { prefer = value }
        if let value = changes.sockets { sockets = value }
        if let value = changes.cores { cores = value }
        if let value = changes.threads { threads = value }
        if let value = changes.switches { switches = value }
        if let value = changes.switchWait { switchWaitS = value }
        if let value = changes.workDirectory { workDir = value }
        if let value = changes.stdoutPath { stdoutPath = value }
        if let value = changes.sharing { sharing = value.rawValue }
        if let value = changes.end { endUs = value.microseconds }
        resetAccrueTime = changes.resetsAccrueTime
    }

    public var domain: JobChanges {
        var changes = JobChanges()
        if hasTimeLimitMinutes {
            changes.timeLimit = .set(TimeLimit(rawValue: timeLimitMinutes))
        } else if hasTimeLimitChange {
            changes.timeLimit =
                timeLimitChange < 0 ? .shorter(timeLimitChange.magnitude) : .longer(timeLimitChange.magnitude)
        }
        changes.timeMin = hasTimeMinMinutes ? TimeLimit(rawValue: timeMinMinutes) : nil
        changes.priority = hasPriority ? priority : nil
        changes.nice = hasNice ? nice : nil
        changes.partition = hasPartition ? partition : nil
        changes.qos = hasQos ? qos : nil
        changes.account = hasAccount ? account : nil
        changes.constraint = hasConstraint ? constraint : nil
        changes.minNodes = hasMinNodes ? minNodes : nil
        changes.maxNodes = hasMaxNodes ? maxNodes : nil
        changes.tasks = hasTasks ? tasks : nil
        changes.cpusPerTask = hasCpusPerTask ? cpusPerTask : nil
        changes.memoryPerNodeMiB = hasMemoryPerNodeMib ? memoryPerNodeMib : nil
        changes.memoryPerCPUMiB = hasMemoryPerCpuMib ? memoryPerCpuMib : nil
        changes.dependency = hasDependency ? dependency : nil
        changes.begin = hasBeginUs ? Timestamp(microseconds: beginUs) : nil
        changes.deadline = hasDeadlineUs ? Timestamp(microseconds: deadlineUs) : nil
        changes.reservation = hasReservation ? reservation : nil
        changes.name = hasName ? name : nil
        changes.comment = hasComment ? comment : nil
        changes.wckey = hasWckey ? wckey : nil
        changes.nodeList = hasNodeList ? nodeList : nil
        changes.exclude = hasExclude ? exclude : nil
        changes.requeue = hasRequeue ? requeue : nil
        changes.arrayThrottle = hasArrayThrottle ? arrayThrottle : nil
        changes.gres = hasGres_p ? gres.map(\.domain) : nil
        changes.licenses = hasLicenses_p ? licenses.map(\.domain) : nil
        changes.anyLicense = anyLicense
        readMore(into: &changes)
        return changes
    }

    private func readMore(into changes: inout JobChanges) {
        changes.adminComment = hasAdminComment ? adminComment : nil
        changes.minCPUs = hasMinCpus ? minCpus : nil
        changes.minCPUsPerNode = hasMinCpusPerNode ? minCpusPerNode : nil
        changes.minTmpDiskMiB = hasMinTmpDiskMib ? minTmpDiskMib : nil
        changes.contiguous = hasContiguous ? contiguous : nil
        changes.coreSpec = hasCoreSpec ? coreSpec : nil
        changes.tasksPerNode = hasTasksPerNode ? tasksPerNode : nil
        changes.prefer = hasPrefer ? prefer : nil
        changes.sockets = hasSockets ? sockets : nil
        changes.cores = hasCores ? cores : nil
        changes.threads = hasThreads ? threads : nil
        changes.switches = hasSwitches ? switches : nil
        changes.switchWait = hasSwitchWaitS ? switchWaitS : nil
        changes.workDirectory = hasWorkDir ? workDir : nil
        changes.stdoutPath = hasStdoutPath ? stdoutPath : nil
        changes.sharing = hasSharing ? Sharing(rawValue: sharing) : nil
        changes.end = hasEndUs ? Timestamp(microseconds: endUs) : nil
        changes.resetsAccrueTime = resetAccrueTime
    }
}
