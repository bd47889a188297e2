// Requests in, each to where it is answered: at once, on the query threads, or by the core.
internal import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyStore
internal import ArgosyWire
internal import Logging
internal import NIOPosix
internal import SwiftProtobuf
internal import Synchronization

final class RequestRouter: CommandService {
    struct Parts: Sendable {
        var configuration: LiveConfiguration
        var slurmUID: UInt32
        var term: Term
        var started: Timestamp
        var hostname: String
        var store: any Store
        var replies: ReplyTable
        var views: ViewReader
        var listing: Listing
        var explanations: ExplanationDesk
        var submissions: SubmissionDesk
        var users: Users
        var desk: NodeDesk
        var changes: ConfigurationDesk
        var accounting: AccountingDesk
        var administrators: Administrators
        var usage: UsageDesk
        var clock: SharedClock
        var counters: Counters
        var statistics: StatisticsBase
        var logger: Logger
        var verbosity: LogVerbosity?
        /// For what may wait: name services; and, apart, for what may wait long: registries.
        var helpers: NIOThreadPool
        var fetchers: NIOThreadPool
        var onShutdown: @Sendable () -> Void
    }
    static let maxPreparing = 4096
    static let maxFetching = 64

    let parts: Parts
    private let preparing = Atomic<Int>(0)
    private let fetching = Atomic<Int>(0)

    init(_ parts: Parts) { self.parts = parts }

    func received(_ request: WireRequest, from peer: CommandPeer, reply: ReplySlot) {
        route(request, from: peer, relayedFor: nil, reply)
    }

    func clientLost(_ reply: ReplySlot) { parts.replies.clientLost(reply) }

    private func isSuperUser(_ uid: UInt32) -> Bool { uid == 0 || uid == parts.slurmUID }

    private func route(_ request: WireRequest, from peer: CommandPeer, relayedFor: AttemptKey?, _ slot: ReplySlot) {
        count(request, peer, slot)
        let caller = Caller(
            uid: peer.uid, gid: peer.gid,
            isOperator: relayedFor == nil && (isSuperUser(peer.uid) || parts.administrators.contains(peer.uid)),
            isSuperUser: relayedFor == nil && isSuperUser(peer.uid), relayedFor: relayedFor)
        switch request.body {
        case .submit(let submission): submit(submission, peer, relayedFor, slot)
        case .cancel(let cancel): self.cancel(cancel, caller, slot)
        case .listJobs(let list): listJobs(list, caller, slot)
        case .why(let request): why(request, slot)
        case .listNodes:
            query(slot) { [self, listing = parts.listing] view throws(Refusal) in
                try checkNodesAreVisible(to: caller)
                return .nodes(listing.nodes(in: view))
            }
        case .listPartitions:
            query(slot) { [listing = parts.listing] view in .partitions(listing.partitions(in: view)) }
        case .accounting(let query): accounting(query, caller, slot)
        case .createStep(let step): createStep(step, caller, slot)
        case .signalStep(let signal):
            send(slot) {
                .stepSignalRequested(
                    JobID(signal.job), StepID(signal.step), signal: signal.signal, by: caller, reply: $0)
            }
        case .createReservation(let create): reservation(.create(create.reservation.domain), caller, slot)
        case .updateReservation(let update): reservation(.update(update.reservation.domain), caller, slot)
        case .deleteReservation(let delete): reservation(.delete(delete.name), caller, slot)
        case .listReservations:
            query(slot) { [listing = parts.listing] view in .reservations(listing.reservations(in: view)) }
        case .updateNode(let update): updateNode(update, caller, slot)
        case .updatePartition(let update): updatePartition(update, caller, slot)
        case .updateJob(let update): updateJob(update, caller, slot)
        case .ping: slot.reply(WireReply(.pong(pong())))
        case .configuration:
            query(slot) { [listing = parts.listing, verbosity = parts.verbosity] view in
                .configuration(listing.settings(in: view, logLevel: verbosity?.name))
            }
        case .reconfigure: reconfigure(caller, slot)
        case .attachStep(let attach): attachStep(attach, caller, slot)
        case .finishJob(let finish): finishJob(finish, caller, slot)
        case .waitJob(let wait): send(slot) { .waitRequested(JobID(wait.job), reply: $0) }
        case .accountingRecords:
            query(slot) { [desk = parts.accounting] view in .accountingRecords(desk.records(in: view)) }
        case .accountingTransactions(let list): accountingTransactions(list, slot)
        case .changeAccounting(let change): changeAccounting(change, caller, slot)
        case .shares:
            query(slot) { [self, desk = parts.accounting] view in
                .shares(visible(desk.shares(in: view, for: caller), to: caller))
            }
        case .priorities(let list):
            query(slot) { [desk = parts.accounting] view in .priorities(desk.priorities(in: view, list)) }
        case .stepUsage(let list): stepUsage(list, caller, slot)
        case .statistics(let show): statistics(show, caller, slot)
        case .reportUsage(let report): usage(report, slot)
        case .nodeEvents(let list): nodeEvents(list, slot)
        case .reservationRecords(let list): reservationRecords(list, slot)
        case .triggers: query(slot) { view in .triggers(.init(view.triggers)) }
        case .setTrigger(let set): self.set(set.trigger, caller, slot)
        case .dropTriggers(let clear): clearTriggers(clear, caller, slot)
        case .crontab(let get): crontab(get, caller, slot)
        case .setCrontab(let set): self.set(set, peer, relayedFor, caller, slot)
        case .shutdown: shutdown(caller, slot)
        case .licenses: listLicenses(slot)
        case .switches: listSwitches(slot)
        case .deletePartition(let delete): deletePartition(delete, caller, slot)
        case .updateStep(let update): updateStep(update, caller, slot)
        case .moveToTop(let move): moveToTop(move, caller, slot)
        case .setController(let set): setController(set, caller, slot)
        case .associationManager: associationManager(slot)
        case .notifyJob(let notice): notify(notice, caller, slot)
        case .resizeJob: refuse(slot, Refusal(.notSupported, "Requested operation is presently disabled"))
        case nil:
            refuse(
                slot,
                Refusal(
                    .notSupported, "Requested operation not supported",
                    detail: "this controller does not know the request; is the command of a newer release?"))
        }
    }

    func refuse(_ slot: ReplySlot, _ refusal: Refusal) {
        parts.counters.change { $0.refused += 1 }
        slot.reply(WireReply(refusal: refusal))
    }

    private static let unknownState = Refusal(
        .invalidState, "Invalid job state specified", detail: "the states are listed in the man page of squeue")
    static let busy = Refusal(
        .busy, "The controller is busy", detail: "too many requests wait; try again in a moment")

    /// To the core, at once.
    func send(_ slot: ReplySlot, _ event: (ReplyHandle) -> Event) {
        if !parts.replies.submit(slot, event) { refuse(slot, Self.busy) }
    }

    /// Work that may block, then the core (or a refusal).
    func prepare(_ slot: ReplySlot, _ body: @escaping @Sendable () throws(Refusal) -> Void) {
        guard preparing.add(1, ordering: .relaxed).newValue <= Self.maxPreparing else {
            preparing.subtract(1, ordering: .relaxed)
            return refuse(slot, Self.busy)
        }
        parts.replies.prepare(slot)
        parts.helpers.submit { [self] state in
            preparing.subtract(1, ordering: .relaxed)
            guard case .active = state else { return }
            do throws(Refusal) { try body() } catch {
                parts.replies.forget(slot)
                refuse(slot, error)
            }
        }
    }

    // MARK: - Jobs

    private func submit(_ request: WireSubmitJob, _ peer: CommandPeer, _ relayed: AttemptKey?, _ slot: ReplySlot) {
        if request.waitForAllocation && !request.testOnly && !request.onlyID { slot.watch() }
        guard request.job.hasContainer else {
            return prepare(slot) { [self] () throws(Refusal) in try enter(request, peer, relayed, slot) }
        }
        guard fetching.add(1, ordering: .relaxed).newValue <= Self.maxFetching else {
            fetching.subtract(1, ordering: .relaxed)
            return refuse(slot, Self.busy)
        }
        parts.replies.prepare(slot)
        parts.fetchers.submit { [self] state in
            fetching.subtract(1, ordering: .relaxed)
            guard case .active = state else { return }
            do throws(Refusal) { try enter(request, peer, relayed, slot) } catch {
                parts.replies.forget(slot)
                refuse(slot, error)
            }
        }
    }

    private func enter(_ request: WireSubmitJob, _ peer: CommandPeer, _ relayed: AttemptKey?, _ slot: ReplySlot)
        throws(Refusal)
    {
        var ready = try parts.submissions.prepare(request, from: peer, relayedFor: relayed)
        if request.job.defaultRequeue { ready.fields.requeue = parts.configuration.requeueByDefault }
        if request.testOnly {
            let taken = parts.replies.submit(slot, prepared: true) {
                .jobTested(ready.fields, by: ready.caller, reply: $0)
            }
            if !taken { throw Self.busy }
            return
        }
        let taken = parts.replies.submit(slot, prepared: true, blobs: ready.blobs) {
            .jobSubmitted(
                ready.fields, token: ready.token, waitForAllocation: ready.waits, by: ready.caller, reply: $0)
        }
        if !taken { throw Self.busy }
    }

    private func cancel(_ request: WireCancelJobs, _ caller: Caller, _ slot: ReplySlot) {
        var selection = JobSelection(
            items: request.jobs.map { .init(job: JobID($0.job), indices: $0.indices.map(\.domain)) })
        selection.partition = request.partition.isEmpty ? nil : request.partition
        selection.cron = request.cron
        selection.name = request.name.isEmpty ? nil : request.name
        selection.account = request.account.isEmpty ? nil : request.account
        do throws(Refusal) { try addFilters(request, to: &selection) } catch { return refuse(slot, error) }
        guard let states = JobState.matching(request.states) else { return refuse(slot, Self.unknownState) }
        // An empty list of states would mean any.
        if states.isEmpty && !request.states.isEmpty { return slot.reply(WireReply(.cancelled(WireCancelResult()))) }
        selection.states = states
        let user = request.user.isEmpty && request.allOfUser ? String(caller.uid) : request.user
        guard !user.isEmpty else { return send(slot, cancelled(request, selection, caller)) }
        prepare(slot) { [self, selection] () throws(Refusal) in
            guard let uid = parts.users.uid(of: user) else {
                throw Refusal(.invalidUser, "Invalid user: \(user)", detail: "no such user")
            }
            var selection = selection
            selection.uid = uid
            let event = cancelled(request, selection, caller)
            if !parts.replies.submit(slot, prepared: true, event) { throw Self.busy }
        }
    }

    private func cancelled(_ request: WireCancelJobs, _ selection: JobSelection, _ caller: Caller)
        -> (ReplyHandle) -> Event
    {
        {
            .cancelRequested(
                selection, signal: request.signal, batchOnly: request.batchOnly, full: request.full, by: caller,
                reply: $0)
        }
    }

    private func updateJob(_ request: WireUpdateJob, _ caller: Caller, _ slot: ReplySlot) {
        let action: JobAction
        if request.hasChanges { return changeJob(request, caller, slot) }
        switch request.action {
        case "hold": action = caller.isOperator ? .hold : .userHold
        case "uhold": action = .userHold
        case "release": action = .release
        case "requeue": action = .requeue
        case "requeuehold": action = .requeueHold
        case "specialexit": action = .specialExit
        case "suspend": action = .suspend
        case "resume": action = .resume
        default:
            return refuse(
                slot, Refusal(.notSupported, "Requested operation not supported", detail: "action \(request.action)"))
        }
        let selection = JobSelection(
            items: [.init(job: JobID(request.job.job), indices: request.job.indices.map(\.domain))])
        send(slot) { .jobUpdateRequested(selection, action, by: caller, reply: $0) }
    }

    private func createStep(_ request: WireCreateStep, _ caller: Caller, _ slot: ReplySlot) {
        var request = request
        // The socket a relayed request came by says which job it is for, never the request.
        if let key = caller.relayedFor { request.job = key.job.rawValue }
        guard !request.arguments.isEmpty else {
            return refuse(slot, Refusal(.malformed, "No command given to execute."))
        }
        let step = StepRequest(request)
        send(slot) { .stepRequested(step, by: caller, reply: $0) }
    }

    private func listJobs(_ request: WireListJobs, _ caller: Caller, _ slot: ReplySlot) {
        query(slot) { [self, listing = parts.listing, store = parts.store] view throws(Refusal) in
            var list = try listing.jobs(in: view, request)
            list = visible(list, to: caller)
            guard request.withScript else { return .jobs(list) }
            for place in list.jobs.indices {
                let spec = list.jobs[place].spec
                guard caller.isOperator || spec.identity.uid == caller.uid else { continue }
                if let script = (try? store.blob(spec.scriptDigest)) ?? nil {
                    list.jobs[place].spec.script = .init(script)
                }
            }
            return .jobs(list)
        }
    }

    /// From the last plan, on the query threads: planning once more for one job never holds up the decider.
    private func why(_ request: WireWhy, _ slot: ReplySlot) {
        query(slot) { [explanations = parts.explanations] view throws(Refusal) in
            .why(try explanations.report(JobID(request.job), in: view))
        }
    }

    /// Answers from a view, on the query threads.
    func query(
        _ slot: ReplySlot, _ body: @escaping @Sendable (CoreView) throws(Refusal) -> WireReply.OneOf_Body
    ) {
        parts.views.read { [self] published in
            do throws(Refusal) { slot.reply(WireReply(try body(published.view), commit: published.commit)) } catch {
                refuse(slot, error)
            }
        }
    }

    private func accounting(_ request: WireListAccounting, _ caller: Caller, _ slot: ReplySlot) {
        var query = AccountingQuery()
        query.jobs = request.jobs.map { .init(job: JobID($0.job), indices: $0.indices.map(\.domain)) }
        query.since = Timestamp(microseconds: request.sinceUs)
        query.until = Timestamp(microseconds: request.untilUs)
        guard let states = JobState.matching(request.states) else { return refuse(slot, Self.unknownState) }
        if states.isEmpty && !request.states.isEmpty { return slot.reply(WireReply(.accounting(WireAccountingList()))) }
        query.states = states
        parts.views.pool.submit { [self, query] state in
            guard case .active = state else { return }
            do { slot.reply(WireReply(.accounting(try records(query, request, caller)))) } catch {
                refuse(
                    slot,
                    (error as? Refusal) ?? Refusal(.storeFailed, "Accounting is not available", detail: "\(error)"))
            }
        }
    }

    private func records(_ query: AccountingQuery, _ request: WireListAccounting, _ caller: Caller) throws
        -> WireAccountingList
    {
        var query = query
        for name in request.user.split(separator: ",") {
            guard let uid = parts.users.uid(of: String(name)) else {
                throw Refusal(.invalidUser, "Invalid user: \(name)", detail: "no such user")
            }
            query.uids.append(uid)
        }
        if query.uids.isEmpty && !request.allUsers && request.jobs.isEmpty && !caller.isOperator {
            query.uids = [caller.uid]
        }
        if isPrivate("jobs", for: caller) { query.uids = [caller.uid] }
        var list = WireAccountingList()
        list.cluster = parts.configuration.clusterName
        list.nowUs = parts.clock.now.microseconds
        list.jobs = try parts.store.accounting(query).map { parts.listing.info($0.job, steps: $0.steps) }
        if request.withScript || request.withEnvironment { try addKept(request, caller, to: &list) }
        return list
    }

    /// Scripts and environments are their owners', as long as the store has them.
    private func addKept(_ request: WireListAccounting, _ caller: Caller, to list: inout WireAccountingList) throws {
        for place in list.jobs.indices {
            let spec = list.jobs[place].spec
            guard caller.isOperator || spec.identity.uid == caller.uid else { continue }
            if request.withScript, let script = try parts.store.blob(spec.scriptDigest) {
                list.jobs[place].spec.script = .init(script)
            }
            if request.withEnvironment, let environment = try parts.store.blob(spec.environmentDigest) {
                list.jobs[place].spec.environment = Environment.split(environment)
            }
        }
    }

    // MARK: - Accounting records

    private func changeAccounting(_ request: WireChangeAccounting, _ caller: Caller, _ slot: ReplySlot) {
        prepare(slot) { [self] () throws(Refusal) in
            let operations = try parts.accounting.operations(request)
            guard let actor = parts.users.identity(uid: caller.uid)?.user else {
                throw Refusal(.invalidUser, "Invalid user id", detail: "uid \(caller.uid) has no name here")
            }
            let taken = parts.replies.submit(slot, prepared: true) {
                .accountingChangeRequested(
                    operations, checkOnly: request.checkOnly, actor: actor, by: caller, reply: $0)
            }
            if !taken { throw Self.busy }
        }
    }

    private func accountingTransactions(_ request: WireListAccountingTransactions, _ slot: ReplySlot) {
        parts.views.pool.submit { [self] state in
            guard case .active = state else { return }
            do { slot.reply(WireReply(.accountingTransactions(try parts.accounting.transactions(request)))) } catch {
                refuse(slot, Refusal(.storeFailed, "Accounting is not available", detail: "\(error)"))
            }
        }
    }

    // MARK: - Nodes and the controller

    private func updateNode(_ request: WireUpdateNode, _ caller: Caller, _ slot: ReplySlot) {
        guard caller.isOperator else { return refuse(slot, Refusal(.accessDenied, "Invalid user id")) }
        if request.state.isEmpty { return setNodes(request, caller, slot) }
        let action: NodeAction
        switch request.state.uppercased() {
        case "DRAIN" where !request.reason.isEmpty, "FAIL" where !request.reason.isEmpty:
            action = .drain(reason: request.reason)
        case "DOWN" where !request.reason.isEmpty: action = .down(reason: request.reason)
        case "DRAIN", "DOWN":
            return refuse(
                slot, Refusal(.malformed, "You must specify a reason when DRAINING a node.", detail: "add Reason=..."))
        case "RESUME", "UNDRAIN", "IDLE": action = .resume
        default: return refuse(slot, Refusal(.invalidState, "Invalid node state specified", detail: request.state))
        }
        do throws(Refusal) {
            let nodes = try nodes(request.nodeList)
            send(slot) { .nodeUpdateRequested(nodes, action, by: caller, reply: $0) }
        } catch { refuse(slot, error) }
    }

    private func updatePartition(_ request: WireUpdatePartition, _ caller: Caller, _ slot: ReplySlot) {
        if request.create || !request.settings.isEmpty { return setPartition(request, caller, slot) }
        guard let state = PartitionState(rawValue: request.state.uppercased()) else {
            let states = PartitionState.allCases.map(\.rawValue).joined(separator: ", ")
            return refuse(
                slot,
                Refusal(
                    .invalidState, "Invalid partition state specified",
                    detail: "\(request.state) is none of \(states)"))
        }
        send(slot) { .partitionUpdateRequested(request.name, state, by: caller, reply: $0) }
    }

    private func shutdown(_ caller: Caller, _ slot: ReplySlot) {
        guard caller.isOperator else { return refuse(slot, Refusal(.accessDenied, "Access/permission denied")) }
        parts.logger.notice("shutting down on request", metadata: ["uid": "\(caller.uid)"])
        slot.reply(WireReply(.done(WireDone())))
        parts.onShutdown()
    }

    private func pong() -> WirePong {
        var pong = WirePong()
        pong.host = parts.hostname
        pong.term = parts.term.rawValue
        pong.startedUs = parts.started.microseconds
        pong.version = Controller.version
        pong.cluster = parts.configuration.clusterName
        pong.primary = true
        return pong
    }

    // MARK: - Relayed

    /// A request of a job, passed on by its node. The node's word counts only for attempts that run there; who asks is
    /// the job's owner, whatever the request says. An empty request: the client behind the channel has gone.
    func relayed(_ request: WireRelayedRequest, _ node: NodeIndex, _ link: NodeLink) {
        guard !request.request.isEmpty else { return parts.desk.channelClosed(request.channel, node) }
        guard let slot = parts.desk.relayedSlot(request.channel, node, link) else { return }
        let key = AttemptKey(JobID(request.job), Attempt(request.attempt))
        parts.views.read { [self] published in
            guard let row = published.view.job(key.job), row.attempt == key.attempt, !row.state.isEnded,
                let allocation = row.allocation, allocation.nodes.contains(where: { $0.index == node })
            else {
                return refuse(
                    slot,
                    Refusal(
                        .accessDenied, "Access/permission denied",
                        detail:
                            "job \(key.job) (start \(key.attempt.rawValue)) does not run on the node that asks for it"))
            }
            let identity = row.spec.fields.identity
            guard request.uid == identity.uid else {
                return refuse(
                    slot,
                    Refusal(
                        .accessDenied, "Access/permission denied",
                        detail: "uid \(request.uid) is not the owner of job \(key.job)"))
            }
            guard let inner = try? WireRequest(serializedBytes: request.request) else {
                return refuse(slot, Refusal(.malformed, "Invalid request", detail: "the message cannot be read"))
            }
            route(
                inner, from: CommandPeer(uid: identity.uid, gid: identity.gid, origin: "job \(key.job)"),
                relayedFor: key, slot)
        }
    }
}
