// The planner of the first release: FIFO, first fit by core.
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
        for job in snapshot.queue { pass.try(job) }
        return pass.plan
    }
}

/// The state of one pass over the queue.
private struct Pass {
    let snapshot: PlanningSnapshot
    var nodes: [PlanningSnapshot.Node]
    /// The nodes as if nothing ran on them.
    let emptied: [PlanningSnapshot.Node]
    /// By partition: which nodes take no work, in words, once somebody needed them.
    var absences: [String?]
    var plan: Plan
    /// By partition: its head, once there is one, and what is told to those behind it.
    var heads: [JobID?]
    var followerDetails: [String]

    init(_ snapshot: PlanningSnapshot) {
        self.snapshot = snapshot
        nodes = snapshot.nodes
        emptied = snapshot.nodes.map(\.emptied)
        absences = Array(repeating: nil, count: snapshot.partitionNodes.count)
        plan = Plan(version: snapshot.version)
        heads = Array(repeating: nil, count: snapshot.partitionNodes.count)
        followerDetails = Array(repeating: "", count: snapshot.partitionNodes.count)
    }

    mutating func `try`(_ job: PlanningSnapshot.Job) {
        if heads[job.partition] != nil {
            explain(job, .priority, followerDetails[job.partition])
            return
        }
        for _ in 0..<max(job.copies, 1) {
            guard let allocation = Placer.place(job, on: snapshot.partitionNodes[job.partition], of: nodes) else {
                block(job)
                return
            }
            take(allocation)
            plan.placements.append(Placement(job: job.id, allocation: allocation))
        }
    }

    private mutating func take(_ allocation: Allocation) {
        for node in allocation.nodes {
            nodes[node.index.int].freeCPUs.subtract(node.cpus)
            nodes[node.index.int].freeMemoryMiB -= min(node.memoryMiB, nodes[node.index.int].freeMemoryMiB)
        }
    }

    private mutating func block(_ job: PlanningSnapshot.Job) {
        let partition = snapshot.partitionNodes[job.partition]
        guard Placer.place(job, on: partition, of: emptied) != nil else {
            let absence = absences[job.partition] ?? Wording.absence(partition, snapshot.nodes)
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

    private mutating func hold(_ job: PlanningSnapshot.Job, _ reason: PendingReason, _ detail: String) {
        explain(job, reason, detail)
        lead(job)
    }

    /// From here on the job is its partition's head.
    private mutating func lead(_ job: PlanningSnapshot.Job) {
        heads[job.partition] = job.id
        followerDetails[job.partition] = "job \(job.id) is first in this partition and has to wait"
        for node in snapshot.partitionNodes[job.partition] { nodes[node.int].isAvailable = false }
    }

    /// The nodes as they are, without what is kept for heads.
    private var unreserved: [PlanningSnapshot.Node] {
        zip(nodes, snapshot.nodes).map { node, original in
            var node = node
            node.isAvailable = original.isAvailable
            return node
        }
    }

    /// When running jobs that end at their limits leave room; unset when that cannot be told.
    private func expectedStart(of job: PlanningSnapshot.Job) -> Timestamp {
        var nodes = self.nodes
        let running =
            snapshot.running.enumerated()
            .sorted { ($0.element.end, $0.offset) < ($1.element.end, $1.offset) }.map(\.element)
        for work in running where work.end != .never {
            for node in work.allocation.nodes {
                nodes[node.index.int].freeCPUs.formUnion(node.cpus)
                nodes[node.index.int].freeMemoryMiB += node.memoryMiB
            }
            if Placer.place(job, on: snapshot.partitionNodes[job.partition], of: nodes) != nil {
                return max(work.end, snapshot.now)
            }
        }
        return .unset
    }

    private mutating func explain(
        _ job: PlanningSnapshot.Job, _ reason: PendingReason, _ detail: String, expectedStart: Timestamp = .unset
    ) {
        plan.explanations.append(
            Explanation(job: job.id, reason: reason, detail: detail, expectedStart: expectedStart))
    }
}

/// Sentences with the numbers, for people who ask why.
private enum Wording {
    static func demand(_ job: PlanningSnapshot.Job) -> String {
        let nodes = job.minNodes == 1 ? "1 node" : "\(job.minNodes) nodes"
        var text = "\(max(job.tasks, job.minNodes) * job.cpusPerTask) CPUs on \(nodes)"
        if job.exclusive { text += ", alone" }
        if job.memoryPerNodeMiB > 0 { text += ", \(job.memoryPerNodeMiB) MiB of memory on each" }
        if job.memoryPerCPUMiB > 0 { text += ", \(job.memoryPerCPUMiB) MiB of memory for each CPU" }
        return text
    }

    static func resources(
        _ job: PlanningSnapshot.Job, _ partition: [NodeIndex], _ nodes: [PlanningSnapshot.Node]
    ) -> String {
        let open = partition.map { nodes[$0.int] }.filter(\.isAvailable)
        let free = open.reduce(0) { $0 + $1.freeCPUs.count }
        let memory = open.map(\.freeMemoryMiB).max() ?? 0
        return "needs \(demand(job)); \(free) of \(open.reduce(0) { $0 + $1.cpus }) CPUs are free on"
            + " \(open.count) nodes, at most \(memory) MiB of memory on one"
    }

    static func absence(_ partition: [NodeIndex], _ nodes: [PlanningSnapshot.Node]) -> String {
        let away = partition.filter { !nodes[$0.int].isAvailable }
        let names = Hostlist.compress(away.prefix(64).map { nodes[$0.int].name })
        return "\(partition.count - away.count) of \(partition.count) nodes of its partition can"
            + " take work (not: \(names.isEmpty ? "none" : names)); see sinfo -R"
    }
}

extension PlanningSnapshot.Node {
    /// As if nothing ran on it.
    var emptied: Self {
        var node = self
        node.freeCPUs = CPUSet(0..<cpus)
        node.freeMemoryMiB = memoryMiB
        return node
    }
}
