// Jobs as limits and usage see them: counts of trackable resources, asked or held.
import ArgosyConfig
import ArgosyDomain
import ArgosyScheduler

extension Tables {
    /// Of a request that is charged to `place`.
    func limitedJob(_ fields: JobSpec.Fields, _ place: AccountingPlace, partition: UInt16) -> LimitedJob {
        let ask = Asked(fields, records: book.records)
        var job = LimitedJob(
            association: place.association, qos: place.qos, partitionQOS: partitionQOS(partition),
            uid: fields.identity.uid, tres: ask.tres, tresPerNode: ask.perNode, timeLimit: fields.timeLimit)
        job.tres.set(.billing, billing(partition).count(job.tres))
        return job
    }

    /// What a waiting job asks, or a running one holds; nil when it is not known.
    func limitedJob(_ record: JobRecord) -> LimitedJob? {
        guard let spec = specs[record.id.rawValue] else { return nil }
        let (tres, perNode): (TRESCounts, TRESCounts)
        if let run = runs[record.id.rawValue], record.state != .pending {
            let held = Held(run.allocation, records: book.records)
            (tres, perNode) = (held.tres, held.perNode)
        } else {
            let asked = Asked(spec.fields, records: book.records)
            (tres, perNode) = (asked.tres, asked.perNode)
        }
        var job = LimitedJob(
            association: Int(record.association), qos: Int(record.qos), partitionQOS: partitionQOS(record.partition),
            uid: record.uid, tres: tres, tresPerNode: perNode, timeLimit: record.timeLimit)
        job.tres.set(.billing, billing(record.partition).count(tres))
        return job
    }

    /// Position of the partition's QOS; -1: none.
    func partitionQOS(_ index: UInt16) -> Int {
        guard Int(index) < configuration.partitions.count else { return -1 }
        let name = configuration.partitions[Int(index)].policy.qos
        return name.isEmpty ? -1 : book.records.qosPosition(named: name) ?? -1
    }
}

/// TRES a request asks for, at least.
struct Asked {
    var tres = TRESCounts()
    var perNode = TRESCounts()

    init(_ fields: JobSpec.Fields, records: AccountingRecords) {
        let each = max(1, UInt64(fields.cpusPerTask))
        let byNode = UInt64(fields.tasksPerNode) * max(1, UInt64(fields.minNodes))
        let tasks = max(UInt64(fields.tasks), byNode, UInt64(fields.minNodes), 1)
        let nodes = max(1, UInt64(fields.minNodes))
        let cpus = max(tasks.multipliedSaturating(by: each), nodes * UInt64(fields.resources.minCPUsPerNode))
        tres.set(.cpu, cpus)
        tres.set(.node, nodes)
        perNode.set(.cpu, (cpus + nodes - 1) / nodes)
        let memory =
            fields.memoryPerNodeMiB > 0
            ? fields.memoryPerNodeMiB.multipliedSaturating(by: nodes)
            : fields.memoryPerCPUMiB.multipliedSaturating(by: cpus)
        if memory > 0 {
            tres.set(.mem, memory)
            perNode.set(.mem, (memory + nodes - 1) / nodes)
        }
        add(fields.resources, records.tres, nodes: nodes, tasks: tasks)
    }

    private mutating func add(_ resources: ResourceOptions, _ table: TRESTable, nodes: UInt64, tasks: UInt64) {
        for request in resources.gres {
            let factor: UInt64
            switch request.per {
            case .node: factor = nodes
            case .job: factor = 1
            case .task: factor = tasks
            case .socket: factor = nodes * UInt64(max(1, resources.socketsPerNode))
            }
            let count = request.count.multipliedSaturating(by: factor)
            for name in ["gres/\(request.name)", "gres/\(request.name):\(request.type)"] {
                guard let id = table.id(of: name) else { continue }
                tres.set(id, tres[id] + count)
                perNode.set(id, perNode[id] + (count + nodes - 1) / nodes)
            }
        }
        for license in resources.licenses {
            if let id = table.id(of: "license/\(license.name)") { tres.set(id, tres[id] + UInt64(license.count)) }
        }
    }
}

/// TRES an allocation holds.
struct Held {
    var tres = TRESCounts()
    var perNode = TRESCounts()

    init(_ allocation: Allocation, records: AccountingRecords) {
        var (cpus, memory, mostCPUs, mostMemory) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        for node in allocation.nodes {
            let count = UInt64(node.cpus.count)
            cpus += count
            memory += node.memoryMiB
            mostCPUs = max(mostCPUs, count)
            mostMemory = max(mostMemory, node.memoryMiB)
            for grant in node.gres {
                for name in ["gres/\(grant.name)", "gres/\(grant.name):\(grant.type)"] {
                    guard let id = records.tres.id(of: name) else { continue }
                    tres.set(id, tres[id] + grant.count)
                    perNode.set(id, max(perNode[id], grant.count))
                }
            }
        }
        tres.set(.node, UInt64(allocation.nodes.count))
        tres.set(.cpu, cpus)
        perNode.set(.cpu, mostCPUs)
        guard memory > 0 else { return }
        tres.set(.mem, memory)
        perNode.set(.mem, mostMemory)
    }
}

extension UInt64 {
    func multipliedSaturating(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
