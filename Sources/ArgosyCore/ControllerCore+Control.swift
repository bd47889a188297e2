// Partitions and nodes that change while the controller runs, and what else scontrol asks for.
//
// A change of a partition replaces the configuration by one that differs in it: positions of partitions may move, so
// every job's is looked up again, and what waits is checked anew. The file is not touched: a restart reads it again.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    mutating func control(_ request: ControlRequest, by caller: Caller, reply handle: ReplyHandle) {
        do throws(Refusal) {
            switch request {
            case .setPartition(let name, let settings, let create):
                try checkOperator(caller, "partitions")
                try setPartition(name, settings, create: create)
            case .deletePartition(let name):
                try checkOperator(caller, "partitions")
                try deletePartition(name)
            case .setNodes(let nodes, let settings):
                try checkOperator(caller, "nodes")
                for node in nodes {
                    try checkFeatures(settings, of: node)
                    if let gres = settings.gres { try checkGRES(gres, of: node) }
                }
                for node in nodes { set(settings, of: node, uid: caller.uid) }
            case .moveToTop(let items): try moveToTop(items, caller)
            case .notify(let job, let text): try notify(job, text, caller)
            case .stepLimit(let job, let step, let limit): try changeStepLimit(job, step, limit, caller)
            }
            reply(handle, .done)
        } catch { refuse(handle, error) }
    }

    private func checkOperator(_ caller: Caller, _ what: String) throws(Refusal) {
        if !caller.isOperator { throw Refusals.accessDenied("only root and SlurmUser may change \(what)") }
    }

    // MARK: Partitions

    private mutating func setPartition(
        _ name: String, _ settings: [ControlRequest.Setting], create: Bool
    ) throws(Refusal) {
        var new = configuration
        let known = new.partitions.firstIndex { $0.name == name }
        if create, known != nil {
            throw Refusal(
                .invalidPartition, "Invalid partition name specified", detail: "partition \(name) is there already")
        }
        if create {
            var partition = ClusterConfiguration.Partition(name: name)
            partition.minNodes = 1
            new.partitions.append(partition)
        }
        guard let index = create ? new.partitions.count - 1 : known else { throw noPartition(name) }
        for setting in settings { try Self.set(setting, ofPartition: index, in: &new) }
        let states = tables.partitions
        replacePartitions(new)
        for (place, view) in tables.partitions.enumerated() {
            if let old = states.first(where: { $0.name == view.name }), view.name != name {
                tables.partitions[place].state = old.state
            }
        }
        let isStateSet = settings.contains { $0.key.lowercased() == "state" }
        if !create, !isStateSet, let old = states.first(where: { $0.name == name }) {
            tables.partitions[index].state = old.state
        }
        if isStateSet, known != nil {
            let row = PartitionRow(
                name: name, state: tables.partitions[index].state, configured: configuration.partitions[index].state)
            turn.changes.append(.partition(row))
        }
    }

    private static func set(
        _ setting: ControlRequest.Setting, ofPartition index: Int, in configuration: inout ClusterConfiguration
    ) throws(Refusal) {
        do throws(WrongSetting) { try configuration.set(setting.key, setting.value, ofPartition: index) } catch {
            let isNode = error.key == "Nodes"
            throw Refusal(
                isNode ? .invalidNodeName : .malformed,
                isNode ? "Invalid node name specified" : "Invalid input: \(error.key)=\(error.value)",
                detail: error.why.isEmpty ? "a partition has no such key" : "\(error.key)=\(error.value): \(error.why)")
        }
    }

    private func noPartition(_ name: String) -> Refusal {
        let names = configuration.partitions.map(\.name).joined(separator: ", ")
        return Refusal(
            .invalidPartition, "Invalid partition name specified",
            detail: "partition \(name) is not configured; there are: \(names)")
    }

    private mutating func deletePartition(_ name: String) throws(Refusal) {
        guard let index = configuration.partitions.firstIndex(where: { $0.name == name }) else {
            throw noPartition(name)
        }
        var users: [JobID] = []
        let place = UInt16(index)
        tables.jobs.forEach { key, record in
            guard !record.state.isEnded else { return }
            let names = tables.specs[key]?.fields.partition.split(separator: ",").map(String.init) ?? []
            if record.partition == place || record.state == .pending && names.contains(name) {
                users.append(JobID(key))
            }
        }
        if let job = users.first {
            throw Refusal(
                .partitionDown, "Partition is in use",
                detail: "\(users.count) jobs wait or run in partition \(name), job \(job) among them; end or move them")
        }
        if tables.reservations.contains(where: { $0.partition == name }) {
            throw Refusal(.partitionDown, "Partition is in use", detail: "a reservation is made of partition \(name)")
        }
        var new = configuration
        new.partitions.remove(at: index)
        let states = tables.partitions
        replacePartitions(new)
        for (place, view) in tables.partitions.enumerated() {
            if let old = states.first(where: { $0.name == view.name }) { tables.partitions[place].state = old.state }
        }
    }

    /// The nodes stay as they are.
    mutating func replacePartitions(_ new: ClusterConfiguration) {
        configuration = new
        let places = tables.replacePartitions(new)
        let moved = places.enumerated().contains { $0 != Int($1) }
        var waiting: [JobID] = []
        var others: [JobID] = []
        tables.jobs.forEach { key, record in
            if record.state == .pending { waiting.append(JobID(key)) } else { others.append(JobID(key)) }
        }
        for id in waiting { dropShape(id) }
        for id in moved ? waiting + others : [] {
            tables.jobs.update(id.rawValue) { $0.partition = places[Int($0.partition)] }
        }
        feasibility.forget()
        priorities = nil
        for id in waiting {
            guard let record = record(id), let spec = tables.specs[id.rawValue] else { continue }
            let tier = tier(of: spec.fields.partition, or: record.partition)
            tables.jobs.update(id.rawValue) { $0.tier = tier }
            takeShape(id)
        }
        var keys: [PendingQueue.Key] = []
        tables.jobs.forEach { _, record in if record.state == .pending { keys.append(PendingQueue.Key(record)) } }
        queue = PendingQueue(keys)
        noteUnplanned()
        wantPlan()
    }

    // MARK: Nodes

    private func checkFeatures(_ settings: NodeSettings, of index: NodeIndex) throws(Refusal) {
        let node = configuration.nodes[index.int]
        let (all, active) = (settings.features ?? node.features, settings.activeFeatures ?? node.activeFeatures)
        guard let active, let missing = active.first(where: { !all.contains($0) }) else { return }
        throw Refusal(
            .invalidFeature, "Active features not subset of available features",
            detail: "\(missing) is active on node \(node.name); change ActiveFeatures first")
    }

    private mutating func set(_ settings: NodeSettings, of index: NodeIndex, uid: UInt32) {
        var node = configuration.nodes[index.int]
        node.weight = settings.weight ?? node.weight
        node.features = settings.features ?? node.features
        node.activeFeatures = settings.activeFeatures ?? node.activeFeatures
        node.comment = settings.comment ?? node.comment
        node.extra = settings.extra ?? node.extra
        node.address = settings.address ?? node.address
        node.hostname = settings.hostname ?? node.hostname
        configuration.nodes[index.int] = node
        tables.configuration.nodes[index.int] = node
        if let gres = settings.gres { setGRES(gres, of: index) }
        if let reason = settings.reason { setReason(index, reason, uid: uid) }
        var kind = cluster.kinds[cluster.nodes[index.int].kind]
        kind.features = (node.activeFeatures ?? node.features).sorted()
        kind.weight = node.weight
        let number = cluster.kinds.firstIndex(of: kind) ?? cluster.kinds.count
        if number == cluster.kinds.count { cluster.kinds.append(kind) }
        cluster.nodes[index.int].kind = number
        feasibility.forget()
        wantPlan()
    }

    /// Counts of what has no devices can change while no job holds of it. Devices are what the node finds.
    private func checkGRES(_ text: String, of index: NodeIndex) throws(Refusal) {
        func refusal(_ why: String) -> Refusal {
            Refusal(.invalidGRES, "Invalid generic resource (gres) specification", detail: why)
        }
        var asked = configuration
        do throws(WrongSetting) { try asked.set(gres: text, ofNode: index) } catch { throw refusal(error.why) }
        let node = configuration.nodes[index.int].name
        let (new, now) = (asked.hardware(of: index).gres, hardware(of: index).gres)
        for item in new where !configuration.gresTypes.contains(item.name) {
            throw refusal("GresTypes in the configuration does not list \(item.name)")
        }
        func same(_ a: NodeHardware.GRES, _ b: NodeHardware.GRES) -> Bool {
            a.name == b.name && a.type == b.type && a.count == b.count
        }
        for item in now where !item.devices.isEmpty && !new.contains(where: { same($0, item) }) {
            throw refusal(
                "node \(node) has \(item.count) devices gres/\(item.name); change gres.conf and the configuration to "
                    + "use fewer")
        }
        for item in new where !item.devices.isEmpty && !now.contains(where: { same($0, item) }) {
            throw refusal("devices gres/\(item.name) of node \(node) are given in gres.conf; then reconfigure")
        }
        let holders = (tables.nodes[index.rawValue]?.holds ?? []).filter { key in
            guard let run = tables.runs[key.job.rawValue], let place = run.position(of: index) else { return false }
            return !run.allocation.nodes[Int(place)].gres.isEmpty
        }
        if let holder = holders.first {
            throw Refusal(
                .notSupported, "Requested operation is presently disabled",
                detail: "job \(holder.job) holds generic resources of node \(node); change them when it has ended")
        }
    }

    /// After `checkGRES`.
    private mutating func setGRES(_ text: String, of index: NodeIndex) {
        do throws(WrongSetting) { try configuration.set(gres: text, ofNode: index) } catch { return }
        tables.configuration.nodes[index.int].gres = configuration.nodes[index.int].gres
        var kind = cluster.kinds[cluster.nodes[index.int].kind]
        let devices = kind.hardware.gres.filter { !$0.devices.isEmpty }
        kind.hardware.gres = devices + configuration.hardware(of: index).gres.filter(\.devices.isEmpty)
        let number = cluster.kinds.firstIndex(of: kind) ?? cluster.kinds.count
        if number == cluster.kinds.count { cluster.kinds.append(kind) }
        cluster.nodes[index.int].kind = number
        let free = kind.hardware.gres.map(PlanningSnapshot.FreeGRES.init(all:))
        cluster.nodes[index.int].freeGRES = free
        changeNode(index) { $0.freeGRES = free }
    }

    // MARK: The order of a user's jobs

    /// Nice values do it: what the jobs gain, the user's other jobs of the same kind lose together.
    private mutating func moveToTop(_ items: [JobSelection.Item], _ caller: Caller) throws(Refusal) {
        guard caller.isOperator || configuration.entries.contains(where: Self.allowsUserTop) else {
            throw Refusals.accessDenied("SchedulerParameters=enable_user_top would let users order their jobs")
        }
        var wanted: [JobID] = []
        for item in items { wanted += try movable(item, caller) }
        guard let first = wanted.first.flatMap({ record($0) }), let lead = tables.specs[first.id.rawValue]?.fields
        else {
            return
        }
        func isPeer(_ record: JobRecord) -> Bool {
            guard record.state == .pending, !record.isHeld, record.uid == first.uid else { return false }
            let fields = tables.specs[record.id.rawValue]?.fields
            return record.partition == first.partition && record.qos == first.qos && fields?.account == lead.account
        }
        var peers: [JobRecord] = []
        tables.jobs.forEach { _, record in if isPeer(record) { peers.append(record) } }
        let moved = wanted.compactMap { record($0) }.filter(isPeer)
        let others = peers.filter { peer in !wanted.contains(peer.id) }
        let highest = others.map(\.priority).max() ?? 0
        let gained = orderAmong(moved, above: highest, caller)
        guard gained > 0, let count = Int64(exactly: others.count), count > 0 else { return }
        for other in others { changeNice(of: other.id, by: (gained + count - 1) / count, caller) }
    }

    private static func allowsUserTop(_ entry: ClusterConfiguration.Entry) -> Bool {
        entry.key.lowercased() == "schedulerparameters" && entry.value.lowercased().contains("enable_user_top")
    }

    /// Gives what they gained together.
    @discardableResult
    private mutating func orderAmong(_ jobs: [JobRecord], above highest: UInt64, _ caller: Caller) -> Int64 {
        var gained: Int64 = 0
        var top = highest
        for job in jobs.reversed() {
            // Priorities are cut off below: it may take more than the difference.
            for round in 0..<32 {
                let now = record(job.id)?.priority ?? job.priority
                if now > top { break }
                let step = (Int64(clamping: top - now) + 1) << Int64(round)
                changeNice(of: job.id, by: -step, caller)
                gained += step
            }
            top = max(top, record(job.id)?.priority ?? top)
        }
        return gained
    }

    private mutating func changeNice(of id: JobID, by step: Int64, _ caller: Caller) {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else { return }
        var changes = JobChanges()
        let nice = Int32(clamping: Int64(spec.fields.nice) + step)
        changes.nice = nice
        var fields = spec.fields
        fields.nice = nice
        replace(record, fields, partition: record.partition, changes, caller)
    }

    private func movable(_ item: JobSelection.Item, _ caller: Caller) throws(Refusal) -> [JobID] {
        guard let record = record(item.job), let spec = tables.specs[item.job.rawValue] else {
            throw Refusals.invalidJob(item.job)
        }
        if let refusal = accessRefusal(spec, caller) { throw refusal }
        guard record.state == .pending else {
            throw Refusal(
                .jobNotPending, "Job is no longer pending execution", detail: "job \(item.job) is \(record.state.name)")
        }
        if record.isHeld {
            throw Refusal(
                .jobNotPending, "Job is in held state, pending scheduler release",
                detail: "job \(item.job) is held; release it first")
        }
        return [item.job]
    }

    // MARK: Notices

    private mutating func notify(_ id: JobID, _ text: String, _ caller: Caller) throws(Refusal) {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else { throw Refusals.invalidJob(id) }
        guard caller.isOperator || caller.uid == record.uid else {
            throw Refusal(
                .accessDenied, "Invalid user id", detail: "job \(id) belongs to \(spec.fields.identity.user)")
        }
        guard record.state == .running, record.isBatch, let first = tables.runs[id.rawValue]?.allocation.nodes.first
        else {
            throw Refusal(
                .notSupported, "Requested operation is presently disabled",
                detail: "job \(id) has no batch script that runs and could be told")
        }
        order(first.index, record.key, .notify(text))
    }

    // MARK: Steps

    private mutating func changeStepLimit(
        _ id: JobID, _ step: StepID?, _ change: JobChanges.LimitChange, _ caller: Caller
    ) throws(Refusal) {
        guard let record = record(id), let spec = tables.specs[id.rawValue] else { throw Refusals.invalidJob(id) }
        if let refusal = accessRefusal(spec, caller) { throw refusal }
        var rows = tables.steps[id.rawValue] ?? []
        let places = rows.indices.filter { place in
            !rows[place].state.isEnded && (step == nil ? rows[place].step != .batch : rows[place].step == step)
        }
        if places.isEmpty { throw Refusals.invalidJob(id) }
        for place in places {
            let old = rows[place].request.timeLimit == .notGiven ? record.timeLimit : rows[place].request.timeLimit
            let limit: TimeLimit
            switch change {
            case .set(let new): limit = new
            case .longer(let minutes): limit = TimeLimit(minutes: old.rawValue &+ minutes)
            case .shorter(let minutes): limit = TimeLimit(minutes: old.rawValue > minutes ? old.rawValue - minutes : 1)
            }
            rows[place].request.timeLimit = limit
            turn.changes.append(.step(rows[place]))
        }
        tables.steps[id.rawValue] = rows
        if let end = places.compactMap({ rows[$0].request.timeLimit.duration.map(rows[$0].start.adding) }).min() {
            deadlines.add(max(end, now), .stepLimit, id.rawValue)
        }
    }

    /// Steps whose limit was changed after they started: their nodes know the old one only.
    mutating func endStepsPastLimit(of id: JobID) {
        guard let record = record(id), record.state == .running else { return }
        var next = Timestamp.never
        for row in tables.steps[id.rawValue] ?? [] where !row.state.isEnded {
            guard let end = row.request.timeLimit.duration.map(row.start.adding) else { continue }
            if end > now {
                next = min(next, end)
                continue
            }
            for position in row.nodesRunning {
                order(row.layout.nodes[Int(position)].index, record.key, .signal(row.step, number: 9, batchOnly: false))
            }
        }
        if next != .never { deadlines.add(next, .stepLimit, id.rawValue) }
    }
}
