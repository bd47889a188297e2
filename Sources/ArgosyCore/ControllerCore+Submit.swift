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
            var (fields, partition) = try check(fields, by: caller)
            let elements = fields.array.map { IndexRanges.count($0.indices) } ?? 1
            let place = try settleAccounting(&fields, partition: partition, elements: elements)
            let id = try nextJobID()
            admit(id, fields, partition: partition, place, token: token)
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

    private mutating func admit(
        _ id: JobID, _ fields: JobSpec.Fields, partition: UInt16, _ place: AccountingPlace, token: String
    ) {
        let spec = JobSpec(fields)
        tables.specs[id.rawValue] = spec
        var record = JobRecord(
            submit: now, eligible: max(now, fields.begin), id: id, timeLimit: fields.timeLimit,
            partition: partition, uid: fields.identity.uid, isBatch: spec.isBatch,
            killOnClientLoss: fields.killOnClientLoss,
            allowsRequeue: fields.requeue)
        record.association = Int32(place.association)
        record.qos = Int32(place.qos)
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
        change(id) { _ in }
        enqueue(record)
        if !isPartitionUp(partition) { noteUnplanned(id) }
    }
}

/// A checked request, with the cluster's defaults filled in.
struct Admission {
    private(set) var fields: JobSpec.Fields
    let partition: UInt16
    private let core: ControllerCore
    private var configured: PartitionView { core.tables.partitions[Int(partition)] }

    init(_ core: ControllerCore, _ fields: JobSpec.Fields, by caller: Caller) throws(Refusal) {
        self.core = core
        self.fields = fields
        partition = try Self.partition(core, fields.partition)
        guard caller.isOperator || caller.uid == fields.identity.uid else {
            throw Refusals.accessDenied("user \(caller.uid) may not submit for user \(fields.identity.uid)")
        }
        self.fields.partition = configured.name
        try checkLoad()
        try checkPartition(caller)
        try settleTime()
        try settleMemory()
        try checkArray()
        try checkDemand()
        if !fields.dependency.isEmpty {
            throw Refusals.notSupported("--dependency=\(fields.dependency) is not available yet; submit without it")
        }
    }

    private static func partition(_ core: ControllerCore, _ name: String) throws(Refusal) -> UInt16 {
        let names = core.configuration.partitions.map(\.name)
        if name.isEmpty {
            if let index = core.configuration.defaultPartition { return UInt16(index) }
            throw Refusal(
                .invalidPartition, "No partition specified or system default partition",
                detail: "name one with --partition: \(names.joined(separator: ", "))")
        }
        guard let index = names.firstIndex(of: name) else {
            throw Refusal(
                .invalidPartition, "Invalid partition name specified",
                detail: "partition \(name) is not configured; there are: \(names.joined(separator: ", "))")
        }
        return UInt16(index)
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
        let limit = configured.maxTime
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

    /// Would it run if the partition's nodes, as configured, were all empty?
    private func checkDemand() throws(Refusal) {
        let partition = configured
        let job = try core.shape(fields, partitions: [Int(self.partition)], throwing: true)
        let names = "partition \(partition.name)"
        if job.minNodes > partition.nodes.count {
            throw Refusals.notAvailable(
                "the job asks for \(job.minNodes) nodes, \(names) has \(partition.nodes.count); ask for fewer")
        }
        if job.minNodes > Int(partition.maxNodes) {
            throw Refusals.notAvailable(
                "the job asks for \(job.minNodes) nodes, \(names) allows MaxNodes=\(partition.maxNodes); ask for fewer")
        }
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
