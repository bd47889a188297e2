// All tables of the core: what a view shares with it.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

struct Tables: Sendable {
    var configuration: ClusterConfiguration
    /// The configured ones, then those that only old jobs still name.
    var partitions: [PartitionView]
    /// Names of the partitions of each node.
    private var partitionsOfNode: [[String]]

    var jobs = PagedTable<JobRecord>()
    var specs = PagedTable<JobSpec>()
    /// Elements of an array that did not start yet, by the array's id.
    var pendingIndices = PagedTable<[IndexRange]>()
    /// Parts of waiting arrays (see ControllerCore+ArrayParts), by the array's id.
    var parts = PagedTable<[UInt32]>()
    /// Elements that run, by the array's id.
    var runningElements = PagedTable<UInt32>()
    var runs = PagedTable<JobRun>()
    var notes = PagedTable<JobNote>()
    var tokens = PagedTable<String>()
    /// In the order they were made.
    var reservations: [Reservation] = []
    /// The reservation a job runs in, by name.
    var usedReservations = PagedTable<String>()
    /// Nodes that are set aside now.
    var reservedNodes = PagedTable<ReservedNow>()
    /// Ids of a heterogeneous job's components, by the leader's; ascending.
    var components = PagedTable<[UInt32]>()
    /// What is left of waiting jobs' dependencies.
    var dependencies = PagedTable<JobDependency>()
    /// Of arrays that wait for another one element by element: indices that need not wait any more.
    var corresponding = PagedTable<[IndexRange]>()
    var steps = PagedTable<[StepRow]>()
    /// When the last plan came.
    var lastPlan = Timestamp.unset
    var nodes = PagedTable<NodeRecord>()
    var facts = PagedTable<NodeFacts>()
    var accounting: AccountingState
    var book: AccountingBook
    var tally = JobTally()
    /// Ascending by number.
    var triggers: [Trigger] = []
    /// Ascending by uid.
    var crontabs: [Crontab] = []

    init(configuration: ClusterConfiguration) {
        self.configuration = configuration
        partitions = configuration.partitions.map { PartitionView($0, of: configuration) }
        accounting = AccountingState(tresNames: configuration.accounting.tres)
        let records = ControllerCore.bookRecords(accounting, configuration)
        book = AccountingBook(
            records: records,
            usage: UsageLedger(records: records, halfLife: configuration.priority.decayHalfLife, epoch: .unset))
        partitionsOfNode = Self.partitionNames(configuration)
    }

    private static func partitionNames(_ configuration: ClusterConfiguration) -> [[String]] {
        var names = [[String]](repeating: [], count: configuration.nodes.count)
        for partition in configuration.partitions {
            for node in partition.nodes { names[node.int].append(partition.name) }
        }
        return names
    }

    /// The same nodes, other partitions: their states stay, those that are no more are kept for old jobs' sake. Gives
    /// the new position of each of the old ones.
    mutating func replacePartitions(_ new: ClusterConfiguration) -> [UInt16] {
        configuration = new
        partitionsOfNode = Self.partitionNames(new)
        let old = partitions
        partitions = new.partitions.map { PartitionView($0, of: new) }
        var places: [UInt16] = []
        for view in old {
            if let place = partitions.firstIndex(where: { $0.name == view.name }) {
                places.append(UInt16(place))
            } else {
                places.append(UInt16(partitions.count))
                partitions.append(view)
            }
        }
        return places
    }

    func row(_ id: JobID) -> JobRow? {
        guard let record = jobs[id.rawValue], let spec = specs[id.rawValue] else { return nil }
        var row = JobRow(
            id: id, spec: spec, partition: partitions[Int(record.partition)].name, submit: record.submit)
        row.state = record.state
        row.reason = record.reason
        row.reasonDetail = notes[id.rawValue]?.detail ?? ""
        row.attempt = record.attempt
        row.eligible = record.eligible
        row.start = record.start
        row.end = record.end
        row.timeLimit = record.timeLimit
        row.priority = record.priority
        row.exit = record.exit
        row.derivedExit = record.derivedExit
        row.arrayJob = record.arrayJob == 0 ? nil : JobID(record.arrayJob)
        row.arrayIndex = record.hasElementIndex ? record.arrayIndex : nil
        row.pendingIndices = pendingIndices[id.rawValue] ?? []
        row.runningElements = runningElements[id.rawValue] ?? 0
        row.dependency = dependencies[id.rawValue]?.storedText ?? ""
        row.reservation = usedReservations[id.rawValue] ?? ""
        row.corresponding = corresponding[id.rawValue] ?? []
        row.token = tokens[id.rawValue] ?? ""
        row.nextStep = record.nextStep
        row.endingState = record.endingState
        row.deadline = record.deadline
        row.batchLaunched = record.batchLaunched
        row.requeueAfterEnd = record.requeueAfterEnd
        row.suspendedAt = record.suspendedAt
        row.suspendedFor = record.suspendedFor
        row.pauses = record.pauses
        row.suspendedByPreemption = record.suspendedByPreemption
        row.preempted = record.preempted
        row.cancelledBy = record.cancelledBy == .max ? nil : record.cancelledBy
        row.hetLeader = record.hetLeader == 0 ? nil : JobID(record.hetLeader)
        row.hetOffset = record.hetOffset
        row.warned = record.warned
        row.mails = record.mails
        row.requeueMark = record.requeueMark
        row.isConfiguring = record.isConfiguring
        if record.state == .pending, spec.fields.partition.contains(",") { row.partition = spec.fields.partition }
        if let run = runs[id.rawValue] {
            row.licenses = run.licenses.map {
                LicenseRequest(name: configuration.licenses[$0.license].name, count: $0.count)
            }
            row.allocation = run.allocation
            row.nodesHeld = run.held
            row.nodesPrepared = run.prepared
            row.usage = run.usage
        }
        return row
    }

    func nodeRow(_ index: NodeIndex) -> NodeRow {
        var row = NodeRow(name: configuration.nodes[index.int].name)
        guard let node = nodes[index.rawValue], let facts = facts[index.rawValue] else { return row }
        row.incarnation = facts.incarnation
        row.isDrained = node.isDrained
        row.isDown = node.isDown
        row.reason = facts.reason
        row.reasonTime = facts.reasonTime
        row.reasonUID = facts.reasonUID
        return row
    }

    func nodeViews() -> [NodeView] {
        configuration.nodes.indices.compactMap { index in
            configuration.nodes[index].isRemoved ? nil : nodeView(NodeIndex(index))
        }
    }

    private func nodeView(_ index: NodeIndex) -> NodeView? {
        let configured = configuration.nodes[index.int]
        guard let node = nodes[index.rawValue], let facts = facts[index.rawValue] else { return nil }
        let allocated = configured.cpus - node.freeCPUs.count
        return NodeView(
            index: index, name: configured.name, address: configured.address,
            state: Self.state(of: node, allocated: allocated, cpus: configured.cpus), flags: flags(of: node, index),
            reason: facts.reason, reasonTime: facts.reasonTime, reasonUID: facts.reasonUID, cpus: configured.cpus,
            cpusAllocated: allocated, memoryMiB: configured.memoryMiB,
            memoryAllocatedMiB: configured.memoryMiB - min(node.freeMemoryMiB, configured.memoryMiB),
            registration: facts.registration, isConnected: node.isConnected,
            ioPort: facts.registration?.ioPort ?? configured.port, weight: configured.weight,
            lastBusy: node.lastBusy, partitions: partitionsOfNode[index.int])
    }

    private static func state(of node: NodeRecord, allocated: Int, cpus: Int) -> String {
        if node.isDown { return "DOWN" }
        if !node.isRegistered { return "UNKNOWN" }
        if allocated == 0 { return "IDLE" }
        return allocated >= cpus ? "ALLOCATED" : "MIXED"
    }

    private func flags(of node: NodeRecord, _ index: NodeIndex) -> [String] {
        var flags: [String] = []
        if node.isDrained { flags.append("DRAIN") }
        if let reserved = reservedNodes[index.rawValue] {
            if reserved == .maintenance { flags.append("MAINTENANCE") }
            flags.append("RESERVED")
        }
        let completing = node.holds.contains { jobs[$0.job.rawValue]?.state == .completing }
        if completing || !node.strays.isEmpty { flags.append("COMPLETING") }
        if !node.isConnected && node.isRegistered { flags.append("NOT_RESPONDING") }
        return flags
    }
}

extension PartitionView {
    fileprivate init(_ partition: ClusterConfiguration.Partition, of configuration: ClusterConfiguration) {
        self.init(
            name: partition.name, isDefault: partition.isDefault, state: partition.state.uppercased(),
            nodes: partition.nodes,
            maxTime: partition.maxTime, defaultTime: partition.defaultTime, minNodes: partition.minNodes,
            maxNodes: partition.maxNodes, cpus: partition.nodes.reduce(0) { $0 + configuration.nodes[$1.int].cpus })
    }
}
