// One request's operations, all or none, with a line in the log for each.
public import ArgosyDomain

/// Who changes records, as the core sees it.
public struct AccountingActor: Hashable, Sendable {
    public var name: String
    /// Root or SlurmUser: administrator whatever the records say.
    public var isSuperUser: Bool
    public init(name: String, isSuperUser: Bool) {
        self.name = name
        self.isSuperUser = isSuperUser
    }
}

/// A job that keeps an association from being removed.
public struct AccountedJob: Hashable, Sendable {
    public var job: JobID
    public var association: AssociationID
    public init(job: JobID, association: AssociationID) {
        self.job = job
        self.association = association
    }
}

extension AccountingState {
    /// Changes nothing when one operation is refused. `jobs`: those in the system, with their associations.
    public mutating func change(
        _ operations: [AccountingOperation], by actor: AccountingActor, at now: Timestamp, jobs: [AccountedJob]
    ) throws(Refusal) {
        var trial = self
        for operation in operations {
            try trial.checkRights(of: actor, to: operation)
            try trial.perform(operation, at: now, jobs: jobs)
            trial.log(operation, by: actor, at: now)
        }
        self = trial
    }

    private mutating func perform(_ operation: AccountingOperation, at now: Timestamp, jobs: [AccountedJob])
        throws(Refusal)
    {
        switch operation {
        case .addAccount(let account, let parent, let change):
            try addAccount(account, parent: parent, change, at: now)
        case .addUser(let user): try addUser(user)
        case .addAssociation(let user, let account, let partition, let change):
            try addAssociation(user: user, account: account, partition: partition, change, at: now)
        case .addQOS(let name, let change): try addQOS(name, change)
        case .addCoordinators(let users, let accounts): try addCoordinators(users, accounts)
        case .modifyAccounts(let names, let description, let organization):
            try modifyAccounts(names, description: description, organization: organization)
        case .modifyUsers(let names, let change): try modifyUsers(names, change)
        case .modifyAssociations(let ids, let change, let parent):
            try modifyAssociations(ids, change, parent: parent, at: now)
        case .modifyQOS(let ids, let change): try modifyQOS(ids, change)
        case .removeAccounts(let names): try removeAccounts(names, jobs: jobs)
        case .removeUsers(let names): try removeUsers(names, jobs: jobs)
        case .removeAssociations(let ids): try removeAssociations(ids, jobs: jobs)
        case .removeQOS(let ids): try removeQOS(ids)
        case .removeCoordinators(let users, let accounts): try removeCoordinators(users, accounts)
        case .addWCKey(let name, let user): try addWCKey(name, user)
        case .removeWCKeys(let ids): removeWCKeys(ids)
        // Usage is the ledger's; the core resets it when the request went through.
        case .resetUsage: break
        }
    }

    private mutating func log(_ operation: AccountingOperation, by actor: AccountingActor, at now: Timestamp) {
        marks.transaction += 1
        let (action, target, info) = operation.logged
        rows.append(
            .transaction(
                AccountingTransaction(
                    id: marks.transaction, time: now, action: action, actor: actor.name, target: target, info: info)))
        rows.append(.marks(marks))
    }
}

extension AccountingOperation {
    var logged: (action: String, target: String, info: String) {
        switch self {
        case .addAccount(let account, let parent, _):
            (
                "Add Accounts", account.name,
                "description='\(account.description)', org='\(account.organization)', parent='\(parent)'"
            )
        case .addUser(let user): ("Add Users", user.name, "admin_level=\(user.adminLevel.rawValue)")
        case .addAssociation(let user, let account, let partition, let change):
            (
                "Add Associations", "acct='\(account)'",
                "user='\(user)'" + (partition.isEmpty ? "" : ", partition='\(partition)'") + Self.fields(change)
            )
        case .addQOS(let name, let change): ("Add QOS", name, String(Self.fields(change).dropFirst(2)))
        case .addCoordinators(let users, let accounts): ("Add Account Coord", list(users), list(accounts))
        case .modifyAccounts(let names, let description, let organization):
            (
                "Modify Accounts", "name='\(list(names))'",
                [description.map { "description='\($0)'" }, organization.map { "org='\($0)'" }].compactMap { $0 }
                    .joined(separator: ", ")
            )
        case .modifyUsers(let names, let change):
            (
                "Modify Users", "name='\(list(names))'",
                [
                    change.adminLevel.map { "admin_level=\($0.rawValue)" },
                    change.defaultAccount.map { "default_acct='\($0)'" }, change.newName.map { "name='\($0)'" },
                    change.defaultWCKey.map { "default_wckey='\($0)'" },
                ].compactMap { $0 }.joined(separator: ", ")
            )
        case .modifyAssociations(let ids, let change, let parent):
            (
                "Modify Associations", "id_assoc=\(list(ids))",
                String((Self.fields(change) + (parent.map { ", parent='\($0)'" } ?? "")).dropFirst(2))
            )
        case .modifyQOS(let ids, let change):
            ("Modify QOS", "id=\(list(ids))", String(Self.fields(change).dropFirst(2)))
        case .removeAccounts(let names): ("Remove Accounts", "name='\(list(names))'", "")
        case .removeUsers(let names): ("Remove Users", "name='\(list(names))'", "")
        case .removeAssociations(let ids): ("Remove Associations", "id_assoc=\(list(ids))", "")
        case .removeQOS(let ids): ("Remove QOS", "id='\(list(ids))'", "")
        case .removeCoordinators(let users, let accounts):
            ("Remove Account Coord", "user='\(list(users))' && acct='\(list(accounts))'", "")
        case .addWCKey(let name, let user): ("Add WCKeys", "name='\(name)'", "user='\(user)', wckey_name='\(name)'")
        case .removeWCKeys(let ids): ("Remove WCKeys", "id_wckey='\(list(ids))'", "")
        case .resetUsage(let associations, let qos):
            ("Reset Usage", "id_assoc=\(list(associations)) id_qos=\(list(qos))", "")
        }
    }

    private func list<Name>(_ names: [Name]) -> String { names.map { "\($0)" }.joined(separator: ",") }

    private static func fields<Field>(_ change: [FieldSetting<Field>]) -> String {
        change.map { ", \($0.field)=\($0.value.logged)" }.joined()
    }
}

extension FieldValue {
    fileprivate var logged: String {
        switch self {
        case .number(let number): number.map { "\($0)" } ?? "NULL"
        case .real(let real): real.map { "\($0)" } ?? "NULL"
        case .text(let text): "'\(text)'"
        case .counts(let changes):
            "'" + changes.map { "\($0.id.rawValue)=\($0.count.map { "\($0)" } ?? "-1")" }.joined(separator: ",") + "'"
        case .list(let mode, let ids): "'\(mode.sign)" + ids.map { "\($0)" }.joined(separator: ",") + "'"
        case .flags(let mode, let bits): "\(mode.sign)\(bits)"
        }
    }
}

extension FieldValue.Mode {
    fileprivate var sign: String {
        switch self {
        case .set: ""
        case .add: "+"
        case .remove: "-"
        }
    }
}
