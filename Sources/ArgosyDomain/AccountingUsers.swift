/// A bank account jobs are charged to. Accounts form a tree through their associations.
public struct Account: Hashable, Sendable {
    public var name: String
    public var description: String
    public var organization: String
    public var flags: Set<Flag>
    public enum Flag: String, CaseIterable, Sendable { case deleted = "Deleted" }
    /// Description and organization are the name when not given, as sacctmgr fills them in.
    public init(name: String, description: String? = nil, organization: String? = nil) {
        self.name = name
        self.description = description ?? name
        self.organization = organization ?? name
        flags = []
    }
}

/// What a user may do to others' jobs and to accounting records. Raw values are stored: never renumber.
public enum AdminLevel: UInt32, CaseIterable, Comparable, Sendable {
    case none = 1, `operator` = 2, administrator = 3
    /// As sacctmgr shows it.
    public var name: String {
        switch self {
        case .none: "None"
        case .operator: "Operator"
        case .administrator: "Administrator"
        }
    }
    /// By any beginning of its name, in any case, as sacctmgr reads it; also `SuperUser` for administrator.
    public init?(text: String) {
        let wanted = text.lowercased()
        guard !wanted.isEmpty else { return nil }
        let words: [(String, AdminLevel)] = [
            ("none", .none), ("operator", .operator), ("administrator", .administrator), ("superuser", .administrator),
        ]
        guard let found = words.first(where: { $0.0.hasPrefix(wanted) }) else { return nil }
        self = found.1
    }
    public static func < (a: AdminLevel, b: AdminLevel) -> Bool { a.rawValue < b.rawValue }
}

/// A user as accounting knows it. It may run jobs only through its associations.
public struct User: Hashable, Sendable {
    public var name: String
    /// Nil while the name service does not know the name.
    public var uid: UInt32?
    public var defaultAccount: String
    public var adminLevel: AdminLevel
    /// Accounts this user may administer (with all below them), sorted.
    public var coordinates: [String]
    /// What its jobs are counted under that name no key; empty: none.
    public var defaultWCKey = ""
    public init(
        name: String, uid: UInt32? = nil, defaultAccount: String = "", adminLevel: AdminLevel = .none,
        coordinates: [String] = []
    ) {
        self.name = name
        self.uid = uid
        self.defaultAccount = defaultAccount
        self.adminLevel = adminLevel
        self.coordinates = coordinates
    }
}

/// A workload characterization key: another name than the account's that a user's jobs can be counted under.
public struct WCKey: Hashable, Sendable {
    public var id: UInt32
    public var name: String
    public var user: String
    public init(id: UInt32, name: String, user: String) {
        self.id = id
        self.name = name
        self.user = user
    }
}
