// Reservations in time: who may use them, which job runs in which, what their end brings about, and what planners see.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func loadReservations(_ stored: [Reservation]) {
        tables.reservations = stored.sorted { $0.sequence < $1.sequence }.map { reservation in
            var reservation = reservation
            // Numbers of nodes may be others by now; nodes that are no longer configured leave it.
            reservation.nodes = reservation.nodes.compactMap { node in
                configuration.node(named: node.name).map { .init(index: $0, name: node.name, cpus: node.cpus) }
            }
            return reservation
        }
    }

    /// What came due while nobody looked.
    mutating func settleLoadedReservations() {
        for sequence in tables.reservations.map(\.sequence) { reservationDue(sequence) }
        refreshReservedNodes()
    }

    // MARK: Times

    mutating func watch(_ reservation: Reservation) {
        if reservation.flags.contains(.timeFloat) { return }
        for time in [reservation.start, reservation.end, purgeTime(reservation)] where time > now {
            deadlines.add(time, .reservation, reservation.sequence)
        }
    }

    private func purgeTime(_ reservation: Reservation) -> Timestamp {
        guard reservation.flags.contains(.purgeWhenIdle) else { return .never }
        return max(reservation.start, reservation.idleSince).adding(.seconds(Int64(reservation.purgeAfter)))
    }

    mutating func reservationDue(_ sequence: UInt32) {
        guard let place = tables.reservations.firstIndex(where: { $0.sequence == sequence }) else { return }
        let reservation = tables.reservations[place]
        if reservation.flags.contains(.timeFloat) { return }
        if reservation.end <= now {
            endOccurrence(place)
        } else if purgeTime(reservation) <= now, !isInUse(reservation.name) {
            if reservation.recurs { endOccurrence(place) } else { expire(reservation) }
        } else {
            watch(reservation)
            refreshReservedNodes()
            wantPlan()
        }
    }

    private func isInUse(_ name: String) -> Bool {
        var isUsed = false
        tables.usedReservations.forEach { key, used in
            if used == name, !(tables.jobs[key]?.state.isEnded ?? true) { isUsed = true }
        }
        return isUsed
    }

    private mutating func endOccurrence(_ place: Int) {
        let ended = tables.reservations[place]
        endJobs(in: ended)
        guard var next = ended.following else { return expire(ended) }
        while next.end <= now, let later = next.following { next = later }
        tables.reservations[place] = next
        store(next)
    }

    private mutating func expire(_ reservation: Reservation) {
        remove(reservation.name)
        releaseWaiting(for: reservation)
    }

    /// Jobs that run in it end with it (ResvOverRun minutes later at most), unless it is flexible.
    private mutating func endJobs(in reservation: Reservation) {
        guard !reservation.flags.contains(.flex), let over = configuration.reservationOverrun else { return }
        var running: [JobID] = []
        tables.usedReservations.forEach { key, used in
            if used == reservation.name, tables.jobs[key]?.state == .running { running.append(JobID(key)) }
        }
        for id in running {
            if over > .zero {
                let end = reservation.end.adding(over)
                change(id) { $0.deadline = min($0.deadline.isSet ? $0.deadline : .never, end) }
                deadlines.add(end, .jobLimit, id.rawValue)
            } else {
                complete(
                    id, as: .timeout, .timeLimit, "its reservation \(reservation.name) has ended",
                    grace: configuration.killWait)
            }
        }
    }

    /// Jobs that wait for it: held, or (NO_HOLD_JOBS_AFTER) free to run anywhere.
    private mutating func releaseWaiting(for reservation: Reservation) {
        var waiting: [JobID] = []
        tables.jobs.forEach { key, record in
            let asked = tables.specs[key]?.fields.resources.reservation ?? ""
            if record.state == .pending, asked.namesReservation(reservation.name) { waiting.append(JobID(key)) }
        }
        for id in waiting { forget(reservation, id) }
    }

    private mutating func forget(_ reservation: Reservation, _ id: JobID) {
        guard var fields = tables.specs[id.rawValue]?.fields, let record = record(id) else { return }
        let left = fields.resources.reservation.split(separator: ",").filter { $0 != reservation.name }
        fields.resources.reservation = left.joined(separator: ",")
        dropShape(id)
        tables.specs[id.rawValue] = JobSpec(fields)
        if left.isEmpty, !reservation.flags.contains(.noHoldJobsAfter) {
            change(id) { job in
                job.reason = .reservationDeleted
                job.priority = 0
            }
        } else {
            change(id) { _ in }
        }
        if record.priority != self.record(id)?.priority { leaveQueue() }
        if let changed = self.record(id) { enqueue(changed) }
    }

    /// Which nodes are set aside now, for listings.
    mutating func refreshReservedNodes() {
        var reserved = PagedTable<ReservedNow>()
        for reservation in tables.reservations where reservation.isActive(at: now) {
            if reservation.flags.contains(.timeFloat) { continue }
            for node in reservation.nodes where node.cpus.isEmpty {
                if reservation.flags.contains(.maintenance) {
                    reserved[node.index.rawValue] = .maintenance
                } else if reserved[node.index.rawValue] == nil {
                    reserved[node.index.rawValue] = .use
                }
            }
        }
        tables.reservedNodes = reserved
    }

    // MARK: Nodes that are replaced

    /// End of a turn: nodes that went down, or (REPLACE) were taken by jobs, give way to idle ones.
    mutating func mendReservations() {
        guard reservationsNeedMending else { return }
        reservationsNeedMending = false
        for place in tables.reservations.indices { mend(place) }
    }

    private mutating func mend(_ place: Int) {
        let reservation = tables.reservations[place]
        guard reservation.flags.isDisjoint(with: [.specNodes, .staticAlloc, .anyNodes]), reservation.coreCount == 0
        else { return }
        let bad = reservation.nodes.filter { needsReplacing($0.index, in: reservation) }
        guard !bad.isEmpty else { return }
        let good = reservation.nodes.filter { node in !bad.contains(node) }
        var need = ReservationNeed(reservation: reservation)
        // One at a time: as many as there are replacements for.
        for count in (1...bad.count).reversed() {
            need.kept = good.map(\.index)
            need.nodeCount = good.count + count
            guard let chosen = try? chooseNodes(need), chosen.allSatisfy({ node in !bad.contains(node) }) else {
                continue
            }
            tables.reservations[place].nodes = (chosen + bad.dropFirst(count)).sorted { $0.index < $1.index }
            store(tables.reservations[place])
            return
        }
    }

    private func needsReplacing(_ node: NodeIndex, in reservation: Reservation) -> Bool {
        guard let record = tables.nodes[node.rawValue] else { return true }
        if record.isDown || record.isDrained { return true }
        return reservation.flags.contains(.replace) && reservation.isActive(at: now) && !record.holds.isEmpty
    }

    // MARK: Jobs

    /// Throws when one of the reservations a job names is unknown, over, or not for its user and account.
    func checkReservations(_ fields: JobSpec.Fields) throws(Refusal) {
        for name in fields.resources.reservation.split(separator: ",") {
            guard let reservation = reservation(named: String(name)) else {
                throw Self.unknownReservation(String(name))
            }
            guard reservation.permits(fields.identity, account: fields.account) else {
                throw Refusal(
                    .reservationAccess, "Access denied to requested reservation",
                    detail: "reservation \(name) is not for user \(fields.identity.user)"
                        + (fields.account.isEmpty ? "" : " in account \(fields.account)"))
            }
        }
    }

    /// The reservation that a job starts in on these nodes: one it names, or one that draws it in.
    private func reservationUsed(by record: JobRecord, _ allocation: Allocation) -> Reservation? {
        guard !tables.reservations.isEmpty, let fields = tables.specs[record.id.rawValue]?.fields else { return nil }
        let asked = fields.resources.reservation
        return tables.reservations.first { reservation in
            if asked.isEmpty {
                guard reservation.flags.contains(.magnetic), isPermitted(record, reservation) else { return false }
            } else if !asked.namesReservation(reservation.name) {
                return false
            }
            let isFlexible = reservation.flags.contains(.flex)
            guard reservation.isActive(at: now) || isFlexible && !asked.isEmpty else { return false }
            if reservation.flags.contains(.anyNodes) || isFlexible { return true }
            return allocation.nodes.allSatisfy { reservation.has($0.index) }
        }
    }

    private func isPermitted(_ record: JobRecord, _ reservation: Reservation) -> Bool {
        guard let fields = tables.specs[record.id.rawValue]?.fields else { return false }
        return reservation.permits(fields.identity, account: fields.account)
    }

    /// Whether a planned start keeps clear of what is set aside for others, as things are now.
    func respectsReservations(_ record: JobRecord, _ allocation: Allocation, limit: TimeLimit) -> Bool {
        let asked = tables.specs[record.id.rawValue]?.fields.resources.reservation ?? ""
        if tables.reservations.isEmpty { return asked.isEmpty }
        let own = reservationUsed(by: record, allocation)
        if own == nil, !asked.isEmpty { return false }
        let end = limit.duration.map { now.adding($0) } ?? .never
        for reservation in tables.reservations where reservation.name != own?.name {
            guard let next = reservation.occurrences(from: now, before: now, most: 1).first, next.start < end else {
                continue
            }
            for node in allocation.nodes where next.has(node.index) {
                guard let cpus = next.cpus(of: node.index) else { return false }
                if !cpus.isDisjoint(with: node.cpus) { return false }
            }
        }
        return true
    }

    mutating func noteReservation(of id: JobID, _ allocation: Allocation) {
        guard let record = record(id), let used = reservationUsed(by: record, allocation) else { return }
        tables.usedReservations[id.rawValue] = used.name
        dirtyJobs.append(id)
        if used.flags.contains(.replace) { reservationsNeedMending = true }
    }

    mutating func leaveReservation(_ id: JobID) {
        guard let name = tables.usedReservations[id.rawValue],
            let place = tables.reservations.firstIndex(where: { $0.name == name }),
            tables.reservations[place].flags.contains(.purgeWhenIdle)
        else { return }
        tables.reservations[place].idleSince = now
        store(tables.reservations[place])
    }

    // MARK: Planning

    /// The times of all reservations that begin before `limit`, and where those of each stand, by sequence.
    func planningReservations(
        at now: Timestamp, before limit: Timestamp
    ) -> (all: [PlanningSnapshot.Reservation], places: [Int: [Int]]) {
        var all: [PlanningSnapshot.Reservation] = []
        var places: [Int: [Int]] = [:]
        for reservation in tables.reservations {
            for occurrence in reservation.occurrences(from: now, before: limit, most: 50) {
                places[Int(reservation.sequence), default: []].append(all.count)
                all.append(planning(occurrence))
            }
        }
        return (all, places)
    }

    private func planning(_ reservation: Reservation) -> PlanningSnapshot.Reservation {
        var planned = PlanningSnapshot.Reservation(
            name: reservation.name, start: reservation.start, end: reservation.end,
            nodes: reservation.nodes.map(\.index))
        if reservation.coreCount > 0 { planned.cpus = reservation.nodes.map(\.cpus) }
        planned.licenses = reservation.licenses.compactMap { license in
            configuration.licenses.firstIndex { $0.name == license.name }.map {
                .init(license: $0, count: license.count)
            }
        }
        planned.maintenance = reservation.flags.contains(.maintenance)
        planned.ignoreJobs = reservation.flags.contains(.ignoreJobs)
        planned.flex = reservation.flags.contains(.flex)
        planned.overlap = reservation.flags.contains(.overlap)
        planned.magnetic = reservation.flags.contains(.magnetic)
        if planned.magnetic { (planned.allowedUsers, planned.allowedAssociations) = drawn(by: reservation) }
        return planned
    }

    /// Of the waiting jobs: whom it lets in, by association where accounting knows one.
    private func drawn(by reservation: Reservation) -> ([UInt32], [Int32]) {
        var users: Set<UInt32> = []
        var associations: Set<Int32> = []
        for key in queue.keys {
            guard let record = record(key.job), isQueued(key, record), isPermitted(record, reservation) else {
                continue
            }
            if record.association >= 0 { associations.insert(record.association) } else { users.insert(record.uid) }
        }
        return (users.sorted(), associations.sorted())
    }

    /// Jobs name reservations by sequence in their shapes; a planner wants the places of their times.
    func placeReservations(in snapshot: inout PlanningSnapshot) {
        guard !tables.reservations.isEmpty || snapshot.shapes.contains(where: { !$0.reservations.isEmpty }) else {
            return
        }
        let limit = snapshot.now.adding(.seconds(max(snapshot.settings.window, 86_400)))
        let (all, places) = planningReservations(at: snapshot.now, before: limit)
        snapshot.reservations = all
        for index in snapshot.shapes.indices where !snapshot.shapes[index].reservations.isEmpty {
            let found = snapshot.shapes[index].reservations.flatMap { places[$0] ?? [] }
            snapshot.shapes[index].reservations = found.isEmpty ? [goneReservation(in: &snapshot)] : found
        }
        let numbers = Dictionary(
            all.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
        guard !tables.usedReservations.isEmpty else { return }
        for index in snapshot.running.indices {
            guard let used = tables.usedReservations[snapshot.running[index].job.rawValue] else { continue }
            snapshot.running[index].reservation = numbers[used] ?? -1
        }
    }

    /// Where jobs wait whose reservations are all gone: a time that has passed.
    private func goneReservation(in snapshot: inout PlanningSnapshot) -> Int {
        if let known = snapshot.reservations.firstIndex(where: { $0.name.isEmpty }) { return known }
        snapshot.reservations.append(.init(name: "", start: .unset, end: .unset, nodes: []))
        return snapshot.reservations.count - 1
    }
}

extension ClusterConfiguration {
    /// ResvOverRun, minutes: how long jobs may outrun their reservation; nil: as long as they like.
    var reservationOverrun: Duration? {
        guard let text = entries.last(where: { $0.key.lowercased() == "resvoverrun" })?.value else { return .zero }
        if ["UNLIMITED", "INFINITE"].contains(text.uppercased()) { return nil }
        return .seconds(Int64(SlurmText.number(text) ?? 0) * 60)
    }
}
