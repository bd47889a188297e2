// What sacctmgr asks the controller to do: records by name or number, conditions already resolved by who asks. The
// operations of one request are done all or not at all.

/// One change of the accounting records.
public enum AccountingOperation: Hashable, Sendable {
    /// The account and its association under `parent`; of one that is known only what is missing is added.
    case addAccount(Account, parent: String, AssociationChange)
    /// A user's record. One that is known stays as it is.
    case addUser(User)
    /// A user's place in an account. One that is there already stays as it is.
    case addAssociation(user: String, account: String, partition: String, AssociationChange)
    case addQOS(name: String, QOSChange)
    case addCoordinators(users: [String], accounts: [String])
    /// Nil: stays.
    case modifyAccounts([String], description: String?, organization: String?)
    case modifyUsers([String], UserChange)
    /// With `parent` the accounts move under it.
    case modifyAssociations([AssociationID], AssociationChange, parent: String?)
    case modifyQOS([QOSID], QOSChange)
    /// With all their associations; refused while jobs of them are in the system.
    case removeAccounts([String])
    case removeUsers([String])
    case removeAssociations([AssociationID])
    case removeQOS([QOSID])
    case removeCoordinators(users: [String], accounts: [String])
    /// One that is there already stays; the user's first is its default.
    case addWCKey(name: String, user: String)
    case removeWCKeys([UInt32])
    /// What was used is forgotten (`set RawUsage=0`).
    case resetUsage(associations: [AssociationID], qos: [QOSID])
}

/// Nil: stays.
public struct UserChange: Hashable, Sendable {
    public var adminLevel: AdminLevel?
    public var defaultAccount: String?
    public var newName: String?
    public var defaultWCKey: String?
    /// Of the new name; nil while the name service does not know it.
    public var newUID: UInt32?
    public init(adminLevel: AdminLevel? = nil, defaultAccount: String? = nil, newName: String? = nil) {
        self.adminLevel = adminLevel
        self.defaultAccount = defaultAccount
        self.newName = newName
    }
}

/// A line of the log of changes: who did what to which record when.
public struct AccountingTransaction: Hashable, Sendable {
    /// Ascending, never given again.
    public var id: UInt64
    public var time: Timestamp
    /// `Add Users`, `Modify Associations`, ...: sacctmgr's words.
    public var action: String
    public var actor: String
    /// Which records, as sacctmgr writes conditions: `id_assoc=8`, `name='physics'`.
    public var target: String
    public var info: String
    public init(id: UInt64, time: Timestamp, action: String, actor: String, target: String, info: String) {
        self.id = id
        self.time = time
        self.action = action
        self.actor = actor
        self.target = target
        self.info = info
    }
}
