// What is refused at the door: no association, a QOS one may not use, too many jobs, and with DenyOnLimit jobs that could
// never start. The messages are Slurm's.

public import ArgosyDomain

/// Where a job is charged, found before it is accepted.
public struct AccountingPlace: Hashable, Sendable {
    /// Positions in the records; -1: none.
    public var association: Int
    public var qos: Int
    /// Names as they then stand in the job's record; empty: none.
    public var account: String
    public var qosName: String
}

extension AccountingRecords {
    static let invalidAccount = "Invalid account or account/partition combination specified"
    static let invalidQOS = "Invalid qos specification"
    static let violatesPolicy =
        "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"

    /// The association and QOS of a job of `user`, or why it may not be: what AccountingStorageEnforce=associations and
    /// qos ask for. Without them a job whose account or QOS is not known runs uncharged.
    public func place(
        user: String, account: String, partition: String, qos: String
    ) -> Result<AccountingPlace, Refusal> {
        let association = association(user: user, account: account, partition: partition)
        if association == nil, enforce.contains(.associations) {
            return .failure(Refusal(.invalidAccount, Self.invalidAccount, detail: absence(user, account, partition)))
        }
        let position = effectiveQOS(named: qos, association: association)
        if enforce.contains(.qos), let refusal = refusal(qos: qos, position, association) { return .failure(refusal) }
        return .success(
            AccountingPlace(
                association: association ?? -1, qos: position ?? -1,
                account: association.map { associations[$0].account } ?? account,
                qosName: position.map { self.qos[$0].name } ?? qos))
    }

    private func absence(_ user: String, _ account: String, _ partition: String) -> String {
        let mine = associations.filter { $0.user == user }.map(\.account)
        if mine.isEmpty {
            return "user \(user) has no account here; ask an administrator for: sacctmgr add user \(user) account=NAME"
        }
        let names = Set(mine).sorted().joined(separator: ", ")
        if account.isEmpty { return "user \(user) has no default account; give --account, one of: \(names)" }
        return "user \(user) may not use account \(account) in partition \(partition); its accounts are: \(names)"
    }

    private func refusal(qos name: String, _ position: Int?, _ association: Int?) -> Refusal? {
        guard let position else {
            let detail =
                name.isEmpty
                ? "no QOS is given and there is no default one; give --qos"
                : "there is no QOS \(name); see sacctmgr show qos"
            return Refusal(.invalidQOS, Self.invalidQOS, detail: detail)
        }
        guard let association, !allowedQOS[association].contains(position) else { return nil }
        let names = allowedQOS[association].map { qos[$0].name }.joined(separator: ", ")
        let detail = "account \(associations[association].account) may not use QOS \(qos[position].name); it may use: "
        return Refusal(.invalidQOS, Self.invalidQOS, detail: detail + (names.isEmpty ? "none" : names))
    }
}

extension AccountingBook {
    /// Why `elements` more jobs like `job` are not accepted; nil: they are. MaxSubmitJobs and its kin always refuse; with
    /// DenyOnLimit on one of its QOS, so does any limit that the job breaks even when nothing else runs.
    public func submissionRefusal(_ job: LimitedJob, elements: Int = 1, at now: Timestamp) -> Refusal? {
        guard let blocker = submissionBlocker(job, elements: elements, at: now) else { return nil }
        return Refusal(
            .accountingPolicy, AccountingRecords.violatesPolicy,
            detail: "\(blocker.reason.word): \(sentence(for: blocker))")
    }

    /// The limit behind `submissionRefusal`.
    public func submissionBlocker(_ job: LimitedJob, elements: Int = 1, at now: Timestamp) -> LimitBlocker? {
        guard records.enforce.contains(.limits) else { return nil }
        var search = LimitSearch(job: job, now: now, count: elements)
        search.stopsAtFirst = true
        search.run(self, records.submissionLimits)
        if let first = search.found.first { return first }
        let order = qosOrder(job)
        let denies = [order.first, order.second].contains { $0 >= 0 && records.qos[$0].flags.contains(.denyOnLimit) }
        guard denies else { return nil }
        var alone = LimitSearch(job: job, now: now, count: 1)
        alone.alone = true
        alone.run(self, records.startLimits)
        // Slurm names resources before times here.
        return alone.found.first { $0.tres != nil } ?? alone.found.first
    }
}
