// `sacctmgr show`: which records, which columns.

import ArgosyDomain
import ArgosyWire

struct SacctmgrShow {
    var planner: SacctmgrPlanner
    var options: SacctmgrOptions
    private var records: RecordSet { planner.records }

    init(_ records: RecordSet, _ options: SacctmgrOptions) {
        planner = SacctmgrPlanner(records)
        self.options = options
    }

    static let associationFormat =
        "Cluster,Account,User,Part,Share,Priority,GrpJobs,GrpTRES,GrpSubmit,GrpWall,GrpTRESMins,MaxJobs,MaxTRES,"
        + "MaxTRESPerNode,MaxSubmit,MaxWall,MaxTRESMins,QOS,DefaultQOS,GrpTRESRunMins"
    static let accountAssociationFormat =
        ",Cluster,ParentName,User,Share,Priority,GrpJobs,GrpNodes,GrpCPUs,GrpMem,GrpSubmit,GrpWall,GrpCPUMins,MaxJobs,"
        + "MaxNodes,MaxCPUs,MaxSubmit,MaxWall,MaxCPUMins,QOS,DefaultQOS"
    static let userAssociationFormat =
        ",Cluster,Account,Partition,Share,Priority,MaxJobs,MaxNodes,MaxCPUs,MaxSubmit,MaxWall,MaxCPUMins,QOS,DefaultQOS"
    static let clusterFormat =
        "Cluster,ControlHost,ControlPort,RPC,Share,GrpJobs,GrpTRES,GrpSubmit,MaxJobs,MaxTRES,MaxSubmit,MaxWall,QOS,"
        + "DefaultQOS"
    static let qosFormat =
        "Name,Priority,GraceTime,Preempt,PreemptExemptTime,PreemptMode,Flags%40,UsageThres,UsageFactor,GrpTRES,"
        + "GrpTRESMins,GrpTRESRunMins,GrpJobs,GrpSubmit,GrpWall,MaxTRES,MaxTRESPerNode,MaxTRESMins,MaxWall,MaxTRESPU,"
        + "MaxJobsPU,MaxSubmitPU,MaxTRESPA,MaxJobsPA,MaxSubmitPA,MinTRES"

    /// What is to be printed; the transactions come with it where they are asked for.
    func text(
        _ entity: SacctmgrEntity, _ words: [String], transactions: [AccountingTransaction] = [],
        rows given: [SacctmgrRow] = []
    ) throws(SacctmgrFailure) -> String {
        var conditions = try conditions(entity, words)
        if options.associations { conditions.flags.insert("withassoc") }
        let isElsewhere = !conditions.clusters.isEmpty && !conditions.clusters.contains(records.cluster)
        var (format, found) = rows(entity, conditions, transactions)
        found += given
        var table: SacctmgrTable
        do throws(SacctmgrTable.UnknownField) {
            table = try SacctmgrTable(conditions.format ?? options.format ?? format, entity: entity)
        } catch { throw SacctmgrFailure("Unknown field '\(error.word)'\n") }
        table.style = options.style
        table.header = options.header
        table.isTree = conditions.flags.contains("tree")
        return table.render(isElsewhere ? [] : found, planner.writer)
    }

    func conditions(_ entity: SacctmgrEntity, _ words: [String]) throws(SacctmgrFailure) -> SacctmgrConditions {
        let parsed = SacctmgrWords(words)
        do throws(UnknownCondition) {
            return try SacctmgrConditions(parsed.conditions + parsed.settings, of: entity)
        } catch {
            var text = " Unknown condition: \(error.whole)\n"
            switch entity {
            case .account, .user, .tres, .cluster: text += " Use keyword 'set' to modify value\n"
            // As Slurm has it.
            case .qos: text += " Use keyword 'set' to modify SLURM_PRINT_VALUE\n"
            default: break
            }
            throw SacctmgrFailure(text)
        }
    }

    private func rows(
        _ entity: SacctmgrEntity, _ conditions: SacctmgrConditions, _ transactions: [AccountingTransaction]
    ) -> (format: String, rows: [SacctmgrRow]) {
        let withAssociations = conditions.flags.contains("withassoc")
        let coordinators = conditions.flags.contains("withcoordinators") ? ",Coord" : ""
        switch entity {
        case .account:
            return (
                "Acc,Des,Org" + (withAssociations ? Self.accountAssociationFormat : "") + coordinators,
                accounts(conditions, withAssociations)
            )
        case .user:
            return (
                "User,DefaultAccount,Admin" + (withAssociations ? Self.userAssociationFormat : "") + coordinators,
                users(conditions, withAssociations)
            )
        case .association:
            let short = conditions.flags.contains("wolimits")
            return (short ? "Cluster,Account,User,Part" : Self.associationFormat, associations(conditions))
        case .cluster: return (Self.clusterFormat, clusters(conditions))
        case .qos: return (Self.qosFormat, planner.select(qos: conditions).map { SacctmgrRow(qos: $0) })
        case .tres: return ("Type,Name%15,ID", tres(conditions))
        case .transaction: return ("Time,Action,Actor,Where,Info", self.transactions(conditions, transactions))
        case .problem: return ("Cluster,Account,User,Problem", problems())
        case .wckey: return ("WCKey,Cluster,User", wckeys(conditions))
        case .event: return ("Cluster,NodeName,TimeStart,TimeEnd,State,Reason,User", [])
        case .reservation: return ("Cluster,Name%15,TRES%30,TimeStart,TimeEnd,UnusedWall", [])
        case .coordinator, .configuration, .federation, .resource, .runawayJobs, .stats, .job:
            return ("Name", [])
        }
    }

    private func accounts(_ conditions: SacctmgrConditions, _ withAssociations: Bool) -> [SacctmgrRow] {
        let chosen = planner.select(accounts: conditions)
        guard withAssociations else { return chosen.map { SacctmgrRow(account: $0) } }
        return chosen.flatMap { account in
            records.inTreeOrder(records.associations.filter { $0.account == account.name }).map {
                SacctmgrRow(account: account, association: shown($0, conditions))
            }
        }
    }

    private func users(_ conditions: SacctmgrConditions, _ withAssociations: Bool) -> [SacctmgrRow] {
        let chosen = planner.select(users: conditions)
        guard withAssociations else { return chosen.map { SacctmgrRow(user: $0) } }
        return chosen.flatMap { user in
            records.associations(of: user.name).filter { planner.matches($0, conditions) }.map {
                SacctmgrRow(user: user, association: shown($0, conditions))
            }
        }
    }

    private func shown(_ association: Association, _ conditions: SacctmgrConditions) -> Association {
        let plain = conditions.flags.contains("wopinfo") || conditions.flags.contains("woplimits")
        return plain ? association : records.inheriting(association)
    }

    private func associations(_ conditions: SacctmgrConditions) -> [SacctmgrRow] {
        let users = conditions.users + conditions.names
        var chosen = records.associations.filter { association in
            planner.matches(association, conditions)
                && (users.isEmpty || users.contains(association.user))
                && (conditions.ids.isEmpty || conditions.ids.contains(association.id.rawValue))
                && (conditions.parents.isEmpty || conditions.parents.contains(records.parentName(association)))
                && (!conditions.flags.contains("onlydefaults") || association.isDefault)
        }
        if conditions.flags.contains("withsubaccounts") {
            let below = Set(chosen.flatMap { records.subtree($0) }.map(\.id))
            chosen = records.associations.filter { below.contains($0.id) }
        }
        if !conditions.qos.isEmpty {
            chosen = chosen.filter { association in
                let allowed = records.inheriting(association).qos ?? []
                return allowed.contains { conditions.qos.contains(records.name($0)) }
            }
        }
        let numbers = treeNumbers()
        return records.hierarchy(chosen).map { entry in
            var row = SacctmgrRow(association: shown(entry.association, conditions), depth: entry.depth)
            if let (left, right) = numbers[entry.association.id] {
                row.texts = ["lft": "\(left)", "rgt": "\(right)"]
            }
            return row
        }
    }

    /// Slurm's nested sets: first and last step of a walk around the tree.
    private func treeNumbers() -> [AssociationID: (Int, Int)] {
        var numbers: [AssociationID: (Int, Int)] = [:]
        var (step, open): (Int, [AssociationID]) = (0, [])
        func close(until parent: AssociationID?) {
            while let last = open.last, last != parent {
                step += 1
                numbers[last]?.1 = step
                open.removeLast()
            }
        }
        for association in records.inTreeOrder(records.associations) {
            close(until: association.parent)
            step += 1
            numbers[association.id] = (step, 0)
            open.append(association.id)
        }
        close(until: nil)
        return numbers
    }

    private func clusters(_ conditions: SacctmgrConditions) -> [SacctmgrRow] {
        guard conditions.names.isEmpty || conditions.names.contains(records.cluster),
            let root = records.association(.root)
        else { return [] }
        let nodes = (try? Hostlist.expand(records.clusterNodes))?.count ?? 0
        return [SacctmgrRow(association: root, texts: ["nodecount": "\(nodes)"])]
    }

    private func wckeys(_ conditions: SacctmgrConditions) -> [SacctmgrRow] {
        records.wckeys.filter { key in
            (conditions.names.isEmpty || conditions.names.contains(key.name))
                && (conditions.users.isEmpty || conditions.users.contains(key.user))
                && (conditions.ids.isEmpty || conditions.ids.contains(key.id))
        }.map { key in
            var row = SacctmgrRow()
            // One that a user gets without naming it is marked.
            row.texts = ["wckey": key.name, "cluster": records.cluster, "user": key.user, "id": "\(key.id)"]
            return row
        }
    }

    private func tres(_ conditions: SacctmgrConditions) -> [SacctmgrRow] {
        records.tres.all.filter { tres in
            (conditions.types.isEmpty || conditions.types.contains(tres.type))
                && (conditions.names.isEmpty || conditions.names.contains(tres.name.lowercased()))
                && (conditions.ids.isEmpty || conditions.ids.contains(tres.id.rawValue))
        }.map { SacctmgrRow(tres: $0) }
    }

    private func transactions(
        _ conditions: SacctmgrConditions, _ list: [AccountingTransaction]
    ) -> [SacctmgrRow] {
        list.filter { transaction in
            (conditions.actors.isEmpty || conditions.actors.contains(transaction.actor))
                && (conditions.actions.isEmpty || conditions.actions.contains(transaction.action.lowercased()))
                && (conditions.ids.isEmpty || conditions.ids.contains { UInt64($0) == transaction.id })
                && (conditions.accounts.isEmpty || conditions.accounts.contains { transaction.mentions($0) })
                && (conditions.users.isEmpty || conditions.users.contains { transaction.mentions($0) })
        }.map { SacctmgrRow(transaction: $0) }
    }

    /// Accounts without users, users without accounts or without a uid.
    private func problems() -> [SacctmgrRow] {
        var rows: [SacctmgrRow] = []
        for account in records.accounts where account.name != "root" {
            guard let own = records.association(account: account.name) else { continue }
            if records.subtree(own).contains(where: \.isUser) { continue }
            var row = SacctmgrRow(account: account)
            row.texts["problem"] = "Account has no users"
            rows.append(row)
        }
        for user in records.users {
            var row = SacctmgrRow(user: user)
            if records.associations(of: user.name).isEmpty {
                row.texts["problem"] = "User does not have an association"
                rows.append(row)
            }
            if user.uid == nil {
                row.texts["problem"] = "User does not have a uid"
                rows.append(row)
            }
        }
        return rows
    }
}

/// What ends a command: text for standard error, as it is.
struct SacctmgrFailure: Error {
    var text: String
    init(_ text: String) { self.text = text }
}

extension AccountingTransaction {
    fileprivate func mentions(_ name: String) -> Bool {
        target == name || target.contains("'\(name)'") || info.contains("'\(name)'")
    }
}
