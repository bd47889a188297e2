// Answers to squeue, sinfo and scontrol show: rows of a view as messages.
internal import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyStore
internal import ArgosyWire

struct Listing: Sendable {
    let configuration: LiveConfiguration
    let started: Timestamp
    let desk: NodeDesk
    let users: Users
    let clock: SharedClock

    // MARK: - Jobs

    /// Throws `Refusal` when the only job asked for is unknown.
    func jobs(in view: CoreView, _ request: WireListJobs) throws(Refusal) -> WireJobList {
        var list = WireJobList()
        list.nowUs = clock.now.microseconds
        list.cluster = configuration.clusterName
        let selection = Selection(request.jobs)
        let uids = try uids(request.user)
        view.forEachJob { row in
            guard selection.contains(row), uids.isEmpty || uids.contains(row.spec.fields.identity.uid) else { return }
            list.jobs.append(info(row, in: view))
        }
        if list.jobs.isEmpty && request.jobs.count == 1 {
            throw Refusal(
                .invalidJobID, "Invalid job id specified",
                detail: "job \(request.jobs[0].job) is not queued and did not end lately; sacct knows older ones")
        }
        return list
    }

    /// One job, as `squeue` has it; nil: unknown.
    func job(_ id: JobID, in view: CoreView) -> WireJobInfo? { view.job(id).map { info($0, in: view) } }

    func jobs(in view: CoreView, only job: JobID) -> WireJobList {
        var list = WireJobList()
        list.nowUs = clock.now.microseconds
        if let row = view.job(job) { list.jobs = [info(row, in: view)] }
        return list
    }

    private func info(_ row: JobRow, in view: CoreView) -> WireJobInfo {
        var info = info(row, steps: view.steps(of: row.id))
        info.dependency = view.dependency(row.id).text
        info.association = view.association(of: row.id)?.rawValue ?? 0
        if let outlook = view.outlook(row.id) {
            info.expectedStartUs = outlook.start.microseconds
            info.startIsReserved = outlook.isReserved
            info.plannedNodes = outlook.nodes
            info.reasons = outlook.reasons.members.map(\.word)
            info.lastPlanUs = outlook.planned.microseconds
        }
        addControl(row, to: &info, in: view)
        return info
    }

    /// A row as it is shown, live or from accounting.
    func info(_ row: JobRow, steps: [StepRow]) -> WireJobInfo {
        let fields = row.spec.fields
        var info = WireJobInfo()
        info.job = row.id.rawValue
        info.state = row.shownState
        info.reason = row.reason.word
        info.reasonDetail = row.reasonDetail
        info.spec = WireJobSpec(row.spec)
        info.submitUs = row.submit.microseconds
        info.eligibleUs = row.eligible.microseconds
        info.startUs = row.start.microseconds
        info.endUs = end(row).microseconds
        info.timeLimitMinutes = row.timeLimit.rawValue
        info.priority = row.priority
        info.restarts = row.attempt.rawValue
        info.exit = WireExitStatus(row.exit)
        info.derivedExit = WireExitStatus(row.derivedExit)
        info.partition = row.partition
        info.hetLeader = row.hetLeader?.rawValue ?? 0
        info.hetOffset = row.hetOffset
        info.suspendedAtUs = row.suspendedAt.microseconds
        info.suspendedForUs = row.suspendedFor.microseconds
        info.preemptedUs = row.preempted.microseconds
        if let uid = row.cancelledBy { info.cancelledBy = uid }
        info.licenses = row.licenses.map(WireLicenseRequest.init)
        info.steps = steps.map(info(step:))
        info.reservation = row.reservation
        addArray(row, to: &info)
        if let allocation = row.allocation {
            info.allocation = desk.wire(allocation, partition: row.partition)
            info.batchHost = row.spec.isBatch ? allocation.nodes.first?.name ?? "" : ""
        }
        let tasks = max(fields.tasks, fields.tasksPerNode * max(fields.minNodes, 1), fields.minNodes, 1)
        info.nodesWanted = max(fields.minNodes, 1)
        info.cpusWanted = max(
            tasks.multipliedSaturating(by: max(fields.cpusPerTask, 1)),
            info.nodesWanted.multipliedSaturating(by: max(fields.resources.minCPUsPerNode, 1)))
        info.memoryWantedMib = fields.memoryPerNodeMiB
        addResources(row, to: &info)
        return info
    }

    private func addArray(_ row: JobRow, to info: inout WireJobInfo) {
        guard let array = row.spec.fields.array else { return }
        info.arrayMaxRunning = array.maxRunning
        if let index = row.arrayIndex {
            info.arrayJob = row.arrayJob?.rawValue ?? row.id.rawValue
            info.arrayTask = index
        } else {
            // A part of an array is shown as the array.
            info.arrayJob = row.arrayJob?.rawValue ?? row.id.rawValue
            info.arrayPending = row.pendingIndices.map(WireIndexRange.init)
        }
    }

    /// While it runs: when its time limit ends it.
    private func end(_ row: JobRow) -> Timestamp {
        if row.end.isSet { return row.end }
        guard row.start.isSet, !row.state.isEnded, let limit = row.timeLimit.duration else { return .unset }
        let paused = row.suspendedFor + (row.suspendedAt.isSet ? clock.now - row.suspendedAt : .zero)
        return row.start.adding(limit + paused)
    }

    private func info(step row: StepRow) -> WireStepInfo {
        var info = WireStepInfo()
        info.step = row.step.rawValue
        info.attempt = row.key.attempt.rawValue
        info.name = row.name
        info.state = row.state.name
        info.nodeList = Hostlist.compress(row.layout.nodes.map(\.name))
        info.tasks = row.layout.tasks
        info.startUs = row.start.microseconds
        info.endUs = row.end.microseconds
        info.exit = WireExitStatus(row.exit)
        info.usage = WireUsage(row.usage)
        info.cpus = UInt32(row.layout.cpuCount)
        addResources(row, to: &info)
        return info
    }

    private func uids(_ text: String) throws(Refusal) -> Set<UInt32> {
        var found: Set<UInt32> = []
        for name in text.split(separator: ",") {
            guard let uid = users.uid(of: String(name)) else {
                throw Refusal(.invalidUser, "Invalid user: \(name)", detail: "no such user on the controller's machine")
            }
            found.insert(uid)
        }
        return found
    }

    // MARK: - Nodes and partitions

    func nodes(in view: CoreView) -> WireNodeList {
        var list = WireNodeList()
        list.nowUs = clock.now.microseconds
        list.cluster = configuration.clusterName
        list.nodes = view.nodes.map { node in
            var info = info(node: node)
            addControl(node, to: &info, in: view)
            return info
        }
        return list
    }

    private func info(node: NodeView) -> WireNodeInfo {
        let configured = configuration.nodes[node.index.int]
        let facts = desk.facts(of: node.index)
        var info = WireNodeInfo()
        info.name = node.name
        info.address = node.address
        info.state = node.state
        info.flags = node.flags
        info.reason = node.reason
        info.reasonUs = node.reasonTime.microseconds
        info.reasonUid = node.reasonUID
        if !node.reason.isEmpty { info.reasonUser = users.name(of: node.reasonUID) }
        info.cpus = UInt32(clamping: node.cpus)
        info.cpusAllocated = UInt32(clamping: node.cpusAllocated)
        info.memoryMib = node.memoryMiB
        info.memoryAllocatedMib = node.memoryAllocatedMiB
        info.sockets = UInt32(clamping: configured.sockets)
        info.coresPerSocket = UInt32(clamping: configured.coresPerSocket)
        info.threadsPerCore = UInt32(clamping: configured.threadsPerCore)
        info.partitions = node.partitions
        info.features = configured.features.joined(separator: ",")
        info.gres = configured.gres
        info.weight = node.weight
        info.lastBusyUs = node.lastBusy.microseconds
        info.ioPort = UInt32(node.ioPort)
        info.freeMemoryMib = facts.heartbeat.freeMemoryMib
        info.loadHundredths = facts.heartbeat.loadHundredths
        if let registration = node.registration {
            info.version = registration.version
            info.bootUs = registration.boot.microseconds
            info.daemonStartUs = registration.daemonStart.microseconds
            info.os = registration.os
            info.arch = registration.arch
            info.realCpus = UInt32(clamping: registration.cpus)
        }
        return info
    }

    func partitions(in view: CoreView) -> WirePartitionList {
        var list = WirePartitionList()
        list.cluster = configuration.clusterName
        list.partitions = view.partitions.map { partition in
            var info = info(partition: partition)
            addControl(partition, to: &info, in: view)
            return info
        }
        return list
    }

    private func info(partition: PartitionView) -> WirePartitionInfo {
        var info = WirePartitionInfo()
        info.name = partition.name
        info.isDefault = partition.isDefault
        info.state = partition.state
        info.nodeList = Hostlist.compress(partition.nodes.map { configuration.nodes[$0.int].name })
        info.maxTimeMinutes = partition.maxTime.rawValue
        info.defaultTimeMinutes = partition.defaultTime.rawValue
        info.nodes = UInt32(clamping: partition.nodes.count)
        info.cpus = UInt32(clamping: partition.cpus)
        info.maxNodes = partition.maxNodes
        info.minNodes = partition.minNodes
        return info
    }

    // MARK: - Configuration

    /// As `scontrol show config` lists it. Names of users are looked up: may wait.
    func settings(in view: CoreView, logLevel: String?) -> WireConfiguration {
        let configuration = configuration.now
        let facts = ConfigurationTable.Facts(
            bootTime: "", nextJobID: view.nextJobID, file: configuration.file, uid: { [users] in users.uid(named: $0) })
        var answer = WireConfiguration()
        answer.nowUs = clock.now.microseconds
        answer.bootUs = started.microseconds
        answer.entries = ConfigurationTable.showConfig(configuration, facts).map { key, value in
            var entry = WireConfigurationEntry()
            entry.key = key
            entry.value = key == "SlurmctldDebug" ? logLevel ?? value : value
            return entry
        }
        return answer
    }
}

/// Which jobs a list is about: by id, arrays with all or some elements; none given: all.
struct Selection {
    private var wanted: [UInt32: [IndexRange]?] = [:]

    init(_ selectors: [WireJobSelector]) {
        for selector in selectors {
            let ranges = selector.indices.map(\.domain)
            guard !ranges.isEmpty else {
                wanted[selector.job] = .some(nil)
                continue
            }
            if let known = wanted[selector.job] {
                if let some = known { wanted[selector.job] = some + ranges }
            } else {
                wanted[selector.job] = ranges
            }
        }
    }

    func contains(_ row: JobRow) -> Bool {
        if wanted.isEmpty { return true }
        if let own = wanted[row.id.rawValue], own == nil || row.arrayIndex == nil { return true }
        guard let array = row.arrayJob ?? (row.arrayIndex == nil ? nil : row.id), let found = wanted[array.rawValue]
        else { return false }
        guard let ranges = found else { return true }
        guard let index = row.arrayIndex else {
            return row.pendingIndices.contains { part in
                ranges.contains { $0.first <= part.last && part.first <= $0.last }
            }
        }
        return ranges.contains { $0.first <= index && index <= $0.last && (index - $0.first) % $0.step == 0 }
    }
}

extension UInt32 {
    fileprivate func multipliedSaturating(by other: UInt32) -> UInt32 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
