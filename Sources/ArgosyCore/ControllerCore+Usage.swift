// What running jobs use, charged to associations and QOS. Usage is a function of times: pieces are added when a job stops
// running and each PriorityCalcPeriod, when what changed is written too. How the pieces are cut makes no difference; a
// restart goes on from the time that was written last, and charges what its stored jobs ran since.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    /// How often running jobs are charged and usage is written: not so seldom that a job could be forgotten before.
    var chargePeriod: Duration {
        max(.seconds(1), min(configuration.priority.calcPeriod, configuration.minJobAge))
    }

    mutating func startCharging() {
        guard !usageKeeping.isTimed else { return }
        timeCharging()
    }

    private mutating func timeCharging() {
        usageKeeping.isTimed = true
        deadlines.add(now.adding(chargePeriod), .chargeUsage, 0)
    }

    /// The last piece of a job that runs no more; `record` is nil when it was forgotten.
    mutating func stopCharging(_ id: JobID, _ record: JobRecord?) {
        guard let record, let run = tables.runs[id.rawValue] else { return }
        charge(record, run, until: record.end.isSet ? min(record.end, now) : now)
    }

    /// From when the job was charged last (its start) to `end`.
    private mutating func charge(_ record: JobRecord, _ run: JobRun, until end: Timestamp) {
        let start = max(record.start, usageKeeping.accruedTo)
        guard record.start.isSet, end > start, record.association >= 0 || record.qos >= 0 else { return }
        let tres = Held(run.allocation, records: tables.book.records).tres
        let billing = tables.billing(record.partition)
        var all = tres
        all.set(.billing, billing.count(tres))
        let shared = partitionQOS(record.partition)
        tables.book.usage.add(
            .init(
                association: Int(record.association), qos: Int(record.qos), partitionQOS: shared,
                billing: billing.units(tres),
                tres: all, from: start, to: end))
        if record.association >= 0 {
            usageKeeping.associations.formUnion(tables.book.records.chains[Int(record.association)])
        }
        usageKeeping.qos.formUnion([Int(record.qos), shared].filter { $0 >= 0 })
    }

    /// Charges all running jobs up to now and writes what changed.
    mutating func chargeRunning() {
        usageKeeping.isTimed = false
        var runs = false
        tables.runs.forEach { key, run in
            guard let record = tables.jobs[key], record.state == .running else { return }
            runs = true
            charge(record, run, until: now)
        }
        usageKeeping.accruedTo = max(usageKeeping.accruedTo, now)
        writeUsage()
        if runs { timeCharging() }
    }

    mutating func writeUsage() {
        guard !usageKeeping.associations.isEmpty || !usageKeeping.qos.isEmpty else { return }
        for position in usageKeeping.associations.sorted() {
            turn.changes.append(.accounting(.associationUsage(tables.book.usage.stored(association: position))))
        }
        for position in usageKeeping.qos.sorted() {
            turn.changes.append(.accounting(.qosUsage(tables.book.usage.stored(qos: position))))
        }
        usageKeeping.associations = []
        usageKeeping.qos = []
        tables.accounting.marks.usageTime = usageKeeping.accruedTo
        turn.changes.append(.accounting(.marks(tables.accounting.marks)))
    }

    /// `set RawUsage=0`
    mutating func resetUsage(_ associations: [AssociationID], _ qos: [QOSID]) {
        chargeRunning()
        for id in associations {
            guard let position = tables.book.records.position(of: id) else { continue }
            tables.book.usage.reset(association: position)
        }
        for id in qos {
            if let position = tables.book.records.position(of: id) { tables.book.usage.reset(qos: position) }
        }
        usageKeeping.associations = Set(tables.book.records.associations.indices)
        usageKeeping.qos = Set(tables.book.records.qos.indices)
        writeUsage()
    }

    mutating func renumberDirtyUsage(from old: AccountingRecords, to new: AccountingRecords) {
        usageKeeping.associations = Set(
            usageKeeping.associations.compactMap { new.position(of: old.associations[$0].id) })
        usageKeeping.qos = Set(usageKeeping.qos.compactMap { new.position(of: old.qos[$0].id) })
    }

    // MARK: - After loading

    /// Before jobs are loaded.
    mutating func loadRecords(_ stored: StoredAccounting) {
        tables.accounting = AccountingState(stored, tresNames: configuration.accounting.tres)
        let records = Self.bookRecords(tables.accounting, configuration)
        tables.book = AccountingBook(
            records: records,
            usage: UsageLedger(
                records: records, halfLife: configuration.priority.decayHalfLife, epoch: now,
                associations: stored.associationUsage, qos: stored.qosUsage))
    }

    /// After jobs are loaded.
    mutating func loadUsage(_ stored: StoredAccounting) {
        usageKeeping.accruedTo = stored.marks.usageTime
        placeAndCountAll()
        // What ran since usage was written last and has ended meanwhile.
        for key in tables.jobs.keys {
            guard let record = tables.jobs[key], record.state != .pending, record.state != .running,
                let run = tables.runs[key], record.end.isSet
            else { continue }
            placeEnded(record)
            if let placed = tables.jobs[key] { charge(placed, run, until: record.end) }
        }
    }

    private mutating func placeEnded(_ record: JobRecord) {
        guard record.association < 0, let fields = tables.specs[record.id.rawValue]?.fields else { return }
        let records = tables.book.records
        let name = tables.partitions[Int(record.partition)].name
        let association = records.association(user: fields.identity.user, account: fields.account, partition: name)
        let qos = records.qosPosition(named: fields.qos)
        tables.jobs.update(record.id.rawValue) {
            $0.association = Int32(association ?? -1)
            $0.qos = Int32(qos ?? -1)
        }
    }
}
