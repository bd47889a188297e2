// Who may change what: administrators everything; operators everything but admin levels; coordinators what is below their
// accounts; everybody the own default account.
public import ArgosyDomain

extension AccountingState {
    /// Root and SlurmUser are administrators.
    public func level(of actor: AccountingActor) -> AdminLevel {
        actor.isSuperUser ? .administrator : user(named: actor.name)?.adminLevel ?? .none
    }

    /// Of the account, or of one above it.
    public func coordinates(_ name: String, account: String) -> Bool {
        guard let user = user(named: name), !user.coordinates.isEmpty, let own = association(account: account) else {
            return false
        }
        return chain(from: own.id).contains { user.coordinates.contains($0.account) }
    }

    func checkRights(of actor: AccountingActor, to operation: AccountingOperation) throws(Refusal) {
        let level = level(of: actor)
        if level == .administrator { return }
        if case .modifyUsers(_, let change) = operation, change.adminLevel != nil {
            throw denied("You must be a super user to modify a users admin level")
        }
        if case .addUser(let user) = operation, user.adminLevel > level {
            throw denied("only an administrator gives users an admin level")
        }
        if level == .operator || mayAsCoordinator(actor.name, operation) { return }
        throw denied("Your user doesn't have privilege to perform this action")
    }

    private func mayAsCoordinator(_ name: String, _ operation: AccountingOperation) -> Bool {
        switch operation {
        case .addAccount(_, let parent, _): coordinates(name, account: parent)
        case .addUser(let new): user(named: new.name) != nil || user(named: name)?.coordinates.isEmpty == false
        case .addAssociation(_, let account, _, _): coordinates(name, account: account)
        case .addCoordinators(_, let accounts), .removeCoordinators(_, let accounts):
            !accounts.isEmpty && accounts.allSatisfy { coordinates(name, account: $0) }
        case .modifyAssociations(let ids, _, let parent):
            // The limits of the account itself are given by those above.
            ids.allSatisfy { id in
                guard let found = association(id) else { return true }
                let over = found.isUser ? found.account : found.parent.flatMap { association($0) }?.account
                return over.map { coordinates(name, account: $0) } ?? false
            } && parent.map { coordinates(name, account: $0) } ?? true
        case .removeAssociations(let ids):
            ids.allSatisfy { id in association(id).map { $0.isUser && coordinates(name, account: $0.account) } ?? true }
        case .removeAccounts(let names):
            names.allSatisfy { account in
                guard let parent = association(account: account)?.parent.flatMap({ association($0) }) else {
                    return false
                }
                return coordinates(name, account: parent.account)
            }
        case .modifyUsers(let names, let change):
            names == [name] && change.adminLevel == nil && change.newName == nil
        case .addWCKey(_, let user):
            self.user(named: user) == nil
                || associations(ofUser: user).contains { coordinates(name, account: $0.account) }
        case .removeWCKeys(let ids):
            ids.allSatisfy { id in
                guard let user = wckeys.first(where: { $0.id == id })?.user else { return true }
                return associations(ofUser: user).contains { coordinates(name, account: $0.account) }
            }
        case .addQOS, .modifyQOS, .removeQOS, .modifyAccounts, .removeUsers, .resetUsage: false
        }
    }

    private func denied(_ why: String) -> Refusal {
        Refusal(.accessDenied, "Access/permission denied", detail: why)
    }
}
