// Dependencies: what a job waits for of others. Looked at when it is set and when something it names begins or ends, never
// by walking the queue. A term that is met leaves the job's list for good; one that can never be met stays as failed, and
// the job ends or waits forever, as it or the configuration says. Unknown jobs are taken as long gone: what is asked of
// them is met, as in Slurm.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    private enum Verdict {
        case met
        case waits
        case waitsUntil(Timestamp)
        case failed
    }

    /// Replaces what the waiting job waits for. Empty: nothing.
    mutating func setDependency(_ id: JobID, _ dependency: JobDependency) {
        forgetDependency(id)
        settle(id, dependency, searches: true)
    }

    /// After loading: what happened to others while this life did not look.
    mutating func settleLoadedDependencies() {
        for key in tables.dependencies.keys {
            guard let dependency = tables.dependencies[key] else { continue }
            settle(JobID(key), dependency, searches: true)
        }
    }

    /// The job waits no longer, or for something else.
    mutating func forgetDependency(_ id: JobID) {
        if let dependency = tables.dependencies[id.rawValue],
            dependency.terms.contains(where: { $0.kind == .singleton }),
            let key = singletonKey(id)
        {
            dependencies.singletons[key]?.waiting.removeSorted(id)
            if dependencies.singletons[key]?.waiting.isEmpty ?? false { dependencies.singletons[key] = nil }
        }
        tables.dependencies[id.rawValue] = nil
        tables.corresponding[id.rawValue] = nil
    }

    /// What became of it since it was last looked at. `searches`: also where finding that out takes a walk over all jobs.
    private mutating func settle(
        _ id: JobID, _ dependency: JobDependency, after event: JobRecord? = nil, searches: Bool = false
    ) {
        guard let record = record(id), record.state == .pending else { return }
        var left = JobDependency(isAny: dependency.isAny)
        for term in dependency.terms {
            var term = term
            if term.state == .failed {
                left.terms.append(term)
                continue
            }
            switch verdict(&term, of: record, after: event, searches: searches) {
            case .met:
                if !dependency.isAny { continue }
                return finish(id, JobDependency())
            case .waits: break
            case .waitsUntil(let time): deadlines.add(time, .dependency, id.rawValue)
            case .failed: term.state = .failed
            }
            left.terms.append(term)
        }
        finish(id, left)
    }

    private mutating func finish(_ id: JobID, _ left: JobDependency) {
        let was = record(id)?.dependency ?? .none
        if left.isEmpty { forgetDependency(id) } else { tables.dependencies[id.rawValue] = left }
        for term in left.terms where term.state == .unfulfilled { watch(term, id) }
        let onlyCorresponding = left.terms.allSatisfy { isElementwise($0, id) && $0.state == .unfulfilled }
        let wait: DependencyWait = left.isHopeless ? .never : left.isEmpty || onlyCorresponding ? .none : .waits
        let now = now
        change(id) { record in
            record.dependency = wait
            if wait == .none && was != .none { record.eligible = max(record.eligible, now) }
            guard !record.isHeld else { return }
            switch wait {
            case .none where was != .none: record.reason = record.eligible > now ? .beginTime : .none
            case .none: break
            case .waits: record.reason = .dependency
            case .never: record.reason = .dependencyNeverSatisfied
            }
        }
        if wait == .never, killsOnInvalidDependency(id) {
            killForDependency(id)
        } else {
            wantPlan()
        }
    }

    private mutating func watch(_ term: JobDependency.Term, _ id: JobID) {
        if term.kind == .singleton {
            guard let key = singletonKey(id) else { return }
            dependencies.singletons[key]?.waiting.insertSorted(id)
        } else {
            dependencies.add(id, for: term.job)
        }
    }

    func killsOnInvalidDependency(_ id: JobID) -> Bool {
        if let wish = tables.specs[id.rawValue]?.fields.killOnInvalidDependency { return wish }
        return configuration.killsInvalidDependencies
    }

    private mutating func killForDependency(_ id: JobID) {
        guard let record = record(id) else { return }
        cancelPending(record, "its dependency can never be satisfied")
        change(id) { $0.reason = .dependencyNeverSatisfied }
    }

    // MARK: Terms

    private mutating func verdict(
        _ term: inout JobDependency.Term, of waiter: JobRecord, after event: JobRecord?, searches: Bool
    ) -> Verdict {
        if term.kind == .singleton { return singletonVerdict(waiter) }
        if case .element(let index) = term.target {
            return elementVerdict(term, index, after: event, searches: searches)
        }
        let known = record(term.job)
        if let known, known.arrayJob != known.id.rawValue { return verdict(term, known) }
        if known == nil, !isArrayRemembered(term.job, searches: searches) { return .met }
        term.isArray = true
        if isElementwise(term, waiter.id) { return correspondingVerdict(&term, waiter.id, after: event) }
        return arrayVerdict(&term)
    }

    private func verdict(_ term: JobDependency.Term, _ record: JobRecord) -> Verdict {
        if term.kind == .after {
            guard record.state != .pending else { return .waits }
            return due(term, since: record.start.isSet ? record.start : record.end)
        }
        guard record.state.isEnded else { return .waits }
        switch term.kind {
        case .afterOK, .afterCorr: return record.state == .completed ? .met : .failed
        case .afterNotOK: return record.state == .completed ? .failed : .met
        case .after, .afterAny, .afterBurstBuffer, .singleton: return .met
        }
    }

    private func due(_ term: JobDependency.Term, since start: Timestamp) -> Verdict {
        let due = start.adding(.seconds(Int64(term.delay) * 60))
        return due <= now ? .met : .waitsUntil(due)
    }

    private func elementVerdict(
        _ term: JobDependency.Term, _ index: UInt32, after event: JobRecord?, searches: Bool
    ) -> Verdict {
        if let event, isElement(event, index, of: term.job) { return verdict(term, event) }
        guard searches else { return dependencyStillWaits(term, index) }
        var found: JobRecord?
        tables.jobs.forEach { _, record in if isElement(record, index, of: term.job) { found = record } }
        if let found, found.hasElementIndex || found.state.isEnded { return verdict(term, found) }
        return dependencyStillWaits(term, index, unknown: .met)
    }

    /// Began and has not ended, when nothing newer is known of it than that somebody waits.
    private func dependencyStillWaits(
        _ term: JobDependency.Term, _ index: UInt32, unknown: Verdict = .waits
    ) -> Verdict {
        let waits = IndexRanges.contains(tables.pendingIndices[term.job.rawValue] ?? [], index)
        return waits || isInPart(index, of: term.job) ? .waits : unknown
    }

    /// The element itself, or a lump of cancelled ones with it.
    private func isElement(_ record: JobRecord, _ index: UInt32, of array: JobID) -> Bool {
        guard record.arrayJob == array.rawValue else { return false }
        if record.hasElementIndex { return record.arrayIndex == index }
        return record.state.isEnded && IndexRanges.contains(tables.pendingIndices[record.id.rawValue] ?? [], index)
    }

    private mutating func arrayVerdict(_ term: inout JobDependency.Term) -> Verdict {
        let tally = tally(of: term.job)
        term.sawFailure = term.sawFailure || tally.sawFailure
        let isPending = hasWaitingElements(term.job)
        if term.kind == .after { return isPending ? .waits : due(term, since: tally.lastStart) }
        if isPending || tally.live > 0 { return .waits }
        switch term.kind {
        case .afterOK, .afterCorr: return term.sawFailure ? .failed : .met
        case .afterNotOK: return term.sawFailure ? .met : .failed
        case .after, .afterAny, .afterBurstBuffer, .singleton: return .met
        }
    }

    /// Whether elements are left of an array whose own record is gone.
    private mutating func isArrayRemembered(_ id: JobID, searches: Bool) -> Bool {
        guard searches, dependencies.arrays[id.rawValue] == nil else { return dependencies.arrays[id.rawValue] != nil }
        let found = tally(of: id)
        if found.live > 0 || found.sawFailure || found.lastStart.isSet { return true }
        dependencies.arrays[id.rawValue] = nil
        return false
    }

    private func hasWaitingElements(_ array: JobID) -> Bool {
        if hasWaitingParts(array) { return true }
        guard let head = record(array), !head.hasElementIndex else { return false }
        return head.state == .pending
    }

    /// Kept from the first time that somebody waits for the array until nobody does.
    private mutating func tally(of array: JobID) -> DependencyBook.ArrayTally {
        if let known = dependencies.arrays[array.rawValue] { return known }
        var tally = DependencyBook.ArrayTally()
        tables.jobs.forEach { _, record in
            guard record.arrayJob == array.rawValue else { return }
            if record.state.isEnded {
                if record.state != .completed { tally.sawFailure = true }
            } else if record.hasElementIndex {
                tally.live += 1
            }
            tally.lastStart = max(tally.lastStart, record.start)
        }
        dependencies.arrays[array.rawValue] = tally
        return tally
    }

    // MARK: Element by element

    /// `aftercorr` between two arrays: it holds single elements back, not the array.
    private func isElementwise(_ term: JobDependency.Term, _ waiter: JobID) -> Bool {
        term.kind == .afterCorr && term.target == .whole && tables.specs[waiter.rawValue]?.fields.array != nil
            && (term.isArray || record(term.job).map { $0.arrayJob != 0 } ?? false)
    }

    private mutating func correspondingVerdict(
        _ term: inout JobDependency.Term, _ waiter: JobID, after event: JobRecord?
    ) -> Verdict {
        _ = tally(of: term.job)
        let known = tables.corresponding[waiter.rawValue]
        if let event, known != nil {
            takeCorresponding(event, of: term.job, for: waiter)
        } else {
            findCorresponding(term.job, for: waiter)
        }
        let live = dependencies.arrays[term.job.rawValue]?.live ?? 0
        if hasWaitingElements(term.job) || live > 0 { return .waits }
        let open = tables.corresponding[waiter.rawValue] ?? []
        let stuck = IndexRanges.split(tables.pendingIndices[waiter.rawValue] ?? [], by: open).left
        return stuck.isEmpty ? .met : .failed
    }

    private mutating func takeCorresponding(_ event: JobRecord, of array: JobID, for waiter: JobID) {
        guard event.arrayJob == array.rawValue, event.state.isEnded else { return }
        let indices =
            event.hasElementIndex
            ? [IndexRange(first: event.arrayIndex, last: event.arrayIndex)]
            : tables.pendingIndices[event.id.rawValue] ?? []
        if event.state == .completed {
            openCorresponding(indices, for: waiter)
        } else if killsOnInvalidDependency(waiter), let record = record(waiter) {
            _ = cancelPending(elements: indices, of: record)
        }
    }

    /// All that is known of the other array: elements that ended well, and indices that it does not have.
    private mutating func findCorresponding(_ array: JobID, for waiter: JobID) {
        let own = tables.pendingIndices[waiter.rawValue] ?? []
        guard let theirs = tables.specs[array.rawValue]?.fields.array?.indices else {
            return openCorresponding(own, for: waiter)
        }
        var open = IndexRanges.split(own, by: theirs).left
        tables.jobs.forEach { _, record in
            guard record.arrayJob == array.rawValue, record.hasElementIndex, record.state == .completed else { return }
            open.append(IndexRange(first: record.arrayIndex, last: record.arrayIndex))
        }
        openCorresponding(open, for: waiter)
    }

    private mutating func openCorresponding(_ indices: [IndexRange], for waiter: JobID) {
        let all = (tables.corresponding[waiter.rawValue] ?? []) + indices
        tables.corresponding[waiter.rawValue] = IndexRanges.compress(
            Set(all.flatMap { stride(from: $0.first, through: $0.last, by: Int($0.step)) }).sorted())
    }

    /// Waiting elements of the array that no other array holds back.
    func openElements(of array: JobRecord) -> [IndexRange] {
        let pending = tables.pendingIndices[array.id.rawValue] ?? []
        guard let open = tables.corresponding[array.id.rawValue] else { return pending }
        return IndexRanges.split(pending, by: open).taken
    }

    // MARK: Singletons

    private func singletonKey(_ id: JobID) -> DependencyBook.SingletonKey? {
        tables.specs[id.rawValue].map { .init(uid: $0.fields.identity.uid, name: $0.fields.name) }
    }

    /// Earlier jobs, and later ones that began before it, come first; elements of its own array do not count.
    private mutating func singletonVerdict(_ waiter: JobRecord) -> Verdict {
        guard let key = singletonKey(waiter.id) else { return .met }
        let live = watchSingleton(key).live
        let blocks = live.contains { other in
            guard other != waiter.id, let record = record(other) else { return false }
            if record.arrayJob != 0, record.arrayJob == waiter.arrayJob { return false }
            return other < waiter.id || record.state != .pending
        }
        return blocks ? .waits : .met
    }

    private mutating func watchSingleton(_ key: DependencyBook.SingletonKey) -> DependencyBook.SingletonWatch {
        if let known = dependencies.singletons[key] { return known }
        var watch = DependencyBook.SingletonWatch()
        tables.jobs.forEach { id, record in
            if !record.state.isEnded, record.uid == key.uid, singletonKey(JobID(id)) == key {
                watch.live.append(JobID(id))
            }
        }
        dependencies.singletons[key] = watch
        return watch
    }

    // MARK: Events

    /// A job, or an element of an array, that was not there before (or had ended) lives.
    mutating func noteLive(_ id: JobID, isNew: Bool = true) {
        guard dependencies.isWatchingNames || dependencies.isWatchingArrays, let record = record(id) else { return }
        if isNew, record.hasElementIndex { dependencies.arrays[record.arrayJob]?.live += 1 }
        if dependencies.isWatchingNames, let key = singletonKey(id) {
            dependencies.singletons[key]?.live.insertSorted(id)
        }
    }

    /// It gets another name.
    mutating func forgetLive(_ id: JobID) {
        guard dependencies.isWatchingNames, let key = singletonKey(id) else { return }
        dependencies.singletons[key]?.live.removeSorted(id)
    }

    mutating func noteBegun(_ id: JobID) {
        guard let record = record(id) else { return }
        if dependencies.isAwaited(id.rawValue) || record.arrayJob != 0 && dependencies.isAwaited(record.arrayJob) {
            dependencies.happened.append(.began(record))
        }
        if record.arrayJob != 0, let last = dependencies.arrays[record.arrayJob]?.lastStart {
            dependencies.arrays[record.arrayJob]?.lastStart = max(last, record.start)
        }
    }

    mutating func noteEnded(_ id: JobID) {
        guard let record = record(id) else { return }
        forgetDependency(id)
        if record.arrayJob != 0, dependencies.arrays[record.arrayJob] != nil {
            if record.hasElementIndex { dependencies.arrays[record.arrayJob]?.live -= 1 }
            if record.state != .completed { dependencies.arrays[record.arrayJob]?.sawFailure = true }
        }
        let isAwaited =
            dependencies.isAwaited(id.rawValue) || record.arrayJob != 0 && dependencies.isAwaited(record.arrayJob)
        if isAwaited || dependencies.isWatchingNames { dependencies.happened.append(.ended(record)) }
    }

    /// End of a turn: those that waited for what happened in it. What that ends is looked at in turn.
    mutating func settleDependencies() {
        var next = 0
        while next < dependencies.happened.count {
            let event = dependencies.happened[next]
            next += 1
            switch event {
            case .began(let record): wake(record)
            case .ended(let record):
                wake(record)
                wakeSingleton(record)
            }
        }
        dependencies.happened.removeAll(keepingCapacity: true)
    }

    private mutating func wake(_ record: JobRecord) {
        var awaited = [record.id.rawValue]
        if record.arrayJob != 0, record.arrayJob != record.id.rawValue { awaited.append(record.arrayJob) }
        for id in awaited {
            for waiter in dependencies.takeWaiters(for: id) {
                guard let dependency = tables.dependencies[waiter.rawValue] else { continue }
                settle(waiter, dependency, after: record)
            }
            dependencies.forgetArray(id)
        }
    }

    private mutating func wakeSingleton(_ record: JobRecord) {
        guard dependencies.isWatchingNames, let key = singletonKey(record.id) else { return }
        dependencies.singletons[key]?.live.removeSorted(record.id)
        guard let waiter = dependencies.singletons[key]?.waiting.first,
            let dependency = tables.dependencies[waiter.rawValue]
        else { return }
        settle(waiter, dependency)
    }

    /// A delay after another job's start has passed.
    mutating func dependencyDue(_ id: JobID) {
        guard let dependency = tables.dependencies[id.rawValue] else { return }
        settle(id, dependency)
    }

    // MARK: Requests

    /// Throws Slurm's refusal for what cannot be read, or would make jobs wait for each other in a circle.
    func dependency(_ text: String, of id: JobID? = nil) throws(Refusal) -> JobDependency {
        let dependency: JobDependency
        do throws(JobDependency.Malformed) { dependency = try JobDependency(parsing: text) } catch {
            if text.lowercased().contains("expand:") {
                throw Refusals.notSupported("jobs are not expanded by --dependency=expand; submit a larger one")
            }
            throw Refusal(.dependency, "Job dependency problem", detail: error.description)
        }
        if let id, leads(dependency, to: id) {
            throw Refusal(
                .dependency, "Job dependency problem",
                detail: "a job that \(text) names waits for job \(id) itself, so that both would wait forever")
        }
        return dependency
    }

    private func leads(_ dependency: JobDependency, to id: JobID) -> Bool {
        var seen: Set<JobID> = []
        var next = dependency.terms.map(\.job)
        while let job = next.popLast() {
            if job == id { return true }
            guard seen.insert(job).inserted else { continue }
            next += tables.dependencies[job.rawValue]?.terms.map(\.job) ?? []
        }
        return false
    }
}

extension ClusterConfiguration {
    /// SchedulerParameters=kill_invalid_depend, or DependencyParameters with the same word.
    var killsInvalidDependencies: Bool {
        entries.contains { entry in
            ["schedulerparameters", "dependencyparameters"].contains(entry.key.lowercased())
                && entry.value.lowercased().split(separator: ",").contains("kill_invalid_depend")
        }
    }
}
