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
            let parts = try accepted(fields, by: caller)
            let id = try admit(parts, token: token)
            if waitForAllocation {
                waiting.owners.append(WaitingReplies.Owner(reply: handle, job: id, isAnswered: false))
            } else {
                reply(handle, .submitted(id))
            }
        } catch {
            refuse(handle, error)
        }
    }

    /// `sbatch --test-only`: the submission is made on a copy, which is dropped.
    mutating func test(_ fields: JobSpec.Fields, by caller: Caller, reply handle: ReplyHandle) {
        var trial = self
        do {
            let id = try trial.admit(try trial.accepted(fields, by: caller), token: "")
            reply(handle, .tested(TestedJob(id: id, snapshot: trial.planningSnapshot(at: now))))
        } catch { refuse(handle, error) }
    }

    /// Checked, placed among the accounts, ready to be admitted.
    func accepted(_ fields: JobSpec.Fields, by caller: Caller) throws(Refusal) -> [Admitted] {
        var parts = try check(fields, by: caller)
        for place in parts.indices {
            let elements = parts[place].fields.array.map { IndexRanges.count($0.indices) } ?? 1
            parts[place].accounting = try settleAccounting(
                &parts[place].fields, partition: parts[place].partition, elements: elements)
            // Now that its account is known.
            try checkReservations(parts[place].fields)
        }
        return parts
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

    /// Of a heterogeneous job, ascending.
    func components(of leader: UInt32) -> [JobID] { (tables.components[leader] ?? []).map { JobID($0) } }

    /// An id nobody ever had. The high-water mark is part of the same commit as what it was taken for.
    mutating func nextJobID() throws(Refusal) -> JobID {
        guard lastJobID.rawValue < configuration.maxJobID else {
            throw Refusals.noIDs(configuration.maxJobID)
        }
        lastJobID = JobID(lastJobID.rawValue + 1)
        turn.changes.removeAll { if case .lastJobID = $0 { true } else { false } }
        turn.changes.append(.lastJobID(lastJobID))
        return lastJobID
    }

    /// The admission refers to the core as it is: it must be gone before anything changes, or all would be copied.
    /// One for an ordinary job; for a heterogeneous one its components, the leader first.
    func check(_ fields: JobSpec.Fields, by caller: Caller) throws(Refusal) -> [Admitted] {
        guard !fields.components.isEmpty else { return [try Admission(self, fields, by: caller).admitted] }
        if fields.array != nil { throw Refusals.notSupported("a heterogeneous job cannot be an array") }
        var parts: [Admitted] = []
        for (number, component) in fields.components.enumerated() {
            var component = component
            component.identity = fields.identity
            if number > 0 {
                // The script runs on the leader's first node; the others are there for it.
                component.scriptDigest = ""
                component.hold = fields.hold
                component.begin = fields.begin
            } else {
                component.scriptDigest = fields.scriptDigest
                component.environmentDigest = fields.environmentDigest
            }
            parts.append(try Admission(self, component, by: caller).admitted)
        }
        return parts
    }

    mutating func admit(_ parts: [Admitted], token: String) throws(Refusal) -> JobID {
        guard UInt64(lastJobID.rawValue) + UInt64(parts.count) <= UInt64(configuration.maxJobID) else {
            throw Refusals.noIDs(configuration.maxJobID)
        }
        let first = try nextJobID()
        var ids = [first.rawValue]
        for _ in parts.dropFirst() { ids.append(try nextJobID().rawValue) }
        if parts.count > 1 { tables.components[first.rawValue] = ids }
        for (offset, part) in parts.enumerated() {
            admit(JobID(ids[offset]), part, token: offset == 0 ? token : "") { record in
                guard parts.count > 1 else { return }
                record.hetLeader = first.rawValue
                record.hetOffset = UInt32(offset)
            }
        }
        return first
    }

    private mutating func admit(
        _ id: JobID, _ part: Admitted, token: String, _ adjust: (inout JobRecord) -> Void
    ) {
        let fields = part.fields
        for shape in part.shapes { feasibility.learn(shape, true) }
        let spec = JobSpec(fields)
        tables.specs[id.rawValue] = spec
        var record = JobRecord(
            submit: now, eligible: max(now, fields.begin), id: id, timeLimit: fields.timeLimit,
            partition: part.partition, uid: fields.identity.uid, isBatch: spec.isBatch,
            killOnClientLoss: fields.killOnClientLoss, allowsRequeue: fields.requeue)
        record.association = Int32(part.accounting?.association ?? -1)
        record.qos = Int32(part.accounting?.qos ?? -1)
        record.tier = tier(of: fields.partition, or: part.partition)
        record.endBy = fields.deadline
        record.timeMin = fields.timeMin
        adjust(&record)
        let isHeld = fields.hold || fields.priority == 0
        if isHeld { record.reason = .jobHeldUser }
        if record.eligible > now && !isHeld { record.reason = .beginTime }
        if let array = fields.array {
            record.arrayJob = id.rawValue
            tables.pendingIndices[id.rawValue] = array.indices
        }
        tables.jobs[id.rawValue] = record
        if !isHeld {
            record.priority = basePriority(of: id)
            tables.jobs[id.rawValue] = record
        }
        if !token.isEmpty {
            tables.tokens[id.rawValue] = token
            tokens[Self.tokenKey(token, uid: fields.identity.uid)] = id
        }
        liveJobs += 1
        tables.tally.submitted += 1
        noteLive(id)
        change(id) { _ in }
        enqueue(record)
        if !isPartitionUp(part.partition) { noteUnplanned(id) }
        if !fields.dependency.isEmpty, let dependency = try? dependency(fields.dependency) {
            setDependency(id, dependency)
        }
    }
}
