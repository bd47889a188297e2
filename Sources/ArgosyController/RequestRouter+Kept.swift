// Triggers, crontabs and events of nodes: what is kept beside jobs, nodes and accounts.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyStore
internal import ArgosyWire

extension WireTriggerList {
    init(_ triggers: [Trigger]) {
        self.init()
        self.triggers = triggers.map(WireTrigger.init)
    }
}

extension RequestRouter {
    static let maxCrontabEntries = 100

    // MARK: - Triggers

    func set(_ wire: WireTrigger, _ caller: Caller, _ slot: ReplySlot) {
        guard let asked = wire.domain, asked.program.hasPrefix("/"), asked.program.utf8.count <= 4096 else {
            return refuse(slot, Refusal(.malformed, "Invalid trigger", detail: "the program is an absolute path"))
        }
        guard caller.relayedFor == nil else { return refuse(slot, Refusal(.accessDenied, "Access/permission denied")) }
        // As another the program can be run by root alone.
        guard caller.isOperator || parts.slurmUID == 0 else {
            return refuse(
                slot, Refusal(.accessDenied, "Access/permission denied", detail: "only SlurmUser sets triggers"))
        }
        prepare(slot) { [self] () throws(Refusal) in
            guard let identity = parts.users.identity(uid: caller.uid) else {
                throw Refusal(.invalidUser, "Invalid user id")
            }
            var trigger = asked
            (trigger.uid, trigger.gid, trigger.user) = (caller.uid, caller.gid, identity.user)
            (trigger.id, trigger.fired, trigger.due) = (0, [], [])
            let ready = trigger
            let taken = parts.replies.submit(slot, prepared: true) { .triggerSet(ready, by: caller, reply: $0) }
            if !taken { throw Self.busy }
        }
    }

    func clearTriggers(_ request: WireClearTriggers, _ caller: Caller, _ slot: ReplySlot) {
        prepare(slot) { [self] () throws(Refusal) in
            var uid: UInt32?
            if !request.user.isEmpty {
                guard let found = parts.users.uid(of: request.user) else {
                    throw Refusal(.invalidUser, "Invalid user: \(request.user)")
                }
                uid = found
            }
            let wanted = uid
            let taken = parts.replies.submit(slot, prepared: true) {
                .triggersCleared(id: request.id, job: request.job, uid: wanted, by: caller, reply: $0)
            }
            if !taken { throw Self.busy }
        }
    }

    // MARK: - Events and reservations

    func nodeEvents(_ request: WireListNodeEvents, _ slot: ReplySlot) {
        parts.views.pool.submit { [self] state in
            guard case .active = state else { return }
            do {
                var answer = WireNodeEventList()
                let found = try parts.store.nodeEvents(
                    since: Timestamp(microseconds: request.sinceUs), until: Timestamp(microseconds: request.untilUs))
                answer.events = found.map { event in
                    var wire = WireNodeEvent(event)
                    wire.user = event.node.isEmpty ? "" : parts.users.name(of: event.uid)
                    return wire
                }
                answer.cluster = parts.configuration.clusterName
                answer.clusterNodes = Hostlist.compress(parts.configuration.nodes.map(\.name))
                answer.nowUs = parts.clock.now.microseconds
                slot.reply(WireReply(.nodeEvents(answer)))
            } catch { refuse(slot, Refusal(.storeFailed, "Accounting is not available", detail: "\(error)")) }
        }
    }

    func reservationRecords(_ request: WireListReservationRecords, _ slot: ReplySlot) {
        query(slot) { [self] view throws(Refusal) in
            let usage = UsageReportDesk(parts, view)
            do {
                var answer = WireReservationRecordList()
                answer.cluster = parts.configuration.clusterName
                answer.reservations = try usage.reservations(
                    since: Timestamp(microseconds: request.sinceUs), until: Timestamp(microseconds: request.untilUs))
                return .reservationRecords(answer)
            } catch { throw Refusal(.storeFailed, "Accounting is not available", detail: "\(error)") }
        }
    }

    func usage(_ request: WireReportUsage, _ slot: ReplySlot) {
        query(slot) { [self] view throws(Refusal) in
            do { return .usageReport(try UsageReportDesk(parts, view).report(request)) } catch {
                throw Refusal(.storeFailed, "Accounting is not available", detail: "\(error)")
            }
        }
    }

    // MARK: - Crontabs

    private var crontabsAreOn: Bool {
        let value = parts.configuration.entries.last { $0.key.lowercased() == "scronparameters" }?.value ?? ""
        return value.lowercased().split(separator: ",").contains("enable")
    }

    private static let cronOff = Refusal(
        .notSupported, "scrontab is disabled on this cluster",
        detail: "the administrator can turn it on with ScronParameters=enable")

    /// Whose crontab: the caller's, or for operators anybody's.
    private func owner(_ user: String, _ caller: Caller) throws(Refusal) -> UInt32 {
        if user.isEmpty { return caller.uid }
        guard let uid = parts.users.uid(of: user) else { throw Refusal(.invalidUser, "Invalid user: \(user)") }
        guard uid == caller.uid || caller.isOperator else {
            throw Refusal(.accessDenied, "Access/permission denied", detail: "the crontab is another user's")
        }
        return uid
    }

    func crontab(_ request: WireGetCrontab, _ caller: Caller, _ slot: ReplySlot) {
        query(slot) { [self] view throws(Refusal) in
            guard crontabsAreOn else { throw Self.cronOff }
            let uid = try owner(request.user, caller)
            var answer = view.crontab(of: uid).map(WireCrontab.init) ?? WireCrontab()
            answer.uid = uid
            return .crontab(answer)
        }
    }

    func set(
        _ request: WireSetCrontab, _ peer: CommandPeer, _ relayed: AttemptKey?, _ caller: Caller, _ slot: ReplySlot
    ) {
        prepare(slot) { [self] () throws(Refusal) in
            guard crontabsAreOn else { throw Self.cronOff }
            guard request.entries.count <= Self.maxCrontabEntries, request.text.utf8.count <= 1 << 20 else {
                throw Refusal(
                    .tooLarge, "The crontab is too large", detail: "at most \(Self.maxCrontabEntries) entries")
            }
            let uid = try owner(request.user, caller)
            guard let identity = parts.users.identity(uid: uid) else { throw Refusal(.invalidUser, "Invalid user id") }
            let asOwner = CommandPeer(uid: uid, gid: uid == peer.uid ? peer.gid : identity.gid, origin: peer.origin)
            var (entries, blobs): ([JobSpec.Fields], [Blob]) = ([], [])
            for entry in request.entries {
                var submission = WireSubmitJob()
                submission.job = entry.job
                submission.job.clearIdentity()
                let ready = try parts.submissions.prepare(submission, from: asOwner, relayedFor: relayed)
                entries.append(ready.fields)
                blobs += ready.blobs
            }
            var by = caller
            by.uid = uid
            let crontab = Crontab(uid: uid, text: request.text)
            let (ready, lines, owner) = (entries, request.entries.map(\.line), by)
            let taken = parts.replies.submit(slot, prepared: true, blobs: blobs) {
                .crontabSet(crontab, lines: lines, ready, by: owner, reply: $0)
            }
            if !taken { throw Self.busy }
        }
    }
}
