import ArgosyDomain

extension AccountingState {
    /// Longest name of a record, in bytes.
    static let nameLimit = 255
    /// Most records of one kind.
    static let recordLimit = 1_000_000

    static func checkName(_ name: String, _ kind: String) throws(Refusal) {
        let bad = name.utf8.contains { $0 < 0x20 || $0 == 0x7f || "'\"`|:,=\\".utf8.contains($0) }
        guard !name.isEmpty, name.utf8.count <= nameLimit, !bad, name.first != "-", name.first != "+" else {
            throw Refusal(
                .malformed, "Invalid \(kind) name",
                detail: "\"\(printable(name))\" cannot be a name: use 1 to \(nameLimit) bytes without quotes,"
                    + " control characters or any of | : , = \\")
        }
    }

    private static func printable(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.prefix(60).map { $0.value < 0x20 ? "?" : $0 }))
    }

    mutating func addAccount(_ new: Account, parent: String, _ change: AssociationChange, at now: Timestamp)
        throws(Refusal)
    {
        try Self.checkName(new.name, "account")
        guard let over = association(account: parent) else {
            throw Refusal(
                .malformed, "Parent account '\(parent)' doesn't exist",
                detail: "add it first, or leave out parent= for an account under root")
        }
        guard accounts.count < Self.recordLimit else { throw Self.full("accounts") }
        if account(named: new.name) == nil { put(new) }
        guard association(account: new.name) == nil else { return }
        var association = Association(id: nextAssociationID(), parent: over.id, account: new.name)
        association.created = now
        try apply(change, to: &association)
        put(association)
        try checkDefaults(below: [association.id])
    }

    mutating func addUser(_ new: User) throws(Refusal) {
        try Self.checkName(new.name, "user")
        guard user(named: new.name) == nil else { return }
        guard users.count < Self.recordLimit else { throw Self.full("users") }
        put(new)
    }

    mutating func addAssociation(
        user name: String, account: String, partition: String, _ change: AssociationChange, at now: Timestamp
    ) throws(Refusal) {
        guard var user = user(named: name) else {
            throw Refusal(.invalidUser, "Invalid user: \(name)", detail: "add the user with the account it is for")
        }
        guard let over = association(account: account) else {
            throw Refusal(.malformed, "This account '\(account)' doesn't exist.", detail: "add the account first")
        }
        let own = associations(ofUser: name)
        guard !own.contains(where: { $0.account == account && $0.partition == partition }) else { return }
        guard associations.count < Self.recordLimit else { throw Self.full("associations") }
        if !partition.isEmpty { try Self.checkName(partition, "partition") }
        var association = Association(
            id: nextAssociationID(), parent: over.id, account: account, user: name, partition: partition)
        association.created = now
        let isFirst = !own.contains { $0.isDefault }
        // The default account that was named when the user was added, else the first one.
        association.isDefault = isFirst && (user.defaultAccount.isEmpty || user.defaultAccount == account)
        try apply(change, to: &association)
        put(association)
        try checkDefaults(below: [association.id])
        if association.isDefault, user.defaultAccount != account {
            user.defaultAccount = account
            put(user)
        }
    }

    mutating func addQOS(_ name: String, _ change: QOSChange) throws(Refusal) {
        try Self.checkName(name, "qos")
        guard qos(named: name) == nil else {
            throw Refusal(.malformed, "QOS \(name) exists already", detail: "change it with sacctmgr modify qos")
        }
        guard qos.count < Self.recordLimit else { throw Self.full("qos") }
        var new = QOS(id: nextQOSID(), name: name)
        for setting in change { new.set(setting) }
        try check(new)
        put(new)
    }

    mutating func addCoordinators(_ names: [String], _ accounts: [String]) throws(Refusal) {
        for name in accounts where account(named: name) == nil {
            throw Refusal(.malformed, "You specified a non-existent account '\(name)'.")
        }
        for name in names {
            guard var user = user(named: name) else {
                throw Refusal(.invalidUser, "You specified a non-existant user '\(name)'.")
            }
            user.coordinates = Set(user.coordinates).union(accounts).sorted()
            put(user)
        }
    }

    static func full(_ what: String) -> Refusal {
        Refusal(.busy, "Too many \(what)", detail: "no more than \(recordLimit) are kept; remove some")
    }

    // MARK: - What settings must keep to

    func apply(_ change: AssociationChange, to association: inout Association) throws(Refusal) {
        let inherited = association.parent.map { allowedQOS(of: $0) } ?? [.normal]
        for setting in change { association.set(setting, inherited: inherited) }
        for id in (association.qos ?? []) + (association.defaultQOS.map { [$0] } ?? []) where qos(id) == nil {
            throw Refusal(.malformed, "Invalid qos specification", detail: "there is no QOS with number \(id)")
        }
    }

    func check(_ record: QOS) throws(Refusal) {
        for id in record.preempt where qos(id) == nil && id != record.id {
            throw Refusal(.malformed, "Invalid qos specification", detail: "there is no QOS with number \(id)")
        }
        if record.usageFactor < 0 || !record.usageFactor.isFinite {
            throw Refusal(.malformed, "Invalid UsageFactor", detail: "it is a number of 0 or more")
        }
        if let threshold = record.usageThreshold, !threshold.isFinite || threshold < 0 {
            throw Refusal(.malformed, "Invalid UsageThreshold", detail: "it is a number of 0 or more")
        }
    }

    static func defaultNotAllowed(_ found: [(Association, String)]) -> Refusal {
        let lines = found.map { association, name in
            "DefQOS = \(padded(name, 10)) \(placed(association, width: 20))"
        }
        return Refusal(
            .malformed, "These associations don't have access to their default qos.",
            detail: (["Please give them access before they the default can be set to this."] + lines)
                .joined(separator: "\n"))
    }

    /// `A = physics    U = alice    P = main`
    static func placed(_ association: Association, width: Int = 10) -> String {
        var text = "A = \(padded(association.account, width))"
        if association.isUser { text += " U = \(padded(association.user, 9))" }
        if !association.partition.isEmpty { text += " P = \(association.partition)" }
        return text
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
