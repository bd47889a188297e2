// What a job asks for, resolved against the cluster: a Shape.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension ControllerCore {
    /// Counts a waiting job's demand among the shapes; its record names it from then on.
    mutating func takeShape(_ id: JobID) {
        guard let record = record(id), record.state == .pending, record.shape < 0,
            let spec = tables.specs[id.rawValue],
            let shape = try? shape(spec.fields, partitions: partitions(of: record, spec), throwing: false)
        else { return }
        let number = shapes.intern(shape)
        tables.jobs.update(id.rawValue) { $0.shape = number }
    }

    /// The job waits no longer, or its demand changed.
    mutating func dropShape(_ id: JobID) {
        guard let record = record(id), record.shape >= 0 else { return }
        shapes.release(record.shape)
        tables.jobs.update(id.rawValue) { $0.shape = -1 }
    }

    /// Positions of the partitions the job may run in: those it named, as far as they still exist.
    private func partitions(of record: JobRecord, _ spec: JobSpec) -> [Int] {
        let named = spec.fields.partition.split(separator: ",").compactMap { name in
            tables.partitions.firstIndex { $0.name == name }
        }
        return named.count > 1 ? named : [Int(record.partition)]
    }

    /// Throws (only when `throwing`) for node lists that name unknown nodes.
    func shape(_ fields: JobSpec.Fields, partitions: [Int], throwing: Bool) throws(Refusal) -> Shape {
        let resources = fields.resources
        var shape = Shape(partitions: partitions)
        shape.cpusPerTask = max(1, Int(fields.cpusPerTask))
        shape.tasksPerNode = Int(fields.tasksPerNode)
        shape.tasksPerSocket = Int(resources.tasksPerSocket)
        shape.tasksPerCore = Int(resources.tasksPerCore)
        shape.tasksPerGPU = Int(resources.tasksPerGPU)
        shape.threadsPerCore = Int(resources.threadsPerCore)
        shape.minSocketsPerNode = Int(resources.socketsPerNode)
        shape.minCoresPerSocket = Int(resources.coresPerSocket)
        shape.minCPUsPerNode = Int(resources.minCPUsPerNode)
        shape.memoryPerNodeMiB = fields.memoryPerNodeMiB
        shape.memoryPerCPUMiB = fields.memoryPerCPUMiB
        shape.memoryPerGPUMiB = resources.memoryPerGPUMiB
        shape.gres = resources.gres
        shape.cpusPerGPU = Int(resources.cpusPerGPU)
        shape.sharing = fields.exclusive ? .exclusive : resources.sharing
        shape.overcommit = resources.overcommit
        shape.contiguous = resources.contiguous
        shape.spreadJob = resources.spreadJob
        shape.useMinNodes = resources.useMinNodes
        shape.switches = Int(resources.switches)
        shape.switchWait = Int(resources.switchWait)
        shape.distribution = resources.distribution
        shape.coreSpec = Int(resources.coreSpec)
        shape.requiredNodes = try nodes(fields.nodeList, throwing: throwing)
        shape.excludedNodes = try nodes(fields.exclude, throwing: throwing)
        shape.licenses = try licenses(resources.licenses, throwing: throwing)
        shape.anyLicense = resources.anyLicense
        try resolveNames(&shape, fields, throwing: throwing)
        settleCounts(&shape, fields)
        return shape
    }

    private func settleCounts(_ shape: inout Shape, _ fields: JobSpec.Fields) {
        let ceiling = max(1, shape.partitions.map { tables.partitions[$0].nodes.count }.max() ?? 1)
        let fixed = Int(fields.minNodes)
        if fixed > 0 {
            shape.minNodes = max(fixed, shape.requiredNodes.count)
            shape.maxNodes = max(shape.minNodes, Int(fields.maxNodes))
            shape.tasks = fields.tasks > 0 ? Int(fields.tasks) : shape.minNodes * max(1, shape.tasksPerNode)
            shape.prefersMaxNodes = shape.maxNodes > shape.minNodes && !shape.useMinNodes
            shape.tasksFollowNodes = shape.prefersMaxNodes && fields.tasks == 0
        } else {
            shape.tasks =
                fields.tasks > 0 ? Int(fields.tasks) : max(1, shape.requiredNodes.count) * max(1, shape.tasksPerNode)
            let spread = shape.tasksPerNode > 0 ? (shape.tasks + shape.tasksPerNode - 1) / shape.tasksPerNode : 1
            shape.minNodes = max(1, spread, shape.requiredNodes.count)
            shape.maxNodes = max(shape.minNodes, ceiling)
        }
    }

    private func licenses(
        _ requests: [LicenseRequest], throwing: Bool
    ) throws(Refusal) -> [Shape.LicenseDemand] {
        for request in requests where throwing {
            guard let known = configuration.licenses.first(where: { $0.name == request.name }) else {
                let names = configuration.licenses.map(\.name).joined(separator: ", ")
                throw Refusals.invalidLicense(
                    "license \(request.name) is not configured; there are: \(names.isEmpty ? "none" : names)")
            }
            if request.count > known.count {
                throw Refusals.invalidLicense(
                    "the job asks for \(request.count) of license \(request.name), the cluster has \(known.count);"
                        + " ask for fewer")
            }
        }
        return licenseDemands(requests)
    }

    /// The highest tier of the named partitions.
    func tier(of list: String, or partition: UInt16) -> UInt16 {
        let tiers = list.split(separator: ",").compactMap { name in
            configuration.partitions.first { $0.name == name }?.priorityTier
        }
        let own = Int(partition) < configuration.partitions.count ? configuration.partitions[Int(partition)] : nil
        return UInt16(clamping: tiers.max() ?? own?.priorityTier ?? 1)
    }

    func nodes(_ list: String, throwing: Bool) throws(Refusal) -> [NodeIndex] {
        if list.isEmpty { return [] }
        var found: [NodeIndex] = []
        do {
            for name in try Hostlist.expand(list) {
                guard let index = configuration.node(named: name) else {
                    if throwing { throw Refusals.invalidNode(name) }
                    continue
                }
                if !found.contains(index) { found.append(index) }
            }
        } catch let malformed as Hostlist.Malformed {
            if throwing { throw Refusal(.invalidNodeName, "Invalid node name specified", detail: "\(malformed)") }
        } catch let refusal as Refusal {
            throw refusal
        } catch {}
        return found.sorted()
    }

    /// Whether a job of this shape would start on the cluster with nothing on it. Asked once for each shape: the answer is
    /// the planner's own, and changes only with what nodes are.
    func couldEverRun(_ shape: Shape) -> Bool {
        if let known = feasibility.known(shape) { return known }
        var snapshot = emptyCluster
        for index in snapshot.partitions.indices { snapshot.partitions[index].isUp = true }
        snapshot.shapes = [shape]
        // When its reservation comes is another question.
        snapshot.shapes[0].reservations = []
        var job = PlanningSnapshot.Job(id: JobID(1), shape: 0)
        job.timeLimit = TimeLimit(minutes: 1)
        snapshot.queue = [job]
        return !BackfillPlanner().plan(snapshot).placements.isEmpty
    }
}

/// Shapes that were looked at on the empty cluster. For finding only: never walked.
struct Feasibility: Sendable {
    private static let limit = 4096
    private var answers: [Shape: Bool] = [:]

    func known(_ shape: Shape) -> Bool? { answers[shape] }

    mutating func learn(_ shape: Shape, _ answer: Bool) {
        if answers.count >= Self.limit { answers = [:] }
        answers[shape] = answer
    }

    /// Nodes are others now.
    mutating func forget() { answers = [:] }
}
