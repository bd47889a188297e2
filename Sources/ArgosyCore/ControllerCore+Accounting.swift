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
        try settleWCKey(&fields)
        let job = tables.limitedJob(fields, place, partition: partition)
        if let refusal = tables.book.submissionRefusal(job, elements: elements, at: now) { throw refusal }
        return place
    }

    func limitedJob(_ record: JobRecord) -> LimitedJob? { tables.limitedJob(record) }
    func partitionQOS(_ index: UInt16) -> Int { tables.partitionQOS(index) }

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
        case .addWCKey, .removeWCKeys: false
        case .addAccount, .addUser, .addAssociation, .addQOS, .addCoordinators, .modifyAccounts, .modifyUsers,
            .modifyAssociations, .modifyQOS, .removeQOS, .removeCoordinators, .resetUsage:
            false
        }
    }
}
