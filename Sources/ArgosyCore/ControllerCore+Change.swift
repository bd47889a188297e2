// `scontrol update job`: a job asks for something else. A waiting job is checked again as if it were submitted so; of a
// running one only what does not touch its nodes can change. Users may give up, not gain: see `checkRights`.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func change(
        _ selection: JobSelection, _ changes: JobChanges, by caller: Caller, reply handle: ReplyHandle
    ) {
        do throws(Refusal) {
            for item in selection.items { try change(item, changes, caller) }
            reply(handle, .done)
        } catch { refuse(handle, error) }
    }

    private mutating func change(
        _ item: JobSelection.Item, _ changes: JobChanges, _ caller: Caller
    ) throws(Refusal) {
        let targets = try targets(of: item, caller)
        for id in targets {
            guard let spec = tables.specs[id.rawValue] else { throw Refusals.invalidJob(id) }
            guard caller.isOperator || caller.uid == spec.fields.identity.uid else {
                throw Refusal(
                    .accessDenied, "Invalid user id",
                    detail: "job \(id) belongs to \(spec.fields.identity.user); ask the owner or an administrator")
            }
        }
        for id in targets { try change(id, changes, caller) }
    }

    /// The job; of an array its own record and its live elements, or the elements that are named.
    private mutating func targets(of item: JobSelection.Item, _ caller: Caller) throws(Refusal) -> [JobID] {
        let owner = liveElements(of: item.job).first ?? item.job
        guard caller.isOperator || record(owner)?.uid == caller.uid else { return [owner] }
        let named = records(of: item)
        guard !named.isEmpty else { throw Refusals.invalidJob(item.job) }
        return named
    }

    private mutating func change(_ id: JobID, _ changes: JobChanges, _ caller: Caller) throws(Refusal) {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else { throw Refusals.invalidJob(id) }
        if record.state.isEnded || record.state == .completing {
            throw Refusal(
                .jobAlreadyComplete, "Job has already finished",
                detail: "job \(id) is \(record.state.name); only its accounting record is left")
        }
        try checkRights(changes, of: record, spec.fields, caller)
        if record.state == .pending {
            try changeWaiting(record, spec.fields, changes, caller)
        } else {
            try changeRunning(record, spec.fields, changes)
        }
    }

    /// Users may lower priority and limits; the rest of what gains an advantage is for operators.
    private func checkRights(
        _ changes: JobChanges, of record: JobRecord, _ fields: JobSpec.Fields, _ caller: Caller
    ) throws(Refusal) {
        if caller.isOperator { return }
        let isHeldByAdmin = record.reason == .jobHeldAdmin && record.state == .pending
        if let priority = changes.priority, priority == .max || UInt64(priority) > record.priority || isHeldByAdmin {
            throw Refusals.accessDenied("only operators may raise the priority of a job")
        }
        if let nice = changes.nice, nice < fields.nice {
            throw Refusals.accessDenied("only operators may lower the nice value of a job")
        }
        if changes.deadline != nil { throw Refusals.accessDenied("only operators may change the deadline of a job") }
        if record.state != .pending, let limit = changes.timeLimit, try newLimit(record, limit) > record.timeLimit {
            throw Refusals.accessDenied("only operators may extend the time limit of a running job")
        }
    }

    private func newLimit(_ record: JobRecord, _ change: JobChanges.LimitChange) throws(Refusal) -> TimeLimit {
        let old = record.timeLimit
        switch change {
        case .set(let limit): return limit
        case .longer(let minutes) where old != .unlimited:
            return TimeLimit(minutes: UInt32(clamping: min(UInt64(old.rawValue) + UInt64(minutes), 0xffff_fffe)))
        case .shorter(let minutes) where old != .unlimited && old.rawValue > minutes:
            return TimeLimit(minutes: old.rawValue - minutes)
        case .longer, .shorter:
            throw Refusal(
                .invalidTimeLimit, "Requested time limit is invalid (missing or exceeds some limit)",
                detail: "the limit of job \(record.id) cannot be changed by that much; give the new limit itself")
        }
    }

    // MARK: Waiting jobs

    private mutating func changeWaiting(
        _ record: JobRecord, _ old: JobSpec.Fields, _ changes: JobChanges, _ caller: Caller
    ) throws(Refusal) {
        if record.isHeld, let priority = changes.priority, priority > 0, priority != .max {
            throw Refusal(
                .jobNotPending, "Job is in held state, pending scheduler release",
                detail: "job \(record.id) is held; release it first, then give it a priority")
        }
        var fields = changes.applied(to: old)
        try changes.checkCPUs(fields)
        fields.timeLimit = record.timeLimit
        if let limit = changes.timeLimit { fields.timeLimit = try newLimit(record, limit) }
        var partition = record.partition
        var dependency: JobDependency?
        var accounting: AccountingPlace?
        if let text = changes.dependency { dependency = try self.dependency(text, of: record.id) }
        if changes.asksForOther {
            // What was granted before is not asked for again.
            fields.nice = max(0, old.nice)
            fields.dependency = ""
            let admitted = try Admission(self, fields, by: caller, isNew: false).admitted
            (fields, partition) = (admitted.fields, admitted.partition)
            if changes.account != nil || changes.qos != nil || changes.partition != nil {
                accounting = try settleAccounting(&fields, partition: partition, elements: 0)
            }
            try checkReservations(fields)
        }
        fields.nice = changes.nice ?? old.nice
        fields.dependency = changes.dependency ?? old.dependency
        fields.priority = changes.priority.map { $0 == .max || $0 == 0 ? nil : $0 } ?? old.priority
        replace(record, fields, partition: partition, changes, caller)
        if let accounting { charge(record.id, to: accounting) }
        if let dependency { setDependency(record.id, dependency) }
    }

    mutating func replace(
        _ record: JobRecord, _ fields: JobSpec.Fields, partition: UInt16, _ changes: JobChanges, _ caller: Caller
    ) {
        let id = record.id
        dropShape(id)
        if changes.name != nil { forgetLive(id) }
        tables.specs[id.rawValue] = JobSpec(fields)
        if changes.name != nil { noteLive(id, isNew: false) }
        let now = now
        let isReleased = record.isHeld && (changes.priority ?? 0) > 0
        let isHeld = changes.priority == 0 || record.isHeld && !isReleased
        let tier = tier(of: fields.partition, or: partition)
        change(id) { job in
            job.timeLimit = fields.timeLimit
            job.timeMin = fields.timeMin
            job.endBy = fields.deadline
            job.partition = partition
            job.tier = tier
            job.allowsRequeue = fields.requeue
            job.priority = 0
            if changes.begin != nil { job.eligible = max(now, fields.begin) }
            if changes.resetsAccrueTime, job.eligible <= now { job.eligible = now }
            if changes.priority == 0 { job.reason = caller.isOperator ? .jobHeldAdmin : .jobHeldUser }
            if isReleased {
                job.reason = .none
                // Until now it did not wait for its turn.
                job.eligible = max(job.eligible, now)
            }
            if !job.isHeld, job.dependency == .none { job.reason = job.eligible > now ? .beginTime : .none }
        }
        if !isHeld {
            let priority = basePriority(of: id)
            change(id) { $0.priority = priority }
        }
        tables.notes[id.rawValue] = nil
        leaveQueue()
        if let changed = self.record(id) {
            enqueue(changed)
            watchDeadline(changed)
        }
    }

    /// Its new place among the accounts; counts follow at the end of the turn.
    private mutating func charge(_ id: JobID, to place: AccountingPlace) {
        change(id) { job in
            job.association = Int32(place.association)
            job.qos = Int32(place.qos)
        }
    }

    // MARK: Running jobs

    private mutating func changeRunning(
        _ record: JobRecord, _ old: JobSpec.Fields, _ changes: JobChanges
    ) throws(Refusal) {
        var rest = changes
        (rest.name, rest.comment, rest.wckey, rest.timeLimit, rest.requeue) = (nil, nil, nil, nil, nil)
        (rest.nice, rest.priority, rest.adminComment, rest.end) = (nil, nil, nil, nil)
        (rest.mailTypes, rest.mailUser) = (nil, nil)
        rest.resetsAccrueTime = false
        guard rest == JobChanges() else {
            throw Refusal(
                .jobNotPending, "Job is no longer pending execution",
                detail: "job \(record.id) runs; of a running job TimeLimit, JobName, Comment, WCKey and Requeue can "
                    + "change")
        }
        if let limit = changes.timeLimit { try changeLimit(record, try newLimit(record, limit)) }
        if let end = changes.end, end > record.start {
            let minutes = ((end - record.start).components.seconds + 59) / 60
            try changeLimit(record, TimeLimit(minutes: UInt32(clamping: minutes)))
        }
        var fields = changes.applied(to: old)
        fields.timeLimit = self.record(record.id)?.timeLimit ?? old.timeLimit
        if changes.name != nil { forgetLive(record.id) }
        tables.specs[record.id.rawValue] = JobSpec(fields)
        if changes.name != nil { noteLive(record.id, isNew: false) }
        change(record.id) { job in
            job.allowsRequeue = fields.requeue
            if let priority = changes.priority, priority != .max { job.priority = UInt64(priority) }
        }
    }

    /// The nodes are told; see ControllerCore+Warnings.
    private mutating func changeLimit(_ record: JobRecord, _ limit: TimeLimit) throws(Refusal) {
        moveLimit(record, to: limit)
    }
}

extension JobChanges {
    /// CPUs that the tasks take in any case.
    private static func cpusOfTasks(_ fields: JobSpec.Fields) -> UInt64 {
        let tasks = fields.tasks > 0 ? fields.tasks : max(1, fields.minNodes) * max(1, fields.tasksPerNode)
        return UInt64(tasks) * UInt64(max(1, fields.cpusPerTask))
    }

    /// What each node gives when `total` CPUs are asked for; 0: what its tasks take.
    private static func share(_ total: UInt32, of fields: JobSpec.Fields) -> UInt32 {
        if UInt64(total) <= cpusOfTasks(fields) { return 0 }
        let nodes = max(1, fields.minNodes)
        return (total - 1) / nodes + 1
    }

    /// NumCPUs leaves the tasks as they are: it cannot be less than they take, and more is shared among a known number
    /// of nodes. `fields` has the other changes applied.
    func checkCPUs(_ fields: JobSpec.Fields) throws(Refusal) {
        guard let minCPUs else { return }
        let taken = Self.cpusOfTasks(fields)
        if UInt64(minCPUs) < taken {
            throw Refusal(
                .badTaskCount, "Requested node configuration is not available",
                detail: "the job's tasks take \(taken) CPUs; change NumTasks or CPUs/Task to ask for fewer")
        }
        if UInt64(minCPUs) > taken, fields.minNodes == 0, fields.tasks > 1 {
            throw Refusal(
                .badTaskCount, "Requested node configuration is not available",
                detail: "more CPUs than tasks take are shared among nodes: say NumNodes too")
        }
    }

    /// Whether the job has to be checked again as if it were submitted so.
    var asksForOther: Bool {
        var rest = self
        (rest.name, rest.comment, rest.wckey, rest.dependency, rest.begin) = (nil, nil, nil, nil, nil)
        (rest.nice, rest.priority, rest.requeue, rest.arrayThrottle) = (nil, nil, nil, nil)
        (rest.adminComment, rest.workDirectory, rest.stdoutPath) = (nil, nil, nil)
        (rest.mailTypes, rest.mailUser, rest.delayBoot, rest.reboot) = (nil, nil, nil, nil)
        rest.resetsAccrueTime = false
        return rest != JobChanges()
    }

    /// All but the time limit, which may be relative.
    func applied(to old: JobSpec.Fields) -> JobSpec.Fields {
        var fields = old
        fields.name = name ?? old.name
        fields.comment = comment ?? old.comment
        fields.wckey = wckey ?? old.wckey
        fields.account = account ?? old.account
        fields.qos = qos ?? old.qos
        fields.partition = partition ?? old.partition
        fields.minNodes = minNodes ?? old.minNodes
        fields.maxNodes = maxNodes ?? old.maxNodes
        fields.tasks = tasks ?? old.tasks
        fields.cpusPerTask = cpusPerTask ?? old.cpusPerTask
        if let memory = memoryPerNodeMiB { (fields.memoryPerNodeMiB, fields.memoryPerCPUMiB) = (memory, 0) }
        if let memory = memoryPerCPUMiB { (fields.memoryPerCPUMiB, fields.memoryPerNodeMiB) = (memory, 0) }
        fields.begin = begin ?? old.begin
        fields.deadline = deadline ?? old.deadline
        fields.timeMin = timeMin ?? old.timeMin
        fields.nodeList = nodeList ?? old.nodeList
        fields.exclude = exclude ?? old.exclude
        fields.requeue = requeue ?? old.requeue
        if let throttle = arrayThrottle { fields.array?.maxRunning = throttle }
        fields.resources.constraint = constraint ?? old.resources.constraint
        fields.resources.reservation = reservation ?? old.resources.reservation
        fields.resources.gres = gres ?? old.resources.gres
        if let licenses {
            fields.resources.licenses = licenses
            fields.resources.anyLicense = anyLicense
        }
        applyMore(to: &fields)
        return fields
    }

    private func applyMore(to fields: inout JobSpec.Fields) {
        fields.adminComment = adminComment ?? fields.adminComment
        fields.mailTypes = mailTypes ?? fields.mailTypes
        fields.mailUser = mailUser ?? fields.mailUser
        fields.delayBoot = delayBoot ?? fields.delayBoot
        fields.reboot = reboot ?? fields.reboot
        fields.workDirectory = workDirectory ?? fields.workDirectory
        fields.stdoutPath = stdoutPath ?? fields.stdoutPath
        fields.tasksPerNode = tasksPerNode ?? fields.tasksPerNode
        var resources = fields.resources
        resources.minCPUsPerNode = minCPUsPerNode ?? resources.minCPUsPerNode
        if let minCPUs { resources.minCPUsPerNode = Self.share(minCPUs, of: fields) }
        resources.minTmpDiskMiB = minTmpDiskMiB ?? resources.minTmpDiskMiB
        resources.contiguous = contiguous ?? resources.contiguous
        resources.coreSpec = coreSpec ?? resources.coreSpec
        resources.prefer = prefer ?? resources.prefer
        resources.socketsPerNode = sockets ?? resources.socketsPerNode
        resources.coresPerSocket = cores ?? resources.coresPerSocket
        resources.threadsPerCore = threads ?? resources.threadsPerCore
        resources.switches = switches ?? resources.switches
        resources.switchWait = switchWait ?? resources.switchWait
        if let sharing {
            resources.sharing = sharing
            fields.exclusive = sharing == .exclusive
        }
        fields.resources = resources
    }
}
