// sreport: who held how much for how long, from the rows of jobs, events of nodes and reservations.
//
// Jobs are read once and summed where everything that reports tell apart is the same: account, user, wckey and size.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyStore
internal import ArgosyWire

struct UsageReportDesk {
    private let parts: RequestRouter.Parts
    private let view: CoreView
    private let now: Timestamp

    init(_ parts: RequestRouter.Parts, _ view: CoreView) {
        self.parts = parts
        self.view = view
        now = parts.clock.now
    }

    /// Most jobs that one report reads.
    private static let jobLimit = 5_000_000

    private struct Key: Hashable {
        var account: String
        var uid: UInt32
        var wckey: String
        var cpus: UInt32
    }
    private struct Sum {
        var user = ""
        var jobs: UInt64 = 0
        var used: [TRESID: Double] = [:]
    }

    func report(_ request: WireReportUsage) throws -> WireUsageReport {
        let since = Timestamp(microseconds: request.sinceUs)
        let until = min(Timestamp(microseconds: request.untilUs), now)
        var answer = WireUsageReport()
        answer.cluster = parts.configuration.clusterName
        answer.sinceUs = since.microseconds
        answer.untilUs = until.microseconds
        let rows = try jobs(since, until, request.jobs)
        answer.lines = lines(rows.filter { isWanted($0, request) }, since, until)
        answer.reservations = try reservations(since: since, until: until, rows)
        try addCapacity(&answer, rows, since, until)
        return answer
    }

    private func jobs(_ since: Timestamp, _ until: Timestamp, _ selectors: [WireJobSelector] = []) throws -> [JobRow] {
        var query = AccountingQuery()
        query.since = since
        query.until = until
        query.jobs = selectors.map { .init(job: JobID($0.job), indices: $0.indices.map(\.domain)) }
        query.withSteps = false
        query.limit = Self.jobLimit
        return try parts.store.accounting(query).map(\.job).filter { $0.allocation != nil }
    }

    private func isWanted(_ row: JobRow, _ request: WireReportUsage) -> Bool {
        let identity = row.spec.fields.identity
        return (request.partitions.isEmpty || request.partitions.contains(row.partition))
            && (request.gids.isEmpty || request.gids.contains(identity.gid))
            && (request.users.isEmpty || request.users.contains(identity.user))
            && (request.nodes.isEmpty || row.allocation?.nodes.contains { request.nodes.contains($0.name) } ?? false)
    }

    /// Seconds of the job between the two, without those it stood still.
    private func seconds(_ row: JobRow, _ since: Timestamp, _ until: Timestamp) -> Double {
        let end = row.state.isEnded || row.state == .completing ? row.end : now
        guard row.start.isSet, end.isSet else { return 0 }
        let (first, last) = (max(row.start, since), min(end, until))
        guard last > first else { return 0 }
        let all = Double((end - row.start).microseconds)
        let still = row.suspendedFor.microseconds + (row.suspendedAt.isSet ? (now - row.suspendedAt).microseconds : 0)
        let share = all > 0 ? max(0, 1 - Double(still) / all) : 1
        return Double((last - first).microseconds) / 1e6 * share
    }

    private func lines(_ rows: [JobRow], _ since: Timestamp, _ until: Timestamp) -> [WireUsageLine] {
        var sums: [Key: Sum] = [:]
        for row in rows {
            let (fields, seconds) = (row.spec.fields, seconds(row, since, until))
            guard seconds > 0 else { continue }
            let tres = view.tres(of: row)
            let wckey = fields.wckey.hasPrefix("*") ? String(fields.wckey.dropFirst()) : fields.wckey
            let key = Key(
                account: fields.account, uid: fields.identity.uid, wckey: wckey, cpus: UInt32(clamping: tres[.cpu]))
            sums[key, default: Sum()].user = fields.identity.user
            sums[key, default: Sum()].jobs += 1
            for entry in tres.entries {
                sums[key, default: Sum()].used[entry.id, default: 0] += Double(entry.count) * seconds
            }
        }
        let order = sums.sorted {
            ($0.key.account, $0.key.uid, $0.key.wckey, $0.key.cpus) < (
                $1.key.account, $1.key.uid, $1.key.wckey, $1.key.cpus
            )
        }
        return order.map { key, sum in
            var line = WireUsageLine()
            (line.account, line.uid, line.wckey, line.cpus) = (key.account, key.uid, key.wckey, key.cpus)
            (line.user, line.jobs) = (sum.user, sum.jobs)
            line.used = Self.wire(sum.used)
            line.fullName = parts.users.fullName(of: key.uid)
            return line
        }
    }

    private static func wire(_ sums: [TRESID: Double]) -> [WireTRESSum] {
        sums.sorted { $0.key < $1.key }.map { id, seconds in
            var sum = WireTRESSum()
            (sum.tres, sum.seconds) = (id.rawValue, seconds)
            return sum
        }
    }

    // MARK: - The cluster

    private func addCapacity(
        _ answer: inout WireUsageReport, _ rows: [JobRow], _ since: Timestamp, _ until: Timestamp
    ) throws {
        let configured = view.configuredTRES
        let events = try parts.store.nodeEvents(since: since, until: until)
        // Nobody counted before the cluster was first seen.
        let first = events.filter { $0.node.isEmpty }.map(\.start).min() ?? since
        let length = max(0, Double((until - max(since, first)).microseconds) / 1e6)
        var (down, planned): ([TRESID: Double], [TRESID: Double]) = ([:], [:])
        for event in events where !event.node.isEmpty && Self.isDown(event) {
            let seconds = Self.overlap(event.start, event.end.isSet ? event.end : now, since, until)
            for entry in configured.nodes[event.node]?.entries ?? [] {
                down[entry.id, default: 0] += Double(entry.count) * seconds
            }
        }
        for reservation in try known(since, until)
        where reservation.flags.contains(.maintenance) && !reservation.flags.contains(.ignoreJobs) {
            let seconds = Self.overlap(reservation.start, min(reservation.end, now), since, until)
            for node in reservation.nodes {
                for entry in configured.nodes[node.name]?.entries ?? [] {
                    planned[entry.id, default: 0] += Double(entry.count) * seconds
                }
            }
        }
        var capacity: [TRESID: Double] = [:]
        for entry in configured.all.entries { capacity[entry.id] = Double(entry.count) * length }
        answer.capacity = Self.wire(capacity)
        answer.down = Self.wire(down)
        answer.plannedDown = Self.wire(planned)
        answer.planned = Self.wire(waited(rows, since, until))
        answer.total = Self.wire(
            Dictionary(
                configured.all.entries.map { ($0.id, Double($0.count)) }, uniquingKeysWith: { first, _ in first }))
    }

    private static func isDown(_ event: NodeEvent) -> Bool { event.state.hasPrefix("DOWN") }

    private static func overlap(_ start: Timestamp, _ end: Timestamp, _ since: Timestamp, _ until: Timestamp) -> Double
    {
        max(0, Double((min(end, until) - max(start, since)).microseconds) / 1e6)
    }

    /// What eligible jobs that started or still wait would have held while they waited.
    private func waited(_ rows: [JobRow], _ since: Timestamp, _ until: Timestamp) -> [TRESID: Double] {
        var sums: [TRESID: Double] = [:]
        for row in rows where row.start > row.eligible && row.eligible.isSet {
            let seconds = Self.overlap(row.eligible, row.start, since, until)
            guard seconds >= 1 else { continue }
            for entry in view.tres(of: row).entries { sums[entry.id, default: 0] += Double(entry.count) * seconds }
        }
        return sums
    }

    // MARK: - Reservations

    private func known(_ since: Timestamp, _ until: Timestamp) throws -> [Reservation] {
        let present = view.reservations.filter { $0.start < now && $0.start <= until && $0.end >= since }
        return try parts.store.pastReservations(since: since, until: until) + present
    }

    func reservations(since: Timestamp, until: Timestamp, _ rows: [JobRow]? = nil) throws -> [WireReservationUse] {
        let end = until.isSet ? until : now
        let found = try known(since, end)
        guard let first = found.map(\.start).min() else { return [] }
        // The report is about whole reservations, also what was before the window.
        let rows = try jobs(first, end)
        let configured = view.configuredTRES.nodes
        return found.map { reservation in
            var use = WireReservationUse()
            use.name = reservation.name
            use.startUs = reservation.start.microseconds
            use.endUs = reservation.end.microseconds
            use.flags = reservation.flags.text(purge: "")
            use.nodeList = Hostlist.compress(reservation.nodes.map(\.name))
            use.associations = (reservation.users.names + reservation.accounts.names).joined(separator: ",")
            var (counts, used): ([TRESID: Double], [TRESID: Double]) = ([:], [:])
            for node in reservation.nodes {
                let cpus = node.cpus.count
                for entry in configured[node.name]?.entries ?? [] {
                    let share = entry.id == .cpu && cpus > 0 ? Double(cpus) : Double(entry.count)
                    counts[entry.id, default: 0] += share
                }
            }
            let last = min(reservation.end, now)
            for row in rows where row.reservation == reservation.name {
                let seconds = seconds(row, reservation.start, last)
                for entry in view.tres(of: row).entries { used[entry.id, default: 0] += Double(entry.count) * seconds }
            }
            let length = max(0, Double((last - reservation.start).microseconds) / 1e6)
            use.counts = Self.wire(counts)
            use.held = Self.wire(counts.mapValues { $0 * length })
            use.used = Self.wire(used)
            let cpus = counts[.cpu] ?? 0
            use.unusedWallS = cpus > 0 ? max(0, length - (used[.cpu] ?? 0) / cpus) : length
            return use
        }
    }
}
