// Rows of the core to stored messages and back.
public import ArgosyCore
internal import ArgosyDomain
public import ArgosyWire

extension WireJobRow {
    init(_ row: JobRow) {
        self.init()
        job = row.id.rawValue
        spec = WireJobSpec(row.spec)
        partition = row.partition
        state = row.state.rawValue
        reason = row.reason.rawValue
        reasonDetail = row.reasonDetail
        attempt = row.attempt.rawValue
        submitUs = row.submit.microseconds
        eligibleUs = row.eligible.microseconds
        startUs = row.start.microseconds
        endUs = row.end.microseconds
        timeLimitMinutes = row.timeLimit.rawValue
        priority = row.priority
        exit = WireExitStatus(row.exit)
        derivedExit = WireExitStatus(row.derivedExit)
        arrayJob = row.arrayJob?.rawValue ?? 0
        arrayTask = row.arrayIndex ?? .max
        arrayHead = row.isArrayHead
        if row.isArrayHead {
            array.pending = row.pendingIndices.map(WireIndexRange.init)
            array.running = row.runningElements
            array.maxRunning = row.spec.fields.array?.maxRunning ?? 0
        }
        setProgress(row)
    }

    private mutating func setProgress(_ row: JobRow) {
        if let allocation = row.allocation { self.allocation = WireAllocation(allocation) }
        nodesHeld = row.nodesHeld
        nodesPrepared = row.nodesPrepared
        token = row.token
        dependency = row.dependency
        reservation = row.reservation
        corresponding = row.corresponding.map(WireIndexRange.init)
        nextStep = row.nextStep
        endingState = row.endingState?.rawValue ?? .max
        deadlineUs = row.deadline.microseconds
        batchLaunched = row.batchLaunched
        requeueAfterEnd = row.requeueAfterEnd
        usage = WireUsage(row.usage)
        setPauses(row)
    }

    private mutating func setPauses(_ row: JobRow) {
        suspendedAtUs = row.suspendedAt.microseconds
        suspendedForUs = row.suspendedFor.microseconds
        suspendedByPreemption = row.suspendedByPreemption
        licenses = row.licenses.map(WireLicenseRequest.init)
        pauses = row.pauses
        hetLeader = row.hetLeader?.rawValue ?? 0
        hetOffset = row.hetOffset
        preemptedUs = row.preempted.microseconds
        warned = row.warned
        mails = row.mails.rawValue
        requeueMark = UInt32(row.requeueMark.rawValue)
        isConfiguring = row.isConfiguring
        if let uid = row.cancelledBy { cancelledBy = uid }
    }

    func core(indexOf: (String) -> NodeIndex?) -> JobRow {
        var row = JobRow(
            id: JobID(job), spec: JobSpec(spec.domain), partition: partition,
            submit: Timestamp(microseconds: submitUs))
        row.state = JobState(rawValue: state) ?? .failed
        row.reason = PendingReason(rawValue: reason) ?? .none
        row.reasonDetail = reasonDetail
        row.attempt = Attempt(attempt)
        row.eligible = Timestamp(microseconds: eligibleUs)
        row.start = Timestamp(microseconds: startUs)
        row.end = Timestamp(microseconds: endUs)
        row.timeLimit = TimeLimit(rawValue: timeLimitMinutes)
        row.priority = priority
        row.exit = exit.domain
        row.derivedExit = derivedExit.domain
        row.arrayJob = arrayJob == 0 ? nil : JobID(arrayJob)
        row.arrayIndex = arrayTask == .max ? nil : arrayTask
        row.pendingIndices = array.pending.map(\.domain)
        row.runningElements = array.running
        row.allocation = hasAllocation ? allocation.domain(indexOf: indexOf) : nil
        readProgress(into: &row)
        return row
    }

    private func readProgress(into row: inout JobRow) {
        row.nodesHeld = nodesHeld
        row.nodesPrepared = nodesPrepared
        row.token = token
        row.nextStep = nextStep
        row.endingState = JobState(rawValue: endingState)
        row.deadline = Timestamp(microseconds: deadlineUs)
        row.batchLaunched = batchLaunched
        row.requeueAfterEnd = requeueAfterEnd
        row.dependency = dependency
        row.reservation = reservation
        row.corresponding = corresponding.map(\.domain)
        row.usage = usage.domain
        readPauses(into: &row)
    }

    private func readPauses(into row: inout JobRow) {
        row.suspendedAt = Timestamp(microseconds: suspendedAtUs)
        row.suspendedFor = .microseconds(suspendedForUs)
        row.suspendedByPreemption = suspendedByPreemption
        row.licenses = licenses.map(\.domain)
        row.pauses = pauses
        row.hetLeader = hetLeader == 0 ? nil : JobID(hetLeader)
        row.hetOffset = hetOffset
        row.preempted = Timestamp(microseconds: preemptedUs)
        row.warned = warned
        row.mails = MailTypes(rawValue: mails)
        row.requeueMark = RequeueMark(rawValue: UInt8(clamping: requeueMark)) ?? .none
        row.isConfiguring = isConfiguring
        row.cancelledBy = hasCancelledBy ? cancelledBy : nil
    }
}

extension JobRow {
    /// The array's own record, not one of its elements.
    var isArrayHead: Bool { spec.fields.array != nil && arrayIndex == nil }
}

extension WireStepRow {
    init(_ row: StepRow) {
        self.init()
        job = row.key.job.rawValue
        attempt = row.key.attempt.rawValue
        step = row.step.rawValue
        name = row.name
        state = row.state.rawValue
        layout = WireAllocation(row.layout)
        firstRank = row.firstRanks
        timedOut = row.timedOut
        nodesRunning = row.nodesRunning
        startUs = row.start.microseconds
        endUs = row.end.microseconds
        exit = WireExitStatus(row.exit)
        usage = WireUsage(row.usage)
        // The payload is the CreateStep as it came; a batch step has none.
        request = (try? WireCreateStep(serializedBytes: row.request.payload)) ?? WireCreateStep()
    }

    func core(indexOf: (String) -> NodeIndex?) -> StepRow {
        var row = StepRow(
            key: AttemptKey(JobID(job), Attempt(attempt)), step: StepID(step), layout: layout.domain(indexOf: indexOf),
            request: StepRequest(request), start: Timestamp(microseconds: startUs))
        row.name = name
        row.state = JobState(rawValue: state) ?? .failed
        row.firstRanks = firstRank
        row.timedOut = timedOut
        row.nodesRunning = nodesRunning
        row.end = Timestamp(microseconds: endUs)
        row.exit = exit.domain
        row.usage = usage.domain
        return row
    }
}

extension StepRequest {
    /// What a client asked, with the request kept as it came in `payload`.
    public init(_ request: WireCreateStep) {
        self.init(job: JobID(request.job))
        name = request.name
        tasks = Int(request.tasks)
        nodes = Int(request.nodes)
        tasksPerNode = Int(request.tasksPerNode)
        cpusPerTask = Int(request.cpusPerTask)
        memoryPerNodeMiB = request.memoryPerNodeMib
        nodeList = request.nodeList
        exclude = request.exclude
        relative = request.hasRelative_p ? Int(request.relative) : nil
        overlap = request.overlap
        exact = request.exact
        killOnBadExit = request.killOnBadExit
        overcommit = request.options.overcommit
        noWait = request.noWait
        distribution = StepDistribution(request.options)
        timeLimit = TimeLimit(rawValue: request.timeLimitMinutes)
        payload = (try? request.serializedBytes()) ?? []
    }
}

extension StepDistribution {
    init(_ options: WireStepOptions) {
        let word = options.distribution.lowercased().prefix { $0 != ":" && $0 != "," }
        switch word {
        case "cyclic": self = .cyclic
        case "arbitrary": self = options.hostList.isEmpty ? .block : .hosts(options.hostList)
        default:
            guard word.hasPrefix("plane"), let size = Int(word.drop { $0 != "=" }.dropFirst()), size > 0 else {
                self = .block
                return
            }
            self = .plane(size)
        }
    }
}

extension WireNodeRow {
    init(_ row: NodeRow) {
        self.init()
        name = row.name
        bootID = row.incarnation?.bootID ?? ""
        registration = row.incarnation?.registration ?? 0
        adminState = (row.isDrained ? 1 : 0) | (row.isDown ? 2 : 0)
        reason = row.reason
        reasonUs = row.reasonTime.microseconds
        reasonUid = row.reasonUID
        lastReport = row.lastReport
    }

    var core: NodeRow {
        var row = NodeRow(name: name)
        row.incarnation = bootID.isEmpty ? nil : Incarnation(bootID: bootID, registration: registration)
        row.isDrained = adminState & 1 != 0
        row.isDown = adminState & 2 != 0
        row.reason = reason
        row.reasonTime = Timestamp(microseconds: reasonUs)
        row.reasonUID = reasonUid
        row.lastReport = lastReport
        return row
    }
}

extension WirePartitionRow {
    init(_ row: PartitionRow) {
        self.init()
        name = row.name
        state = row.state
        configured = row.configured
    }

    var core: PartitionRow { PartitionRow(name: name, state: state, configured: configured) }
}
