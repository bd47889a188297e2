internal import CSQLite

/// One SQLite connection and its prepared statements. Used by one thread at a time: its owner holds a lock.
final class Database {
    let path: String
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]

    /// Opens `path`. A writer gets WAL with `synchronous=FULL`, and reads both back: less would be no commit.
    init(path: String, readOnly: Bool) throws(StoreError) {
        self.path = path
        var opened: OpaquePointer?
        let flags = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let status = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard let opened else { throw StoreError(.unavailable, "cannot open \(path): out of memory") }
        handle = opened
        guard status == SQLITE_OK else { throw failure("opening") }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5_000)
        if !readOnly { try configureWriter() }
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    private func configureWriter() throws(StoreError) {
        guard try text("PRAGMA journal_mode=WAL") == "wal" else {
            throw StoreError(.unavailable, "\(path) cannot use a write-ahead log; is its file system a network one?")
        }
        try execute("PRAGMA synchronous=FULL")
        guard try integer("PRAGMA synchronous") == 2 else {
            throw StoreError(.unavailable, "\(path) does not commit durably: PRAGMA synchronous=FULL had no effect")
        }
        try execute("PRAGMA foreign_keys=OFF")
        try execute("PRAGMA journal_size_limit=16777216")
    }

    func execute(_ sql: String) throws(StoreError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// A prepared statement, ready to be bound; kept for the next use.
    func statement(_ sql: String) throws(StoreError) -> Statement {
        if let known = statements[sql] {
            known.reset()
            return known
        }
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &prepared, nil) == SQLITE_OK, let prepared else { throw failure(sql) }
        let made = Statement(prepared, of: self)
        statements[sql] = made
        return made
    }

    func integer(_ sql: String) throws(StoreError) -> Int64 {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : 0
    }

    func text(_ sql: String) throws(StoreError) -> String {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : ""
    }

    var changedRows: Int { Int(sqlite3_changes(handle)) }
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// What just went wrong, in words.
    func failure(_ doing: String) -> StoreError {
        let text = String(cString: sqlite3_errmsg(handle))
        let extended = sqlite3_extended_errcode(handle)
        let action = doing.prefix { $0 != "(" && $0 != "\n" }.prefix(60)
        switch extended & 0xff {
        case SQLITE_FULL:
            return StoreError(.full, "No space left on device: \(path) cannot grow; free space on its file system")
        case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY:
            let system = sqlite3_system_errno(handle)
            let why = system == 0 ? text : "\(text) (errno \(system))"
            return StoreError(system == 28 ? .full : .io, "\(path): \(why) while \(action)")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return StoreError(.corrupt, "\(path) is damaged: \(text); restore it from a backup or start with -c")
        default: return StoreError(.unavailable, "\(path): \(text) (\(extended)) while \(action)")
        }
    }

    /// Bound by position from 1, read by column from 0.
    final class Statement {
        private let handle: OpaquePointer
        private unowned let database: Database
        private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

        fileprivate init(_ handle: OpaquePointer, of database: Database) {
            self.handle = handle
            self.database = database
        }
        deinit { sqlite3_finalize(handle) }

        func reset() {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        func bind(_ position: Int32, _ value: Int64) { sqlite3_bind_int64(handle, position, value) }
        func bind(_ position: Int32, _ value: String) { sqlite3_bind_text(handle, position, value, -1, Self.transient) }
        func bind(_ position: Int32, _ value: [UInt8]) {
            sqlite3_bind_blob64(handle, position, value, UInt64(value.count), Self.transient)
        }

        /// True when there is a row. Throws what SQLite says.
        func step() throws(StoreError) -> Bool {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: return true
            case SQLITE_DONE: return false
            default:
                let failure = database.failure(String(cString: sqlite3_sql(handle)))
                sqlite3_reset(handle)
                throw failure
            }
        }

        /// Steps a statement that gives no rows, and makes it ready for the next.
        func run() throws(StoreError) {
            _ = try step()
            reset()
        }

        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
        func text(_ column: Int32) -> String { sqlite3_column_text(handle, column).map { String(cString: $0) } ?? "" }
        func blob(_ column: Int32) -> [UInt8] {
            let count = Int(sqlite3_column_bytes(handle, column))
            return Array(UnsafeRawBufferPointer(start: sqlite3_column_blob(handle, column), count: count))
        }
    }
}
