import ArgosyDomain

extension SacctmgrPlanner {
    func add(_ entity: SacctmgrEntity?, _ words: [String]) -> SacctmgrPlan {
        let specs = words.map(SacctmgrSpec.init)
        switch entity {
        case .account: return addAccounts(specs)
        case .user: return addUsers(specs)
        case .qos: return addQOS(specs)
        case .coordinator: return addCoordinators(specs)
        case .cluster: return addCluster(specs)
        case .federation, .resource:
            return .refused(" Federations and resources are not kept: one controller serves one cluster.\n")
        default:
            return .refused(
                "No valid entity in add command\nInput line must include \"Account\", \"Cluster\", "
                    + "\"Coordinator\", \"Federation\", \"QOS\", \"Resource\", or \"User\"\n")
        }
    }

    // MARK: - Accounts

    private func addAccounts(_ specs: [SacctmgrSpec]) -> SacctmgrPlan {
        var names: [String] = []
        var clusters: [String] = []
        var (description, organization, parent): (String?, String?, String?)
        var rest: [SacctmgrSpec] = []
        for spec in specs {
            if spec.value == nil {
                names += SacctmgrSpec("=" + spec.whole).names
            } else if spec.means("names") || spec.means("accounts") || spec.means("accts") {
                names += spec.names
            } else if spec.means("clusters") {
                clusters += spec.names
            } else if spec.means("description", 1), !spec.means("defaultqos", 8) {
                description = spec.value
            } else if spec.means("organization", 1) {
                organization = spec.value
            } else if spec.means("parent", 1), !spec.means("priority", 3) {
                parent = spec.value?.lowercased()
            } else {
                rest.append(spec)
            }
        }
        var (others, complaint): ([SacctmgrSpec], String) = ([], "")
        let change = change(rest, AccountingWords.association, others: &others, complaint: &complaint, hint: true)
        complaint += others.map { " Unknown option: \($0.whole)\n" + Self.notInOptions }.joined()
        if !complaint.isEmpty { return .refused(complaint) }
        if names.isEmpty { return .refused(" Need name of account to add.\n") }
        let wrong = wrongCluster(clusters)
        if !wrong.isEmpty { return .refused(wrong) }
        if let parent, records.association(account: parent) == nil {
            return .refused(
                " Parent account '\(parent)' doesn't exist on cluster \(records.cluster)\n"
                    + "        Contact your admin to add this account.\n No associations created.\n")
        }
        return addAccounts(
            names, description, organization, parent, change, tellsParent: specs.count > (clusters.isEmpty ? 1 : 2))
    }

    private func addAccounts(
        _ names: [String], _ description: String?, _ organization: String?, _ parent: String?,
        _ change: AssociationChange, tellsParent: Bool
    ) -> SacctmgrPlan {
        let new = names.filter { records.account($0) == nil }
        let unplaced = names.filter { records.association(account: $0) == nil }
        if new.isEmpty && unplaced.isEmpty { return .refused("", text: " Nothing new added.\n") }
        var plan = SacctmgrPlan()
        plan.failure = " Problem adding accounts:"
        if !new.isEmpty {
            plan.text += " Adding Account(s)\n" + new.map { "  \($0)\n" }.joined() + " Settings\n"
            plan.text += "  Description     = \(description ?? "Account Name")\n"
            plan.text += "  Organization    = \(organization ?? "Parent/Account Name")\n"
        }
        if !unplaced.isEmpty {
            plan.text += " Associations\n"
            for name in unplaced { plan.text += "  A = \(Self.cut(name, 10)) C = \(Self.cut(records.cluster, 10))\n" }
            if tellsParent { plan.text += " Settings\n" + settings(change, parent: parent ?? "root") }
        }
        for name in names where new.contains(name) || unplaced.contains(name) {
            let over = parent.flatMap { $0 == "root" ? nil : $0 }
            let account = Account(name: name, description: description, organization: organization ?? over)
            plan.operations.append(.addAccount(account, parent: parent ?? "root", change))
        }
        return plan
    }

    // MARK: - Users

    private struct NewUsers {
        var names: [String] = []
        var accounts: [String] = []
        var partitions: [String] = []
        var clusters: [String] = []
        var defaultAccount = ""
        var wckeys: [String] = []
        var defaultWCKey = ""
        var adminLevel: AdminLevel?
        var change: AssociationChange = []
    }

    private func addUsers(_ specs: [SacctmgrSpec]) -> SacctmgrPlan {
        var new = NewUsers()
        var (rest, others, complaint): ([SacctmgrSpec], [SacctmgrSpec], String) = ([], [], "")
        for spec in specs { take(spec, &new, &rest, &complaint) }
        new.change = change(rest, AccountingWords.association, others: &others, complaint: &complaint, hint: false)
        complaint += others.map { " Unknown option: \($0.whole)\n" }.joined()
        if !complaint.isEmpty { return .refused(complaint) }
        if new.names.isEmpty { return .refused(" Need name of user to add.\n") }
        if new.accounts.isEmpty, !new.defaultAccount.isEmpty { new.accounts = [new.defaultAccount] }
        if new.accounts.isEmpty { return .refused(" Need name of account to add user to.\n") }
        let wrong = wrongCluster(new.clusters)
        return wrong.isEmpty ? addUsers(new) : .refused(wrong)
    }

    private func take(
        _ spec: SacctmgrSpec, _ new: inout NewUsers, _ rest: inout [SacctmgrSpec], _ complaint: inout String
    ) {
        if spec.value == nil {
            new.names += SacctmgrSpec("=" + spec.whole).names
        } else if spec.means("names") || spec.means("users") {
            new.names += spec.names
        } else if spec.means("accounts", 2) || spec.means("accts", 2) {
            new.accounts += spec.names
        } else if spec.means("adminlevel", 2) {
            new.adminLevel = AdminLevel(text: spec.value ?? "")
            if new.adminLevel == nil {
                complaint += " Unknown admin level: \(spec.value ?? "") (None, Operator or Administrator)\n"
            }
        } else if spec.means("clusters", 1) {
            new.clusters += spec.names
        } else if spec.means("defaultaccount", 8) {
            new.defaultAccount = spec.value?.lowercased() ?? ""
        } else if spec.means("partitions", 3) {
            new.partitions += (spec.value ?? "").split(separator: ",").map(String.init)
        } else if spec.means("defaultwckey", 8) || spec.means("wckeys", 1) {
            if spec.means("wckeys", 1) { new.wckeys += spec.names } else { new.defaultWCKey = spec.names.first ?? "" }
        } else {
            rest.append(spec)
        }
    }

    private func addUsers(_ new: NewUsers) -> SacctmgrPlan {
        var plan = SacctmgrPlan()
        plan.failure = " Problem adding users:"
        var (users, lines, keyLines): (String, String, String) = ("", "", "")
        for name in new.names {
            let isNew = records.user(name) == nil
            var placed: [AccountingOperation] = []
            for account in new.accounts {
                guard records.association(account: account) != nil else {
                    plan.complaint +=
                        " This account '\(account)' doesn't exist.\n"
                        + "        Contact your admin to add this account.\n"
                    continue
                }
                for partition in new.partitions.isEmpty ? [""] : new.partitions {
                    guard !isPlaced(name, account, partition) else { continue }
                    placed.append(.addAssociation(user: name, account: account, partition: partition, new.change))
                    lines +=
                        "  U = \(Self.cut(name, 9)) A = \(Self.cut(account, 10)) C = \(Self.cut(records.cluster, 10))"
                    lines += (partition.isEmpty ? "" : " P = \(Self.cut(partition, 10))") + "\n"
                }
            }
            let keys = keysToAdd(name, new)
            guard !placed.isEmpty || !keys.isEmpty else { continue }
            if isNew {
                // Of several, Slurm takes the first by name.
                let known = new.accounts.filter { records.association(account: $0) != nil }
                let chosen = new.defaultAccount.isEmpty ? known.min() ?? "" : new.defaultAccount
                users += "  \(name)\n"
                plan.operations.append(
                    .addUser(User(name: name, defaultAccount: chosen, adminLevel: new.adminLevel ?? .none)))
            }
            plan.operations += placed
            for key in keys {
                plan.operations.append(.addWCKey(name: key, user: name))
                keyLines +=
                    "  U = \(Self.cut(name, 9)) W = \(Self.cut(key, 10)) C = \(Self.cut(records.cluster, 10))\n"
            }
            if !new.defaultWCKey.isEmpty, !keys.isEmpty {
                var change = UserChange()
                change.defaultWCKey = new.defaultWCKey
                plan.operations.append(.modifyUsers([name], change))
            }
        }
        return finished(plan, new, users: users, lines: lines, keys: keyLines)
    }

    private func isPlaced(_ user: String, _ account: String, _ partition: String) -> Bool {
        records.associations.contains { $0.user == user && $0.account == account && $0.partition == partition }
    }

    /// Those named that the user does not have yet.
    private func keysToAdd(_ user: String, _ new: NewUsers) -> [String] {
        var wanted = new.wckeys
        if !new.defaultWCKey.isEmpty, !wanted.contains(new.defaultWCKey) { wanted.append(new.defaultWCKey) }
        return wanted.filter { key in !records.wckeys.contains { $0.name == key && $0.user == user } }
    }

    private func finished(
        _ plan: SacctmgrPlan, _ new: NewUsers, users: String, lines: String, keys: String
    ) -> SacctmgrPlan {
        var plan = plan
        if plan.operations.isEmpty {
            let unknown = new.names.contains { records.user($0) == nil }
            let text =
                unknown && new.names.count == 1 ? " No associations or wckeys created.\n" : " Nothing new added.\n"
            return .refused(plan.complaint, text: text)
        }
        if !users.isEmpty { plan.text += " Adding User(s)\n" + users }
        if !users.isEmpty, !new.defaultAccount.isEmpty || new.adminLevel != nil {
            plan.text += " Settings =\n"
            if !new.defaultAccount.isEmpty { plan.text += "  Default Account = \(new.defaultAccount)\n" }
            if let level = new.adminLevel { plan.text += "  Admin Level     = \(level.name)\n" }
        }
        if !lines.isEmpty { plan.text += " Associations =\n" + lines }
        if !keys.isEmpty { plan.text += " WCKeys =\n" + keys }
        plan.text += " Non Default Settings\n" + settings(new.change)
        return plan
    }

    // MARK: - QOS, coordinators, clusters

    private func addQOS(_ specs: [SacctmgrSpec]) -> SacctmgrPlan {
        var names: [String] = []
        var rest: [SacctmgrSpec] = []
        for spec in specs {
            if spec.value == nil {
                names += SacctmgrSpec("=" + spec.whole).names
            } else if spec.means("names") {
                names += spec.names
            } else {
                rest.append(spec)
            }
        }
        var (others, complaint): ([SacctmgrSpec], String) = ([], "")
        let change = change(rest, AccountingWords.qos, others: &others, complaint: &complaint, hint: true)
        complaint += others.map { " Unknown option: \($0.whole)\n" + Self.notInOptions }.joined()
        if !complaint.isEmpty { return .refused(complaint) }
        if names.isEmpty { return .refused(" Need name of qos to add.\n") }
        let new = names.filter { records.qos($0) == nil }
        guard let last = new.last else { return .refused("", text: " Nothing new added.\n") }
        var plan = SacctmgrPlan()
        plan.failure = " Problem adding QOS:"
        let given = change.last { $0.field == .description }.map { writer.text($0.value, .text) }
        plan.text = " Adding QOS(s)\n" + new.map { "  \($0)\n" }.joined()
        plan.text += " Settings\n  Description    = \(given ?? last)\n" + settings(change)
        plan.operations = new.map { .addQOS(name: $0, change) }
        return plan
    }

    private func addCoordinators(_ specs: [SacctmgrSpec]) -> SacctmgrPlan {
        let (users, accounts, unknown) = coordinators(specs)
        if let unknown { return .refused(" Unknown option: \(unknown)\n") }
        if users.isEmpty { return .refused(" You need to specify a user list here.\n") }
        if accounts.isEmpty { return .refused(" You need to specify a account list here.\n") }
        if let missing = accounts.first(where: { records.account($0) == nil }) {
            return .refused(" You specified a non-existent account '\(missing)'.\n")
        }
        if let missing = users.first(where: { records.user($0) == nil }) {
            return .refused(" You specified a non-existant user '\(missing)'.\n")
        }
        var plan = SacctmgrPlan()
        plan.failure = " Problem adding coordinator:"
        plan.text = " Adding Coordinator User(s)\n" + users.map { "  \($0)\n" }.joined()
        plan.text += " To Account(s) and all sub-accounts\n" + accounts.map { "  \($0)\n" }.joined()
        plan.operations = [.addCoordinators(users: users, accounts: accounts)]
        return plan
    }

    func coordinators(_ specs: [SacctmgrSpec]) -> (users: [String], accounts: [String], unknown: String?) {
        var (users, accounts): ([String], [String]) = ([], [])
        for spec in specs where !["where", "and", "set"].contains(spec.whole.lowercased()) {
            if spec.value == nil {
                users += SacctmgrSpec("=" + spec.whole).names
            } else if spec.means("accounts", 1) || spec.means("accts", 1) {
                accounts += spec.names
            } else if spec.means("names", 1) || spec.means("users", 1) {
                users += spec.names
            } else {
                return (users, accounts, spec.whole)
            }
        }
        return (users, accounts, nil)
    }

    private func addCluster(_ specs: [SacctmgrSpec]) -> SacctmgrPlan {
        let names = specs.flatMap {
            $0.value == nil ? SacctmgrSpec("=" + $0.whole).names : $0.means("names") ? $0.names : []
        }
        guard let name = names.first else { return .refused(" Need name of cluster to add.\n") }
        if names.contains(records.cluster) {
            return .refused("", text: " This cluster \(records.cluster) already exists.  Not adding.\n")
        }
        return .refused(
            " Cluster \(name) cannot be added: this controller keeps the records of \(records.cluster) only,\n"
                + " each cluster's controller keeps its own.\n")
    }
}
