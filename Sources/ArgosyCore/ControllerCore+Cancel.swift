// Cancelling and signalling jobs.
import ArgosyDomain

extension ControllerCore {
    mutating func cancel(
        _ selection: JobSelection, signal: UInt32, batchOnly: Bool, full: Bool, by caller: Caller,
        reply handle: ReplyHandle
    ) {
        cancelsCron = selection.cron
        defer { cancelsCron = false }
        var outcomes: [CancelOutcome] = []
        for item in selection.items {
            let refusal = act(on: item, signal: signal, batchOnly: batchOnly, full: full, by: caller)
            outcomes.append(CancelOutcome(job: item.job, text: Self.text(of: item), refusal: refusal))
        }
        if selection.items.isEmpty {
            for id in matching(selection, by: caller) {
                let item = JobSelection.Item(job: id)
                let refusal = act(on: item, signal: signal, batchOnly: batchOnly, full: full, by: caller)
                outcomes.append(CancelOutcome(job: id, text: Self.text(of: item), refusal: refusal))
            }
        }
        reply(handle, .cancelled(outcomes))
    }

    /// Live jobs the filters match and the caller may end; ascending. An array comes as its record and its elements.
    private func matching(_ selection: JobSelection, by caller: Caller) -> [JobID] {
        var found: [JobID] = []
        tables.jobs.forEach { key, record in
            guard !record.state.isEnded, record.state != .completing, let fields = tables.specs[key]?.fields else {
                return
            }
            guard caller.isOperator || caller.uid == fields.identity.uid else { return }
            if let uid = selection.uid, uid != fields.identity.uid { return }
            if let name = selection.name, name != fields.name { return }
            if let account = selection.account, account != fields.account { return }
            if let partition = selection.partition, partition != fields.partition,
                record.state == .pending || tables.partitions[Int(record.partition)].name != partition
            {
                return
            }
            if let qos = selection.qos, qos != fields.qos { return }
            if let wckey = selection.wckey, wckey != fields.wckey { return }
            if let wanted = selection.reservation,
                wanted != (tables.usedReservations[key] ?? fields.resources.reservation)
            {
                return
            }
            if !selection.nodes.isEmpty {
                let held = tables.runs[key]?.allocation.nodes ?? []
                if record.state == .pending || !held.contains(where: { selection.nodes.contains($0.name) }) { return }
            }
            if !selection.states.isEmpty && !selection.states.contains(record.state) { return }
            found.append(JobID(key))
        }
        return found
    }

    /// Nil when done.
    private mutating func act(
        on item: JobSelection.Item, signal: UInt32, batchOnly: Bool, full: Bool, by caller: Caller
    ) -> Refusal? {
        guard let record = record(item.job), let spec = tables.specs[item.job.rawValue] else {
            return arrayGone(item, signal: signal, batchOnly: batchOnly, full: full, by: caller)
        }
        if let refusal = accessRefusal(spec, caller) { return refusal }
        if signal == 0 {
            if let refusal = cronRefusal(item.job) { return refusal }
            switchOffCron(item.job)
        }
        let isArray = record.arrayJob == record.id.rawValue
        guard isArray else { return act(on: record, signal: signal, batchOnly: batchOnly, full: full) }
        return act(onArray: record, item, signal: signal, batchOnly: batchOnly, full: full)
    }

    /// The array's own record may be purged while elements still run.
    private mutating func arrayGone(
        _ item: JobSelection.Item, signal: UInt32, batchOnly: Bool, full: Bool, by caller: Caller
    ) -> Refusal? {
        let elements = liveElements(of: item.job)
        guard let first = elements.first, let spec = tables.specs[first.rawValue] else {
            return Refusals.invalidJob(item.job)
        }
        if let refusal = accessRefusal(spec, caller) { return refusal }
        for element in elements.compactMap({ self.record($0) }) where wants(item, element) {
            _ = act(on: element, signal: signal, batchOnly: batchOnly, full: full)
        }
        return nil
    }

    func accessRefusal(_ spec: JobSpec, _ caller: Caller) -> Refusal? {
        if caller.isOperator || caller.uid == spec.fields.identity.uid { return nil }
        return Refusals.accessDenied("the job belongs to \(spec.fields.identity.user)")
    }

    private func wants(_ item: JobSelection.Item, _ element: JobRecord) -> Bool {
        item.indices.isEmpty || element.hasElementIndex && IndexRanges.contains(item.indices, element.arrayIndex)
    }

    private mutating func act(
        onArray record: JobRecord, _ item: JobSelection.Item, signal: UInt32, batchOnly: Bool, full: Bool
    ) -> Refusal? {
        var touched = false
        for element in liveElements(of: record.id).compactMap({ self.record($0) })
        where element.hasElementIndex && wants(item, element) && element.state != .completing {
            if act(on: element, signal: signal, batchOnly: batchOnly, full: full) == nil { touched = true }
        }
        for part in (tables.parts[record.id.rawValue] ?? []).compactMap({ self.record(JobID($0)) })
        where part.state == .pending && (signal == 0 || signal == 9) {
            touched = cancelPending(elements: item.indices, of: part) || touched
        }
        if !record.hasElementIndex, record.state == .pending {
            if signal != 0 && signal != 9 { return touched ? nil : Refusals.pending(record.id) }
            touched = cancelPending(elements: item.indices, of: record) || touched
        }
        return touched ? nil : Refusals.alreadyEnded(record.id)
    }

    /// False when none of the wanted elements still waits.
    mutating func cancelPending(elements wanted: [IndexRange], of array: JobRecord) -> Bool {
        let pending = tables.pendingIndices[array.id.rawValue] ?? []
        if wanted.isEmpty {
            cancelPending(array, "")
            return true
        }
        let (taken, left) = IndexRanges.split(pending, by: wanted)
        if taken.isEmpty { return false }
        if left.isEmpty {
            cancelPending(array, "")
            return true
        }
        guard let id = try? nextJobID() else { return false }
        // One record for all of them, as the array is one: it keeps what was cancelled, for the accounts.
        tables.jobs[id.rawValue] = JobRecord(id, elementOf: array, index: JobRecord.noIndex)
        shapes.retain(array.shape)
        tables.specs[id.rawValue] = tables.specs[array.id.rawValue]
        tables.pendingIndices[id.rawValue] = taken
        tables.pendingIndices[array.id.rawValue] = left
        liveJobs += 1
        change(array.id) { _ in }
        end(id, as: .cancelled)
        return true
    }

    private mutating func act(on record: JobRecord, signal: UInt32, batchOnly: Bool, full: Bool) -> Refusal? {
        switch record.state {
        case .pending:
            if signal != 0 && signal != 9 { return Refusals.pending(record.id) }
            cancelPending(record, "")
        case .running, .suspended:
            if signal == 0 {
                complete(record.id, as: .cancelled, .none, "", grace: configuration.killWait)
            } else {
                send(signal, to: record, batchOnly: batchOnly, full: full)
            }
        case .completing:
            guard record.requeueAfterEnd && signal == 0 else { return Refusals.alreadyEnded(record.id) }
            change(record.id) { job in
                job.requeueAfterEnd = false
                job.endingState = .cancelled
            }
        case .completed, .cancelled, .failed, .timeout, .nodeFail, .preempted, .bootFail, .deadline, .outOfMemory:
            return Refusals.alreadyEnded(record.id)
        }
        return nil
    }

    mutating func cancelPending(_ record: JobRecord, _ detail: String) {
        let now = now
        change(record.id) { job in
            job.end = now
            job.reason = .none
        }
        tables.notes[record.id.rawValue] = detail.isEmpty ? nil : JobNote(detail: detail)
        end(record.id, as: .cancelled)
        wantPlan()
        // None of a heterogeneous job's components starts without the others.
        for other in components(of: record.hetLeader).compactMap({ self.record($0) }) where other.state == .pending {
            cancelPending(other, detail)
        }
    }

    mutating func send(_ signal: UInt32, to record: JobRecord, batchOnly: Bool, full: Bool) {
        guard let run = tables.runs[record.id.rawValue] else { return }
        if batchOnly || full {
            order(run.allocation.nodes[0].index, record.key, .signal(.batch, number: signal, batchOnly: true))
        }
        if batchOnly { return }
        for node in run.allocation.nodes {
            order(node.index, record.key, .signal(nil, number: signal, batchOnly: false))
        }
    }

    /// As the user sees it: `12`, `12_[3-5]`.
    static func text(of item: JobSelection.Item) -> String {
        if item.indices.isEmpty { return "\(item.job)" }
        let ranges = item.indices.map { range in
            if range.first == range.last { return "\(range.first)" }
            return "\(range.first)-\(range.last)" + (range.step == 1 ? "" : ":\(range.step)")
        }
        let isOne = item.indices.count == 1 && item.indices[0].first == item.indices[0].last
        return "\(item.job)_" + (isOne ? ranges[0] : "[\(ranges.joined(separator: ","))]")
    }
}
