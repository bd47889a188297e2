public import ArgosyDomain

/// Changes of the stored accounting records. Rows are whole: writing one twice is the same as writing it once.
public enum AccountingRow: Sendable, Hashable {
    case account(Account)
    case accountRemoved(String)
    case user(User)
    case userRemoved(String)
    case association(Association)
    case associationRemoved(AssociationID)
    case qos(QOS)
    case qosRemoved(QOSID)
    case tres(TRES)
    case wckey(WCKey)
    case wckeyRemoved(UInt32)
    case associationUsage(AssociationUsage)
    case qosUsage(QOSUsage)
    case transaction(AccountingTransaction)
    /// Numbers up to and including these were given out, and are never given again.
    case marks(AccountingMarks)
}

public struct AccountingMarks: Sendable, Hashable {
    public var association: AssociationID
    public var qos: QOSID
    public var transaction: UInt64
    public var wckey: UInt32 = 0
    /// Of strigger.
    public var trigger: UInt32 = 0
    /// Until when the stored usage counts everything that ran.
    public var usageTime = Timestamp.unset
    public init(association: AssociationID = .init(0), qos: QOSID = .init(0), transaction: UInt64 = 0) {
        self.association = association
        self.qos = qos
        self.transaction = transaction
    }
}

/// All accounting records as stored. Transactions are not loaded: only listings want them, from the store.
public struct StoredAccounting: Sendable {
    public var accounts: [Account] = []
    public var users: [User] = []
    public var associations: [Association] = []
    public var qos: [QOS] = []
    public var tres: [TRES] = []
    public var wckeys: [WCKey] = []
    public var associationUsage: [AssociationUsage] = []
    public var qosUsage: [QOSUsage] = []
    public var marks = AccountingMarks()
    public init() {}

    /// What a store does with a committed change, in memory.
    public mutating func apply(_ row: AccountingRow) {
        switch row {
        case .account(let account): accounts.put(account) { $0.name == account.name }
        case .accountRemoved(let name): accounts.removeAll { $0.name == name }
        case .user(let user): users.put(user) { $0.name == user.name }
        case .userRemoved(let name): users.removeAll { $0.name == name }
        case .association(let association): associations.put(association) { $0.id == association.id }
        case .associationRemoved(let id):
            associations.removeAll { $0.id == id }
            associationUsage.removeAll { $0.association == id }
        case .qos(let qos): self.qos.put(qos) { $0.id == qos.id }
        case .qosRemoved(let id):
            qos.removeAll { $0.id == id }
            qosUsage.removeAll { $0.qos == id }
        case .tres(let tres): self.tres.put(tres) { $0.id == tres.id }
        case .wckey(let key): wckeys.put(key) { $0.id == key.id }
        case .wckeyRemoved(let id): wckeys.removeAll { $0.id == id }
        case .associationUsage(let usage): associationUsage.put(usage) { $0.association == usage.association }
        case .qosUsage(let usage): qosUsage.put(usage) { $0.qos == usage.qos }
        case .transaction: break
        case .marks(let marks): self.marks = marks
        }
    }
}

extension Array {
    fileprivate mutating func put(_ element: Element, where isSame: (Element) -> Bool) {
        if let place = firstIndex(where: isSame) { self[place] = element } else { append(element) }
    }
}
