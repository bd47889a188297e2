// What jobs and steps ask for and hold, as listings count it.
internal import ArgosyConfig
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyScheduler
internal import ArgosyWire

extension Listing {
    /// TRES asked for and held, the leader's components.
    func addResources(_ row: JobRow, to info: inout WireJobInfo) {
        let billing = billing(of: row.partition)
        info.tresRequested = tres(
            cpus: UInt64(info.cpusWanted), memoryMiB: memoryWanted(row, info), nodes: UInt64(info.nodesWanted),
            gres: requestedGRES(row, info), licenses: row.spec.fields.resources.licenses, billing)
        if let allocation = row.allocation {
            let cpus = UInt64(allocation.cpuCount)
            let memory = allocation.nodes.reduce(0) { $0 + $1.memoryMiB }
            let counts: TRESCounts = [.cpu: cpus, .mem: memory, .node: UInt64(allocation.nodes.count)]
            info.billing = billing.units(counts)
            info.tresAllocated = tres(
                cpus: cpus, memoryMiB: memory, nodes: UInt64(allocation.nodes.count),
                gres: allocation.nodes.flatMap(\.gres), licenses: row.licenses, billing)
        }
        if let leader = row.hetLeader {
            let count = row.id == leader ? row.spec.fields.components.count : 0
            info.hetJobs = count > 1 ? "\(leader)-\(leader.rawValue + UInt32(count) - 1)" : ""
        }
    }

    private func billing(of partition: String) -> Billing {
        let first = partition.split(separator: ",").first.map(String.init) ?? ""
        let weights = configuration.partitions.first { $0.name == first }?.policy.tresBillingWeights ?? []
        return Billing(weights: weights, table: TRESTable(), flags: configuration.priority.flags)
    }

    private func memoryWanted(_ row: JobRow, _ info: WireJobInfo) -> UInt64 {
        let fields = row.spec.fields
        if fields.memoryPerCPUMiB > 0 { return fields.memoryPerCPUMiB &* UInt64(info.cpusWanted) }
        return fields.memoryPerNodeMiB &* UInt64(info.nodesWanted)
    }

    private func requestedGRES(_ row: JobRow, _ info: WireJobInfo) -> [GRESGrant] {
        row.spec.fields.resources.gres.map { request in
            let times: UInt64 =
                switch request.per {
                case .node: UInt64(info.nodesWanted)
                case .job: 1
                case .task: UInt64(max(1, row.spec.fields.tasks))
                case .socket: UInt64(max(1, row.spec.fields.resources.socketsPerNode))
                }
            return GRESGrant(name: request.name, type: request.type, count: request.count &* times)
        }
    }

    /// `cpu=2,mem=20M,node=1,billing=2,gres/gpu=1`: those that are tracked, by number.
    private func tres(
        cpus: UInt64, memoryMiB: UInt64, nodes: UInt64, gres: [GRESGrant], licenses: [LicenseRequest],
        _ billing: Billing
    ) -> String {
        var counts: TRESCounts = [.cpu: cpus, .node: nodes]
        var words = ["cpu=\(cpus)"]
        if memoryMiB > 0 {
            counts.set(.mem, memoryMiB)
            words.append("mem=\(memoryMiB)M")
        }
        words.append("node=\(nodes)")
        words.append("billing=\(billing.count(counts))")
        for tracked in configuration.accounting.tres {
            let parts = tracked.split(separator: "/", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let count: UInt64 =
                switch parts[0].lowercased() {
                case "gres": gres.filter { Self.isMeant($0, parts[1]) }.reduce(0) { $0 + $1.count }
                case "license": licenses.filter { $0.name == parts[1] }.reduce(0) { $0 + UInt64($1.count) }
                default: 0
                }
            if count > 0 { words.append("\(tracked)=\(count)") }
        }
        return words.joined(separator: ",")
    }

    private static func isMeant(_ grant: GRESGrant, _ name: Substring) -> Bool {
        grant.name == name || "\(grant.name):\(grant.type)" == name
    }

    // MARK: - Steps

    func addResources(_ row: StepRow, to info: inout WireStepInfo) {
        info.memoryMib = row.layout.nodes.reduce(0) { $0 + $1.memoryMiB }
        info.gres = GRESTotals.sum(row.layout.nodes.flatMap(\.gres)).map(WireGRESGrant.init)
    }
}

/// Devices of several holders, together.
enum GRESTotals {
    static func sum(_ grants: [GRESGrant]) -> [GRESGrant] {
        var totals: [GRESGrant] = []
        for grant in grants {
            if let place = totals.firstIndex(where: { $0.name == grant.name && $0.type == grant.type }) {
                totals[place].count += grant.count
                totals[place].devices.formUnion(grant.devices)
            } else {
                totals.append(grant)
            }
        }
        return totals
    }
}
