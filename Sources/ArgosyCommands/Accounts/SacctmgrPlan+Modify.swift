import ArgosyDomain

extension SacctmgrPlanner {
    func modify(_ entity: SacctmgrEntity?, _ words: [String]) -> SacctmgrPlan {
        let words = SacctmgrWords(words)
        guard let entity, [.account, .user, .qos, .cluster, .federation, .resource, .job].contains(entity) else {
            return .refused(
                "No valid entity in modify command\nInput line must include \"Account\", \"Cluster\", "
                    + "\"Federation\", \"Job\", \"QOS\", \"Resource\" or \"User\"\n")
        }
        if [.federation, .resource, .job].contains(entity) {
            return .refused(" Records of this kind cannot be modified here: jobs are changed by scontrol update.\n")
        }
        let conditions: SacctmgrConditions
        do throws(UnknownCondition) { conditions = try SacctmgrConditions(words.conditions, of: entity) } catch {
            return .refused(" Unknown condition: \(error.whole)\n Use keyword 'set' to modify value\n")
        }
        var plan: SacctmgrPlan
        switch entity {
        case .account: plan = modifyAccounts(conditions, words.settings)
        case .user: plan = modifyUsers(conditions, words.settings)
        case .qos: plan = modifyQOS(conditions, words.settings)
        default: plan = modifyCluster(conditions, words.settings)
        }
        if conditions.isEmpty, !plan.isRefused, entity != .cluster {
            plan.question = " You didn't set any conditions with 'WHERE'.\n Are you sure you want to continue?"
        }
        return plan
    }

    private static let nothing = " You didn't give me anything to set\n"

    private func isElsewhere(_ conditions: SacctmgrConditions) -> Bool {
        !conditions.clusters.isEmpty && !conditions.clusters.contains(records.cluster)
    }

    // MARK: - Accounts

    private func modifyAccounts(_ conditions: SacctmgrConditions, _ settings: [SacctmgrSpec]) -> SacctmgrPlan {
        var (description, organization, parent): (String?, String?, String?)
        var (rest, others, complaint): ([SacctmgrSpec], [SacctmgrSpec], String) = ([], [], "")
        var resets = false
        for spec in settings {
            if spec.means("description", 1), !spec.means("defaultqos", 8), spec.value != nil {
                description = spec.value
            } else if spec.means("organization", 1), spec.value != nil {
                organization = spec.value
            } else if spec.means("parent", 1), !spec.means("priority", 3), spec.value != nil {
                parent = spec.value?.lowercased()
            } else if spec.means("rawusage", 7) {
                if spec.value != "0" { complaint += "sacctmgr: error: Raw usage can only be set to 0 (zero)\n" }
                resets = true
            } else {
                rest.append(spec)
            }
        }
        let change = change(rest, AccountingWords.association, others: &others, complaint: &complaint, hint: true)
        complaint += others.map { " Unknown option: \($0.whole)\n" + Self.notInOptions }.joined()
        if !complaint.isEmpty { return .refused(complaint) }
        let setsAccount = description != nil || organization != nil
        let setsAssociation = !change.isEmpty || parent != nil
        if !setsAccount && !setsAssociation && !resets { return .refused(Self.nothing) }
        if let parent, records.association(account: parent) == nil {
            return .refused(" Parent Account \(parent) doesn't exist.\n")
        }
        let accounts = select(accounts: conditions).filter { $0.name != parent || !setsAssociation }
        if accounts.isEmpty || isElsewhere(conditions) { return .refused("", text: " Nothing modified\n") }
        let own = accounts.compactMap { records.association(account: $0.name) }
        var plan = SacctmgrPlan()
        if setsAccount {
            plan.text += " Modified accounts...\n" + accounts.map { "  \($0.name)\n" }.joined()
            plan.operations.append(
                .modifyAccounts(accounts.map(\.name), description: description, organization: organization))
        }
        if setsAssociation {
            plan.text += " Modified account associations...\n" + affected(own, change)
            plan.operations.append(.modifyAssociations(own.map(\.id), change, parent: parent))
        }
        if resets { plan.operations.append(.resetUsage(associations: own.map(\.id), qos: [])) }
        return plan
    }

    func select(accounts conditions: SacctmgrConditions) -> [Account] {
        let names = conditions.names + conditions.accounts
        return records.accounts.filter { account in
            (names.isEmpty || names.contains(account.name))
                && (conditions.descriptions.isEmpty || conditions.descriptions.contains(account.description))
                && (conditions.organizations.isEmpty || conditions.organizations.contains(account.organization))
                && (conditions.parents.isEmpty
                    || records.association(account: account.name).map {
                        conditions.parents.contains(records.parentName($0))
                    } ?? false)
        }
    }

    /// Those that are changed, then those below that have no value of their own.
    private func affected(_ associations: [Association], _ change: AssociationChange) -> String {
        var (text, seen): (String, Set<AssociationID>) = ("", [])
        for association in associations {
            if seen.insert(association.id).inserted { text += modified(association) }
            guard !association.isUser else { continue }
            for below in records.inTreeOrder(records.subtree(association)) where below.isUser {
                let inherits = change.contains { setting in
                    setting.field.isInherited && (below.value(of: setting.field) == nil || setting.field == .qos)
                }
                if inherits, seen.insert(below.id).inserted { text += modified(below) }
            }
        }
        return text
    }

    private func modified(_ association: Association) -> String {
        var line = "  C = \(pad(records.cluster, 10)) A = "
        guard association.isUser else {
            let parent = records.parentName(association)
            return line + association.account + (parent.isEmpty ? "" : " of \(parent)") + "\n"
        }
        line += "\(pad(association.account, 20)) U = \(pad(association.user, 9))"
        return line + (association.partition.isEmpty ? "" : " P = \(association.partition)") + "\n"
    }

    // MARK: - Users

    private func modifyUsers(_ conditions: SacctmgrConditions, _ settings: [SacctmgrSpec]) -> SacctmgrPlan {
        var user = UserChange()
        var (rest, others, complaint): ([SacctmgrSpec], [SacctmgrSpec], String) = ([], [], "")
        var resets = false
        for spec in settings {
            if spec.means("adminlevel", 2), spec.value != nil {
                user.adminLevel = AdminLevel(text: spec.value ?? "")
                if user.adminLevel == nil {
                    complaint += " Unknown admin level: \(spec.value ?? "") (None, Operator or Administrator)\n"
                }
            } else if spec.means("defaultwckey", 8), spec.value != nil {
                user.defaultWCKey = spec.value?.lowercased()
            } else if spec.means("defaultaccount", 8), spec.value != nil {
                user.defaultAccount = spec.value?.lowercased()
            } else if spec.means("newname", 1), spec.value != nil {
                user.newName = spec.value?.lowercased()
            } else if spec.means("rawusage", 7) {
                if spec.value != "0" { complaint += "sacctmgr: error: Raw usage can only be set to 0 (zero)\n" }
                resets = true
            } else {
                rest.append(spec)
            }
        }
        let change = change(rest, AccountingWords.association, others: &others, complaint: &complaint, hint: true)
        complaint += others.map { " Unknown option: \($0.whole)\n" + Self.notInOptions }.joined()
        if resets, conditions.accounts.isEmpty { complaint += "sacctmgr: error: An account must be specified\n" }
        if !complaint.isEmpty { return .refused(complaint) }
        let setsUser = user != UserChange()
        if !setsUser && change.isEmpty && !resets { return .refused(Self.nothing) }
        return modify(users: select(users: conditions), conditions, user, change, resets: resets)
    }

    private func modify(
        users: [User], _ conditions: SacctmgrConditions, _ user: UserChange, _ change: AssociationChange, resets: Bool
    ) -> SacctmgrPlan {
        let names = Set(users.map(\.name))
        let own = records.inTreeOrder(
            records.associations.filter { names.contains($0.user) && matches($0, conditions) })
        let setsUser = user != UserChange()
        if users.isEmpty || isElsewhere(conditions) || (!setsUser && own.isEmpty) {
            return .refused("", text: " Nothing modified\n")
        }
        if let account = user.defaultAccount {
            let missing = users.filter { user in !records.associations(of: user.name).contains { $0.account == account }
            }
            if !missing.isEmpty {
                return .refused(
                    " Can't modify because these users aren't associated with new default account '\(account)'...\n"
                        + missing.map { "  U = \($0.name) C = \(records.cluster)\n" }.joined())
            }
        }
        var plan = SacctmgrPlan()
        if setsUser {
            plan.text += " Modified users...\n" + users.map { "  \($0.name)\n" }.joined()
            plan.operations.append(.modifyUsers(users.map(\.name), user))
        }
        if !change.isEmpty {
            plan.text += " Modified user associations...\n" + own.map(modified).joined()
            plan.operations.append(.modifyAssociations(own.map(\.id), change, parent: nil))
        }
        if resets { plan.operations.append(.resetUsage(associations: own.map(\.id), qos: [])) }
        return plan
    }

    func select(users conditions: SacctmgrConditions) -> [User] {
        let names = conditions.names + conditions.users
        return records.users.filter { user in
            (names.isEmpty || names.contains(user.name))
                && (conditions.adminLevel == nil || conditions.adminLevel == user.adminLevel)
                && (conditions.defaultAccounts.isEmpty || conditions.defaultAccounts.contains(user.defaultAccount))
                && (conditions.accounts.isEmpty && conditions.partitions.isEmpty
                    || records.associations(of: user.name).contains { matches($0, conditions) })
        }
    }

    func matches(_ association: Association, _ conditions: SacctmgrConditions) -> Bool {
        (conditions.accounts.isEmpty || conditions.accounts.contains(association.account))
            && (conditions.partitions.isEmpty || conditions.partitions.contains(association.partition))
            && (conditions.defaultQOS.isEmpty
                || conditions.defaultQOS.contains(association.defaultQOS.map { records.name($0) } ?? ""))
    }

    // MARK: - QOS and the cluster

    private func modifyQOS(_ conditions: SacctmgrConditions, _ settings: [SacctmgrSpec]) -> SacctmgrPlan {
        var (rest, others, complaint): ([SacctmgrSpec], [SacctmgrSpec], String) = ([], [], "")
        var resets = false
        for spec in settings {
            guard spec.means("rawusage", 7) else {
                rest.append(spec)
                continue
            }
            if spec.value != "0" { complaint += "sacctmgr: error: Raw usage can only be set to 0 (zero)\n" }
            resets = true
        }
        let change = change(rest, AccountingWords.qos, others: &others, complaint: &complaint, hint: true)
        complaint += others.map { " Unknown option: \($0.whole)\n" + Self.notInOptions }.joined()
        if complaint.hasPrefix("sacctmgr: error: Invalid value"), change.isEmpty { complaint += Self.nothing }
        if !complaint.isEmpty { return .refused(complaint) }
        if change.isEmpty && !resets { return .refused(Self.nothing) }
        let chosen = select(qos: conditions)
        if chosen.isEmpty { return .refused("", text: " Nothing modified\n") }
        var plan = SacctmgrPlan()
        if !change.isEmpty {
            plan.text = " Modified qos...\n" + chosen.map { "  \($0.name)\n" }.joined()
            plan.operations.append(.modifyQOS(chosen.map(\.id), change))
        }
        if resets { plan.operations.append(.resetUsage(associations: [], qos: chosen.map(\.id))) }
        return plan
    }

    func select(qos conditions: SacctmgrConditions) -> [QOS] {
        let mode = conditions.flags.first { $0.hasPrefix("preemptmode=") }.map { String($0.dropFirst(12)) }
        return records.qos.filter { qos in
            (conditions.names.isEmpty || conditions.names.contains(qos.name))
                && (conditions.ids.isEmpty || conditions.ids.contains(qos.id.rawValue))
                && (conditions.descriptions.isEmpty || conditions.descriptions.contains(qos.description))
                && (mode == nil || mode == (qos.preemptMode?.name.lowercased() ?? "cluster"))
        }
    }

    private func modifyCluster(_ conditions: SacctmgrConditions, _ settings: [SacctmgrSpec]) -> SacctmgrPlan {
        var (others, complaint): ([SacctmgrSpec], String) = ([], "")
        let change = change(settings, AccountingWords.association, others: &others, complaint: &complaint, hint: true)
        complaint += others.map { " Unknown option: \($0.whole)\n" + Self.notInOptions }.joined()
        if !complaint.isEmpty { return .refused(complaint) }
        if change.isEmpty { return .refused(Self.nothing) }
        let head = " Setting\n  Default Limits:\n" + self.settings(change)
        let names = conditions.names + conditions.clusters
        guard names.isEmpty || names.contains(records.cluster), let root = records.association(.root) else {
            return .refused("", text: head + " Nothing modified\n")
        }
        var plan = SacctmgrPlan()
        plan.text = head + " Modified cluster defaults for associations...\n" + affected([root], change)
        plan.operations = [.modifyAssociations([.root], change, parent: nil)]
        return plan
    }
}
