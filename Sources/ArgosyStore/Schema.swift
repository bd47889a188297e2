// Rows are protobuf (WireJobRow and its like) in a `row` column; the other columns repeat what queries select by.
// A job's row stays for accounting when it leaves the queue: only `live` is cleared.

enum Schema {
    /// The one that brought accounting records.
    static let accountingVersion: Int64 = 3
    static let version: Int64 = 5
    private static let applicationID = 0x4172_676f  // "Argo"

    /// Creates or migrates. Throws `.newerSchema` for a file of a later release.
    static func prepare(_ database: Database) throws(StoreError) {
        let found = try database.integer("PRAGMA user_version")
        if found == version { return }
        guard found < version else {
            throw StoreError(
                .newerSchema,
                "\(database.path) was written by a newer argosyctld (schema \(found), this one knows \(version));"
                    + " run that release, or another StateSaveLocation")
        }
        try database.execute("BEGIN IMMEDIATE")
        for step in migrations[Int(found)...] { try database.execute(step) }
        try database.execute("PRAGMA application_id=\(applicationID)")
        try database.execute("PRAGMA user_version=\(version)")
        try database.execute("COMMIT")
    }

    /// One entry for each version reached; never changed once released.
    private static let migrations = [
        """
        CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), term INTEGER NOT NULL, time INTEGER NOT NULL,
            last_job INTEGER NOT NULL);
        INSERT INTO meta VALUES (1, 0, 0, 0);
        CREATE TABLE jobs (id INTEGER PRIMARY KEY, live INTEGER NOT NULL, uid INTEGER NOT NULL, user TEXT NOT NULL,
            name TEXT NOT NULL, state INTEGER NOT NULL, submit INTEGER NOT NULL, start INTEGER NOT NULL,
            end INTEGER NOT NULL, array INTEGER NOT NULL, element INTEGER NOT NULL, script TEXT NOT NULL,
            environment TEXT NOT NULL, row BLOB NOT NULL);
        CREATE INDEX jobs_live ON jobs (id) WHERE live = 1;
        CREATE INDEX jobs_end ON jobs (end);
        CREATE INDEX jobs_uid ON jobs (uid, end);
        CREATE INDEX jobs_array ON jobs (array) WHERE array > 0;
        CREATE TABLE steps (job INTEGER NOT NULL, attempt INTEGER NOT NULL, step INTEGER NOT NULL, row BLOB NOT NULL,
            PRIMARY KEY (job, attempt, step)) WITHOUT ROWID;
        CREATE TABLE nodes (name TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE blobs (digest TEXT PRIMARY KEY, data BLOB NOT NULL);
        """,
        "CREATE TABLE partitions (name TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;",
        """
        CREATE TABLE accounts (name TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE users (name TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE associations (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE qos (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE tres (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE association_usage (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE qos_usage (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE transactions (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, row BLOB NOT NULL);
        CREATE INDEX transactions_time ON transactions (time);
        CREATE TABLE accounting_marks (one INTEGER PRIMARY KEY CHECK (one = 1), row BLOB NOT NULL);
        """,
        "CREATE TABLE reservations (name TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;",
        """
        CREATE TABLE wckeys (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE triggers (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE crontabs (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
        CREATE TABLE node_events (node TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, row BLOB NOT NULL,
            PRIMARY KEY (node, start)) WITHOUT ROWID;
        CREATE INDEX node_events_end ON node_events (end);
        CREATE TABLE past_reservations (name TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
            row BLOB NOT NULL, PRIMARY KEY (name, start)) WITHOUT ROWID;
        """,
    ]
}
