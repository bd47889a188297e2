// What must hold, judged by what the disk and the nodes really have.
import ArgosyCore
import ArgosyDomain

/// What really happened, whatever the core believes.
struct Truth {
    /// Ids that clients were told, by token.
    var acknowledged: [JobID: String] = [:]
    /// Ids by token, as far as durable.
    var tokens: [String: JobID] = [:]
    /// Every id that was ever durable.
    var everDurable: Set<JobID> = []
    var finalStates: [JobID: JobState] = [:]
    var batchStarts: [AttemptKey: Int] = [:]
    var batchExits: [AttemptKey: ExitStatus] = [:]
    var rebooted: Set<AttemptKey> = []
    /// Cancelled by somebody.
    var touched: Set<JobID> = []
}

extension World {
    // MARK: The disk

    mutating func write(_ change: RowChange) {
        switch change {
        case .job(let row): checkRow(row)
        case .jobRemoved(let id):
            guard let row = disk.jobs.first(where: { $0.id == id }), row.state.isEnded else {
                fail("job \(id) was removed before it ended")
                return
            }
        case .step, .node, .partition, .reservation, .reservationRemoved, .accounting, .kept, .lastJobID: break
        }
        disk.apply(change)
    }

    private mutating func checkRow(_ row: JobRow) {
        let isKnown = disk.jobs.contains { $0.id == row.id }
        if !isKnown && truth.everDurable.contains(row.id) { fail("id \(row.id) was given out again") }
        truth.everDurable.insert(row.id)
        if !row.token.isEmpty && row.arrayIndex == nil || row.arrayJob == nil && !row.token.isEmpty {
            if let other = truth.tokens[row.token], other != row.id {
                fail("\(row.token) became jobs \(other) and \(row.id)")
            }
            truth.tokens[row.token] = row.id
        }
        let isMissed = row.state == .completing && row.reasonDetail.contains("no longer has the job")
        if isMissed && !truth.rebooted.contains(AttemptKey(row.id, row.attempt)) {
            fail("job \(row.id) was given up though its node never lost it")
        }
        if row.state.isEnded {
            truth.finalStates[row.id] = row.state
            checkVerdict(row)
        } else {
            truth.finalStates[row.id] = nil
        }
    }

    /// The recorded end is the true one.
    private mutating func checkVerdict(_ row: JobRow) {
        guard row.spec.isBatch else { return }
        let exit = truth.batchExits[AttemptKey(row.id, row.attempt)]
        switch row.state {
        case .completed: if exit != .success { fail("job \(row.id) COMPLETED, but its script did not succeed") }
        case .timeout: if exit != nil { fail("job \(row.id) TIMEOUT, but its script ended in time") }
        case .failed where row.reason == .nonZeroExitCode:
            if exit != row.exit { fail("job \(row.id) FAILED with \(row.exit.text), its script did not") }
        default: break
        }
    }

    // MARK: Clients

    mutating func acknowledge(_ job: JobID, to index: Int) {
        let token = clients[index].token
        clients[index].job = job
        if let other = truth.acknowledged[job], other != token { fail("id \(job) was given to \(other) and \(token)") }
        if !truth.everDurable.contains(job) { fail("job \(job) was acknowledged before it was durable") }
        if let durable = truth.tokens[token], durable != job {
            fail("\(token) was answered \(job), but is job \(durable)")
        }
        truth.acknowledged[job] = token
    }

    // MARK: Nodes

    /// A node takes an attempt: the placement must be durable, and what it was given must be free, in truth.
    mutating func checkAccepted(_ key: AttemptKey, on node: Int, _ share: Allocation.Node) {
        let row = disk.jobs.first { $0.id == key.job }
        let isPlaced =
            row.map { $0.attempt > key.attempt || $0.attempt == key.attempt && $0.allocation != nil } ?? false
        if !isPlaced { fail("job \(key.job) was ordered before its placement was durable") }
        var memory = share.memoryMiB
        for (other, running) in nodes[node].attempts.sorted(by: { $0.key < $1.key }) {
            if !running.isSuspended && !running.share.cpus.isDisjoint(with: share.cpus) {
                fail(
                    "n\(node): CPUs of \(other.job).\(other.attempt.rawValue) given to \(key.job).\(key.attempt.rawValue)"
                )
            }
            memory += running.share.memoryMiB
            for grant in share.gres {
                let taken = running.share.gres.first { $0.name == grant.name && $0.type == grant.type }
                if let taken, !taken.devices.isDisjoint(with: grant.devices) {
                    fail("n\(node): devices of \(other.job).\(other.attempt.rawValue) given to \(key.job)")
                }
            }
        }
        if memory > nodes[node].memoryMiB { fail("n\(node): memory given twice") }
    }

    mutating func noteBatchStart(_ key: AttemptKey) {
        truth.batchStarts[key, default: 0] += 1
        if truth.batchStarts[key, default: 0] > 1 && !truth.rebooted.contains(key) {
            fail("the script of \(key.job).\(key.attempt.rawValue) was started twice")
        }
    }

    /// The node forgets a report: the disk must know what it said, or that it no longer matters.
    mutating func checkAcknowledged(_ node: Int, _ key: AttemptKey, _ body: Report.Body) {
        guard let row = disk.jobs.first(where: { $0.id == key.job }), row.attempt == key.attempt, !row.state.isEnded,
            let position = row.allocation?.nodes.firstIndex(where: { $0.index.int == node }).map(UInt32.init)
        else { return }
        switch body {
        case .prepared:
            if row.state == .running && !row.nodesPrepared.contains(position) {
                fail("n\(node) was told that 'prepared' of \(key.job) is durable; it is not")
            }
        case .stepEnded(let id, _):
            let step = disk.steps.first { $0.key == key && $0.step == id }
            let place = step?.layout.nodes.firstIndex { $0.index.int == node }.map(UInt32.init)
            if let step, let place, step.nodesRunning.contains(place) {
                fail("n\(node) was told that the end of step \(id) of \(key.job) is durable; it is not")
            }
        case .gone:
            if row.nodesHeld.contains(position) {
                fail("n\(node) was told that 'gone' of \(key.job) is durable; it is not")
            }
        case .prepareFailed:
            if row.state == .running { fail("n\(node) was told that a failed preparation is durable; it is not") }
        case .stepStarted, .unfit: break
        }
    }

    // MARK: The core, and the end

    mutating func checkCore() {
        guard events % 4 == 0, let wrong = core?.checkInvariants().first else { return }
        fail(wrong)
    }

    /// Faults are over and nothing is left to do.
    var isOver: Bool {
        guard !isFaulty, core != nil, committing == nil,
            clients.allSatisfy({ $0.phase == .done || $0.phase == .interactive })
        else { return false }
        return disk.jobs.allSatisfy(\.state.isEnded) && nodes.allSatisfy { $0.attempts.isEmpty && $0.reports.isEmpty }
    }

    mutating func checkProgress() {
        let open = disk.jobs.filter { !$0.state.isEnded }.map { "\($0.id) \($0.state.name) \($0.reason.word)" }
        let left = nodes.flatMap(\.attempts.keys).sorted().map { "\($0.job).\($0.attempt.rawValue)" }
        let busy = clients.indices.filter { clients[$0].phase != .done }
        fail("no end: jobs \(open), attempts on nodes \(left), clients \(busy), events \(events)")
    }

    mutating func checkEnd() {
        for (job, token) in truth.acknowledged.sorted(by: { $0.key < $1.key }) where truth.finalStates[job] == nil {
            fail("job \(job) of \(token) was acknowledged and never ended")
        }
        guard let core else { return }
        for view in core.view.nodes where view.cpusAllocated != 0 || view.memoryAllocatedMiB != 0 {
            fail("\(view.name) is idle, the core holds \(view.cpusAllocated) CPUs of it")
        }
    }
}
