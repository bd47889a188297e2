// Accounting records, to the wire and back. A field or mode of a newer release is passed over.
public import ArgosyDomain

extension WireAccount {
    public init(_ account: Account) {
        self.init()
        name = account.name
        description_p = account.description
        organization = account.organization
    }
    public var domain: Account { Account(name: name, description: description_p, organization: organization) }
}

extension WireUser {
    public init(_ user: User) {
        self.init()
        name = user.name
        uid = user.uid ?? 0
        known = user.uid != nil
        defaultAccount = user.defaultAccount
        adminLevel = user.adminLevel.rawValue
        coordinates = user.coordinates
        defaultWckey = user.defaultWCKey
    }
    public var domain: User {
        var user = User(
            name: name, uid: known ? uid : nil, defaultAccount: defaultAccount,
            adminLevel: AdminLevel(rawValue: adminLevel) ?? .none, coordinates: coordinates)
        user.defaultWCKey = defaultWckey
        return user
    }
}

extension WireWCKey {
    public init(_ key: WCKey) {
        self.init()
        id = key.id
        name = key.name
        user = key.user
    }
    public var domain: WCKey { WCKey(id: id, name: name, user: user) }
}

extension WireFieldSetting {
    public init<Field: RawRepresentable<UInt32>>(_ setting: FieldSetting<Field>) {
        self.init()
        field = setting.field.rawValue
        switch setting.value {
        case .number(let value): if let value { number = value } else { cleared = true }
        case .real(let value): if let value { real = value } else { realCleared = true }
        case .text(let value): text = value
        case .counts(let changes):
            counts.changes = changes.map { change in
                var wire = WireTRESChange()
                wire.tres = change.id.rawValue
                wire.count = change.count ?? 0
                wire.cleared = change.count == nil
                return wire
            }
        case .list(let mode, let ids):
            list.mode = mode.rawValue
            list.numbers = ids
        case .flags(let mode, let bits):
            flags.mode = mode.rawValue
            flags.bits = bits
        }
    }

    /// Nil: of a newer release.
    public func domain<Field: RawRepresentable<UInt32>>(_ type: Field.Type) -> FieldSetting<Field>? {
        guard let field = Field(rawValue: field), let value = domainValue else { return nil }
        return FieldSetting(field, value)
    }

    private var domainValue: FieldValue? {
        switch value {
        case .number(let number): return .number(number)
        case .cleared: return .number(nil)
        case .real(let real): return .real(real)
        case .realCleared: return .real(nil)
        case .text(let text): return .text(text)
        case .counts(let counts):
            return .counts(counts.changes.map { .init(TRESID($0.tres), $0.cleared ? nil : $0.count) })
        case .list(let list): return FieldValue.Mode(rawValue: list.mode).map { .list($0, list.numbers) }
        case .flags(let flags): return FieldValue.Mode(rawValue: flags.mode).map { .flags($0, flags.bits) }
        case nil: return nil
        }
    }
}

extension [WireFieldSetting] {
    public func domain<Field: RawRepresentable<UInt32>>(_ type: Field.Type) -> [FieldSetting<Field>] {
        compactMap { $0.domain(type) }
    }
}

extension WireAssociation {
    public init(_ association: Association) {
        self.init()
        id = association.id.rawValue
        parent = association.parent?.rawValue ?? 0
        account = association.account
        user = association.user
        partition = association.partition
        settings = association.settings.map(WireFieldSetting.init)
        isDefault = association.isDefault
        createdUs = association.created.microseconds
    }
    public var domain: Association {
        var association = Association(
            id: AssociationID(id), parent: parent == 0 ? nil : AssociationID(parent), account: account, user: user,
            partition: partition)
        for setting in settings.domain(AssociationField.self) { association.set(setting) }
        association.isDefault = isDefault
        association.created = Timestamp(microseconds: createdUs)
        return association
    }
}

extension WireQOS {
    public init(_ qos: QOS) {
        self.init()
        id = qos.id.rawValue
        name = qos.name
        settings = qos.settings.map(WireFieldSetting.init)
    }
    public var domain: QOS {
        var qos = QOS(id: QOSID(id), name: name)
        for setting in settings.domain(QOSField.self) { qos.set(setting) }
        return qos
    }
}

extension WireTRES {
    public init(_ tres: TRES) {
        self.init()
        id = tres.id.rawValue
        type = tres.type
        name = tres.name
    }
    public var domain: TRES { TRES(id: TRESID(id), type: type, name: name) }
}

extension WireUsageRow {
    public init(_ usage: AssociationUsage) {
        self.init()
        id = usage.association.rawValue
        asOfUs = usage.asOf.microseconds
        raw = usage.raw
        wall = usage.wall
        set(usage.tres)
    }
    public init(_ usage: QOSUsage) {
        self.init()
        id = usage.qos.rawValue
        asOfUs = usage.asOf.microseconds
        raw = usage.raw
        wall = usage.wall
        set(usage.tres)
    }
    private mutating func set(_ usage: TRESUsage) {
        tres = usage.entries.map { entry in
            var wire = WireTRESSeconds()
            wire.tres = entry.id.rawValue
            wire.seconds = entry.seconds
            return wire
        }
    }
    private var tresUsage: TRESUsage { TRESUsage(tres.map { .init(TRESID($0.tres), $0.seconds) }) }

    public var ofAssociation: AssociationUsage {
        var usage = AssociationUsage(association: AssociationID(id), asOf: Timestamp(microseconds: asOfUs))
        usage.raw = raw
        usage.wall = wall
        usage.tres = tresUsage
        return usage
    }
    public var ofQOS: QOSUsage {
        var usage = QOSUsage(qos: QOSID(id), asOf: Timestamp(microseconds: asOfUs))
        usage.raw = raw
        usage.wall = wall
        usage.tres = tresUsage
        return usage
    }
}

extension WireAccountingTransaction {
    public init(_ transaction: AccountingTransaction) {
        self.init()
        id = transaction.id
        timeUs = transaction.time.microseconds
        action = transaction.action
        actor = transaction.actor
        target = transaction.target
        info = transaction.info
    }
    public var domain: AccountingTransaction {
        AccountingTransaction(
            id: id, time: Timestamp(microseconds: timeUs), action: action, actor: actor, target: target, info: info)
    }
}
