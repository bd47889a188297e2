// Rows of the accounting records: one table for each kind, by name or number.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyWire
internal import SwiftProtobuf

struct AccountingTables {
    private let database: Database
    init(_ database: Database) { self.database = database }

    /// Most lines of the log that one question gets.
    private static let transactionLimit = 100_000

    func write(_ row: AccountingRow) throws(StoreError) {
        switch row {
        case .account(let account): try put("accounts", account.name, WireAccount(account))
        case .accountRemoved(let name): try remove("accounts", name)
        case .user(let user): try put("users", user.name, WireUser(user))
        case .userRemoved(let name): try remove("users", name)
        case .association(let association):
            try put("associations", association.id.rawValue, WireAssociation(association))
        case .associationRemoved(let id):
            try remove("associations", id.rawValue)
            try remove("association_usage", id.rawValue)
        case .qos(let qos): try put("qos", qos.id.rawValue, WireQOS(qos))
        case .qosRemoved(let id):
            try remove("qos", id.rawValue)
            try remove("qos_usage", id.rawValue)
        case .tres(let tres): try put("tres", tres.id.rawValue, WireTRES(tres))
        case .wckey(let key): try put("wckeys", key.id, WireWCKey(key))
        case .wckeyRemoved(let id): try remove("wckeys", id)
        case .associationUsage(let usage):
            try put("association_usage", usage.association.rawValue, WireUsageRow(usage))
        case .qosUsage(let usage): try put("qos_usage", usage.qos.rawValue, WireUsageRow(usage))
        case .transaction(let transaction): try write(transaction)
        case .marks(let marks): try put("accounting_marks", 1, WireAccountingMarks(marks))
        }
    }

    func load() throws(StoreError) -> StoredAccounting {
        var stored = StoredAccounting()
        stored.accounts = try all("accounts", "name", WireAccount.self).map(\.domain)
        stored.users = try all("users", "name", WireUser.self).map(\.domain)
        stored.associations = try all("associations", "id", WireAssociation.self).map(\.domain)
        stored.qos = try all("qos", "id", WireQOS.self).map(\.domain)
        stored.tres = try all("tres", "id", WireTRES.self).map(\.domain)
        stored.wckeys = try all("wckeys", "id", WireWCKey.self).map(\.domain)
        stored.associationUsage = try all("association_usage", "id", WireUsageRow.self).map(\.ofAssociation)
        stored.qosUsage = try all("qos_usage", "id", WireUsageRow.self).map(\.ofQOS)
        stored.marks = try all("accounting_marks", "one", WireAccountingMarks.self).first?.domain ?? AccountingMarks()
        return stored
    }

    func transactions(since: Timestamp, until: Timestamp) throws(StoreError) -> [AccountingTransaction] {
        let statement = try database.statement(
            "SELECT row FROM transactions WHERE time >= ? AND time < ? ORDER BY id LIMIT \(Self.transactionLimit)")
        defer { statement.reset() }
        statement.bind(1, since.microseconds)
        statement.bind(2, until.isSet ? until.microseconds : .max)
        var found: [AccountingTransaction] = []
        while try statement.step() {
            found.append(try SQLiteStore.decode(WireAccountingTransaction.self, statement.blob(0)).domain)
        }
        return found
    }

    private func write(_ transaction: AccountingTransaction) throws(StoreError) {
        let statement = try database.statement("INSERT OR REPLACE INTO transactions VALUES (?, ?, ?)")
        statement.bind(1, Int64(transaction.id))
        statement.bind(2, transaction.time.microseconds)
        statement.bind(3, try SQLiteStore.encode(WireAccountingTransaction(transaction)))
        try statement.run()
    }

    /// Table names are ours, never a user's.
    private func put(_ table: String, _ name: String, _ row: some Message) throws(StoreError) {
        let statement = try database.statement("INSERT OR REPLACE INTO \(table) VALUES (?, ?)")
        statement.bind(1, name)
        statement.bind(2, try SQLiteStore.encode(row))
        try statement.run()
    }

    func put(_ table: String, _ id: UInt32, _ row: some Message) throws(StoreError) {
        let statement = try database.statement("INSERT OR REPLACE INTO \(table) VALUES (?, ?)")
        statement.bind(1, Int64(id))
        statement.bind(2, try SQLiteStore.encode(row))
        try statement.run()
    }

    private func remove(_ table: String, _ name: String) throws(StoreError) {
        let statement = try database.statement("DELETE FROM \(table) WHERE name = ?")
        statement.bind(1, name)
        try statement.run()
    }

    func remove(_ table: String, _ id: UInt32) throws(StoreError) {
        let statement = try database.statement("DELETE FROM \(table) WHERE id = ?")
        statement.bind(1, Int64(id))
        try statement.run()
    }

    func all<M: Message>(_ table: String, _ key: String, _ type: M.Type) throws(StoreError) -> [M] {
        let statement = try database.statement("SELECT row FROM \(table) ORDER BY \(key)")
        defer { statement.reset() }
        var found: [M] = []
        while try statement.step() { found.append(try SQLiteStore.decode(type, statement.blob(0))) }
        return found
    }
}

extension WireAccountingMarks {
    init(_ marks: AccountingMarks) {
        self.init()
        association = marks.association.rawValue
        qos = marks.qos.rawValue
        transaction = marks.transaction
        wckey = marks.wckey
        trigger = marks.trigger
        usageUs = marks.usageTime.microseconds
    }
    var domain: AccountingMarks {
        var marks = AccountingMarks(
            association: AssociationID(association), qos: QOSID(qos), transaction: transaction)
        marks.usageTime = Timestamp(microseconds: usageUs)
        marks.wckey = wckey
        marks.trigger = trigger
        return marks
    }
}
