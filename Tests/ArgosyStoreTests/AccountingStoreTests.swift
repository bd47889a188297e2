import ArgosyCore
import ArgosyDomain
import Testing

@testable import ArgosyStore

@Suite struct AccountingStoreTests {
    private let directory = TemporaryDirectory()
    private func open() throws -> SQLiteStore {
        var options = SQLiteStore.Options()
        options.reserve = 1 << 16
        options.least = 0
        return try SQLiteStore(directory: directory.path, options: options)
    }
    private func commit(_ store: SQLiteStore, _ rows: [AccountingRow], term: Term) throws {
        var batch = CommitBatch(time: Timestamp(seconds: 5))
        batch.changes = rows.map { .accounting($0) }
        try store.commit(batch, term: term)
    }

    private var rows: [AccountingRow] {
        var association = Association(id: AssociationID(7), parent: .root, account: "a", user: "u", partition: "p")
        association.limits.maxJobs = 3
        association.limits.grpTRES = [.cpu: 4, .mem: 2048]
        association.limits.maxWallDurationPerJob = TimeLimit(minutes: 90)
        association.shares = .parent
        association.qos = [.normal, QOSID(2)]
        association.defaultQOS = QOSID(2)
        association.isDefault = true
        association.comment = "it's \"theirs\""
        association.created = Timestamp(seconds: 9)
        var qos = QOS(id: QOSID(2), name: "high")
        qos.flags = [.denyOnLimit, .noDecay]
        qos.preempt = [.normal]
        qos.preemptMode = .requeue
        qos.usageFactor = 1.5
        qos.usageThreshold = 0.25
        qos.limits.maxTRESPerUser = [.node: 2]
        var usage = AssociationUsage(association: AssociationID(7), asOf: Timestamp(seconds: 3))
        usage.raw = 12.5
        usage.wall = 0.1 + 0.2
        usage.tres = TRESUsage([.init(.cpu, 1.0 / 3)])
        var used = QOSUsage(qos: QOSID(2), asOf: Timestamp(seconds: 4))
        used.raw = 1e300
        var marks = AccountingMarks(association: AssociationID(7), qos: QOSID(2), transaction: 1)
        marks.usageTime = Timestamp(seconds: 4)
        return [
            .account(Account(name: "a", description: "d", organization: "o")),
            .user(User(name: "u", uid: 0, defaultAccount: "a", adminLevel: .operator, coordinates: ["a", "b"])),
            .association(association), .qos(qos), .tres(TRES(id: TRESID(1001), type: "gres", name: "gpu:a100")),
            .associationUsage(usage), .qosUsage(used), .marks(marks),
            .transaction(
                AccountingTransaction(
                    id: 1, time: Timestamp(seconds: 2), action: "Add Users", actor: "root", target: "u", info: "x'y")),
        ]
    }

    @Test func `records come back to the last bit`() throws {
        let store = try open()
        try commit(store, rows, term: try store.beginTerm())
        let loaded = try store.load { _ in nil }.accounting
        var expected = StoredAccounting()
        for row in rows { expected.apply(row) }
        #expect(loaded.accounts == expected.accounts && loaded.users == expected.users)
        #expect(loaded.associations == expected.associations && loaded.qos == expected.qos)
        #expect(loaded.tres == expected.tres && loaded.marks == expected.marks)
        #expect(loaded.associationUsage == expected.associationUsage && loaded.qosUsage == expected.qosUsage)
    }

    @Test func `what is removed is gone, with its usage`() throws {
        let store = try open()
        let term = try store.beginTerm()
        try commit(store, rows, term: term)
        try commit(
            store,
            [.accountRemoved("a"), .userRemoved("u"), .associationRemoved(AssociationID(7)), .qosRemoved(QOSID(2))],
            term: term)
        let loaded = try store.load { _ in nil }.accounting
        #expect(loaded.accounts.isEmpty && loaded.users.isEmpty && loaded.associations.isEmpty && loaded.qos.isEmpty)
        #expect(loaded.associationUsage.isEmpty && loaded.qosUsage.isEmpty)
        #expect(loaded.marks.association == AssociationID(7), "numbers stay given")
    }

    @Test func `the log is read by time`() throws {
        let store = try open()
        try commit(store, rows, term: try store.beginTerm())
        let all = try store.accountingTransactions(since: .unset, until: .unset)
        #expect(all.map(\.info) == ["x'y"])
        #expect(try store.accountingTransactions(since: Timestamp(seconds: 3), until: .unset).isEmpty)
        #expect(try store.accountingTransactions(since: .unset, until: Timestamp(seconds: 2)).isEmpty)
    }

    /// A file of before accounting records gets their tables, and keeps its jobs.
    @Test func `a store of the version before is migrated`() throws {
        do {
            let store = try open()
            var batch = CommitBatch(time: Timestamp(seconds: 5))
            let fields = JobSpec.Fields(identity: Identity(uid: 7, gid: 1, user: "u", group: "g"))
            batch.changes = [
                .job(JobRow(id: JobID(3), spec: JobSpec(fields), partition: "p", submit: Timestamp(seconds: 1)))
            ]
            try store.commit(batch, term: try store.beginTerm())
        }
        do {
            let database = try Database(path: directory.path + "/argosy.sqlite", readOnly: false)
            let tables = [
                "accounts", "users", "associations", "qos", "tres", "association_usage", "qos_usage", "transactions",
                "accounting_marks", "reservations", "wckeys", "triggers", "crontabs", "node_events",
                "past_reservations",
            ]
            for table in tables { try database.execute("DROP TABLE \(table)") }
            try database.execute("PRAGMA user_version=\(Schema.accountingVersion - 1)")
        }
        let store = try open()
        let state = try store.load { _ in nil }
        #expect(state.jobs.map(\.id) == [JobID(3)])
        #expect(state.accounting.associations.isEmpty)
        try commit(store, rows, term: try store.beginTerm())
        #expect(try store.load { _ in nil }.accounting.users.map(\.name) == ["u"])
    }
}
