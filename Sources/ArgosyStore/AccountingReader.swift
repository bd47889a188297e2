internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyWire

/// Selects jobs, live and past, with their steps.
struct AccountingReader {
    private let database: Database
    init(_ database: Database) { self.database = database }

    func records(_ query: AccountingQuery) throws(StoreError) -> [AccountingRecord] {
        let (condition, numbers) = Self.condition(query)
        // Not kept as a prepared statement: its text varies.
        let statement = try database.statement("SELECT row FROM jobs\(condition) ORDER BY id LIMIT \(query.limit)")
        defer { statement.reset() }
        for (position, number) in numbers.enumerated() { statement.bind(Int32(position + 1), number) }
        var found: [AccountingRecord] = []
        while try statement.step() {
            let job = try SQLiteStore.decode(WireJobRow.self, statement.blob(0)).core { _ in nil }
            if job.isArrayHead && job.pendingIndices.isEmpty { continue }
            found.append(AccountingRecord(job: job, steps: query.withSteps ? try steps(of: job.id) : []))
        }
        return found
    }

    private func steps(of job: JobID) throws(StoreError) -> [StepRow] {
        let statement = try database.statement("SELECT row FROM steps WHERE job = ? ORDER BY attempt, step")
        defer { statement.reset() }
        statement.bind(1, Int64(job.rawValue))
        var rows: [StepRow] = []
        while try statement.step() {
            rows.append(try SQLiteStore.decode(WireStepRow.self, statement.blob(0)).core { _ in nil })
        }
        return rows
    }

    /// Only numbers are bound, so lists can be written into the text.
    private static func condition(_ query: AccountingQuery) -> (sql: String, numbers: [Int64]) {
        var terms: [String] = []
        var numbers: [Int64] = []
        if !query.jobs.isEmpty { terms.append("(" + query.jobs.map(selection).joined(separator: " OR ") + ")") }
        if !query.uids.isEmpty { terms.append("uid IN (\(list(query.uids)))") }
        if !query.states.isEmpty { terms.append("state IN (\(list(query.states.map(\.rawValue))))") }
        if query.since.isSet {
            terms.append("(end = 0 OR end >= ?)")
            numbers.append(query.since.microseconds)
        }
        if query.until.isSet {
            terms.append("submit <= ?")
            numbers.append(query.until.microseconds)
        }
        return (terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND "), numbers)
    }

    private static func selection(_ item: JobSelection.Item) -> String {
        let id = item.job.rawValue
        if item.indices.isEmpty { return "id = \(id) OR array = \(id)" }
        let ranges = item.indices.map {
            "(element BETWEEN \($0.first) AND \($0.last) AND (element - \($0.first)) % \($0.step) = 0)"
        }
        return "(array = \(id) AND (\(ranges.joined(separator: " OR "))))"
    }

    private static func list(_ values: [UInt32]) -> String { values.map(String.init).joined(separator: ",") }
}
