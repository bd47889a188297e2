// Reservations are made, changed and deleted by operators. The texts of refusals are Slurm's.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func handle(
        _ action: ReservationAction, _ names: ReservationNames, by caller: Caller, reply handle: ReplyHandle
    ) {
        do throws(Refusal) {
            guard caller.isOperator else {
                throw Refusal(
                    .accessDenied, "Invalid user id", detail: "only operators make, change and delete reservations")
            }
            switch action {
            case .create(let request): reply(handle, .reservationCreated(try create(request, names)))
            case .update(let request):
                try update(request, names)
                reply(handle, .done)
            case .delete(let name):
                try delete(name)
                reply(handle, .done)
            }
        } catch { refuse(handle, error) }
    }

    func reservation(named name: String) -> Reservation? { tables.reservations.first { $0.name == name } }

    static func unknownReservation(_ name: String) -> Refusal {
        Refusal(
            .invalidReservation, "Requested reservation is invalid",
            detail: "there is no reservation \(name); scontrol show reservation lists them")
    }

    private static func invalidTime(_ why: String) -> Refusal {
        Refusal(.invalidTime, "Invalid time specified", detail: why)
    }

    /// A reservation for all time lasts a year, as in Slurm.
    private static let year = Duration.seconds(365 * 86_400)

    // MARK: Create

    private mutating func create(_ request: ReservationRequest, _ names: ReservationNames) throws(Refusal) -> String {
        guard let start = request.start, start.adding(.seconds(61)) > now else {
            throw Self.invalidTime("StartTime has passed; a reservation begins now or later")
        }
        var reservation = Reservation(name: request.name, start: start, end: start, flags: request.flags)
        reservation.utcOffset = names.utcOffset
        reservation.sequence = (tables.reservations.map(\.sequence).max() ?? 0) + 1
        reservation.end = try end(of: reservation, request)
        if request.flags.contains(.timeFloat) { reservation.floatOffset = max(0, start.seconds - now.seconds) }
        try setMembers(&reservation, request, names)
        guard !reservation.users.isEmpty || !reservation.accounts.isEmpty || !reservation.groups.isEmpty else {
            throw Refusal(
                .malformed, "Either Users/Groups and/or Accounts must be specified.", detail: "say who may use it")
        }
        try setRest(&reservation, request)
        try checkFlags(reservation)
        if reservation.name.isEmpty { reservation.name = madeName(reservation) }
        try setNodes(&reservation, request)
        if self.reservation(named: reservation.name) != nil {
            throw Refusal(
                .reservationBusy, "Duplicate reservation name",
                detail: "there is a reservation \(reservation.name) already; choose another name or update it")
        }
        tables.reservations.append(reservation)
        store(reservation)
        return reservation.name
    }

    /// `ann_7`: the first user, else the first account, and a number.
    private func madeName(_ reservation: Reservation) -> String {
        let key = reservation.users.names.first ?? reservation.accounts.names.first ?? reservation.groups.first
        var number = reservation.sequence
        while self.reservation(named: "\(key ?? "resv")_\(number)") != nil { number += 1 }
        return "\(key ?? "resv")_\(number)"
    }

    private func end(of reservation: Reservation, _ request: ReservationRequest) throws(Refusal) -> Timestamp {
        if let duration = request.duration {
            return reservation.start.adding(duration.duration ?? Self.year)
        }
        guard let end = request.end else { throw Self.invalidTime("say EndTime or Duration") }
        guard end > reservation.start else { throw Self.invalidTime("EndTime is not after StartTime") }
        return end
    }

    private func checkFlags(_ reservation: Reservation) throws(Refusal) {
        let recurring = reservation.flags.intersection(.recurring)
        if recurring.rawValue.nonzeroBitCount > 1 {
            throw Refusals.notSupported("choose one of HOURLY, DAILY, WEEKDAY, WEEKEND and WEEKLY")
        }
        if reservation.flags.contains(.timeFloat), !recurring.isEmpty {
            throw Refusals.notSupported("a reservation with TIME_FLOAT cannot recur")
        }
        if reservation.flags.contains(.replace), reservation.flags.contains(.specNodes) {
            throw Refusals.notSupported("REPLACE needs NodeCnt: named nodes are not replaced")
        }
    }

    // MARK: Update

    private mutating func update(_ request: ReservationRequest, _ names: ReservationNames) throws(Refusal) {
        guard let place = tables.reservations.firstIndex(where: { $0.name == request.name }) else {
            throw Self.unknownReservation(request.name)
        }
        let old = tables.reservations[place]
        var reservation = old
        reservation.flags.formUnion(request.flags)
        reservation.flags.subtract(request.removedFlags)
        try setTimes(&reservation, request)
        try setMembers(&reservation, request, names)
        guard !reservation.users.isEmpty || !reservation.accounts.isEmpty || !reservation.groups.isEmpty else {
            throw Refusal(
                .malformed, "Either Users/Groups and/or Accounts must be specified.",
                detail: "nobody could use it; name others before you take the last away")
        }
        try setRest(&reservation, request)
        try checkFlags(reservation)
        let isMoved = reservation.start != old.start || reservation.end != old.end
        if request.nodes != nil || !request.nodeCounts.isEmpty || !request.coreCounts.isEmpty {
            try setNodes(&reservation, request)
        } else if isMoved, !reservation.nodes.isEmpty {
            try recheckNodes(&reservation)
        }
        tables.reservations[place] = reservation
        store(reservation)
    }

    private func setTimes(_ reservation: inout Reservation, _ request: ReservationRequest) throws(Refusal) {
        if request.skip {
            guard let next = reservation.following else {
                throw Refusals.notSupported("only recurring reservations can skip to their next time")
            }
            (reservation.start, reservation.end) = (next.start, next.end)
        }
        let length = reservation.end - reservation.start
        if let start = request.start {
            guard !reservation.isActive(at: now) else {
                throw Refusal(
                    .reservationNotUsable, "Reservation already started",
                    detail: "reservation \(reservation.name) is active: its StartTime cannot change")
            }
            guard start.adding(.seconds(61)) > now else { throw Self.invalidTime("StartTime has passed") }
            reservation.start = start
            reservation.end = start.adding(length)
        }
        if request.duration != nil || request.end != nil { reservation.end = try end(of: reservation, request) }
        guard reservation.end > now else { throw Self.invalidTime("it would have ended already") }
    }

    /// The same nodes at another time.
    private func recheckNodes(_ reservation: inout Reservation) throws(Refusal) {
        guard reservation.coreCount == 0 else { return }
        var need = ReservationNeed(reservation: reservation)
        need.kept = reservation.isActive(at: now) ? reservation.nodes.map(\.index) : []
        if reservation.flags.contains(.specNodes) {
            need.named = reservation.nodes.map(\.index)
        } else {
            need.kept = reservation.nodes.map(\.index)
            need.nodeCount = reservation.nodes.count
        }
        reservation.nodes = try chooseNodes(need)
    }

    // MARK: Parts of a request

    private func setMembers(
        _ reservation: inout Reservation, _ request: ReservationRequest, _ names: ReservationNames
    ) throws(Refusal) {
        if let edit = request.users { reservation.users = try reservation.users.applying(edit) }
        if let edit = request.accounts { reservation.accounts = try reservation.accounts.applying(edit) }
        if let edit = request.groups {
            reservation.groups = try ReservationMembers(reservation.groups).applying(edit).names
        }
        if !reservation.users.isEmpty, !reservation.groups.isEmpty {
            throw Refusals.notSupported("users and groups cannot both be named; clear one with Users= or Groups=")
        }
        guard request.users != nil || request.groups != nil else { return }
        // Those it had already are known by number.
        let known = tables.reservations.first { $0.name == reservation.name }
        var uids: [UInt32] = []
        for name in reservation.users.names {
            let place = known?.users.names.firstIndex(of: name)
            guard let uid = names.users[name] ?? place.flatMap({ known?.uids[$0] }) else {
                throw Refusal(.invalidUser, "Invalid user id", detail: "there is no user \(name)")
            }
            uids.append(uid)
        }
        var gids: [UInt32] = []
        for name in reservation.groups {
            let place = known?.groups.firstIndex(of: name)
            guard let gid = names.groups[name] ?? place.flatMap({ known?.gids[$0] }) else {
                throw Refusal(.invalidUser, "Invalid group id", detail: "there is no group \(name)")
            }
            gids.append(gid)
        }
        (reservation.uids, reservation.gids) = (uids, gids)
    }

    private func setRest(_ reservation: inout Reservation, _ request: ReservationRequest) throws(Refusal) {
        if let partition = request.partition {
            reservation.partition = partition
            if !partition.isEmpty { _ = try reservationPartition(reservation) }
        }
        if let features = request.features {
            _ = try reservationConstraint(features)
            reservation.features = features
        }
        if let licenses = request.licenses {
            for license in licenses {
                guard let known = configuration.licenses.first(where: { $0.name == license.name }),
                    license.count <= known.count
                else {
                    throw Refusal(
                        .invalidLicense, "Invalid license specification",
                        detail: "license \(license.name) is not configured, or not so often")
                }
            }
            reservation.licenses = licenses
        }
        if let purge = request.purgeAfter { reservation.purgeAfter = purge }
        if let delay = request.maxStartDelay { reservation.maxStartDelay = delay }
    }

    private func setNodes(_ reservation: inout Reservation, _ request: ReservationRequest) throws(Refusal) {
        var need = ReservationNeed(reservation: reservation)
        need.kept = reservation.nodes.map(\.index)
        need.nodeCount = request.nodeCounts.reduce(0) { $0 + Int($1) }
        need.coreCounts = request.coreCounts
        if let edit = request.nodes { try setNamed(&need, &reservation, edit) }
        need.reservation = reservation
        if need.named == nil, need.nodeCount == 0, need.coreCounts.isEmpty {
            if request.partition != nil, !reservation.flags.contains(.anyNodes), reservation.nodes.isEmpty {
                need.named = tables.partitions[try reservationPartition(reservation)].nodes
            } else if reservation.licenses.isEmpty {
                throw Refusals.notAvailable("say Nodes, NodeCnt, CoreCnt or Licenses")
            } else {
                return
            }
        }
        reservation.nodes = try chooseNodes(need)
        let cpus = reservation.nodes.allSatisfy { $0.cpus.isEmpty }
        reservation.coreCount = cpus ? 0 : UInt32(clamping: reservation.nodes.reduce(0) { $0 + cores(of: $1) })
        if need.named == nil || !need.coreCounts.isEmpty, reservation.partition.isEmpty {
            reservation.partition = configuration.defaultPartition.map { configuration.partitions[$0].name } ?? ""
        }
    }

    private func setNamed(
        _ need: inout ReservationNeed, _ reservation: inout Reservation, _ edit: ListEdit
    ) throws(Refusal) {
        switch edit {
        case .set(let text) where text.isEmpty:
            // As many as it had, chosen anew.
            reservation.flags.subtract([.specNodes, .allNodes])
            if need.nodeCount == 0 { need.nodeCount = reservation.nodes.count }
        case .set(let text) where text.uppercased() == "ALL":
            let isPart = reservation.flags.contains(.partNodes) || !reservation.partition.isEmpty
            need.named =
                isPart
                ? tables.partitions[try reservationPartition(reservation)].nodes
                : configuration.nodes.indices.map { NodeIndex($0) }
            reservation.flags.formUnion(isPart ? .specNodes : [.specNodes, .allNodes])
        case .set(let text):
            need.named = try nodes(text, throwing: true)
            reservation.flags.insert(.specNodes)
            reservation.flags.remove(.allNodes)
        case .add(let text):
            let added = try nodes(text, throwing: true)
            need.named = Set(reservation.nodes.map(\.index) + added).sorted()
        case .remove(let text):
            let removed = try nodes(text, throwing: true)
            need.named = reservation.nodes.map(\.index).filter { !removed.contains($0) }
        }
        if let named = need.named, need.nodeCount > 0 { need.named = Array(named.prefix(need.nodeCount)) }
    }

    /// Cores of what it takes of the node.
    func cores(of node: Reservation.Node) -> Int {
        guard node.index.int < cluster.nodes.count else { return 0 }
        let cores = cluster.kinds[cluster.nodes[node.index.int].kind].hardware.cores
        return node.cpus.isEmpty ? cores.count : cores.count { core in core.cpus.contains { node.cpus.contains($0) } }
    }

    // MARK: Delete

    private mutating func delete(_ name: String) throws(Refusal) {
        guard reservation(named: name) != nil else { throw Self.unknownReservation(name) }
        if let job = jobUsing(name) {
            throw Refusal(
                .reservationNotUsable, "Requested reservation is in use",
                detail: "job \(job) runs in reservation \(name) or asks for it; cancel or change it first")
        }
        remove(name)
    }

    mutating func remove(_ name: String) {
        tables.reservations.removeAll { $0.name == name }
        turn.changes.append(.reservationRemoved(name))
        refreshReservedNodes()
        wantPlan()
    }

    /// A job that has not ended and uses it or asks for it.
    private func jobUsing(_ name: String) -> JobID? {
        var found: JobID?
        tables.jobs.forEach { key, record in
            guard found == nil, !record.state.isEnded else { return }
            let asked = tables.specs[key]?.fields.resources.reservation ?? ""
            if tables.usedReservations[key] == name || record.state == .pending && asked.namesReservation(name) {
                found = JobID(key)
            }
        }
        return found
    }

    /// Writes it and sets its times.
    mutating func store(_ reservation: Reservation) {
        turn.changes.append(.reservation(reservation))
        watch(reservation)
        refreshReservedNodes()
        wantPlan()
    }
}

extension ReservationMembers {
    func applying(_ edit: ListEdit) throws(Refusal) -> ReservationMembers {
        guard let asked = ReservationMembers(text: edit.text) else {
            throw Refusal(
                .malformed, "Invalid user id", detail: "\"\(edit.text)\" mixes names that are let in and kept out")
        }
        switch edit {
        case .set: return asked
        case .add:
            return ReservationMembers(names + asked.names.filter { !names.contains($0) }, areDenied: areDenied)
        case .remove where isEmpty: return ReservationMembers(asked.names, areDenied: true)
        case .remove where areDenied:
            return ReservationMembers(names + asked.names.filter { !names.contains($0) }, areDenied: true)
        case .remove: return ReservationMembers(names.filter { !asked.names.contains($0) })
        }
    }
}

extension String {
    /// Whether a list of reservations, with commas, has this one.
    func namesReservation(_ name: String) -> Bool { self == name || split(separator: ",").contains { $0 == name } }
}
