// The accounting records as the core holds them, and the rules by which they change.
//
// A value: operations are tried on a copy, which takes the place of the old one when all of them went through. Rules are
// those of Slurm's accounting database:
//
// - there is a root account with an association (number 1) from which all others hang, a user root in it, and a QOS
//   `normal` (number 1); none of them can be removed;
// - a user is in accounts through associations, has one default account, and cannot lose it while it has others;
// - an account or association is not removed while its jobs are in the system, nor a QOS that is somebody's default;
// - names are kept in small letters, numbers are never given twice.
//
// Files: +Add, +Modify, +Remove, +Rights (who may do what).
public import ArgosyDomain

public struct AccountingState: Sendable {
    /// Ascending by name.
    public internal(set) var accounts: [Account] = []
    public internal(set) var users: [User] = []
    /// Ascending by number.
    public internal(set) var associations: [Association] = []
    public internal(set) var qos: [QOS] = []
    public internal(set) var tres = TRESTable()
    /// Ascending by number.
    public internal(set) var wckeys: [WCKey] = []
    public internal(set) var marks = AccountingMarks()
    /// Grows with every change.
    public internal(set) var version: UInt64 = 0

    /// What a turn has to write.
    var rows: [AccountingRow] = []

    /// Loads, and makes what every cluster has where it is missing (then `takeRows` gives its rows).
    public init(_ stored: StoredAccounting = StoredAccounting(), tresNames: [String] = []) {
        accounts = stored.accounts.sorted { $0.name < $1.name }
        users = stored.users.sorted { $0.name < $1.name }
        associations = stored.associations.sorted { $0.id < $1.id }
        qos = stored.qos.sorted { $0.id < $1.id }
        tres = TRESTable(stored: stored.tres)
        wckeys = stored.wckeys.sorted { $0.id < $1.id }
        marks = stored.marks
        addBasics()
        for name in tresNames where tres.id(of: name) == nil {
            let id = tres.add(name)
            if let added = tres[id] { rows.append(.tres(added)) }
        }
    }

    private mutating func addBasics() {
        if qos.first?.id != .normal {
            var normal = QOS(id: .normal, name: "normal")
            normal.description = "Normal QOS default"
            qos.insert(normal, at: 0)
            marks.qos = max(marks.qos, .normal)
            rows += [.qos(normal), .marks(marks)]
        }
        guard associations.first?.id != .root else { return }
        put(Account(name: "root", description: "default root account", organization: "root"))
        var root = Association(id: .root, parent: nil, account: "root")
        root.qos = [.normal]
        var user = Association(id: AssociationID(2), parent: .root, account: "root", user: "root")
        user.isDefault = true
        marks.association = max(marks.association, user.id)
        put(root)
        put(user)
        put(User(name: "root", uid: 0, defaultAccount: "root", adminLevel: .administrator))
        rows.append(.marks(marks))
    }

    /// Rows to write since the last call.
    public mutating func takeRows() -> [AccountingRow] {
        defer { rows = [] }
        return rows
    }
}

// Finding and putting.
extension AccountingState {
    public func account(named name: String) -> Account? {
        accounts.position(of: name, by: \.name).map { accounts[$0] }
    }
    public func user(named name: String) -> User? { users.position(of: name, by: \.name).map { users[$0] } }
    public func association(_ id: AssociationID) -> Association? {
        associations.position(of: id, by: \.id).map { associations[$0] }
    }
    public func qos(_ id: QOSID) -> QOS? { qos.position(of: id, by: \.id).map { qos[$0] } }
    public func qos(named name: String) -> QOS? { qos.first { $0.name == name } }

    /// That of the account itself.
    public func association(account: String) -> Association? {
        associations.first { $0.account == account && $0.user.isEmpty }
    }

    public func associations(ofUser user: String) -> [Association] { associations.filter { $0.user == user } }

    /// From the association up to the root's, itself first.
    public func chain(from id: AssociationID) -> [Association] {
        var chain: [Association] = []
        var next: AssociationID? = id
        while let id = next, let found = association(id), !chain.contains(where: { $0.id == id }) {
            chain.append(found)
            next = found.parent
        }
        return chain
    }

    /// The association and all below it, ascending by number.
    public func subtree(of id: AssociationID) -> [Association] {
        associations.filter { association in chain(from: association.id).contains { $0.id == id } }
    }

    /// What the association may use: its own list or the next one up.
    public func allowedQOS(of id: AssociationID) -> [QOSID] {
        chain(from: id).lazy.compactMap(\.qos).first ?? [.normal]
    }

    /// Its own default QOS or the next one up's.
    public func defaultQOS(of id: AssociationID) -> QOSID? { chain(from: id).lazy.compactMap(\.defaultQOS).first }

    mutating func put(_ account: Account) {
        accounts.put(account, by: \.name)
        changed(.account(account))
    }
    mutating func put(_ user: User) {
        users.put(user, by: \.name)
        changed(.user(user))
    }
    mutating func put(_ association: Association) {
        associations.put(association, by: \.id)
        changed(.association(association))
    }
    mutating func put(_ qos: QOS) {
        self.qos.put(qos, by: \.id)
        changed(.qos(qos))
    }

    mutating func changed(_ row: AccountingRow) {
        version += 1
        rows.append(row)
    }

    mutating func nextAssociationID() -> AssociationID {
        marks.association = AssociationID(marks.association.rawValue + 1)
        return marks.association
    }

    mutating func nextQOSID() -> QOSID {
        marks.qos = QOSID(marks.qos.rawValue + 1)
        return marks.qos
    }
}

extension Array {
    /// In an array that ascends by `key`.
    func position<Key: Comparable>(of wanted: Key, by key: (Element) -> Key) -> Int? {
        let place = place(of: wanted, by: key)
        return place < count && key(self[place]) == wanted ? place : nil
    }

    private func place<Key: Comparable>(of wanted: Key, by key: (Element) -> Key) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if key(self[middle]) < wanted { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func put<Key: Comparable>(_ element: Element, by key: (Element) -> Key) {
        let place = place(of: key(element), by: key)
        if place < count, key(self[place]) == key(element) { self[place] = element } else { insert(element, at: place) }
    }
}
