import ArgosyDomain

extension SacctmgrPlanner {
    /// `asks`: -i is not given.
    func delete(_ entity: SacctmgrEntity?, _ words: [String], asks: Bool) -> SacctmgrPlan {
        if entity == .coordinator { return deleteCoordinators(words.map(SacctmgrSpec.init)) }
        guard let entity, [.account, .user, .qos, .cluster, .federation, .resource].contains(entity) else {
            return .refused(
                "No valid entity in delete command\nInput line must include \"Account\", \"Cluster\", "
                    + "\"Coordinator\", \"Federation\", \"QOS\", \"Resource\", or \"User\"\n")
        }
        let parsed = SacctmgrWords(words)
        let conditions: SacctmgrConditions
        do throws(UnknownCondition) {
            conditions = try SacctmgrConditions(parsed.conditions + parsed.settings, of: entity)
        } catch { return .refused(" Unknown condition: \(error.whole)\n") }
        if conditions.isEmpty { return .refused(" No conditions given to remove, not executing.\n") }
        switch entity {
        case .account: return deleteAccounts(conditions, asks: asks)
        case .user: return deleteUsers(conditions)
        case .qos: return deleteQOS(conditions)
        case .cluster:
            return .refused(
                " Cluster \(records.cluster) cannot be removed: its records are those of this controller.\n")
        default: return .refused("", text: " Nothing deleted\n")
        }
    }

    private func deleteAccounts(_ conditions: SacctmgrConditions, asks: Bool) -> SacctmgrPlan {
        let accounts = select(accounts: conditions)
        if accounts.contains(where: { $0.name == "root" }) {
            return .refused(" You are not allowed to remove the root account.\n Use remove cluster instead.\n")
        }
        if accounts.isEmpty { return .refused("", text: " Nothing deleted\n") }
        let doomed = accounts.compactMap { records.association(account: $0.name) }.flatMap(records.subtree)
        let defaults = doomed.filter { $0.isUser && $0.isDefault }
        if asks, !defaults.isEmpty {
            let lines = defaults.map {
                "  C = \(pad(records.cluster, 15)) A = \(pad($0.account, 10)) U = \(pad($0.user, 9))\n"
            }
            return .refused(
                " Error with request: You can not remove the default account of a user\n" + lines.joined()
                    + " Please either remove the accounts listed above from list and resubmit,\n"
                    + " or change these users' default accounts to remove the account(s).\n Changes Discarded\n")
        }
        var plan = SacctmgrPlan()
        plan.text = " Deleting accounts...\n" + accounts.map { "  \($0.name)\n" }.joined()
        plan.operations = [.removeAccounts(accounts.map(\.name))]
        return plan
    }

    private func deleteUsers(_ conditions: SacctmgrConditions) -> SacctmgrPlan {
        let users = select(users: conditions)
        if !conditions.wckeys.isEmpty { return deleteWCKeys(users.map(\.name), conditions.wckeys) }
        guard !conditions.accounts.isEmpty || !conditions.partitions.isEmpty || !conditions.clusters.isEmpty else {
            if users.isEmpty { return .refused("", text: " Nothing deleted\n") }
            var plan = SacctmgrPlan()
            plan.text = " Deleting users...\n" + users.map { "  \($0.name)\n" }.joined()
            plan.operations = [.removeUsers(users.map(\.name))]
            return plan
        }
        let doomed = users.flatMap { records.associations(of: $0.name) }.filter { matches($0, conditions) }
        let isHere = conditions.clusters.isEmpty || conditions.clusters.contains(records.cluster)
        if doomed.isEmpty || !isHere { return .refused("", text: " Nothing deleted\n") }
        var plan = SacctmgrPlan()
        plan.text = " Deleting user associations...\n"
        for association in doomed {
            plan.text += "  C = \(pad(records.cluster, 10)) A = \(pad(association.account, 10))"
            plan.text += " U = \(pad(association.user, 9))"
            plan.text += (association.partition.isEmpty ? "" : " P = \(association.partition)") + "\n"
        }
        let ids = Set(doomed.map(\.id))
        let gone = users.map(\.name).filter { name in
            name != "root" && records.associations(of: name).allSatisfy { ids.contains($0.id) }
        }
        if !gone.isEmpty { plan.text += " Deleting users (No Associations)...\n" + gone.map { "  \($0)\n" }.joined() }
        plan.operations = [.removeAssociations(doomed.map(\.id))]
        return plan
    }

    private func deleteWCKeys(_ users: [String], _ names: [String]) -> SacctmgrPlan {
        let doomed = records.wckeys.filter { names.contains($0.name) && users.contains($0.user) }
        if doomed.isEmpty { return .refused("", text: " Nothing deleted\n") }
        var plan = SacctmgrPlan()
        plan.text = " Deleting user WCKeys...\n"
        for key in doomed {
            plan.text += "  C = \(pad(records.cluster, 10)) W = \(pad(key.name, 20)) U = \(pad(key.user, 9))\n"
        }
        plan.operations = [.removeWCKeys(doomed.map(\.id))]
        return plan
    }

    private func deleteQOS(_ conditions: SacctmgrConditions) -> SacctmgrPlan {
        let chosen = select(qos: conditions)
        if chosen.isEmpty { return .refused("", text: " Nothing deleted\n") }
        var plan = SacctmgrPlan()
        plan.text = " Deleting QOS(s)...\n" + chosen.map { "  \($0.name)\n" }.joined()
        plan.operations = [.removeQOS(chosen.map(\.id))]
        return plan
    }

    private func deleteCoordinators(_ specs: [SacctmgrSpec]) -> SacctmgrPlan {
        let (users, accounts, unknown) = coordinators(specs)
        if let unknown { return .refused(" Unknown condition: \(unknown)\n") }
        if users.isEmpty && accounts.isEmpty {
            return .refused(" You need to specify a user list or account list here.\n")
        }
        var head = ""
        if !users.isEmpty { head += " Removing Coordinators with user name\n" + users.map { "  \($0)\n" }.joined() }
        if !accounts.isEmpty { head += " From Account(s)\n" + accounts.map { "  \($0)\n" }.joined() }
        let found = records.users.filter { users.isEmpty || users.contains($0.name) }.flatMap { user in
            user.coordinates.filter { accounts.isEmpty || accounts.contains($0) }.map { (user.name, $0) }
        }
        if found.isEmpty { return .refused("", text: head + " Nothing removed\n") }
        var plan = SacctmgrPlan()
        plan.text = head + " Removed Coordinators (sub accounts not listed)...\n"
        plan.text += found.map { "  U = \(pad($0.0, 9)) A = \(pad($0.1, 10))\n" }.joined()
        plan.operations = [.removeCoordinators(users: users, accounts: accounts)]
        return plan
    }
}
