// Planning: the snapshot that goes out, and the plan that comes back, verified placement by placement.
import ArgosyConfig
public import ArgosyDomain
public import ArgosyScheduler

extension ControllerCore {
    /// What a planner needs: eligible jobs in order, nodes, running work. Takes time in proportion to the waiting jobs.
    public func planningSnapshot(at now: Timestamp) -> PlanningSnapshot {
        let now = max(now, self.now)
        var snapshot = PlanningSnapshot(version: version, now: now)
        snapshot.nodes = configuration.nodes.indices.map { planningNode(NodeIndex($0)) }
        snapshot.partitionNodes = tables.partitions.map(\.nodes)
        for key in queue.keys where isQueued(key) {
            guard let record = record(key.job), record.eligible <= now, isPartitionUp(record.partition),
                let spec = tables.specs[key.job.rawValue],
                var job = try? demand(key.job, spec, partition: Int(record.partition), throwing: false)
            else { continue }
            job.copies = startableCopies(record, spec)
            job.timeLimit = record.timeLimit
            if job.copies > 0 { snapshot.queue.append(job) }
        }
        tables.runs.forEach { key, run in
            guard let record = record(JobID(key)), !run.held.isEmpty else { return }
            var allocation = run.allocation
            allocation.nodes = run.held.map { run.allocation.nodes[Int($0)] }
            snapshot.running.append((expectedEnd(of: record, at: now), allocation))
        }
        return snapshot
    }

    private func expectedEnd(of record: JobRecord, at now: Timestamp) -> Timestamp {
        if record.state == .completing { return now }
        return record.timeLimit.duration.map { record.start.adding($0) } ?? .never
    }

    func isPartitionUp(_ index: UInt16) -> Bool {
        switch tables.partitions[Int(index)].state {
        case "UP", "DRAIN": true
        default: false
        }
    }

    private func planningNode(_ index: NodeIndex) -> PlanningSnapshot.Node {
        let configured = configuration.nodes[index.int]
        let record = tables.nodes[index.rawValue]
        return PlanningSnapshot.Node(
            index: index, name: configured.name, isAvailable: record?.takesWork ?? false, cpus: configured.cpus,
            threadsPerCore: configured.threadsPerCore, freeCPUs: record?.freeCPUs ?? CPUSet(),
            memoryMiB: configured.memoryMiB, freeMemoryMiB: record?.freeMemoryMiB ?? 0, weight: configured.weight)
    }

    /// All nodes as configured, with nothing on them: what a request is checked against.
    static func emptyNodes(_ configuration: ClusterConfiguration) -> [PlanningSnapshot.Node] {
        configuration.nodes.enumerated().map { index, node in
            PlanningSnapshot.Node(
                index: NodeIndex(index), name: node.name, isAvailable: true, cpus: node.cpus,
                threadsPerCore: node.threadsPerCore, freeCPUs: CPUSet(0..<node.cpus), memoryMiB: node.memoryMiB,
                freeMemoryMiB: node.memoryMiB, weight: node.weight)
        }
    }

    private func startableCopies(_ record: JobRecord, _ spec: JobSpec) -> Int {
        guard record.arrayJob != 0, let limit = spec.fields.array?.maxRunning else { return 1 }
        let waiting = record.hasElementIndex ? 1 : IndexRanges.count(tables.pendingIndices[record.id.rawValue] ?? [])
        if limit == 0 { return waiting }
        return min(waiting, max(0, Int(limit) - Int(tables.runningElements[record.arrayJob] ?? 0)))
    }

    /// What the job asks for in a planner's terms. Throws (only when `throwing`) for node lists that name unknown nodes.
    func demand(_ id: JobID, _ spec: JobSpec, partition: Int, throwing: Bool) throws(Refusal) -> PlanningSnapshot.Job {
        let fields = spec.fields
        var job = PlanningSnapshot.Job(id: id)
        job.partition = partition
        job.cpusPerTask = max(1, Int(fields.cpusPerTask))
        job.tasksPerNode = Int(fields.tasksPerNode)
        job.memoryPerNodeMiB = fields.memoryPerNodeMiB
        job.memoryPerCPUMiB = fields.memoryPerCPUMiB
        job.exclusive = fields.exclusive
        job.requiredNodes = try nodes(fields.nodeList, throwing: throwing)
        job.excludedNodes = try nodes(fields.exclude, throwing: throwing)
        settleCounts(&job, fields)
        return job
    }

    private func settleCounts(_ job: inout PlanningSnapshot.Job, _ fields: JobSpec.Fields) {
        let ceiling = max(1, tables.partitions[job.partition].nodes.count)
        let fixed = Int(fields.minNodes)
        if fixed > 0 {
            job.minNodes = max(fixed, job.requiredNodes.count)
            job.maxNodes = max(job.minNodes, Int(fields.maxNodes))
            job.tasks = fields.tasks > 0 ? Int(fields.tasks) : job.minNodes * max(1, job.tasksPerNode)
        } else {
            job.tasks =
                fields.tasks > 0 ? Int(fields.tasks) : max(1, job.requiredNodes.count) * max(1, job.tasksPerNode)
            let spread = job.tasksPerNode > 0 ? (job.tasks + job.tasksPerNode - 1) / job.tasksPerNode : 1
            job.minNodes = max(1, spread, job.requiredNodes.count)
            job.maxNodes = max(job.minNodes, ceiling)
        }
    }

    private func nodes(_ list: String, throwing: Bool) throws(Refusal) -> [NodeIndex] {
        if list.isEmpty { return [] }
        var found: [NodeIndex] = []
        do {
            for name in try Hostlist.expand(list) {
                guard let index = configuration.node(named: name) else {
                    if throwing { throw Refusals.invalidNode(name) }
                    continue
                }
                if !found.contains(index) { found.append(index) }
            }
        } catch let malformed as Hostlist.Malformed {
            if throwing { throw Refusal(.invalidNodeName, "Invalid node name specified", detail: "\(malformed)") }
        } catch let refusal as Refusal {
            throw refusal
        } catch {}
        return found.sorted()
    }

    // MARK: The plan comes back

    mutating func apply(_ plan: Plan) {
        var dropped = false
        for placement in plan.placements where !start(placement) { dropped = true }
        for explanation in plan.explanations { note(explanation) }
        if dropped { wantPlan() }
    }

    /// False when the placement no longer holds: the job or the nodes changed since the snapshot.
    private mutating func start(_ placement: Placement) -> Bool {
        guard let record = record(placement.job), record.state == .pending, !record.isHeld, record.eligible <= now,
            isPartitionUp(record.partition), let spec = tables.specs[placement.job.rawValue],
            startableCopies(record, spec) > 0, holds(placement.allocation)
        else { return false }
        if record.arrayJob != 0 && !record.hasElementIndex {
            guard let element = startElement(of: record) else { return false }
            startAttempt(element, placement.allocation)
        } else {
            startAttempt(record.id, placement.allocation)
        }
        leaveQueue()
        return true
    }

    private func holds(_ allocation: Allocation) -> Bool {
        guard !allocation.nodes.isEmpty else { return false }
        var seen: [NodeIndex] = []
        for node in allocation.nodes {
            guard let record = tables.nodes[node.index.rawValue], record.takesWork, !node.cpus.isEmpty,
                !seen.contains(node.index), node.memoryMiB <= record.freeMemoryMiB
            else { return false }
            var missing = node.cpus
            missing.subtract(record.freeCPUs)
            if !missing.isEmpty { return false }
            seen.append(node.index)
        }
        return true
    }

    /// The job that the array's next element becomes: one of its own, and for the last one the array's own record.
    private mutating func startElement(of array: JobRecord) -> JobID? {
        let pending = tables.pendingIndices[array.id.rawValue] ?? []
        guard let index = IndexRanges.first(pending) else { return nil }
        let left = IndexRanges.removing(index, from: pending)
        tables.pendingIndices[array.id.rawValue] = left.isEmpty ? nil : left
        if left.isEmpty {
            change(array.id) { $0.arrayIndex = index }
            return array.id
        }
        guard let id = try? nextJobID() else { return nil }
        var element = JobRecord(
            submit: array.submit, eligible: array.eligible, id: id, timeLimit: array.timeLimit,
            partition: array.partition, isBatch: array.isBatch, killOnClientLoss: false,
            allowsRequeue: array.allowsRequeue)
        element.priority = array.priority
        element.arrayJob = array.id.rawValue
        element.arrayIndex = index
        tables.jobs[id.rawValue] = element
        tables.specs[id.rawValue] = tables.specs[array.id.rawValue]
        liveJobs += 1
        change(id) { _ in }
        change(array.id) { _ in }
        return id
    }

    /// Reasons are told, not stored: a restart plans anew.
    private mutating func note(_ explanation: Explanation) {
        guard let record = record(explanation.job), record.state == .pending, !record.isHeld, record.eligible <= now
        else { return }
        if record.reason != explanation.reason {
            tables.jobs.update(explanation.job.rawValue) { $0.reason = explanation.reason }
        }
        let note = JobNote(detail: explanation.detail, expectedStart: explanation.expectedStart)
        if tables.notes[explanation.job.rawValue] != note { tables.notes[explanation.job.rawValue] = note }
    }

    /// Why jobs that no planner sees wait: the rule of the array, the partition, the hour.
    mutating func noteUnplanned() {
        for key in queue.keys where isQueued(key) { noteUnplanned(key.job) }
    }

    mutating func noteUnplanned(_ id: JobID) {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else { return }
        let (reason, detail) = unplannedReason(record, spec)
        if reason != .none { note(Explanation(job: id, reason: reason, detail: detail)) }
    }

    private func unplannedReason(_ record: JobRecord, _ spec: JobSpec) -> (PendingReason, String) {
        let partition = tables.partitions[Int(record.partition)]
        if !isPartitionUp(record.partition) {
            return (.partitionDown, "partition \(partition.name) is \(partition.state)")
        }
        if let array = spec.fields.array, array.maxRunning > 0, startableCopies(record, spec) == 0 {
            return (.jobArrayTaskLimit, "\(array.maxRunning) elements of the array run, as many as it allows")
        }
        return (.none, "")
    }
}
