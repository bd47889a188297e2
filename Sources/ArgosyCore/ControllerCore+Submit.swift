// Submission: a request becomes a job with an id that is never given again, or a refusal that says what to change.
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func submit(
        _ fields: JobSpec.Fields, token: String, waitForAllocation: Bool, by caller: Caller, reply handle: ReplyHandle
    ) {
        if !token.isEmpty, let known = tokens[Self.tokenKey(token, uid: fields.identity.uid)] {
            answerRepeat(known, waitForAllocation: waitForAllocation, reply: handle)
            return
        }
        do {
            let (fields, partition) = try check(fields, by: caller)
            let id = try nextJobID()
            admit(id, fields, partition: partition, token: token)
            if waitForAllocation {
                waiting.owners.append(WaitingReplies.Owner(reply: handle, job: id, isAnswered: false))
            } else {
                reply(handle, .submitted(id))
            }
        } catch {
            refuse(handle, error)
        }
    }

    /// The same token: the client lost our answer, or its connection.
    private mutating func answerRepeat(_ id: JobID, waitForAllocation: Bool, reply handle: ReplyHandle) {
        guard waitForAllocation else {
            reply(handle, .submitted(id))
            return
        }
        guard let record = record(id), !record.state.isEnded, record.state != .completing else {
            refuse(handle, Refusals.alreadyEnded(id))
            return
        }
        waiting.owners.removeAll { $0.job == id }
        waiting.owners.append(WaitingReplies.Owner(reply: handle, job: id, isAnswered: false))
        answerOwner(of: id)
    }

    static func tokenKey(_ token: String, uid: UInt32) -> String { "\(uid)/\(token)" }

    /// An id nobody ever had. The high-water mark is part of the same commit as what it was taken for.
    mutating func nextJobID() throws(Refusal) -> JobID {
        guard lastJobID.rawValue < configuration.maxJobID else {
            throw Refusal(
                .busy, "Unable to assign a job id",
                detail: "all ids up to MaxJobId=\(configuration.maxJobID) were given out; raise MaxJobId")
        }
        lastJobID = JobID(lastJobID.rawValue + 1)
        turn.changes.removeAll { if case .lastJobID = $0 { true } else { false } }
        turn.changes.append(.lastJobID(lastJobID))
        return lastJobID
    }

    /// The admission refers to the core as it is: it must be gone before anything changes, or all would be copied.
    private func check(_ fields: JobSpec.Fields, by caller: Caller) throws(Refusal) -> (JobSpec.Fields, UInt16) {
        let admission = try Admission(self, fields, by: caller)
        return (admission.fields, admission.partition)
    }

    private mutating func admit(_ id: JobID, _ fields: JobSpec.Fields, partition: UInt16, token: String) {
        let spec = JobSpec(fields)
        tables.specs[id.rawValue] = spec
        var record = JobRecord(
            submit: now, eligible: max(now, fields.begin), id: id, timeLimit: fields.timeLimit,
            partition: partition, uid: fields.identity.uid, isBatch: spec.isBatch,
            killOnClientLoss: fields.killOnClientLoss,
            allowsRequeue: fields.requeue)
        record.priority = fields.hold ? 0 : basePriority(of: id)
        if fields.hold { record.reason = .jobHeldUser }
        if record.eligible > now && !fields.hold { record.reason = .beginTime }
        if let array = fields.array {
            record.arrayJob = id.rawValue
            tables.pendingIndices[id.rawValue] = array.indices
        }
        tables.jobs[id.rawValue] = record
        if !token.isEmpty {
            tables.tokens[id.rawValue] = token
            tokens[Self.tokenKey(token, uid: fields.identity.uid)] = id
        }
        liveJobs += 1
        noteLive(id)
        change(id) { _ in }
        enqueue(record)
        if !isPartitionUp(partition) { noteUnplanned(id) }
        if !fields.dependency.isEmpty, let dependency = try? dependency(fields.dependency) {
            setDependency(id, dependency)
        }
    }
}

/// A checked request, with the cluster's defaults filled in.
struct Admission {
    var fields: JobSpec.Fields
    /// The first of those it may run in.
    let partition: UInt16
    private let partitions: [Int]
    let core: ControllerCore
    private var configured: PartitionView { core.tables.partitions[Int(partition)] }

    /// For a job that is there already and asks for something else.
    init(checking core: ControllerCore, _ fields: JobSpec.Fields, by caller: Caller) throws(Refusal) {
        try self.init(core, fields, by: caller, isNew: false)
    }

    init(_ core: ControllerCore, _ fields: JobSpec.Fields, by caller: Caller, isNew: Bool = true) throws(Refusal) {
        self.core = core
        self.fields = fields
        partitions = try Self.partitions(core, fields.partition)
        partition = UInt16(partitions[0])
        guard caller.isOperator || caller.uid == fields.identity.uid else {
            throw Refusals.accessDenied("user \(caller.uid) may not submit for user \(fields.identity.uid)")
        }
        self.fields.partition = partitions.map { core.tables.partitions[$0].name }.joined(separator: ",")
        try settleWishes(caller)
        if isNew { try checkLoad() }
        try checkPartition(caller)
        try settleTime()
        try settleMemory()
        try checkArray()
        try checkTimes(at: core.now)
        try checkGRES()
        try checkDemand()
        _ = try core.dependency(fields.dependency)
    }

    /// Positions of the named ones, each once, in their order; the default one for none.
    static func partitions(_ core: ControllerCore, _ list: String) throws(Refusal) -> [Int] {
        let names = core.configuration.partitions.map(\.name)
        if list.isEmpty {
            if let index = core.configuration.defaultPartition { return [index] }
            throw Refusal(
                .invalidPartition, "No partition specified or system default partition",
                detail: "name one with --partition: \(names.joined(separator: ", "))")
        }
        var found: [Int] = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let index = names.firstIndex(of: String(name)) else {
                throw Refusal(
                    .invalidPartition, "Invalid partition name specified",
                    detail: "partition \(name) is not configured; there are: \(names.joined(separator: ", "))")
            }
            if !found.contains(index) { found.append(index) }
        }
        return found
    }

    private func checkLoad() throws(Refusal) {
        guard core.liveJobs >= core.configuration.maxJobCount else { return }
        throw Refusal(
            .busy, "Resource temporarily unavailable",
            detail: "\(core.liveJobs) jobs are in the system, MaxJobCount=\(core.configuration.maxJobCount);"
                + " submit again when some have ended")
    }

    private func checkPartition(_ caller: Caller) throws(Refusal) {
        let partition = core.configuration.partitions[Int(self.partition)]
        let state = configured.state
        if partition.rootOnly && !caller.isOperator {
            throw Refusals.accessDenied("partition \(partition.name) is for root only (RootOnly=YES)")
        }
        if state == "INACTIVE" || state == "DRAIN" {
            throw Refusal(
                .partitionDown, "Required partition not available (inactive or drain)",
                detail: "partition \(partition.name) is \(state) and takes no jobs; choose another partition")
        }
    }

    private mutating func settleTime() throws(Refusal) {
        // Of several partitions the most generous one: in the others the job waits.
        let limits = partitions.map { core.tables.partitions[$0].maxTime }
        let limit = limits.contains(.notGiven) ? .notGiven : limits.max() ?? .notGiven
        if fields.timeLimit == .notGiven {
            fields.timeLimit = configured.defaultTime == .notGiven ? limit : configured.defaultTime
        }
        guard limit != .notGiven, fields.timeLimit > limit else { return }
        let asked = fields.timeLimit == .unlimited ? "no time limit" : "\(fields.timeLimit.rawValue) minutes"
        throw Refusal(
            .invalidTimeLimit, "Requested time limit is invalid (missing or exceeds some limit)",
            detail: "the job asks for \(asked) in partition \(configured.name), whose MaxTime is"
                + " \(limit.rawValue) minutes; shorten --time or choose another partition")
    }

    private mutating func settleMemory() throws(Refusal) {
        guard fields.memoryPerNodeMiB == 0 && fields.memoryPerCPUMiB == 0 else { return }
        fields.memoryPerNodeMiB = core.configuration.defaultMemoryPerNodeMiB
        fields.memoryPerCPUMiB = core.configuration.defaultMemoryPerCPUMiB
    }

    private func checkArray() throws(Refusal) {
        guard let array = fields.array else { return }
        let limit = core.configuration.maxArraySize
        var previous: IndexRange?
        for range in array.indices {
            let overlaps = previous.map { range.first <= $0.first } ?? false
            if range.last < range.first || overlaps {
                throw Refusal(
                    .invalidArray, "Invalid job array specification",
                    detail: "\"\(array.text)\" names an index twice or backwards; write it like 0-7 or 1,3,5-9:2%4")
            }
            if range.last >= limit {
                throw Refusal(
                    .invalidArray, "Invalid job array specification",
                    detail: "index \(range.last) is not below MaxArraySize=\(limit); use smaller indices")
            }
            previous = range
        }
        if array.indices.isEmpty {
            throw Refusal(.invalidArray, "Invalid job array specification", detail: "it names no index")
        }
        if !JobSpec(fields).isBatch {
            throw Refusal(.invalidArray, "Invalid job array specification", detail: "only batch jobs can be arrays")
        }
    }

    /// Would it run if the partitions' nodes, as configured, were all empty? One of them is enough.
    private func checkDemand() throws(Refusal) {
        let shape = try core.shape(fields, partitions: partitions, throwing: true)
        var first: Refusal?
        for partition in partitions {
            do throws(Refusal) { return try checkDemand(shape, in: partition) } catch { first = first ?? error }
        }
        if let first { throw first }
    }

    private func checkDemand(_ wanted: Shape, in index: Int) throws(Refusal) {
        var job = wanted
        job.partitions = [index]
        let partition = core.tables.partitions[index]
        let names = "partition \(partition.name)"
        if job.minNodes > partition.nodes.count {
            throw Refusals.notAvailable(
                "the job asks for \(job.minNodes) nodes, \(names) has \(partition.nodes.count); ask for fewer")
        }
        if job.minNodes > Int(partition.maxNodes) {
            throw Refusals.notAvailable(
                "the job asks for \(job.minNodes) nodes, \(names) allows MaxNodes=\(partition.maxNodes); ask for fewer")
        }
        try checkNodes(job)
        if FirstFitPlanner.fitsEmpty(job, of: core.emptyCluster) { return }
        let cpus = partition.nodes.map { core.configuration.nodes[$0.int].cpus }.max() ?? 0
        let memory = partition.nodes.map { core.configuration.nodes[$0.int].memoryMiB }.max() ?? 0
        var asked = "\(job.tasks) tasks of \(job.cpusPerTask) CPUs on \(job.minNodes) nodes"
        if job.memoryPerNodeMiB > 0 { asked += ", \(job.memoryPerNodeMiB) MiB of memory a node" }
        if job.memoryPerCPUMiB > 0 { asked += ", \(job.memoryPerCPUMiB) MiB of memory a CPU" }
        throw Refusals.notAvailable(
            "the job asks for \(asked); \(names) has \(partition.nodes.count) nodes, \(partition.cpus) CPUs in all,"
                + " at most \(cpus) CPUs and \(memory) MiB of memory on one; ask for less")
    }
}
