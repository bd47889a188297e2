public import ArgosyCore
public import ArgosyDomain
internal import ArgosyWire
internal import SwiftProtobuf
internal import Synchronization

/// The state store in one SQLite file, `argosy.sqlite` in a directory that one controller at a time may use.
///
/// A connection that saw an I/O error is closed and never used again: after a failed fsync its pages may be marked clean
/// in the kernel although they were not written. The next use opens a new one and folds the log into the database, so
/// that nothing is appended behind frames that may be missing on the disk.
public final class SQLiteStore: Store {
    public struct Options: Sendable {
        /// Bytes that a full file system still gives to completions.
        public var reserve = 4 << 20
        /// With less than this left on the file system, `hasRoom` is false.
        public var least: UInt64 = 16 << 20
        /// Forget everything first (argosyctld -c).
        public var clear = false
        public init() {}
    }

    private let path: String
    private let lock: DirectoryLock
    private let reserve: SpaceReserve
    private let writer = Mutex<Database?>(nil)
    private let reader = Mutex<Database?>(nil)
    /// An fsync may have failed: the log must be folded in before anything is appended to it.
    private let mustFold = Atomic<Bool>(false)

    /// Opens or creates the store in `directory`. Throws `StoreError`: `.locked` when another controller has it.
    public init(directory: String, options: Options = Options()) throws {
        lock = try DirectoryLock(directory: directory)
        path = directory + "/argosy.sqlite"
        reserve = SpaceReserve(path: directory + "/reserve", size: options.reserve, least: options.least)
        if options.clear { try lock.removeDatabase(path) }
        reserve.refill()
        try withWriter { database throws(StoreError) in try Self.removeOrphans(database) }
    }

    public var hasRoom: Bool { reserve.hasRoom }

    public func beginTerm() throws -> Term {
        try withWriter { database throws(StoreError) in
            // A new state directory does not start at 1: nodes that served an older one would take it for a dead controller.
            try database.execute(
                "UPDATE meta SET term = CASE term WHEN 0 THEN CAST(strftime('%s', 'now') AS INTEGER) ELSE term + 1 END")
            return Term(UInt64(try database.integer("SELECT term FROM meta")))
        }
    }

    public func load(indexOf: (String) -> NodeIndex?) throws -> StoredState {
        try withWriter { database throws(StoreError) in
            var state = StoredState()
            state.lastJobID = JobID(UInt32(try database.integer("SELECT last_job FROM meta")))
            state.lastTime = Timestamp(microseconds: try database.integer("SELECT time FROM meta"))
            try Self.rows(database, "SELECT row FROM jobs WHERE live = 1 ORDER BY id") { bytes throws(StoreError) in
                let row = try Self.decode(WireJobRow.self, bytes).core(indexOf: indexOf)
                try Self.checkNodes(of: row)
                state.jobs.append(row)
            }
            let steps = "SELECT row FROM steps WHERE job IN (SELECT id FROM jobs WHERE live = 1)"
            try Self.rows(database, steps) { bytes throws(StoreError) in
                state.steps.append(try Self.decode(WireStepRow.self, bytes).core(indexOf: indexOf))
            }
            try Self.rows(database, "SELECT row FROM nodes ORDER BY name") { bytes throws(StoreError) in
                state.nodes.append(try Self.decode(WireNodeRow.self, bytes).core)
            }
            try Self.rows(database, "SELECT row FROM partitions ORDER BY name") { bytes throws(StoreError) in
                state.partitions.append(try Self.decode(WirePartitionRow.self, bytes).core)
            }
            try Self.rows(database, "SELECT row FROM reservations ORDER BY name") { bytes throws(StoreError) in
                state.reservations.append(try Self.decode(WireReservation.self, bytes).domain(indexOf: indexOf))
            }
            state.accounting = try AccountingTables(database).load()
            state.kept = try KeptTables(database).load()
            state.endedRuns = try Self.endedRuns(database, indexOf)
            return state
        }
    }

    /// Each user's last ended jobs, of those that are not live any more too.
    private static func endedRuns(
        _ database: Database, _ indexOf: (String) -> NodeIndex?
    ) throws(StoreError) -> [EndedRun] {
        var runs: [EndedRun] = []
        var uid = try database.integer("SELECT coalesce(min(uid), -1) FROM jobs")
        while uid >= 0 {
            // Some of them tell nothing: they never ran, or a node was lost.
            let sql = "SELECT row FROM jobs WHERE uid = \(uid) AND end > 0 ORDER BY end DESC, id DESC LIMIT 32"
            var found = 0
            try rows(database, sql) { bytes throws(StoreError) in
                guard found < EndedRun.remembered,
                    let run = EndedRun(try decode(WireJobRow.self, bytes).core(indexOf: indexOf))
                else { return }
                found += 1
                runs.append(run)
            }
            // Each step is one look into the index of uids.
            uid = try database.integer("SELECT coalesce(min(uid), -1) FROM jobs WHERE uid > \(uid)")
        }
        return runs
    }

    public func commit(_ batch: CommitBatch, term: Term) throws {
        try withWriter { database throws(StoreError) in
            try database.execute("BEGIN IMMEDIATE")
            try Self.fence(database, term: term, time: batch.time)
            for blob in batch.blobs { try Self.write(blob, database) }
            for change in batch.changes { try Self.write(change, database) }
            try database.execute("COMMIT")
        }
    }

    public func blob(_ digest: String) throws -> [UInt8]? {
        try withReader { database throws(StoreError) in
            let statement = try database.statement("SELECT data FROM blobs WHERE digest = ?")
            defer { statement.reset() }
            statement.bind(1, digest)
            return try statement.step() ? statement.blob(0) : nil
        }
    }

    public func accounting(_ query: AccountingQuery) throws -> [AccountingRecord] {
        try withReader { database throws(StoreError) in try AccountingReader(database).records(query) }
    }

    public func accountingTransactions(since: Timestamp, until: Timestamp) throws -> [AccountingTransaction] {
        try withReader { database throws(StoreError) in
            try AccountingTables(database).transactions(since: since, until: until)
        }
    }

    public func nodeEvents(since: Timestamp, until: Timestamp) throws -> [NodeEvent] {
        try withReader { database throws(StoreError) in try KeptTables(database).events(since: since, until: until) }
    }

    public func pastReservations(since: Timestamp, until: Timestamp) throws -> [Reservation] {
        try withReader { database throws(StoreError) in
            try KeptTables(database).reservations(since: since, until: until)
        }
    }

    // MARK: - Connections

    private func withWriter<R: Sendable>(_ body: (Database) throws(StoreError) -> R) throws(StoreError) -> R {
        try writer.withLock { (open) throws(StoreError) -> R in
            let database: Database
            if let open {
                database = open
            } else {
                database = try openWriter()
                open = database
            }
            do throws(StoreError) { return try body(database) } catch {
                if error.code == .fenced {
                    try? database.execute("ROLLBACK")
                } else {
                    open = nil
                    if error.code == .full { reserve.release() } else { mustFold.store(true, ordering: .relaxed) }
                }
                throw error
            }
        }
    }

    private func withReader<R: Sendable>(_ body: (Database) throws(StoreError) -> R) throws(StoreError) -> R {
        try reader.withLock { (open) throws(StoreError) -> R in
            let database: Database
            if let open {
                database = open
            } else {
                database = try Database(path: path, readOnly: true)
                open = database
            }
            do throws(StoreError) { return try body(database) } catch {
                open = nil
                throw error
            }
        }
    }

    private func openWriter() throws(StoreError) -> Database {
        let database = try Database(path: path, readOnly: false)
        try Schema.prepare(database)
        do throws(StoreError) { try database.execute("PRAGMA wal_checkpoint(TRUNCATE)") } catch {
            // A full disk has no room to fold the log in, and need not: what is in the log was synced.
            guard error.code == .full, !mustFold.load(ordering: .relaxed) else { throw error }
            reserve.release()
            return database
        }
        mustFold.store(false, ordering: .relaxed)
        return database
    }

    // MARK: - Rows

    private static func fence(_ database: Database, term: Term, time: Timestamp) throws(StoreError) {
        let statement = try database.statement("UPDATE meta SET time = max(time, ?) WHERE term = ?")
        statement.bind(1, time.microseconds)
        statement.bind(2, Int64(term.rawValue))
        try statement.run()
        guard database.changedRows == 1 else {
            throw StoreError(.fenced, "another controller has taken over (term \(term.rawValue) is over)")
        }
    }

    private static func write(_ blob: Blob, _ database: Database) throws(StoreError) {
        let statement = try database.statement("INSERT OR IGNORE INTO blobs VALUES (?, ?)")
        statement.bind(1, blob.digest)
        statement.bind(2, blob.bytes)
        try statement.run()
    }

    private static func write(_ change: RowChange, _ database: Database) throws(StoreError) {
        switch change {
        case .job(let row): try write(row, database)
        case .jobRemoved(let id):
            let statement = try database.statement("UPDATE jobs SET live = 0 WHERE id = ?")
            statement.bind(1, Int64(id.rawValue))
            try statement.run()
        case .step(let row):
            let statement = try database.statement("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?)")
            statement.bind(1, Int64(row.key.job.rawValue))
            statement.bind(2, Int64(row.key.attempt.rawValue))
            statement.bind(3, Int64(row.step.rawValue))
            statement.bind(4, try encode(WireStepRow(row)))
            try statement.run()
        case .node(let row):
            let statement = try database.statement("INSERT OR REPLACE INTO nodes VALUES (?, ?)")
            statement.bind(1, row.name)
            statement.bind(2, try encode(WireNodeRow(row)))
            try statement.run()
        case .partition(let row):
            let statement = try database.statement("INSERT OR REPLACE INTO partitions VALUES (?, ?)")
            statement.bind(1, row.name)
            statement.bind(2, try encode(WirePartitionRow(row)))
            try statement.run()
        case .reservation(let reservation):
            let statement = try database.statement("INSERT OR REPLACE INTO reservations VALUES (?, ?)")
            statement.bind(1, reservation.name)
            statement.bind(2, try encode(WireReservation(reservation)))
            try statement.run()
        case .reservationRemoved(let name):
            try KeptTables(database).keepReservation(name)
            let statement = try database.statement("DELETE FROM reservations WHERE name = ?")
            statement.bind(1, name)
            try statement.run()
        case .accounting(let row): try AccountingTables(database).write(row)
        case .kept(let row): try KeptTables(database).write(row)
        case .lastJobID(let id):
            let statement = try database.statement("UPDATE meta SET last_job = max(last_job, ?)")
            statement.bind(1, Int64(id.rawValue))
            try statement.run()
        }
    }

    private static func write(_ row: JobRow, _ database: Database) throws(StoreError) {
        let statement = try database.statement(
            "INSERT OR REPLACE INTO jobs VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        let fields = row.spec.fields
        statement.bind(1, Int64(row.id.rawValue))
        statement.bind(2, Int64(fields.identity.uid))
        statement.bind(3, fields.identity.user)
        statement.bind(4, fields.name)
        statement.bind(5, Int64(row.state.rawValue))
        statement.bind(6, row.submit.microseconds)
        statement.bind(7, row.start.microseconds)
        // Of a running job this is when it should end: a query for what had ended must not find it.
        statement.bind(8, row.state.isEnded ? row.end.microseconds : 0)
        statement.bind(9, Int64(row.arrayJob?.rawValue ?? 0))
        statement.bind(10, Int64(row.arrayIndex ?? .max))
        statement.bind(11, fields.scriptDigest)
        statement.bind(12, fields.environmentDigest)
        statement.bind(13, try encode(WireJobRow(row)))
        try statement.run()
    }

    /// Scripts and environments whose submission was refused or forgotten; run when nothing else is going on.
    private static func removeOrphans(_ database: Database) throws(StoreError) {
        try database.execute(
            """
            DELETE FROM blobs WHERE digest NOT IN (SELECT script FROM jobs) AND digest NOT IN
            (SELECT environment FROM jobs)
            """)
    }

    private static func checkNodes(of row: JobRow) throws(StoreError) {
        guard !row.state.isEnded, let gone = row.allocation?.nodes.first(where: { $0.index.rawValue == .max }) else {
            return
        }
        throw StoreError(
            .unknownNode,
            "job \(row.id) holds node \(gone.name), which is no longer configured; put its NodeName line back,"
                + " or start argosyctld with -c to forget all jobs")
    }

    private static func rows(_ database: Database, _ sql: String, _ body: ([UInt8]) throws(StoreError) -> Void)
        throws(StoreError)
    {
        let statement = try database.statement(sql)
        defer { statement.reset() }
        while try statement.step() { try body(statement.blob(0)) }
    }

    static func encode(_ message: some Message) throws(StoreError) -> [UInt8] {
        do { return try message.serializedBytes() } catch {
            throw StoreError(.unavailable, "a row cannot be encoded: \(error)")
        }
    }

    static func decode<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws(StoreError) -> M {
        do { return try M(serializedBytes: bytes) } catch {
            throw StoreError(.corrupt, "a stored row cannot be read: \(error); restore the store from a backup")
        }
    }
}
