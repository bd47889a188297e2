// What a submission is checked for, and the cluster's defaults that it gets.
import ArgosyDomain
import ArgosyScheduler

/// A job as the cluster takes it.
struct Admitted {
    var fields: JobSpec.Fields
    /// The first of its partitions.
    var partition: UInt16
    var accounting: AccountingPlace?
    /// Its demand in each partition that it was checked for.
    var shapes: [Shape] = []
}

/// A checked request, with the cluster's defaults filled in.
struct Admission {
    var fields: JobSpec.Fields
    private var partition: UInt16 = 0
    private(set) var admitted: Admitted
    private var checked: [Shape] = []
    let core: ControllerCore
    private var configured: PartitionView { core.tables.partitions[Int(partition)] }

    /// `isNew`: false for a job that is there already and asks for something else.
    init(
        _ core: ControllerCore, _ asked: JobSpec.Fields, by caller: Caller, isNew: Bool = true
    ) throws(Refusal) {
        self.core = core
        fields = asked
        admitted = Admitted(fields: asked, partition: 0)
        guard caller.isOperator || caller.uid == fields.identity.uid else {
            throw Refusals.accessDenied("user \(caller.uid) may not submit for user \(fields.identity.uid)")
        }
        if isNew { try checkLoad() }
        var taken: [UInt16] = []
        var refusal: Refusal?
        for candidate in try Self.partitions(core, asked.partition) {
            partition = candidate
            fields = asked
            do throws(Refusal) {
                try checkAll(caller)
                if taken.isEmpty { admitted = Admitted(fields: fields, partition: candidate) }
                taken.append(candidate)
            } catch { refusal = refusal ?? error }
        }
        // As with EnforcePartLimits=ANY: one of several that takes it is enough.
        if taken.isEmpty, let refusal { throw refusal }
        admitted.fields.partition = taken.map { core.tables.partitions[Int($0)].name }.joined(separator: ",")
        admitted.shapes = checked
        fields = admitted.fields
    }

    private mutating func checkAll(_ caller: Caller) throws(Refusal) {
        try settleWishes(caller)
        try checkPartition(caller)
        try settleTime()
        try checkDeadline()
        try settleMemory()
        try checkArray()
        try checkGRES()
        try checkDemand()
        _ = try core.dependency(fields.dependency)
    }

    private static func partitions(_ core: ControllerCore, _ list: String) throws(Refusal) -> [UInt16] {
        var found: [UInt16] = []
        let names = list.split(separator: ",").map(String.init)
        for name in names.isEmpty ? [""] : names {
            let index = try partition(core, name)
            if !found.contains(index) { found.append(index) }
        }
        return found
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
        if fields.timeMin > fields.timeLimit {
            throw Refusal(
                .invalidTimeMin, "Invalid time-min specification (exceeds job's time or other limits)",
                detail: "--time-min=\(fields.timeMin.rawValue) minutes is more than the limit of"
                    + " \(fields.timeLimit.rawValue) minutes; lower it or raise --time")
        }
        guard limit != .notGiven, fields.timeLimit > limit, isStrict else { return }
        let asked = fields.timeLimit == .unlimited ? "no time limit" : "\(fields.timeLimit.rawValue) minutes"
        throw Refusals.invalidTime(
            "the job asks for \(asked) in partition \(configured.name), whose MaxTime is"
                + " \(limit.rawValue) minutes; shorten --time or choose another partition")
    }

    /// EnforcePartLimits: otherwise a job that the partition is too small for is taken, and waits for a larger one.
    private var isStrict: Bool { core.configuration.accounting.enforcePartLimits != .no }

    private func checkDeadline() throws(Refusal) {
        guard fields.deadline.isSet else { return }
        let begin = max(core.now, fields.begin)
        let least = fields.timeMin != .notGiven ? fields.timeMin : fields.timeLimit
        guard begin.adding(least.duration ?? .seconds(60)) > fields.deadline else { return }
        let minutes = max(0, (fields.deadline - begin).components.seconds / 60)
        throw Refusals.invalidTime(
            "\(minutes) minutes are left until --deadline, the job asks for \(least.rawValue); shorten --time, give"
                + " --time-min, or move the deadline")
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
    private mutating func checkDemand() throws(Refusal) {
        let partition = configured
        let job = try core.shape(fields, partitions: [Int(self.partition)], throwing: true)
        let names = "partition \(partition.name)"
        if isStrict, job.minNodes > partition.nodes.count {
            throw Refusals.notAvailable(
                "the job asks for \(job.minNodes) nodes, \(names) has \(partition.nodes.count); ask for fewer")
        }
        if isStrict, job.minNodes > Int(partition.maxNodes) {
            throw Refusals.notAvailable(
                "the job asks for \(job.minNodes) nodes, \(names) allows MaxNodes=\(partition.maxNodes); ask for fewer")
        }
        try checkNodes(job)
        if core.couldEverRun(job) {
            checked.append(job)
            return
        }
        if !isStrict, core.couldEverRun(job.ofOneNode) { return }
        let cpus = partition.nodes.map { core.configuration.nodes[$0.int].cpus }.max() ?? 0
        let memory = partition.nodes.map { core.configuration.nodes[$0.int].memoryMiB }.max() ?? 0
        var asked = "\(job.tasks) tasks of \(job.cpusPerTask) CPUs on \(job.minNodes) nodes"
        if job.memoryPerNodeMiB > 0 { asked += ", \(job.memoryPerNodeMiB) MiB of memory a node" }
        if job.memoryPerCPUMiB > 0 { asked += ", \(job.memoryPerCPUMiB) MiB of memory a CPU" }
        throw Refusals.notAvailable(
            "the job asks for \(asked); \(names) has \(partition.nodes.count) nodes, \(partition.cpus) CPUs in all,"
                + " at most \(cpus) CPUs and \(memory) MiB of memory on one"
                + (max(job.memoryPerNodeMiB, job.memoryPerCPUMiB) > memory ? ": not so much memory" : "")
                + "; ask for less")
    }
}

extension Shape {
    /// What it asks of a single node, as far as that is told.
    fileprivate var ofOneNode: Shape {
        var one = self
        one.requiredNodes = Array(requiredNodes.prefix(1))
        (one.minNodes, one.maxNodes, one.tasks) = (1, 1, max(1, tasksPerNode))
        one.prefersMaxNodes = false
        one.tasksFollowNodes = false
        return one
    }
}
