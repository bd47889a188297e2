public import ArgosyDomain

extension WireJobSpec {
    /// Without script and environment: they travel and are stored apart, by digest.
    public init(_ spec: JobSpec) {
        self.init()
        let fields = spec.fields
        name = fields.name
        identity = WireIdentity(fields.identity)
        account = fields.account
        qos = fields.qos
        partition = fields.partition
        submitHost = fields.submitHost
        submitLine = fields.submitLine
        comment = fields.comment
        dependency = fields.dependency
        nice = fields.nice
        requeue = fields.requeue
        hold = fields.hold
        killOnClientLoss = fields.killOnClientLoss
        beginUs = fields.begin.microseconds
        deadlineUs = fields.deadline.microseconds
        timeMinMinutes = fields.timeMin.rawValue
        wckey = fields.wckey
        submitSid = fields.submitSID
        adminComment = fields.adminComment
        getUserEnv = fields.getsUserEnvironment
        setNotices(fields)
        cron = fields.cron
        if let priority = fields.priority { self.priority = priority }
        if let kills = fields.killOnInvalidDependency { killOnInvalidDependency = kills }
        components = fields.components.map { WireJobSpec(JobSpec($0)) }
        if let array = fields.array { self.array = WireArraySpec(array) }
        setResources(fields)
        setProgram(fields)
    }

    private mutating func setResources(_ fields: JobSpec.Fields) {
        minNodes = fields.minNodes
        maxNodes = fields.maxNodes
        tasks = fields.tasks
        tasksPerNode = fields.tasksPerNode
        cpusPerTask = fields.cpusPerTask
        memoryPerNodeMib = fields.memoryPerNodeMiB
        memoryPerCpuMib = fields.memoryPerCPUMiB
        timeLimitMinutes = fields.timeLimit.rawValue
        exclusive = fields.exclusive
        nodeList = fields.nodeList
        exclude = fields.exclude
        if fields.resources != ResourceOptions() { resources = WireResourceOptions(fields.resources) }
    }

    private mutating func setProgram(_ fields: JobSpec.Fields) {
        workDir = fields.workDirectory
        stdinPath = fields.stdinPath
        stdoutPath = fields.stdoutPath
        stderrPath = fields.stderrPath
        appendOutput = fields.appendOutput
        scriptDigest = fields.scriptDigest
        environmentDigest = fields.environmentDigest
        arguments = fields.arguments
        command = fields.command
        umask = fields.umask
        limits = fields.limits.map(WireResourceLimit.init)
        if let container = fields.container { self.container = WireContainer(container) }
    }

    /// The fields as sent or stored. A submitter's word about identity and digests is the controller's to replace.
    public var domain: JobSpec.Fields {
        var fields = JobSpec.Fields(identity: identity.domain)
        fields.name = name
        fields.account = account
        fields.qos = qos
        fields.partition = partition
        fields.submitHost = submitHost
        fields.submitLine = submitLine
        fields.comment = comment
        fields.dependency = dependency
        fields.nice = nice
        fields.requeue = requeue
        fields.hold = hold
        fields.killOnClientLoss = killOnClientLoss
        fields.begin = Timestamp(microseconds: beginUs)
        fields.deadline = Timestamp(microseconds: deadlineUs)
        fields.timeMin = TimeLimit(rawValue: timeMinMinutes)
        fields.wckey = wckey
        fields.submitSID = submitSid
        fields.adminComment = adminComment
        fields.getsUserEnvironment = getUserEnv
        readNotices(into: &fields)
        fields.cron = cron
        fields.priority = hasPriority ? priority : nil
        fields.killOnInvalidDependency = hasKillOnInvalidDependency ? killOnInvalidDependency : nil
        // A component has none of its own: whatever else a message says stops here.
        fields.components = components.map { component in
            var component = component
            component.components = []
            return component.domain
        }
        fields.array = hasArray ? array.domain : nil
        readResources(into: &fields)
        readProgram(into: &fields)
        return fields
    }

    private func readResources(into fields: inout JobSpec.Fields) {
        fields.minNodes = minNodes
        fields.maxNodes = maxNodes
        fields.tasks = tasks
        fields.tasksPerNode = tasksPerNode
        fields.cpusPerTask = cpusPerTask
        fields.memoryPerNodeMiB = memoryPerNodeMib
        fields.memoryPerCPUMiB = memoryPerCpuMib
        fields.timeLimit = TimeLimit(rawValue: timeLimitMinutes)
        fields.exclusive = exclusive
        fields.nodeList = nodeList
        fields.exclude = exclude
        fields.resources = hasResources ? resources.domain : ResourceOptions()
    }

    private func readProgram(into fields: inout JobSpec.Fields) {
        fields.workDirectory = workDir
        fields.stdinPath = stdinPath
        fields.stdoutPath = stdoutPath
        fields.stderrPath = stderrPath
        fields.appendOutput = appendOutput
        fields.scriptDigest = scriptDigest
        fields.environmentDigest = environmentDigest
        fields.arguments = arguments
        fields.command = command
        fields.umask = umask
        fields.limits = limits.map(\.domain)
        fields.container = hasContainer ? container.domain : nil
    }
}
