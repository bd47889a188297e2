// What scontrol asks for beside jobs: partitions, nodes, licenses, switches, the accounting cache.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyLink
internal import ArgosyWire
internal import Logging

extension RequestRouter {
    /// Filters of scancel that more than the first releases had.
    func addFilters(_ request: WireCancelJobs, to selection: inout JobSelection) throws(Refusal) {
        selection.qos = request.qos.isEmpty ? nil : request.qos
        selection.reservation = request.reservation.isEmpty ? nil : request.reservation
        selection.wckey = request.wckey.isEmpty ? nil : request.wckey
        guard !request.nodeList.isEmpty else { return }
        do throws(Hostlist.Malformed) { selection.nodes = try Hostlist.expand(request.nodeList) } catch {
            throw Refusal(.invalidNodeName, "Invalid node name specified", detail: "\(error)")
        }
    }

    func setPartition(_ request: WireUpdatePartition, _ caller: Caller, _ slot: ReplySlot) {
        let settings = request.settings.map { ControlRequest.Setting(key: $0.key, value: $0.value) }
        let change = ControlRequest.setPartition(name: request.name, settings: settings, create: request.create)
        send(slot) { .controlRequested(change, by: caller, reply: $0) }
    }

    func deletePartition(_ request: WireDeletePartition, _ caller: Caller, _ slot: ReplySlot) {
        send(slot) { .controlRequested(.deletePartition(name: request.name), by: caller, reply: $0) }
    }

    /// Nodes by a host list, or ALL.
    func nodes(_ list: String) throws(Refusal) -> [NodeIndex] {
        if list.uppercased() == "ALL" { return parts.configuration.nodes.indices.map { NodeIndex($0) } }
        let names: [String]
        do throws(Hostlist.Malformed) { names = try Hostlist.expand(list) } catch {
            throw Refusal(.invalidNodeName, "Invalid node name specified", detail: "\(error)")
        }
        var nodes: [NodeIndex] = []
        for name in names {
            guard let node = parts.desk.index(of: name) else {
                throw Refusal(.invalidNodeName, "Invalid node name specified", detail: "there is no node \(name)")
            }
            nodes.append(node)
        }
        return nodes
    }

    func setNodes(_ request: WireUpdateNode, _ caller: Caller, _ slot: ReplySlot) {
        do throws(Refusal) {
            let nodes = try nodes(request.nodeList)
            let settings = NodeSettings(request)
            send(slot) { .controlRequested(.setNodes(nodes, settings), by: caller, reply: $0) }
        } catch { refuse(slot, error) }
    }

    func moveToTop(_ request: WireMoveToTop, _ caller: Caller, _ slot: ReplySlot) {
        let items = request.jobs.map { JobSelection.Item(job: JobID($0.job), indices: $0.indices.map(\.domain)) }
        send(slot) { .controlRequested(.moveToTop(items), by: caller, reply: $0) }
    }

    /// A line to the standard error of a batch job.
    func notify(_ request: WireNotifyJob, _ caller: Caller, _ slot: ReplySlot) {
        let id = JobID(request.job)
        send(slot) { .controlRequested(.notify(id, request.message), by: caller, reply: $0) }
    }

    func updateStep(_ request: WireUpdateStep, _ caller: Caller, _ slot: ReplySlot) {
        let change: JobChanges.LimitChange
        switch request.timeLimitChange {
        case 0: change = .set(TimeLimit(rawValue: request.timeLimitMinutes))
        case ..<0: change = .shorter(request.timeLimitChange.magnitude)
        default: change = .longer(request.timeLimitChange.magnitude)
        }
        let step = request.allSteps ? nil : StepID(request.step)
        send(slot) { .controlRequested(.stepLimit(JobID(request.job), step, change), by: caller, reply: $0) }
    }

    func listLicenses(_ slot: ReplySlot) {
        query(slot) { [listing = parts.listing] view in .licenses(listing.licenses(in: view)) }
    }

    func listSwitches(_ slot: ReplySlot) {
        query(slot) { [listing = parts.listing] view in .switches(listing.switches(in: view)) }
    }

    func associationManager(_ slot: ReplySlot) {
        query(slot) { [listing = parts.listing] view in .associationManager(listing.associationManager(in: view)) }
    }

    /// How much the controller logs, until it starts again.
    func setController(_ request: WireSetController, _ caller: Caller, _ slot: ReplySlot) {
        guard caller.isOperator else { return refuse(slot, Refusal(.accessDenied, "Access/permission denied")) }
        guard request.what == "debug", let verbosity = parts.verbosity,
            let level = LogVerbosity.level(ofSlurm: request.value)
        else {
            return refuse(
                slot, Refusal(.notSupported, "Requested operation is presently disabled", detail: request.what))
        }
        verbosity.set(level, named: request.value)
        parts.logger.notice("logs otherwise", metadata: ["level": "\(level)", "uid": "\(caller.uid)"])
        slot.reply(WireReply(.done(WireDone())))
    }
}

extension NodeSettings {
    fileprivate init(_ request: WireUpdateNode) {
        self.init()
        func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
        weight = request.hasWeight ? request.weight : nil
        features = request.hasFeatures ? list(request.features) : nil
        activeFeatures = request.hasActiveFeatures ? list(request.activeFeatures) : nil
        gres = request.hasGres ? request.gres : nil
        comment = request.hasComment ? request.comment : nil
        extra = request.hasExtra ? request.extra : nil
        address = request.hasAddress ? request.address : nil
        hostname = request.hasHostname ? request.hostname : nil
        reason = request.hasReason_p ? request.reason : nil
    }
}
