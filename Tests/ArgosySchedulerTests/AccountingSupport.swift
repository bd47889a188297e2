import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

/// Builds accounting records with little text.
struct RecordsBuilder {
    var associations: [Association] = [Association(id: .root, parent: nil, account: "root")]
    var qos: [QOS] = [QOS(id: .normal, name: "normal")]
    var users: [User] = []
    var tres = TRESTable()
    var enforce: AccountingSettings.Enforce = [.associations, .limits, .qos]
    private var next: UInt32 = 2

    @discardableResult
    mutating func account(
        _ name: String, in parent: String = "root", shares: FairShares = .count(1),
        _ change: (inout Association) -> Void = { _ in }
    ) -> AssociationID {
        add(Association(id: AssociationID(next), parent: id(account: parent), account: name), shares, change)
    }

    @discardableResult
    mutating func user(
        _ name: String, in account: String, partition: String = "", shares: FairShares = .count(1),
        _ change: (inout Association) -> Void = { _ in }
    ) -> AssociationID {
        var association = Association(
            id: AssociationID(next), parent: id(account: account), account: account, user: name, partition: partition)
        association.isDefault = !associations.contains { $0.user == name }
        return add(association, shares, change)
    }

    @discardableResult
    mutating func qos(_ name: String, _ change: (inout QOS) -> Void) -> QOSID {
        var record = QOS(id: QOSID(UInt32(qos.count + 1)), name: name)
        change(&record)
        qos.append(record)
        return record.id
    }

    mutating func change(_ name: String, _ change: (inout Association) -> Void) {
        guard let index = associations.firstIndex(where: { ($0.user.isEmpty ? $0.account : $0.user) == name }) else {
            return
        }
        change(&associations[index])
    }

    private mutating func add(
        _ association: Association, _ shares: FairShares, _ change: (inout Association) -> Void
    ) -> AssociationID {
        var association = association
        association.shares = shares
        change(&association)
        associations.append(association)
        next += 1
        return association.id
    }

    private func id(account: String) -> AssociationID? {
        associations.first { $0.account == account && $0.user.isEmpty }?.id
    }

    var records: AccountingRecords {
        AccountingRecords(associations: associations, qos: qos, users: users, tres: tres, enforce: enforce)
    }

    func book(halfLife: Duration = .zero) -> AccountingBook {
        AccountingBook(
            records: records, usage: UsageLedger(records: records, halfLife: halfLife, epoch: Timestamp(seconds: 0)))
    }
}

extension AccountingRecords {
    /// Position of a user's (only) association.
    func of(_ user: String) -> Int { associations.firstIndex { $0.user == user } ?? -1 }
    func ofAccount(_ account: String) -> Int { association(account: account) ?? -1 }
}

extension Timestamp {
    static func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds) }
}
