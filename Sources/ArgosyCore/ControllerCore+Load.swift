// Rows in: the state as it was last durable. Nothing is replayed; what follows from rows is computed again.
import ArgosyConfig
import ArgosyDomain

/// How long an interactive job outlives a restart of the controller without its client asking for it again.
let clientGrace = Duration.seconds(60)

extension ControllerCore {
    mutating func load(_ stored: StoredState) {
        loadNodes(stored.nodes)
        loadPartitions(stored.partitions)
        loadReservations(stored.reservations)
        loadRecords(stored.accounting)
        loadHistories(stored.endedRuns)
        for row in stored.jobs.sorted(by: { $0.id < $1.id }) { load(row) }
        for step in stored.steps.sorted(by: { ($0.key, $0.step) < ($1.key, $1.step) }) { load(step) }
        for id in tables.steps.keys { sortSteps(of: id) }
        loadUsage(stored.accounting)
        loadKept(stored.kept)
    }

    mutating func settleAfterLoad() {
        for index in configuration.nodes.indices
        where tables.nodes[UInt32(index)]?.downAt == .never && tables.nodes[UInt32(index)]?.isConnected == false {
            giveNodeTime(NodeIndex(index))
        }
        for key in tables.jobs.keys {
            guard let record = tables.jobs[key] else { continue }
            settle(record)
        }
        settleLoadedDependencies()
        settleLoadedReservations()
        recalculatePriorities()
        watchPriorities()
        wantPlan()
    }

    private mutating func settle(_ record: JobRecord) {
        if record.killOnClientLoss && !record.state.isEnded {
            deadlines.add(now.adding(clientGrace), .clientGone, record.id.rawValue)
        }
        switch record.state {
        case .running where tables.runs[record.id.rawValue]?.held.isEmpty ?? true,
            .suspended where tables.runs[record.id.rawValue]?.held.isEmpty ?? true:
            failAttempt(record.id, "the nodes it ran on are no longer configured")
        case .completing where tables.runs[record.id.rawValue]?.held.isEmpty ?? true: finishAttempt(record.id)
        case .running:
            watchWarnings(record.id)
            if record.isConfiguring, !programsGoOn { runProgram(.prolog, record.id) }
        default: break
        }
    }

    private mutating func loadNodes(_ rows: [NodeRow]) {
        for (index, node) in configuration.nodes.enumerated() {
            var record = NodeRecord(freeCPUs: CPUSet(0..<node.cpus), freeMemoryMiB: node.memoryMiB)
            record.freeGRES = cluster.nodes[index].freeGRES
            var facts = NodeFacts()
            record.isDown = node.state.uppercased().hasPrefix("DOWN")
            record.isDrained = node.state.uppercased().hasPrefix("DRAIN")
            facts.reason = node.reason
            if let row = rows.first(where: { $0.name == node.name }) {
                record.isDown = row.isDown
                record.isDrained = row.isDrained
                record.isLost = row.isDown && row.reason == notResponding
                facts.incarnation = row.incarnation
                facts.reason = row.reason
                facts.reasonTime = row.reasonTime
                facts.reasonUID = row.reasonUID
            }
            tables.nodes[UInt32(index)] = record
            tables.facts[UInt32(index)] = facts
        }
    }

    private mutating func load(_ row: JobRow) {
        var record = JobRecord(row, partition: tables.partitionIndex(named: row.partition))
        if record.isHeld { record.priority = 0 }
        if record.state == .running && record.deadline.isSet {
            // Its nodes may have kept its end for us while nobody was here to hear of it.
            record.deadline = max(record.deadline, now.adding(configuration.slurmdTimeout))
        }
        let key = row.id.rawValue
        record.tier = tier(of: row.spec.fields.partition, or: record.partition)
        tables.jobs[key] = record
        tables.specs[key] = row.spec
        if record.hetLeader != 0 {
            tables.components[record.hetLeader] = (tables.components[record.hetLeader] ?? []) + [key]
        }
        if !row.pendingIndices.isEmpty {
            tables.pendingIndices[key] = row.pendingIndices
            if record.arrayJob != 0, record.arrayJob != key, record.state == .pending {
                tables.parts[record.arrayJob] = (tables.parts[record.arrayJob] ?? []) + [key]
            }
        }
        if !row.reasonDetail.isEmpty { tables.notes[key] = JobNote(detail: row.reasonDetail) }
        if record.state == .pending, let left = try? JobDependency(parsing: row.dependency), !left.isEmpty {
            tables.dependencies[key] = left
            if !row.corresponding.isEmpty { tables.corresponding[key] = row.corresponding }
        }
        if !row.reservation.isEmpty { tables.usedReservations[key] = row.reservation }
        if !row.token.isEmpty {
            tables.tokens[key] = row.token
            tokens[Self.tokenKey(row.token, uid: row.spec.fields.identity.uid)] = row.id
        }
        lastJobID = max(lastJobID, row.id)
        if let allocation = row.allocation { loadRun(row, record, allocation) }
        if record.state.isEnded {
            deadlines.add(record.end.adding(configuration.minJobAge), .jobPurge, key)
        } else {
            liveJobs += 1
            if record.state == .pending { enqueue(record) } else { countElement(record, by: 1) }
            if record.state == .suspended { suspended.append(record.id) }
            if record.state.isActive { watchDeadline(record) }
        }
    }

    private mutating func loadRun(_ row: JobRow, _ record: JobRecord, _ allocation: Allocation) {
        var run = JobRun(allocation: tables.indexed(allocation), held: [], prepared: row.nodesPrepared)
        run.usage = row.usage
        if !record.state.isEnded {
            run.hasLentCPUs = record.suspendedAt.isSet
            for position in row.nodesHeld
            where hold(record.key, run.allocation.nodes[Int(position)], cpus: !run.hasLentCPUs) {
                run.held.append(position)
            }
            run.predicted = predictedRun(record)
            run.licenses = licenseDemands(row.licenses)
            countLicenses(run.licenses, taken: true)
            deadlines.add(record.deadline, .jobLimit, record.id.rawValue)
        }
        tables.runs[row.id.rawValue] = run
    }

    private mutating func load(_ row: StepRow) {
        guard let record = record(row.key.job), record.attempt == row.key.attempt else { return }
        var row = row
        row.layout = tables.indexed(row.layout)
        tables.steps[row.key.job.rawValue] = (tables.steps[row.key.job.rawValue] ?? []) + [row]
    }

    /// The batch step first, then by number.
    private mutating func sortSteps(of key: UInt32) {
        tables.steps.update(key) { steps in
            steps.sort { ($0.step == .batch ? 0 : 1, $0.step) < ($1.step == .batch ? 0 : 1, $1.step) }
        }
    }
}

extension JobRecord {
    init(_ row: JobRow, partition: UInt16) {
        self.init(
            submit: row.submit, eligible: row.eligible, id: row.id, timeLimit: row.timeLimit, partition: partition,
            uid: row.spec.fields.identity.uid, isBatch: row.spec.isBatch,
            killOnClientLoss: row.spec.fields.killOnClientLoss,
            allowsRequeue: row.spec.fields.requeue)
        start = row.start
        end = row.end
        deadline = row.deadline
        priority = row.priority
        attempt = row.attempt
        exit = row.exit
        derivedExit = row.derivedExit
        arrayJob = row.arrayJob?.rawValue ?? 0
        arrayIndex = row.arrayIndex ?? JobRecord.noIndex
        nextStep = row.nextStep
        state = row.state
        reason = row.reason
        endingState = row.endingState
        batchLaunched = row.batchLaunched
        requeueAfterEnd = row.requeueAfterEnd
        endBy = row.spec.fields.deadline
        timeMin = row.spec.fields.timeMin
        suspendedAt = row.suspendedAt
        suspendedFor = row.suspendedFor
        pauses = row.pauses
        suspendedByPreemption = row.suspendedByPreemption
        preempted = row.preempted
        cancelledBy = row.cancelledBy ?? .max
        hetLeader = row.hetLeader?.rawValue ?? 0
        hetOffset = row.hetOffset
        warned = row.warned
        mails = row.mails
        requeueMark = row.requeueMark
        isConfiguring = row.isConfiguring
        let holds: [PendingReason] = [.launchFailedRequeuedHeld, .jobHeldUser, .jobHeldAdmin, .jobRequeuedHeld]
        if requeueAfterEnd && holds.contains(reason) {
            holdAfterRequeue = reason
        }
    }
}

extension Tables {
    /// Nodes are numbered by the configuration, which may have changed since the row was written; names stay.
    func indexed(_ allocation: Allocation) -> Allocation {
        var allocation = allocation
        for position in allocation.nodes.indices {
            let node = allocation.nodes[position]
            if node.index.int < configuration.nodes.count, configuration.nodes[node.index.int].name == node.name {
                continue
            }
            allocation.nodes[position].index = configuration.node(named: node.name) ?? NodeIndex(rawValue: .max)
        }
        return allocation
    }

    /// A partition that is no longer configured keeps its name and gets no nodes: its jobs can end, not start.
    mutating func partitionIndex(named list: String) -> UInt16 {
        let name = list.split(separator: ",").map(String.init).first ?? list
        if let index = partitions.firstIndex(where: { $0.name == name }) { return UInt16(index) }
        partitions.append(PartitionView(vanished: name))
        return UInt16(partitions.count - 1)
    }
}

extension PartitionView {
    fileprivate init(vanished name: String) {
        self.init(
            name: name, isDefault: false, state: "INACTIVE", nodes: [], maxTime: .unlimited, defaultTime: .notGiven,
            minNodes: 0, maxNodes: 0, cpus: 0)
    }
}
