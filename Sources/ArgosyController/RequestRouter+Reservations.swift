// Reservations and changes of jobs: what the core cannot look up itself is added on the way in.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyWire

extension RequestRouter {
    func reservation(_ action: ReservationAction, _ caller: Caller, _ slot: ReplySlot) {
        guard caller.isOperator else {
            return refuse(
                slot,
                Refusal(
                    .accessDenied, "Invalid user id", detail: "only operators make, change and delete reservations"))
        }
        prepare(slot) { [self] () throws(Refusal) in
            let names = names(in: action)
            let taken = parts.replies.submit(slot, prepared: true) {
                .reservationRequested(action, names: names, by: caller, reply: $0)
            }
            if !taken { throw Self.busy }
        }
    }

    /// Numbers of all users and groups that the request names, and of those that the reservation has already.
    private func names(in action: ReservationAction) -> ReservationNames {
        var names = ReservationNames(utcOffset: parts.users.utcOffset)
        let request: ReservationRequest
        switch action {
        case .create(let asked), .update(let asked): request = asked
        case .delete: return names
        }
        for name in members(request.users) { names.users[name] = parts.users.uid(of: name) }
        for name in members(request.groups) { names.groups[name] = parts.users.gid(of: name) }
        return names
    }

    private func members(_ edit: ListEdit?) -> [String] {
        edit.flatMap { ReservationMembers(text: $0.text)?.names } ?? []
    }

    func changeJob(_ request: WireUpdateJob, _ caller: Caller, _ slot: ReplySlot) {
        let selection = JobSelection(
            items: [.init(job: JobID(request.job.job), indices: request.job.indices.map(\.domain))])
        let changes = request.changes.domain
        send(slot) { .jobChangeRequested(selection, changes, by: caller, reply: $0) }
    }
}

extension Listing {
    func reservations(in view: CoreView) -> WireReservationList {
        var list = WireReservationList()
        let now = clock.now
        list.nowUs = now.microseconds
        list.reservations = view.reservations.map { stored in
            var shown = stored
            if stored.flags.contains(.timeFloat) {
                shown.start = now.adding(.seconds(stored.floatOffset))
                shown.end = shown.start.adding(stored.end - stored.start)
            }
            var info = WireReservationInfo()
            info.reservation = WireReservation(shown)
            info.cores = UInt32(clamping: stored.nodes.reduce(0) { $0 + view.cores(of: $1, in: stored) })
            let cpus = stored.nodes.map { node in
                node.cpus.isEmpty ? configuration.nodes[node.index.int].cpus : node.cpus.count
            }
            info.cpus = UInt32(clamping: cpus.reduce(0, +))
            info.coreLists = stored.nodes.map { node in
                let threads = max(1, configuration.nodes[node.index.int].threadsPerCore)
                return CoreView.ranges(Set(node.cpus.members.map { $0 / threads }).sorted())
            }
            return info
        }
        return list
    }
}
