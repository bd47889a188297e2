import ArgosyDomain

extension AccountingState {
    mutating func modifyAccounts(_ names: [String], description: String?, organization: String?) throws(Refusal) {
        for name in names {
            guard var account = account(named: name) else { throw Self.unknownAccount(name) }
            account.description = description ?? account.description
            account.organization = organization ?? account.organization
            put(account)
        }
    }

    mutating func modifyUsers(_ names: [String], _ change: UserChange) throws(Refusal) {
        if change.newName != nil, names.count > 1 {
            throw Refusal(.malformed, "Can not modify user names", detail: "only one user can take the new name")
        }
        for name in names {
            guard var user = user(named: name) else {
                throw Refusal(.invalidUser, "Invalid user: \(name)", detail: "accounting does not know this user")
            }
            if let level = change.adminLevel {
                if name == "root", level != .administrator {
                    throw Refusal(.accessDenied, "root is always an administrator")
                }
                user.adminLevel = level
            }
            if let account = change.defaultAccount { try setDefault(account, of: &user) }
            if let key = change.defaultWCKey {
                guard wckey(key, of: name) != nil else {
                    throw Refusal(
                        .malformed,
                        "Can't modify because these users aren't associated with new default wckey '\(key)'...",
                        detail: "U = \(name)")
                }
                user.defaultWCKey = key
            }
            put(user)
            if let new = change.newName { try rename(user, new, uid: change.newUID) }
        }
    }

    private mutating func setDefault(_ account: String, of user: inout User) throws(Refusal) {
        let own = associations(ofUser: user.name)
        guard own.contains(where: { $0.account == account }) else {
            throw Refusal(
                .malformed,
                "Can't modify because these users aren't associated with new default account '\(account)'...",
                detail: "U = \(user.name)")
        }
        user.defaultAccount = account
        for var association in own where association.isDefault != (association.account == account) {
            association.isDefault = association.account == account
            put(association)
        }
    }

    private mutating func rename(_ user: User, _ new: String, uid: UInt32?) throws(Refusal) {
        try Self.checkName(new, "user")
        guard self.user(named: new) == nil else {
            throw Refusal(.malformed, "User \(new) exists already", detail: "choose another new name")
        }
        guard user.name != "root" else { throw Refusal(.accessDenied, "root cannot be renamed") }
        for var association in associations(ofUser: user.name) {
            association.user = new
            put(association)
        }
        users.removeAll { $0.name == user.name }
        changed(.userRemoved(user.name))
        var renamed = user
        renamed.name = new
        renamed.uid = uid
        put(renamed)
    }

    mutating func modifyAssociations(
        _ ids: [AssociationID], _ change: AssociationChange, parent: String?, at now: Timestamp
    )
        throws(Refusal)
    {
        for id in ids {
            guard var association = association(id) else { continue }
            if let parent { try move(&association, under: parent, at: now) }
            try apply(change, to: &association)
            put(association)
            pass(change, from: association)
        }
        try checkDefaults(below: ids)
    }

    /// QOS given to or taken from an account reach those below it that have a list of their own.
    private mutating func pass(_ change: AssociationChange, from association: Association) {
        guard !association.isUser else { return }
        for setting in change where setting.field == .qos {
            guard case .list(let mode, _) = setting.value, mode != .set else { continue }
            for var below in subtree(of: association.id) where below.id != association.id && below.qos != nil {
                below.set(setting)
                put(below)
            }
        }
    }

    func checkDefaults(below ids: [AssociationID]) throws(Refusal) {
        var wrong: [(Association, String)] = []
        for id in ids {
            for association in subtree(of: id) {
                guard let chosen = defaultQOS(of: association.id), !allowedQOS(of: association.id).contains(chosen)
                else { continue }
                wrong.append((association, qos(chosen)?.name ?? "\(chosen)"))
            }
        }
        if !wrong.isEmpty { throw Self.defaultNotAllowed(wrong) }
    }

    /// A parent that stands below the account takes its old place, as in Slurm: the tree stays one.
    private mutating func move(_ association: inout Association, under parent: String, at now: Timestamp)
        throws(Refusal)
    {
        guard !association.isUser else {
            throw Refusal(.malformed, "Users have no parent", detail: "add the user to another account instead")
        }
        guard association.id != .root else { throw Refusal(.accessDenied, "The root account cannot be moved") }
        guard var over = self.association(account: parent) else {
            throw Refusal(.malformed, "Parent Account \(parent) doesn't exist.")
        }
        guard over.id != association.id else {
            throw Refusal(.malformed, "An account cannot be its own parent", detail: parent)
        }
        if chain(from: over.id).contains(where: { $0.id == association.id }) {
            over.parent = association.parent
            over.created = now
            put(over)
        }
        association.parent = over.id
        association.created = now
        put(association)
    }

    mutating func modifyQOS(_ ids: [QOSID], _ change: QOSChange) throws(Refusal) {
        for id in ids {
            guard var record = qos(id) else { continue }
            for setting in change { record.set(setting) }
            try check(record)
            put(record)
        }
    }

    static func unknownAccount(_ name: String) -> Refusal {
        Refusal(.malformed, "This account '\(name)' doesn't exist.", detail: "sacctmgr show account lists them")
    }
}
