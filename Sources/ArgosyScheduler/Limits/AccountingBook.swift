// Who runs, waits and has used how much, counted against the limits of associations and QOS.
//
// The core keeps one book and tells it what happens; a planning pass takes a copy and tells it what would happen. A copy
// costs nothing until it is written, and then the counters only. All numbers are whole, and every addition has its exact
// opposite, so counters come back to zero whatever the order. What running jobs may still use (for GrpTRESRunMins) falls
// as time passes: it is kept as the sum of count x end and the sum of counts, and worked out when asked.

public import ArgosyDomain

/// Live counters beside immutable records and decayed usage.
///
///     var book = AccountingBook(records: records, usage: ledger)
///     if let refusal = book.submissionRefusal(job) { ... }
///     book.submitted(job)
///     if book.blockers(job, at: now).isEmpty { book.started(job, end: end) }
///     book.ended(job, end: end)
///     book.withdrawn(job)
public struct AccountingBook: Sendable {
    public let records: AccountingRecords
    /// For GrpTRESMins and GrpWall.
    public var usage: UsageLedger
    var counters: Counters
    /// By row, where some limit counts nodes: those that running jobs hold.
    private var nodes: [Int: HeldNodes] = [:]
    /// Rows of one user's or one account's jobs in a QOS, made when first needed.
    private var shareRows: [ShareKey: Int] = [:]

    private struct ShareKey: Hashable {
        var qos: Int32
        var isUser: Bool
        var of: UInt32
    }

    struct Counters: Sendable {
        let width: Int
        var running: [Int] = []
        var submitted: [Int] = []
        var accruing: [Int] = []
        /// `width` for each row: TRES that running jobs hold, and that times the second of their end.
        var held: [UInt64] = []
        var heldToEnd: [Int128] = []
        mutating func addRows(_ count: Int) {
            running += Array(repeating: 0, count: count)
            submitted += Array(repeating: 0, count: count)
            accruing += Array(repeating: 0, count: count)
            held += Array(repeating: 0, count: count * width)
            heldToEnd += Array(repeating: 0, count: count * width)
        }
    }

    public init(records: AccountingRecords, usage: UsageLedger) {
        self.records = records
        self.usage = usage
        counters = Counters(width: records.tres.all.count)
        counters.addRows(records.associations.count + records.qos.count)
    }
}

// MARK: What happens

extension AccountingBook {
    /// `count` jobs (or elements of an array) were accepted.
    public mutating func submitted(_ job: LimitedJob, count: Int = 1) {
        for row in rows(making: job) { counters.submitted[row] += count }
    }

    /// They have ended, or were cancelled: the opposite of `submitted`.
    public mutating func withdrawn(_ job: LimitedJob, count: Int = 1) {
        for row in rows(making: job) { counters.submitted[row] -= count }
    }

    /// Their age begins to count.
    public mutating func beganToAccrue(_ job: LimitedJob, count: Int = 1) {
        for row in rows(making: job) { counters.accruing[row] += count }
    }

    /// They wait no more, or not for resources: the opposite of `beganToAccrue`.
    public mutating func ceasedToAccrue(_ job: LimitedJob, count: Int = 1) {
        for row in rows(making: job) { counters.accruing[row] -= count }
    }

    /// A job started. `end`: when its time limit ends it. With its `nodes`, limits on nodes count each node once, however
    /// many jobs share it, as Slurm does; without them each job's nodes are its own.
    public mutating func started(_ job: LimitedJob, end: Timestamp, on nodes: [NodeIndex] = []) {
        count(job, end: end, nodes, start: true)
    }

    /// The opposite of `started`, with the same values.
    public mutating func ended(_ job: LimitedJob, end: Timestamp, on nodes: [NodeIndex] = []) {
        count(job, end: end, nodes, start: false)
    }

    /// When a job started at `start` ends for the book: at its limit, a year later without one.
    public static func end(of job: LimitedJob, start: Timestamp) -> Timestamp {
        start.adding(.seconds(Int64(job.limitMinutes) * 60))
    }

    private mutating func count(_ job: LimitedJob, end: Timestamp, _ nodes: [NodeIndex], start: Bool) {
        let seconds = Int128(end.seconds)
        for row in rows(making: job) {
            counters.running[row] += start ? 1 : -1
            if records.limitsNodes && !nodes.isEmpty {
                self.nodes[row, default: HeldNodes()].count(nodes, start: start)
            }
            for entry in job.tres.entries {
                guard let place = records.tres.position(of: entry.id) else { continue }
                let index = row * counters.width + place
                let product = Int128(entry.count) * seconds
                counters.held[index] = start ? counters.held[index] &+ entry.count : counters.held[index] &- entry.count
                counters.heldToEnd[index] += start ? product : -product
            }
        }
    }

    /// True when nothing is submitted, runs or accrues.
    public var isIdle: Bool {
        counters.running.allSatisfy { $0 == 0 } && counters.submitted.allSatisfy { $0 == 0 }
            && counters.accruing.allSatisfy { $0 == 0 } && counters.held.allSatisfy { $0 == 0 }
            && counters.heldToEnd.allSatisfy { $0 == 0 } && nodes.values.allSatisfy { $0.total == 0 }
    }
}

// MARK: Rows

extension AccountingBook {
    func row(qos: Int) -> Int { records.associations.count + qos }

    /// Nil: nothing was ever counted there.
    func shareRow(_ job: LimitedJob, qos: Int, _ share: LimitShare) -> Int? {
        switch share {
        case .group: row(qos: qos)
        case .own: job.association < 0 ? nil : Int(job.association)
        case .user: shareRows[ShareKey(qos: Int32(qos), isUser: true, of: job.uid)]
        case .account: accountKey(job, qos: qos).flatMap { shareRows[$0] }
        }
    }

    private func accountKey(_ job: LimitedJob, qos: Int) -> ShareKey? {
        guard job.association >= 0 else { return nil }
        let account = records.associations[Int(job.association)].account
        guard let position = records.accountPositions[account] else { return nil }
        return ShareKey(qos: Int32(qos), isUser: false, of: UInt32(position))
    }

    /// All rows a job counts in: its association and those above, its QOS and its partition's, and its user's and
    /// account's shares of these.
    private mutating func rows(making job: LimitedJob) -> [Int] {
        var rows = job.association >= 0 ? records.chains[Int(job.association)] : []
        for qos in [job.qos, job.partitionQOS] where qos >= 0 {
            rows.append(row(qos: Int(qos)))
            rows.append(making(ShareKey(qos: qos, isUser: true, of: job.uid)))
            if let key = accountKey(job, qos: Int(qos)) { rows.append(making(key)) }
        }
        return rows
    }

    private mutating func making(_ key: ShareKey) -> Int {
        if let row = shareRows[key] { return row }
        let row = counters.running.count
        counters.addRows(1)
        shareRows[key] = row
        return row
    }
}

// MARK: What is counted now

extension AccountingBook {
    /// Running and submitted jobs of an association with all below it: for `scontrol show assoc_mgr`.
    public func jobs(association: Int) -> (running: Int, submitted: Int, accruing: Int) {
        (counters.running[association], counters.submitted[association], counters.accruing[association])
    }
    public func jobs(qos: Int) -> (running: Int, submitted: Int, accruing: Int) {
        jobs(association: row(qos: qos))
    }
    /// TRES that running jobs hold.
    public func held(association: Int) -> TRESCounts { held(row: association) }
    public func held(qos: Int) -> TRESCounts { held(row: row(qos: qos)) }
    /// TRES-seconds that running jobs may still use at `now`: sshare's TRESRunMins, times 60.
    public func runSeconds(association: Int, at now: Timestamp) -> TRESCounts { runSeconds(row: association, now) }

    private func held(row: Int) -> TRESCounts {
        TRESCounts(
            records.tres.all.enumerated().compactMap { place, tres in
                let count = counters.held[row * counters.width + place]
                return count == 0 ? nil : .init(tres.id, count)
            })
    }
    private func runSeconds(row: Int, _ now: Timestamp) -> TRESCounts {
        TRESCounts(
            records.tres.all.enumerated().compactMap { place, tres in
                let seconds = runSeconds(row: row, place: place, now)
                return seconds == 0 ? nil : .init(tres.id, seconds)
            })
    }
    /// Nodes that running jobs hold, shared ones once.
    func nodesHeld(row: Int, place: Int) -> UInt64 {
        let held = counters.held[row * counters.width + place]
        guard let tally = nodes[row] else { return held }
        return held - min(held, UInt64(tally.total - tally.distinct))
    }
    /// Nodes a job would add to them: of `wanted`, or at least, while it is not known which it gets.
    func nodesAdded(row: Int, asked: UInt64, _ wanted: [NodeIndex]) -> UInt64 {
        guard let tally = nodes[row] else { return asked }
        if wanted.isEmpty { return asked - min(asked, UInt64(tally.distinct)) }
        return UInt64(wanted.reduce(0) { $0 + (tally.holds($1) ? 0 : 1) })
    }
    func runSeconds(row: Int, place: Int, _ now: Timestamp) -> UInt64 {
        let index = row * counters.width + place
        let left = counters.heldToEnd[index] - Int128(counters.held[index]) * Int128(now.seconds)
        return left <= 0 ? 0 : UInt64(clamping: left)
    }
}
