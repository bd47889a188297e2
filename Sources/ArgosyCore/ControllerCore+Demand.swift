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
        } else {
            shape.tasks =
                fields.tasks > 0 ? Int(fields.tasks) : max(1, shape.requiredNodes.count) * max(1, shape.tasksPerNode)
            let spread = shape.tasksPerNode > 0 ? (shape.tasks + shape.tasksPerNode - 1) / shape.tasksPerNode : 1
            shape.minNodes = max(1, spread, shape.requiredNodes.count)
            shape.maxNodes = max(shape.minNodes, ceiling)
        }
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
}
