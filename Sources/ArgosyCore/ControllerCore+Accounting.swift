// Accounting in the core: where a job is charged, what it counts, and changes of the records.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    // MARK: - Changes of the records

    mutating func changeAccounting(
        _ operations: [AccountingOperation], checkOnly: Bool, actor: String, by caller: Caller,
        reply handle: ReplyHandle
    ) {
        let actor = AccountingActor(name: actor, isSuperUser: caller.isSuperUser)
        let jobs = accountedJobs(for: operations)
        do throws(Refusal) {
            var trial = tables.accounting
            try trial.change(operations, by: actor, at: now, jobs: jobs)
            if checkOnly { return reply(handle, .done) }
            tables.accounting = trial
            accountingChanged(operations)
            reply(handle, .done)
        } catch {
            refuse(handle, error)
        }
    }

    /// Only removals ask which jobs are in the system.
    private func accountedJobs(for operations: [AccountingOperation]) -> [AccountedJob] {
        guard operations.contains(where: \.removes) else { return [] }
        var jobs: [AccountedJob] = []
        let associations = tables.book.records.associations
        tables.jobs.forEach { _, record in
            guard record.association >= 0, !record.state.isEnded else { return }
            jobs.append(AccountedJob(job: record.id, association: associations[Int(record.association)].id))
        }
        return jobs
    }

    private mutating func accountingChanged(_ operations: [AccountingOperation]) {
        writeAccounting()
        rebuildBook()
        for case .resetUsage(let associations, let qos) in operations { resetUsage(associations, qos) }
        tellAdministrators()
        wantPlan()
    }

    mutating func writeAccounting() {
        let rows = tables.accounting.takeRows()
        // Of a record that changed often in a turn the last row counts; order among kinds is kept.
        turn.changes += rows.map { .accounting($0) }
    }

    /// Uids with operator rights by the records, to whoever lets requests in.
    mutating func tellAdministrators() {
        let uids = tables.accounting.users.filter { $0.adminLevel >= .operator }.compactMap(\.uid).sorted()
        guard uids != administrators else { return }
        administrators = uids
        turn.effects.append(.administratorsChanged(uids))
    }

    // MARK: - Where a job is charged

    /// Fills in account and QOS, or refuses by AccountingStorageEnforce. `elements`: how many jobs come at once.
    func settleAccounting(_ fields: inout JobSpec.Fields, partition: UInt16, elements: Int) throws(Refusal)
        -> AccountingPlace
    {
        let records = tables.book.records
        let name = tables.partitions[Int(partition)].name
        let found = records.place(
            user: fields.identity.user, account: fields.account.lowercased(), partition: name,
            qos: fields.qos.lowercased())
        let place: AccountingPlace
        switch found {
        case .success(let success): place = success
        case .failure(let refusal): throw refusal
        }
        fields.account = place.account
        fields.qos = place.qosName
        let job = limitedJob(fields, place, partition: partition)
        if let refusal = tables.book.submissionRefusal(job, elements: elements, at: now) { throw refusal }
        return place
    }

    private func limitedJob(_ fields: JobSpec.Fields, _ place: AccountingPlace, partition: UInt16) -> LimitedJob {
        let ask = Asked(fields, records: tables.book.records)
        return LimitedJob(
            association: place.association, qos: place.qos, partitionQOS: partitionQOS(partition),
            uid: fields.identity.uid, tres: ask.tres, tresPerNode: ask.perNode, timeLimit: fields.timeLimit)
    }

    /// A waiting job as limits see it; nil when it is not known.
    func limitedJob(_ record: JobRecord) -> LimitedJob? {
        guard let spec = tables.specs[record.id.rawValue] else { return nil }
        var job: LimitedJob
        if let run = tables.runs[record.id.rawValue], record.state != .pending {
            let held = Held(run.allocation, records: tables.book.records)
            job = LimitedJob(
                association: Int(record.association), qos: Int(record.qos),
                partitionQOS: partitionQOS(record.partition), uid: record.uid, tres: held.tres,
                tresPerNode: held.perNode, timeLimit: record.timeLimit)
        } else {
            let ask = Asked(spec.fields, records: tables.book.records)
            job = LimitedJob(
                association: Int(record.association), qos: Int(record.qos),
                partitionQOS: partitionQOS(record.partition), uid: record.uid, tres: ask.tres,
                tresPerNode: ask.perNode, timeLimit: record.timeLimit)
        }
        job.tres.set(.billing, tables.billing(record.partition).count(job.tres))
        return job
    }

    func partitionQOS(_ index: UInt16) -> Int {
        guard Int(index) < configuration.partitions.count else { return -1 }
        let name = configuration.partitions[Int(index)].policy.qos
        return name.isEmpty ? -1 : tables.book.records.qosPosition(named: name) ?? -1
    }

    // MARK: - The book

    /// New records: positions are others now, so every job is placed and counted again.
    mutating func rebuildBook() {
        let old = tables.book
        let records = Self.bookRecords(tables.accounting, configuration)
        let usage = UsageLedger(
            records: records, halfLife: configuration.priority.decayHalfLife, epoch: old.usage.epoch,
            associations: old.records.associations.indices.map { old.usage.stored(association: $0) },
            qos: old.records.qos.indices.map { old.usage.stored(qos: $0) })
        renumberDirtyUsage(from: old.records, to: records)
        tables.book = AccountingBook(records: records, usage: usage)
        priorities = nil
        counted = PagedTable()
        limitedJobs = LimitedJobs()
        placeAndCountAll()
    }

    mutating func placeAndCountAll() {
        for key in tables.jobs.keys {
            guard let record = tables.jobs[key], !record.state.isEnded else { continue }
            placeAgain(record)
            recount(record.id)
        }
    }

    private mutating func placeAgain(_ record: JobRecord) {
        guard let fields = tables.specs[record.id.rawValue]?.fields else { return }
        let records = tables.book.records
        let partition = tables.partitions[Int(record.partition)].name
        let association = records.association(
            user: fields.identity.user, account: fields.account, partition: partition)
        let qos = records.effectiveQOS(named: fields.qos, association: association)
        let new = (Int32(association ?? -1), Int32(qos ?? -1))
        guard new != (record.association, record.qos) else { return }
        tables.jobs.update(record.id.rawValue) { ($0.association, $0.qos) = new }
    }

    static func bookRecords(_ state: AccountingState, _ configuration: ClusterConfiguration) -> AccountingRecords {
        AccountingRecords(
            associations: state.associations, qos: state.qos, users: state.users, accounts: state.accounts,
            tres: state.tres, enforce: configuration.accounting.enforce)
    }

    /// Brings the book in line with the job as it is now. Called for every job that changed in a turn, and whenever a
    /// decision of the same turn needs it sooner.
    mutating func recount(_ id: JobID) {
        let key = id.rawValue
        let old = counted[key]
        let record = tables.jobs[key]
        let wanted = record.flatMap { wantedCount($0) }
        guard old != nil || wanted != nil else { return }
        if let old {
            let job = limitedJobs.jobs[Int(old.job)]
            if old.submitted > 0 { tables.book.withdrawn(job, count: Int(old.submitted)) }
            if old.end.isSet { tables.book.ended(job, end: old.end) }
            if old.end.isSet, wanted?.end.isSet != true { stopCharging(id, record) }
            limitedJobs.release(old.job)
        }
        guard let record, let wanted, let job = limitedJob(record) else {
            counted[key] = nil
            return
        }
        var count = wanted
        count.job = limitedJobs.intern(job)
        if count.submitted > 0 { tables.book.submitted(job, count: Int(count.submitted)) }
        if count.end.isSet { tables.book.started(job, end: count.end) }
        if count.end.isSet, old?.end.isSet != true { startCharging() }
        counted[key] = count
    }

    private func wantedCount(_ record: JobRecord) -> JobCount? {
        var count = JobCount(job: -1)
        switch record.state {
        case .pending:
            let isArray = record.arrayJob == record.id.rawValue && !record.hasElementIndex
            let elements = isArray ? IndexRanges.count(tables.pendingIndices[record.id.rawValue] ?? []) : 1
            count.submitted = Int32(clamping: elements)
        case .running, .suspended:
            count.submitted = 1
            count.end =
                record.timeLimit.duration.map { record.start.adding($0) } ?? record.start.adding(.seconds(31_536_000))
        case .completed, .cancelled, .failed, .timeout, .nodeFail, .preempted, .bootFail, .deadline, .outOfMemory,
            .completing:
            return nil
        }
        return count.submitted > 0 ? count : nil
    }
}

extension AccountingOperation {
    var removes: Bool {
        switch self {
        case .removeAccounts, .removeUsers, .removeAssociations: true
        case .addAccount, .addUser, .addAssociation, .addQOS, .addCoordinators, .modifyAccounts, .modifyUsers,
            .modifyAssociations, .modifyQOS, .removeQOS, .removeCoordinators, .resetUsage:
            false
        }
    }
}

/// TRES a request asks for, at least.
struct Asked {
    var tres = TRESCounts()
    var perNode = TRESCounts()

    init(_ fields: JobSpec.Fields, records: AccountingRecords) {
        let each = max(1, UInt64(fields.cpusPerTask))
        let byNode = UInt64(fields.tasksPerNode) * max(1, UInt64(fields.minNodes))
        let tasks = max(UInt64(fields.tasks), byNode, UInt64(fields.minNodes), 1)
        let nodes = max(1, UInt64(fields.minNodes))
        let cpus = tasks.multipliedSaturating(by: each)
        tres.set(.cpu, cpus)
        tres.set(.node, nodes)
        perNode.set(.cpu, (cpus + nodes - 1) / nodes)
        let memory =
            fields.memoryPerNodeMiB > 0
            ? fields.memoryPerNodeMiB.multipliedSaturating(by: nodes)
            : fields.memoryPerCPUMiB.multipliedSaturating(by: cpus)
        if memory > 0 {
            tres.set(.mem, memory)
            perNode.set(.mem, (memory + nodes - 1) / nodes)
        }
        add(fields.resources, records.tres, nodes: nodes, tasks: tasks)
    }

    private mutating func add(_ resources: ResourceOptions, _ table: TRESTable, nodes: UInt64, tasks: UInt64) {
        for request in resources.gres {
            let factor: UInt64
            switch request.per {
            case .node: factor = nodes
            case .job: factor = 1
            case .task: factor = tasks
            case .socket: factor = nodes * UInt64(max(1, resources.socketsPerNode))
            }
            let count = request.count.multipliedSaturating(by: factor)
            for name in ["gres/\(request.name)", "gres/\(request.name):\(request.type)"] {
                guard let id = table.id(of: name) else { continue }
                tres.set(id, tres[id] + count)
                perNode.set(id, perNode[id] + (count + nodes - 1) / nodes)
            }
        }
        for license in resources.licenses {
            if let id = table.id(of: "license/\(license.name)") { tres.set(id, tres[id] + UInt64(license.count)) }
        }
    }
}

/// TRES an allocation holds.
struct Held {
    var tres = TRESCounts()
    var perNode = TRESCounts()

    init(_ allocation: Allocation, records: AccountingRecords) {
        tres.set(.node, UInt64(allocation.nodes.count))
        for node in allocation.nodes {
            let cpus = UInt64(node.cpus.count)
            tres.set(.cpu, tres[.cpu] + cpus)
            perNode.set(.cpu, max(perNode[.cpu], cpus))
            guard node.memoryMiB > 0 else { continue }
            tres.set(.mem, tres[.mem] + node.memoryMiB)
            perNode.set(.mem, max(perNode[.mem], node.memoryMiB))
        }
    }
}

extension UInt64 {
    func multipliedSaturating(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
