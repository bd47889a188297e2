// What goes out to a planner. Costs a flat copy for each waiting job, node and running job.
import ArgosyConfig
public import ArgosyDomain
public import ArgosyScheduler

extension ControllerCore {
    /// The cluster as it is, with every waiting job. Takes time in proportion to the waiting jobs.
    public func planningSnapshot(at now: Timestamp) -> PlanningSnapshot {
        let now = max(now, self.now)
        var snapshot = cluster
        snapshot.version = version
        snapshot.now = now
        snapshot.freedEarly = freedEarlyAt > plannedVersion
        describeNodes(&snapshot)
        snapshot.partitions = tables.partitions.indices.map(planningPartition)
        snapshot.licenses = configuration.licenses.enumerated().map { position, license in
            PlanningSnapshot.License(
                name: license.name, total: license.count, free: UInt32(clamping: freeLicenses(position)))
        }
        snapshot.shapes = shapes.shapes
        snapshot.queue.reserveCapacity(queue.keys.count)
        for key in queue.keys {
            guard let record = tables.jobs[key.job.rawValue], isQueued(key, record) else { continue }
            snapshot.queue.append(planningJob(record))
        }
        describeLimits(&snapshot)
        tables.runs.forEach { key, run in
            guard !run.held.isEmpty, let record = tables.jobs[key] else { return }
            snapshot.running.append(planningRun(record, run, at: now))
        }
        placeReservations(in: &snapshot)
        snapshot.backlogs = policy.backlogs
        return snapshot
    }

    /// The cluster as configured, with nothing on it and nobody waiting.
    var emptyCluster: PlanningSnapshot {
        var snapshot = cluster
        snapshot.partitions = tables.partitions.indices.map(planningPartition)
        snapshot.licenses = configuration.licenses.map {
            PlanningSnapshot.License(name: $0.name, total: $0.count, free: $0.count)
        }
        return snapshot
    }

    /// What each shape counts for, told by the first job of it.
    private func describeLimits(_ snapshot: inout PlanningSnapshot) {
        guard tables.book.records.enforce.contains(.limits) else { return }
        snapshot.book = tables.book
        var known = Array(repeating: false, count: snapshot.shapes.count)
        snapshot.shapeTRES = Array(
            repeating: PlanningSnapshot.ShapeTRES(tres: [:], tresPerNode: [:]), count: snapshot.shapes.count)
        for job in snapshot.queue where !known[Int(job.shape)] {
            guard let limited = tables.jobs[job.id.rawValue].flatMap({ limitedJob($0) }) else { continue }
            known[Int(job.shape)] = true
            snapshot.shapeTRES[Int(job.shape)] = .init(tres: limited.tres, tresPerNode: limited.tresPerNode)
        }
    }

    private func describeNodes(_ snapshot: inout PlanningSnapshot) {
        for index in snapshot.nodes.indices {
            guard let record = tables.nodes[UInt32(index)] else { continue }
            snapshot.nodes[index].availability = record.availability
            snapshot.nodes[index].freeCPUs = record.freeCPUs
            snapshot.nodes[index].freeMemoryMiB = record.freeMemoryMiB
            snapshot.nodes[index].freeGRES = record.freeGRES
        }
    }

    private func planningPartition(_ index: Int) -> PlanningSnapshot.Partition {
        let view = tables.partitions[index]
        var partition = PlanningSnapshot.Partition(name: view.name, nodes: view.nodes)
        partition.isUp = isPartitionUp(UInt16(index))
        partition.maxTime = view.maxTime
        partition.minNodes = Int(view.minNodes)
        partition.maxNodes = Int(view.maxNodes)
        if index < configuration.partitions.count {
            let configured = configuration.partitions[index]
            let policy = configured.policy
            partition.tier = configured.priorityTier
            partition.qos = Int32(partitionQOS(UInt16(index)))
            partition.maxCPUsPerNode = Int(policy.maxCPUsPerNode)
            partition.leastLoaded = policy.leastLoaded || configuration.scheduling.leastLoaded
            partition.preemptMode = policy.preemptMode ?? configuration.scheduling.preemptMode
            partition.graceTime = Int(policy.graceTime)
            partition.exclusive = policy.overSubscribe == .exclusive
        }
        return partition
    }

    private func planningJob(_ record: JobRecord) -> PlanningSnapshot.Job {
        var job = PlanningSnapshot.Job(id: record.id, shape: record.shape)
        job.uid = record.uid
        job.association = record.association
        job.qos = record.qos
        job.priority = record.priority
        job.submit = record.submit
        job.begin = record.eligible
        job.timeLimit = record.timeLimit
        job.timeMin = record.timeMin
        job.deadline = record.endBy
        job.hetLeader = record.hetLeader
        job.waits = record.waits
        if let exact = exactLimit(of: record.id) { job.expectedRun = exact }
        if cluster.settings.usesDefaultPolicy {
            job.predictedRun = predictedRun(record)
            job.standing = standing(of: record)
        }
        if let note = tables.notes[record.id.rawValue], note.isReserved { job.reservedStart = note.expectedStart }
        if record.arrayJob != 0 {
            job.copies = Int32(clamping: startableCopies(record))
            if job.copies == 0 {
                let isHeldBack = tables.corresponding[record.id.rawValue] != nil && openElements(of: record).isEmpty
                job.waits.insert(isHeldBack ? .dependency : .arrayLimit)
            }
        }
        return job
    }

    private func planningRun(_ record: JobRecord, _ run: JobRun, at now: Timestamp) -> PlanningSnapshot.Running {
        var allocation = run.allocation
        if run.held.count < allocation.nodes.count {
            allocation.nodes = run.held.map { run.allocation.nodes[Int($0)] }
        }
        var running = PlanningSnapshot.Running(
            job: record.id, partition: Int(record.partition), allocation: allocation)
        running.uid = record.uid
        running.association = record.association
        running.qos = record.qos
        running.priority = record.priority
        running.start = record.start
        running.isEnding = record.state == .completing
        running.licenses = run.licenses
        running.isSuspended = record.state == .suspended
        running.limit = limitEnd(of: record, at: now)
        running.expectedEnd = running.isEnding ? now : running.limit
        if cluster.settings.usesDefaultPolicy, !running.isEnding {
            running.predictedEnd = predictedEnd(record, run, at: now)
        }
        return running
    }

    /// When its time limit is over; time that it stood still does not count.
    func limitEnd(of record: JobRecord, at now: Timestamp) -> Timestamp {
        guard let limit = exactLimit(of: record.id).map({ .seconds($0) }) ?? record.timeLimit.duration else {
            return .never
        }
        let paused = record.suspendedFor + (record.suspendedAt.isSet ? now - record.suspendedAt : .zero)
        return record.start.adding(limit + paused)
    }

    func isPartitionUp(_ index: UInt16) -> Bool {
        switch tables.partitions[Int(index)].state {
        case "UP", "DRAIN": true
        default: false
        }
    }

    /// Elements of an array that its own limit lets start now; 1 for any other job.
    func startableCopies(_ record: JobRecord) -> Int {
        guard record.arrayJob != 0, let limit = tables.specs[record.id.rawValue]?.fields.array?.maxRunning else {
            return 1
        }
        let waiting = record.hasElementIndex ? 1 : IndexRanges.count(openElements(of: record))
        if limit == 0 { return waiting }
        return min(waiting, max(0, Int(limit) - Int(tables.runningElements[record.arrayJob] ?? 0)))
    }
}

extension NodeRecord {
    var availability: PlanningSnapshot.Node.Availability {
        if isDown { return .down }
        if !isRegistered { return .unknown }
        if !isConnected { return .notResponding }
        if isDrained { return .drained }
        return strays.isEmpty ? .up : .completing
    }
}

extension JobRecord {
    var waits: PlanningSnapshot.Waits {
        var waits: PlanningSnapshot.Waits =
            switch reason {
            case .jobHeldUser, .jobRequeuedHeld: .heldByUser
            case .jobHeldAdmin: .heldByAdmin
            case .reservationDeleted: .heldByUser
            case .launchFailedRequeuedHeld: .launchFailed
            default: []
            }
        switch dependency {
        case .none: break
        case .waits: waits.insert(.dependency)
        case .never: waits.insert(.dependencyNever)
        }
        return waits
    }
}
