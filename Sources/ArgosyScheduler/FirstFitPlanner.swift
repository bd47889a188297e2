// The planner of the first release, until the backfill planner is in: FIFO, first fit by core.
//
// Jobs are tried in queue order. The first one of a partition that could run on the partition's available nodes but not
// now is its head: it waits for resources, everything behind it in that partition waits for its priority, and no later
// job of another partition takes nodes of that partition. A job that could not run even if all available nodes were
// empty waits for nodes to come back and blocks nobody.
import ArgosyDomain

/// FIFO with first-fit placement; gives every job a reason with the numbers, and heads an expected start.
public struct FirstFitPlanner: Planner {
    public init() {}

    public func plan(_ snapshot: PlanningSnapshot) -> Plan {
        var pass = Pass(snapshot)
        for job in snapshot.queue { pass.consider(job) }
        return pass.plan
    }

    /// Whether a job of this shape would fit its first partition with nothing running.
    public static func fitsEmpty(_ shape: Shape, of snapshot: PlanningSnapshot) -> Bool {
        let nodes = snapshot.nodes.map { FlatNode($0, snapshot.kinds[$0.kind]).emptied }
        let job = FlatJob(PlanningSnapshot.Job(id: JobID(0), shape: 0), shape)
        return Placer.place(job, on: snapshot.partitions[job.partition].nodes, of: nodes) != nil
    }
}

/// The little of a demand that this planner understands.
struct FlatJob {
    var id: JobID
    var partition: Int
    var minNodes: Int
    var maxNodes: Int
    var tasks: Int
    var tasksPerNode: Int
    var cpusPerTask: Int
    var memoryPerNodeMiB: UInt64
    var memoryPerCPUMiB: UInt64
    var exclusive: Bool
    var requiredNodes: [NodeIndex]
    var excludedNodes: [NodeIndex]
    var copies: Int

    init(_ job: PlanningSnapshot.Job, _ shape: Shape) {
        id = job.id
        partition = shape.partitions[0]
        minNodes = shape.minNodes
        maxNodes = shape.maxNodes
        tasks = shape.tasks
        tasksPerNode = shape.tasksPerNode
        cpusPerTask = shape.cpusPerTask
        memoryPerNodeMiB = shape.memoryPerNodeMiB
        memoryPerCPUMiB = shape.memoryPerCPUMiB
        exclusive = shape.sharing == .exclusive
        requiredNodes = shape.requiredNodes
        excludedNodes = shape.excludedNodes
        copies = Int(job.copies)
    }
}

struct FlatNode {
    var index: NodeIndex
    var name: String
    var isAvailable: Bool
    var cpus: Int
    var threadsPerCore: Int
    var freeCPUs: CPUSet
    var memoryMiB: UInt64
    var freeMemoryMiB: UInt64
    var weight: UInt32

    init(_ node: PlanningSnapshot.Node, _ kind: PlanningSnapshot.NodeKind) {
        index = node.index
        name = node.name
        isAvailable = node.availability == .up
        cpus = kind.hardware.cpus
        threadsPerCore = kind.hardware.cores.first?.threads ?? 1
        freeCPUs = node.freeCPUs
        memoryMiB = kind.hardware.memoryMiB
        freeMemoryMiB = node.freeMemoryMiB
        weight = kind.weight
    }
}

/// The state of one pass over the queue.
private struct Pass {
    let snapshot: PlanningSnapshot
    var nodes: [FlatNode]
    let original: [FlatNode]
    /// Licenses.
    var free: [UInt32]
    /// The nodes as if nothing ran on them.
    let emptied: [FlatNode]
    /// By partition: which nodes take no work, in words, once somebody needed them.
    var absences: [String?]
    var plan: Plan
    /// By partition: its head, once there is one, and what is told to those behind it.
    var heads: [JobID?]
    var followerDetails: [String]

    init(_ snapshot: PlanningSnapshot) {
        self.snapshot = snapshot
        original = snapshot.nodes.map { FlatNode($0, snapshot.kinds[$0.kind]) }
        nodes = original
        free = snapshot.licenses.map(\.free)
        emptied = original.map(\.emptied)
        absences = Array(repeating: nil, count: snapshot.partitions.count)
        plan = Plan(version: snapshot.version)
        heads = Array(repeating: nil, count: snapshot.partitions.count)
        followerDetails = Array(repeating: "", count: snapshot.partitions.count)
    }

    mutating func consider(_ waiting: PlanningSnapshot.Job) {
        let job = FlatJob(waiting, snapshot.shapes[Int(waiting.shape)])
        let partition = snapshot.partitions[job.partition]
        if waiting.waits.contains(.arrayLimit) {
            explain(job, .jobArrayTaskLimit, "as many elements of the array run as it allows")
        } else if !lacking(waiting).isEmpty {
            explain(job, .licenses, "needs licenses that are in use")
        } else if !snapshot.shapes[Int(waiting.shape)].gres.isEmpty {
            explain(job, .resources, "needs devices, which this planner does not place")
        } else if !waiting.waits.isEmpty {
            return
        } else if waiting.begin > snapshot.now {
            explain(job, .beginTime, "may not start before its begin time", expectedStart: waiting.begin)
        } else if !partition.isUp {
            explain(job, .partitionDown, "partition \(partition.name) is not up")
        } else {
            `try`(job, snapshot.shapes[Int(waiting.shape)].licenses)
        }
    }

    private func lacking(_ job: PlanningSnapshot.Job) -> [Shape.LicenseDemand] {
        snapshot.shapes[Int(job.shape)].licenses.filter { free[$0.license] < $0.count }
    }

    private mutating func `try`(_ job: FlatJob, _ licenses: [Shape.LicenseDemand]) {
        if heads[job.partition] != nil {
            explain(job, .priority, followerDetails[job.partition])
            return
        }
        for _ in 0..<max(job.copies, 1) {
            guard let allocation = Placer.place(job, on: snapshot.partitions[job.partition].nodes, of: nodes) else {
                block(job)
                return
            }
            take(allocation)
            for demand in licenses { free[demand.license] -= min(demand.count, free[demand.license]) }
            plan.placements.append(Placement(job: job.id, allocation: allocation, partition: job.partition))
        }
    }

    private mutating func take(_ allocation: Allocation) {
        for node in allocation.nodes {
            nodes[node.index.int].freeCPUs.subtract(node.cpus)
            nodes[node.index.int].freeMemoryMiB -= min(node.memoryMiB, nodes[node.index.int].freeMemoryMiB)
        }
    }

    private mutating func block(_ job: FlatJob) {
        let partition = snapshot.partitions[job.partition].nodes
        guard Placer.place(job, on: partition, of: emptied) != nil else {
            let absence = absences[job.partition] ?? Wording.absence(partition, original)
            absences[job.partition] = absence
            explain(job, .reqNodeNotAvail, "needs \(Wording.demand(job)); \(absence)")
            return
        }
        if Placer.place(job, on: partition, of: unreserved) != nil {
            hold(job, .priority, "the nodes it could use are kept for an earlier job of another partition")
            return
        }
        explain(job, .resources, Wording.resources(job, partition, nodes), expectedStart: expectedStart(of: job))
        lead(job)
    }

    private mutating func hold(_ job: FlatJob, _ reason: PendingReason, _ detail: String) {
        explain(job, reason, detail)
        lead(job)
    }

    /// From here on the job is its partition's head.
    private mutating func lead(_ job: FlatJob) {
        heads[job.partition] = job.id
        followerDetails[job.partition] = "job \(job.id) is first in this partition and has to wait"
        for node in snapshot.partitions[job.partition].nodes { nodes[node.int].isAvailable = false }
    }

    /// The nodes as they are, without what is kept for heads.
    private var unreserved: [FlatNode] {
        zip(nodes, original).map { node, original in
            var node = node
            node.isAvailable = original.isAvailable
            return node
        }
    }

    /// When running jobs that end at their limits leave room; unset when that cannot be told.
    private func expectedStart(of job: FlatJob) -> Timestamp {
        var nodes = self.nodes
        let running =
            snapshot.running.enumerated()
            .sorted { ($0.element.expectedEnd, $0.offset) < ($1.element.expectedEnd, $1.offset) }.map(\.element)
        for work in running where work.expectedEnd != .never {
            for node in work.allocation.nodes {
                nodes[node.index.int].freeCPUs.formUnion(node.cpus)
                nodes[node.index.int].freeMemoryMiB += node.memoryMiB
            }
            if Placer.place(job, on: snapshot.partitions[job.partition].nodes, of: nodes) != nil {
                return max(work.expectedEnd, snapshot.now)
            }
        }
        return .unset
    }

    private mutating func explain(
        _ job: FlatJob, _ reason: PendingReason, _ detail: String, expectedStart: Timestamp = .unset
    ) {
        var explanation = Explanation(job: job.id, reason: reason)
        if plan.details.last != detail { plan.details.append(detail) }
        explanation.detail = Int32(plan.details.count - 1)
        explanation.expectedStart = expectedStart
        plan.explanations.append(explanation)
    }
}

/// Sentences with the numbers, for people who ask why.
private enum Wording {
    static func demand(_ job: FlatJob) -> String {
        let nodes = job.minNodes == 1 ? "1 node" : "\(job.minNodes) nodes"
        var text = "\(max(job.tasks, job.minNodes) * job.cpusPerTask) CPUs on \(nodes)"
        if job.exclusive { text += ", alone" }
        if job.memoryPerNodeMiB > 0 { text += ", \(job.memoryPerNodeMiB) MiB of memory on each" }
        if job.memoryPerCPUMiB > 0 { text += ", \(job.memoryPerCPUMiB) MiB of memory for each CPU" }
        return text
    }

    static func resources(
        _ job: FlatJob, _ partition: [NodeIndex], _ nodes: [FlatNode]
    ) -> String {
        let open = partition.map { nodes[$0.int] }.filter(\.isAvailable)
        let free = open.reduce(0) { $0 + $1.freeCPUs.count }
        let memory = open.map(\.freeMemoryMiB).max() ?? 0
        return "needs \(demand(job)); \(free) of \(open.reduce(0) { $0 + $1.cpus }) CPUs are free on"
            + " \(open.count) nodes, at most \(memory) MiB of memory on one"
    }

    static func absence(_ partition: [NodeIndex], _ nodes: [FlatNode]) -> String {
        let away = partition.filter { !nodes[$0.int].isAvailable }
        let names = Hostlist.compress(away.prefix(64).map { nodes[$0.int].name })
        return "\(partition.count - away.count) of \(partition.count) nodes of its partition can"
            + " take work (not: \(names.isEmpty ? "none" : names)); see sinfo -R"
    }
}

extension FlatNode {
    /// As if nothing ran on it.
    var emptied: Self {
        var node = self
        node.freeCPUs = CPUSet(0..<cpus)
        node.freeMemoryMiB = memoryMiB
        return node
    }
}
