// Changes of accounting records, to the wire and back.
public import ArgosyDomain

extension WireAccountingOperation {
    public init(_ operation: AccountingOperation) {
        self.init()
        switch operation {
        case .addAccount(let account, let parent, let change):
            addAccount.account = WireAccount(account)
            addAccount.parent = parent
            addAccount.settings = change.map(WireFieldSetting.init)
        case .addUser(let user): addUser = WireUser(user)
        case .addAssociation(let user, let account, let partition, let change):
            addAssociation.user = user
            addAssociation.account = account
            addAssociation.partition = partition
            addAssociation.settings = change.map(WireFieldSetting.init)
        case .addQOS(let name, let change):
            addQos.name = name
            addQos.settings = change.map(WireFieldSetting.init)
        case .addCoordinators(let users, let accounts): addCoordinators = .init(users, accounts)
        case .modifyAccounts(let names, let description, let organization):
            modifyAccounts.names = names
            if let description { modifyAccounts.description_p = description }
            if let organization { modifyAccounts.organization = organization }
        case .modifyUsers(let names, let change): modifyUsers = .init(names, change)
        case .modifyAssociations(let ids, let change, let parent):
            modifyAssociations.numbers = ids.map(\.rawValue)
            modifyAssociations.settings = change.map(WireFieldSetting.init)
            if let parent { modifyAssociations.parent = parent }
        case .modifyQOS(let ids, let change):
            modifyQos.numbers = ids.map(\.rawValue)
            modifyQos.settings = change.map(WireFieldSetting.init)
        case .removeAccounts(let names): removeAccounts.names = names
        case .removeUsers(let names): removeUsers.names = names
        case .removeAssociations(let ids): removeAssociations.numbers = ids.map(\.rawValue)
        case .removeQOS(let ids): removeQos.numbers = ids.map(\.rawValue)
        case .removeCoordinators(let users, let accounts): removeCoordinators = .init(users, accounts)
        case .addWCKey(let name, let user): addWckey = WireWCKey(WCKey(id: 0, name: name, user: user))
        case .removeWCKeys(let ids): removeWckeys.numbers = ids
        case .resetUsage(let associations, let qos):
            resetUsage.associations = associations.map(\.rawValue)
            resetUsage.qos = qos.map(\.rawValue)
        }
    }

    /// Nil: of a newer release.
    public var domain: AccountingOperation? {
        switch body {
        case .addAccount(let add):
            .addAccount(add.account.domain, parent: add.parent, add.settings.domain(AssociationField.self))
        case .addUser(let user): .addUser(user.domain)
        case .addAssociation(let add):
            .addAssociation(
                user: add.user, account: add.account, partition: add.partition,
                add.settings.domain(AssociationField.self))
        case .addQos(let add): .addQOS(name: add.name, add.settings.domain(QOSField.self))
        case .addCoordinators(let both): .addCoordinators(users: both.users, accounts: both.accounts)
        case .modifyAccounts(let modify):
            .modifyAccounts(
                modify.names, description: modify.hasDescription_p ? modify.description_p : nil,
                organization: modify.hasOrganization ? modify.organization : nil)
        case .modifyUsers(let modify): .modifyUsers(modify.names, modify.change)
        case .modifyAssociations(let modify):
            .modifyAssociations(
                modify.numbers.map { AssociationID($0) }, modify.settings.domain(AssociationField.self),
                parent: modify.hasParent ? modify.parent : nil)
        case .modifyQos(let modify):
            .modifyQOS(modify.numbers.map { QOSID($0) }, modify.settings.domain(QOSField.self))
        case .removeAccounts(let names): .removeAccounts(names.names)
        case .removeUsers(let names): .removeUsers(names.names)
        case .removeAssociations(let numbers): .removeAssociations(numbers.numbers.map { AssociationID($0) })
        case .removeQos(let numbers): .removeQOS(numbers.numbers.map { QOSID($0) })
        case .removeCoordinators(let both): .removeCoordinators(users: both.users, accounts: both.accounts)
        case .addWckey(let key): .addWCKey(name: key.name, user: key.user)
        case .removeWckeys(let numbers): .removeWCKeys(numbers.numbers)
        case .resetUsage(let reset):
            .resetUsage(
                associations: reset.associations.map { AssociationID($0) }, qos: reset.qos.map { QOSID($0) })
        case nil: nil
        }
    }
}

extension WireCoordinators {
    init(_ users: [String], _ accounts: [String]) {
        self.init()
        self.users = users
        self.accounts = accounts
    }
}

extension WireModifyUsers {
    init(_ names: [String], _ change: UserChange) {
        self.init()
        self.names = names
        if let level = change.adminLevel { adminLevel = level.rawValue }
        if let account = change.defaultAccount { defaultAccount = account }
        if let name = change.newName { newName = name }
        if let key = change.defaultWCKey { defaultWckey = key }
    }
    var change: UserChange {
        var change = UserChange(
            adminLevel: hasAdminLevel ? AdminLevel(rawValue: adminLevel) : nil,
            defaultAccount: hasDefaultAccount ? defaultAccount : nil, newName: hasNewName ? newName : nil)
        if hasDefaultWckey { change.defaultWCKey = defaultWckey }
        return change
    }
}
