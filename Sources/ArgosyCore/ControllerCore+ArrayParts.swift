// Parts of a waiting array that are held, released or changed apart from the rest.
//
// As in Slurm, naming waiting elements makes them jobs of their own, with ids of their own. So that a million of them can be
// held at once, more than `ownRecords` of them become one record together: a part, with its elements in `pendingIndices`
// as the array's own record has them. A part starts elements like the array itself.
import ArgosyDomain

/// So many elements get a record each.
private let ownRecords = 200

extension ControllerCore {
    /// The records that an item is about: the job; of an array its live elements and parts; with indices those of them,
    /// which leave the array for that when `splits`. Empty: there are none.
    mutating func records(of item: JobSelection.Item, splits: Bool = true) -> [JobID] {
        let isArray = record(item.job).map { $0.arrayJob == $0.id.rawValue } ?? true
        guard isArray else { return item.indices.isEmpty ? [item.job] : [] }
        let live = liveElements(of: item.job)
        if item.indices.isEmpty { return live.isEmpty && record(item.job) != nil ? [item.job] : live }
        var found: [JobID] = []
        for id in live {
            guard let record = record(id) else { continue }
            if record.hasElementIndex {
                if IndexRanges.contains(item.indices, record.arrayIndex) { found.append(id) }
            } else {
                found += splits ? split(record, by: item.indices) : []
            }
        }
        // Elements that ended lately: requeueing brings them back.
        if found.isEmpty {
            tables.jobs.forEach { key, record in
                guard record.arrayJob == item.job.rawValue, record.hasElementIndex else { return }
                if IndexRanges.contains(item.indices, record.arrayIndex) { found.append(JobID(key)) }
            }
        }
        return found
    }

    /// The wanted ones of a record's waiting elements, as records.
    private mutating func split(_ array: JobRecord, by wanted: [IndexRange]) -> [JobID] {
        let (taken, left) = IndexRanges.split(tables.pendingIndices[array.id.rawValue] ?? [], by: wanted)
        if taken.isEmpty { return [] }
        if left.isEmpty && IndexRanges.count(taken) > ownRecords { return [array.id] }
        var found: [JobID] = []
        if IndexRanges.count(taken) > ownRecords {
            if let part = makePart(of: array, taken) { found.append(part) }
            shrink(array, to: left)
            return found
        }
        var indices = IndexRanges.members(taken)
        // The last one keeps the record.
        let own = left.isEmpty ? indices.removeFirst() : nil
        for index in indices {
            if let part = makePart(of: array, [IndexRange(first: index, last: index)]) { found.append(part) }
        }
        shrink(array, to: own.map { [IndexRange(first: $0, last: $0)] } ?? left)
        if own != nil { found.insert(array.id, at: 0) }
        return found
    }

    private mutating func shrink(_ array: JobRecord, to left: [IndexRange]) {
        if let first = left.first, IndexRanges.count(left) == 1 {
            tables.pendingIndices[array.id.rawValue] = nil
            tables.parts.update(array.arrayJob) { $0.removeAll { $0 == array.id.rawValue } }
            change(array.id) { $0.arrayIndex = first.first }
            noteLive(array.id)
        } else {
            tables.pendingIndices[array.id.rawValue] = left
            change(array.id) { _ in }
        }
        wantPlan()
    }

    private mutating func makePart(of array: JobRecord, _ indices: [IndexRange]) -> JobID? {
        guard let id = try? nextJobID() else { return nil }
        let isOne = IndexRanges.count(indices) == 1
        var part = JobRecord(id, elementOf: array, index: isOne ? indices[0].first : JobRecord.noIndex)
        part.reason = array.reason
        tables.jobs[id.rawValue] = part
        tables.specs[id.rawValue] = tables.specs[array.id.rawValue]
        tables.notes[id.rawValue] = tables.notes[array.id.rawValue]
        if !isOne {
            tables.pendingIndices[id.rawValue] = indices
            tables.parts[array.arrayJob] = (tables.parts[array.arrayJob] ?? []) + [id.rawValue]
        }
        shapes.retain(array.shape)
        liveJobs += 1
        noteLive(id)
        change(id) { _ in }
        enqueue(part)
        if let dependency = tables.dependencies[array.id.rawValue] {
            tables.corresponding[id.rawValue] = tables.corresponding[array.id.rawValue]
            setDependency(id, dependency)
        }
        return id
    }

    /// Whether the element waits in a part of the array.
    func isInPart(_ index: UInt32, of array: JobID) -> Bool {
        (tables.parts[array.rawValue] ?? []).contains { part in
            tables.jobs[part]?.state == .pending && IndexRanges.contains(tables.pendingIndices[part] ?? [], index)
        }
    }

    func hasWaitingParts(_ array: JobID) -> Bool {
        (tables.parts[array.rawValue] ?? []).contains { tables.jobs[$0]?.state == .pending }
    }
}
