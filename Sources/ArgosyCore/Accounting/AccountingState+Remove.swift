import ArgosyDomain

extension AccountingState {
    mutating func removeAccounts(_ names: [String], jobs: [AccountedJob]) throws(Refusal) {
        var doomed: [Association] = []
        for name in names {
            guard account(named: name) != nil else { throw Self.unknownAccount(name) }
            guard name != "root" else { throw Refusal(.accessDenied, "The root account cannot be removed") }
            if let own = association(account: name) { doomed += subtree(of: own.id) }
        }
        try remove(doomed, jobs: jobs)
        // Accounts below go with the one they stood under.
        let gone = Set(doomed.map(\.account)).union(names)
        for name in gone.sorted() where association(account: name) == nil {
            accounts.removeAll { $0.name == name }
            changed(.accountRemoved(name))
            forgetCoordinators(of: name)
        }
    }

    private mutating func forgetCoordinators(of account: String) {
        for var user in users where user.coordinates.contains(account) {
            user.coordinates.removeAll { $0 == account }
            put(user)
        }
    }

    mutating func removeUsers(_ names: [String], jobs: [AccountedJob]) throws(Refusal) {
        for name in names {
            guard user(named: name) != nil else {
                throw Refusal(.invalidUser, "Invalid user: \(name)", detail: "accounting does not know this user")
            }
            guard name != "root" else { throw Refusal(.accessDenied, "The user root cannot be removed") }
            try remove(associations(ofUser: name), jobs: jobs)
            removeWCKeys(of: name)
            users.removeAll { $0.name == name }
            changed(.userRemoved(name))
        }
    }

    mutating func removeAssociations(_ ids: [AssociationID], jobs: [AccountedJob]) throws(Refusal) {
        let doomed = ids.compactMap { association($0) }
        guard !doomed.contains(where: { $0.id == .root }) else {
            throw Refusal(.accessDenied, "The root account cannot be removed")
        }
        try remove(doomed.flatMap { $0.isUser ? [$0] : subtree(of: $0.id) }, jobs: jobs)
        // As Slurm: a user taken out of its last account is forgotten.
        for name in Set(doomed.map(\.user)).subtracting(["", "root"]).sorted() where associations(ofUser: name).isEmpty
        {
            guard user(named: name) != nil else { continue }
            removeWCKeys(of: name)
            users.removeAll { $0.name == name }
            changed(.userRemoved(name))
        }
    }

    private mutating func remove(_ doomed: [Association], jobs: [AccountedJob]) throws(Refusal) {
        let ids = Set(doomed.map(\.id))
        let active = jobs.filter { ids.contains($0.association) }.sorted { $0.job < $1.job }
        if !active.isEmpty { throw jobsActive(active) }
        for association in doomed where self.association(association.id) != nil {
            associations.removeAll { $0.id == association.id }
            changed(.associationRemoved(association.id))
        }
        for name in Set(doomed.map(\.user)).subtracting([""]).sorted() { settleDefault(of: name) }
    }

    /// A user whose default account went has none until one is chosen, as in Slurm.
    private mutating func settleDefault(of name: String) {
        guard var user = user(named: name), !user.defaultAccount.isEmpty,
            !associations(ofUser: name).contains(where: { $0.account == user.defaultAccount })
        else { return }
        user.defaultAccount = ""
        put(user)
    }

    private func jobsActive(_ jobs: [AccountedJob]) -> Refusal {
        let lines = jobs.prefix(100).compactMap { job -> String? in
            association(job.association).map { "JobID = \(Self.padded("\(job.job)", 10)) \(Self.placed($0))" }
        }
        return Refusal(
            .busy, "Job(s) active, cancel job(s) before remove", detail: lines.joined(separator: "\n"))
    }

    mutating func removeQOS(_ ids: [QOSID]) throws(Refusal) {
        if ids.contains(.normal) {
            throw Refusal(
                .accessDenied, "QOS normal cannot be removed",
                detail: "every cluster has it; limit it, or give associations another list")
        }
        let users = associations.filter { $0.defaultQOS.map { ids.contains($0) } ?? false }
        if !users.isEmpty {
            let lines = users.map {
                "DefQOS = \(Self.padded($0.defaultQOS.flatMap { qos($0)?.name } ?? "", 10)) \(Self.placed($0))"
            }
            throw Refusal(
                .malformed, "Associations listed below have these as their Default QOS.",
                detail: lines.joined(separator: "\n"))
        }
        for var association in associations where association.qos.map({ !Set($0).isDisjoint(with: ids) }) ?? false {
            association.qos = association.qos?.filter { !ids.contains($0) }
            put(association)
        }
        for var record in qos where !Set(record.preempt).isDisjoint(with: ids) {
            record.preempt.removeAll { ids.contains($0) }
            put(record)
        }
        for id in ids where qos(id) != nil {
            qos.removeAll { $0.id == id }
            changed(.qosRemoved(id))
        }
    }

    mutating func removeCoordinators(_ names: [String], _ accounts: [String]) throws(Refusal) {
        for var user in users where names.isEmpty || names.contains(user.name) {
            let left = user.coordinates.filter { !accounts.isEmpty && !accounts.contains($0) }
            guard left != user.coordinates else { continue }
            user.coordinates = left
            put(user)
        }
    }
}
