// Rows of triggers, crontabs, events of nodes and reservations that were.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyWire

struct KeptTables {
    private let database: Database
    init(_ database: Database) { self.database = database }

    /// Most events that one question gets.
    private static let eventLimit = 100_000

    func write(_ row: KeptRow) throws(StoreError) {
        let tables = AccountingTables(database)
        switch row {
        case .trigger(let trigger): try tables.put("triggers", trigger.id, WireTrigger(trigger))
        case .triggerRemoved(let id): try tables.remove("triggers", id)
        case .crontab(let crontab) where crontab.text.isEmpty: try tables.remove("crontabs", crontab.uid)
        case .crontab(let crontab): try tables.put("crontabs", crontab.uid, WireCrontab(crontab))
        case .nodeEvent(let event):
            let statement = try database.statement("INSERT OR REPLACE INTO node_events VALUES (?, ?, ?, ?)")
            statement.bind(1, event.node)
            statement.bind(2, event.start.microseconds)
            statement.bind(3, event.end.microseconds)
            statement.bind(4, try SQLiteStore.encode(WireNodeEvent(event)))
            try statement.run()
        }
    }

    func load() throws(StoreError) -> StoredKept {
        let tables = AccountingTables(database)
        var stored = StoredKept()
        stored.triggers = try tables.all("triggers", "id", WireTrigger.self).compactMap(\.domain)
        stored.crontabs = try tables.all("crontabs", "id", WireCrontab.self).map(\.domain)
        stored.openEvents = try events("WHERE end = 0", [])
        return stored
    }

    /// Those that were not over at `since` and began before `until`; unset: no bound.
    func events(since: Timestamp, until: Timestamp) throws(StoreError) -> [NodeEvent] {
        try events(
            "WHERE (end = 0 OR end >= ?) AND start <= ?",
            [since.microseconds, until.isSet ? until.microseconds : .max])
    }

    private func events(_ condition: String, _ numbers: [Int64]) throws(StoreError) -> [NodeEvent] {
        let statement = try database.statement(
            "SELECT row FROM node_events \(condition) ORDER BY start, node LIMIT \(Self.eventLimit)")
        defer { statement.reset() }
        for (position, number) in numbers.enumerated() { statement.bind(Int32(position + 1), number) }
        var found: [NodeEvent] = []
        while try statement.step() {
            found.append(try SQLiteStore.decode(WireNodeEvent.self, statement.blob(0)).domain)
        }
        return found
    }

    /// Before a reservation is forgotten: it ended now, if not before. One that never began leaves nothing.
    func keepReservation(_ name: String) throws(StoreError) {
        let statement = try database.statement("SELECT row FROM reservations WHERE name = ?")
        statement.bind(1, name)
        guard try statement.step() else { return statement.reset() }
        var row = try SQLiteStore.decode(WireReservation.self, statement.blob(0))
        statement.reset()
        let now = try database.integer("SELECT time FROM meta")
        guard row.startUs < now else { return }
        row.endUs = min(row.endUs, now)
        let insert = try database.statement("INSERT OR REPLACE INTO past_reservations VALUES (?, ?, ?, ?)")
        insert.bind(1, name)
        insert.bind(2, row.startUs)
        insert.bind(3, row.endUs)
        insert.bind(4, try SQLiteStore.encode(row))
        try insert.run()
    }

    func reservations(since: Timestamp, until: Timestamp) throws(StoreError) -> [Reservation] {
        let statement = try database.statement(
            "SELECT row FROM past_reservations WHERE end >= ? AND start <= ? ORDER BY start, name"
                + " LIMIT \(Self.eventLimit)")
        defer { statement.reset() }
        statement.bind(1, since.microseconds)
        statement.bind(2, until.isSet ? until.microseconds : .max)
        var found: [Reservation] = []
        while try statement.step() {
            found.append(try SQLiteStore.decode(WireReservation.self, statement.blob(0)).domain { _ in nil })
        }
        return found
    }
}
