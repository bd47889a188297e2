import ArgosyDomain

extension AccountingBook {
    /// A blocker in words, with its numbers: "account physics: GrpTRES cpu is 16; 12 are in use and the job asks for 8".
    public func sentence(for blocker: LimitBlocker) -> String {
        let what = [blocker.limitName, blocker.tres.map { records.tres.text($0) } ?? ""].filter { !$0.isEmpty }
        return "\(owner(blocker.scope)): \(what.joined(separator: " ")) is \(text(blocker.limit, blocker));"
            + " \(numbers(blocker))"
    }

    private func owner(_ scope: LimitBlocker.Scope) -> String {
        switch scope {
        case .association(let position): owner(records.associations[position])
        case .qos(let position): "QOS \(records.qos[position].name)"
        case .userOfQOS(let position): "QOS \(records.qos[position].name), this user's jobs"
        case .accountOfQOS(let position): "QOS \(records.qos[position].name), this account's jobs"
        }
    }

    private func owner(_ association: Association) -> String {
        guard association.isUser else { return "account \(association.account)" }
        let place = association.partition.isEmpty ? "" : " in partition \(association.partition)"
        return "user \(association.user) of account \(association.account)\(place)"
    }

    private func numbers(_ blocker: LimitBlocker) -> String {
        let used = text(blocker.used, blocker)
        let asked = text(blocker.asked, blocker)
        switch LimitName(rawValue: blocker.limitName) {
        case .grpJobs, .maxJobs, .maxJobsPerUser, .maxJobsPerAccount: return "\(used) run"
        case .grpSubmitJobs, .maxSubmitJobs, .maxSubmitJobsPerUser, .maxSubmitJobsPerAccount:
            return "\(used) are submitted and \(asked) more would be"
        case .grpJobsAccrue, .maxJobsAccrue, .maxJobsAccruePerUser, .maxJobsAccruePerAccount:
            return "\(used) accrue age"
        case .grpTRES, .maxTRESPerUser, .maxTRESPerAccount: return "\(used) in use and the job asks for \(asked)"
        case .grpTRESMins: return "\(used) unit-minutes are used and the job may use \(asked)"
        case .grpTRESRunMins, .maxTRESRunMinsPerUser, .maxTRESRunMinsPerAccount:
            return "running jobs may use \(used) unit-minutes and the job \(asked)"
        case .grpWall: return "\(used) minutes of wall time are used"
        case .maxWall: return "the job's time limit is \(asked) minutes"
        case .maxTRESMinsPerJob: return "the job may use \(asked) unit-minutes"
        case .minTRESPerJob, .maxTRESPerJob, nil: return "the job asks for \(asked)"
        case .maxTRESPerNode: return "the job asks for \(asked) on a node"
        }
    }

    /// Memory is written with its unit where it is an amount, not a product with time.
    private func text(_ number: UInt64, _ blocker: LimitBlocker) -> String {
        guard let tres = blocker.tres.flatMap({ records.tres[$0] }), tres.isMemory,
            !blocker.limitName.contains("Mins")
        else { return String(number) }
        return TRESCounts.memoryText(number)
    }
}
